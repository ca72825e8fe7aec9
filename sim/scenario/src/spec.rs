//! A scenario as written: every value in its type, with its place; no name looked up yet, nothing compared.

use schism_core::{Distribution, Duration, Ratio};
use schism_models::{cache, client, nemesis, oracle, service};

use crate::Metric;
use crate::source::{At, Place};
use crate::target::TargetSpec;
use crate::units::Rate;

/// The whole file. What is required is `None` where it was missing or wrong, which has then been reported.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) title: Option<At<String>>,
    pub(crate) why: Option<At<String>>,
    pub(crate) source: Option<At<String>>,
    pub(crate) length: Option<At<Duration>>,
    pub(crate) warmup: At<Duration>,
    pub(crate) seed: At<u64>,
    pub(crate) zones: At<Vec<At<String>>>,
    pub(crate) links: Option<Vec<LinkSpec>>,
    pub(crate) same_zone: Distribution,
    pub(crate) cross_zone: Distribution,
    pub(crate) loss: Ratio,
    pub(crate) registry: Option<At<crate::registry::Spec>>,
    pub(crate) services: Vec<ServiceSpec>,
    pub(crate) clients: Vec<ClientSpec>,
    pub(crate) faults: Vec<FaultSpec>,
    /// Whether the list of them could be read.
    pub(crate) faults_readable: bool,
    pub(crate) expectations: Vec<ExpectSpec>,
    pub(crate) case: Option<crate::Case>,
}

/// One of `topology.links`.
#[derive(Clone, Debug)]
pub(crate) struct LinkSpec {
    pub(crate) place: Place,
    pub(crate) between: Option<At<Vec<At<String>>>>,
    pub(crate) latency: Option<Distribution>,
    pub(crate) loss: Option<Ratio>,
}

/// Which zones the nodes of a group take turns in.
#[derive(Clone, Debug)]
pub(crate) enum Spread {
    All,
    Over(At<Vec<At<String>>>),
}

/// `[services.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct ServiceSpec {
    pub(crate) name: At<String>,
    pub(crate) instances: Option<At<u32>>,
    pub(crate) spread: Spread,
    pub(crate) service: Option<Distribution>,
    pub(crate) slots: u32,
    pub(crate) queue: Option<u32>,
    pub(crate) weight: u32,
    pub(crate) labels: Option<At<Vec<service::Label>>>,
    pub(crate) re_register: service::ReRegister,
}

/// `[clients.NAME]`.
#[derive(Clone, Debug)]
pub(crate) struct ClientSpec {
    pub(crate) name: At<String>,
    pub(crate) count: Option<At<u32>>,
    pub(crate) spread: Spread,
    pub(crate) calls: Option<At<String>>,
    pub(crate) operation: Option<At<String>>,
    pub(crate) lock: LockSpec,
    pub(crate) arrivals: Option<At<ArrivalsSpec>>,
    pub(crate) timeout: At<Duration>,
    pub(crate) deadline: Option<Duration>,
    pub(crate) keys: Option<KeysSpec>,
    pub(crate) balancer: Option<schism_models::balancer::Config>,
    pub(crate) locality: Option<At<schism_models::locality::Config>>,
    pub(crate) subset: Option<At<schism_models::subset::Config>>,
    pub(crate) wanted: Option<At<Vec<(String, String)>>>,
    pub(crate) slow_start: Option<At<schism_models::balancer::slow_start::SlowStart>>,
    pub(crate) health_check: Option<At<client::HealthCheck>>,
    pub(crate) cache: Option<cache::Config>,
    pub(crate) connections: Option<At<client::Connections>>,
}

/// `lock`.
#[derive(Clone, Debug)]
pub(crate) struct LockSpec {
    /// Where it is written, if it is.
    pub(crate) place: Option<Place>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) hold: Distribution,
    pub(crate) writes: Option<At<String>>,
    pub(crate) every: Duration,
    pub(crate) fencing: client::Fencing,
}

/// `arrivals`.
#[derive(Clone, Debug)]
pub(crate) enum ArrivalsSpec {
    Poisson(Rate),
    Constant(Rate),
    Varying(client::Intensity),
    Closed(Distribution),
}

/// `key`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum KeysSpec {
    Unique,
    Uniform(u32),
    Zipf { keys: At<u32>, s: f64 },
}

/// `[[fault]]`.
#[derive(Clone, Debug)]
pub(crate) struct FaultSpec {
    pub(crate) place: Place,
    pub(crate) id: Option<At<String>>,
    /// The key of what goes wrong: it makes the default id.
    pub(crate) what: &'static str,
    pub(crate) start: Option<At<StartSpec>>,
    pub(crate) repeat: Option<At<RepeatSpec>>,
    /// The steps of `sequence`, or one.
    pub(crate) steps: Vec<StepSpec>,
    pub(crate) on_miss: nemesis::OnMiss,
    pub(crate) on_overlap: nemesis::OnOverlap,
}

/// One strike: what, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct StepSpec {
    pub(crate) place: Place,
    pub(crate) kind: Option<At<nemesis::Fault<TargetSpec>>>,
    pub(crate) end: EndSpec,
    /// How long after it has healed the next step begins.
    pub(crate) then: Duration,
}

/// `repeat`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RepeatSpec {
    pub(crate) every: Duration,
    pub(crate) times: u32,
    pub(crate) jitter: Duration,
}

/// When a fault begins, since the start of the run or since something happens.
#[derive(Clone, Debug)]
pub(crate) enum StartSpec {
    At(Duration),
    Between(Duration, Duration),
    When(WhenSpec, nemesis::Wait),
}

/// What a fault waits for.
#[derive(Clone, Debug)]
pub(crate) enum WhenSpec {
    /// `leader-changes`, or what becomes of something with an id: `cut.heals`.
    Word(String),
    Crosses(crate::Line),
}

/// When a fault is healed, since it began or since the start of the run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EndSpec {
    For(At<Duration>),
    Until(At<Duration>),
    Never,
}

/// `[[expect]]`.
#[derive(Clone, Debug)]
pub(crate) struct ExpectSpec {
    pub(crate) id: Option<At<String>>,
    pub(crate) ask: Option<At<AskSpec>>,
}

/// What is expected.
#[derive(Clone, Debug)]
pub(crate) enum AskSpec {
    Oracle {
        oracle: oracle::Config,
        mood: oracle::Mood,
        within: At<Duration>,
    },
    Metric {
        name: &'static str,
        metric: Metric,
        during: WindowSpec,
        at_least: Option<f64>,
        at_most: Option<f64>,
    },
    Slo {
        bounds: Vec<(&'static str, Metric, f64)>,
        during: WindowSpec,
    },
}

impl AskSpec {
    /// By when after the last heal it must hold, if it counts from that.
    pub(crate) fn within(&self) -> Option<Duration> {
        match self {
            AskSpec::Oracle { mood: oracle::Mood::Eventually, within, .. } => Some(within.value),
            AskSpec::Oracle { .. } | AskSpec::Metric { .. } | AskSpec::Slo { .. } => None,
        }
    }
}

/// `during`.
#[derive(Clone, Debug)]
pub(crate) enum WindowSpec {
    All,
    Before,
    After,
    Fault(At<String>),
    Between(At<Duration>, At<Duration>),
}
