//! A scenario as meant: every default filled in, every name resolved, nothing left that could be wrong.

use schism_core::{DigestValue, Duration, NodeId, Seed, Time, Topology, ZoneId};
use schism_models::{client, nemesis, oracle, registry, service};

/// All that a run needs beside a seed.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// One line that names it.
    pub title: String,
    /// The question it answers.
    pub why: Option<String>,
    /// Where it comes from.
    pub source: Option<String>,
    /// How much time is simulated.
    pub length: Duration,
    /// How much of that, from the start, the metrics leave out.
    pub warmup: Duration,
    /// The seed used unless another is asked for.
    pub seed: Seed,
    /// Zones, links, their latencies and loss.
    pub topology: Topology,
    /// The registry.
    pub registry: registry::Config,
    /// Its members, as nodes 0, 1, ...; empty for `static`.
    pub members: Vec<Node>,
    /// The services, in the order of the file.
    pub services: Vec<Group<service::Config>>,
    /// The client groups, in the order of the file.
    pub clients: Vec<Group<client::Config>>,
    /// Instances that only a fault boots, with the last numbers of all nodes, in the order in which faults need them.
    pub spares: Vec<Spare>,
    /// Processes of the registry's besides its members: those that share no instance's host come after the clients, the
    /// others last.
    pub aides: Vec<Aide>,
    /// What goes wrong.
    pub faults: Vec<nemesis::Planned>,
    /// The lines that some of that waits for a metric to cross; a trigger has the number of its line.
    pub lines: Vec<Line>,
    /// What must hold.
    pub expectations: Vec<Expectation>,
    /// Of the scenario as meant: two files that mean the same have the same digest.
    pub digest: DigestValue,
}

impl Scenario {
    /// The zone of every node that has a host of its own, by number: those who share another's come after them.
    pub fn zones(&self) -> Vec<ZoneId> {
        let members = self.members.iter();
        let instances = self.services.iter().flat_map(|group| &group.nodes);
        let clients = self.clients.iter().flat_map(|group| &group.nodes);
        let spares = self.spares.iter().map(|spare| &spare.node);
        let (apart, _) = self.aides_apart();
        members.chain(instances).chain(clients).chain(apart).chain(spares).map(|node| node.zone).collect()
    }

    /// All nodes, in the order of their numbers.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        let services = self.services.iter().flat_map(|group| &group.nodes);
        let clients = self.clients.iter().flat_map(|group| &group.nodes);
        let (apart, aboard) = self.aides_apart();
        let spares = self.spares.iter().map(|spare| &spare.node);
        self.members.iter().chain(services).chain(clients).chain(apart).chain(spares).chain(aboard)
    }

    /// The aides that are apart, and those on the hosts of instances.
    pub fn aides_apart(&self) -> (impl Iterator<Item = &Node>, impl Iterator<Item = &Node>) {
        let apart = self.aides.iter().filter(|aide| aide.host.is_none()).map(|aide| &aide.node);
        let aboard = self.aides.iter().filter(|aide| aide.host.is_some()).map(|aide| &aide.node);
        (apart, aboard)
    }
}

/// A service or a client group with its nodes. Nodes are numbered members first, then services, then clients, then
/// aides that are apart, then spares, then aides on the hosts of instances.
#[derive(Clone, Debug)]
pub struct Group<C> {
    /// The name in the file.
    pub name: String,
    /// What its nodes do.
    pub config: C,
    /// The nodes, named `name-0`, `name-1`, ...
    pub nodes: Vec<Node>,
}

/// An instance that only a fault boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spare {
    /// The index of its service.
    pub service: usize,
    /// Its number in the service, after those of all that are there from the start.
    pub ordinal: u32,
    /// The node.
    pub node: Node,
}

/// A process of the registry's besides its members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aide {
    /// The node.
    pub node: Node,
    /// The instance whose host it shares, if it does.
    pub host: Option<NodeId>,
}

/// One node of the cast.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its number in the world.
    pub id: NodeId,
    /// Its name: the group's, a dash and its number there.
    pub name: String,
    /// Where it runs.
    pub zone: ZoneId,
}

/// One thing that must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// Its name in the report: as given, or made from what it asks.
    pub id: String,
    /// What it asks.
    pub ask: Ask,
}

/// What an expectation asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// Something about events and views.
    Oracle {
        /// What to look for, with its options.
        oracle: oracle::Config,
        /// How often it must hold; `Eventually` counts from the last heal.
        mood: oracle::Mood,
        /// For `Eventually`: by when after the last heal.
        within: Duration,
    },
    /// A bound on a metric.
    Metric {
        /// Which metric, in its own unit: shares from 0 to 1, seconds, milliseconds for latencies, counts.
        metric: Metric,
        /// Over which part of the run.
        during: Window,
        /// The least that is allowed.
        at_least: Option<f64>,
        /// The most that is allowed.
        at_most: Option<f64>,
    },
    /// Bounds on several metrics, all to be kept.
    Slo {
        /// Each metric with its bound, in the order in which they were written.
        bounds: Vec<(Metric, f64)>,
        /// Over which part of the run.
        during: Window,
    },
}

/// What a metric is to stay within, while the run goes on: where it does not, it has crossed the line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Which metric, in its own unit; one of those that can be read [while the run goes on](Metric::is_live).
    pub metric: Metric,
    /// Less than this is across.
    pub at_least: Option<f64>,
    /// More than this is across.
    pub at_most: Option<f64>,
    /// Over how much time, up to the moment, it is measured.
    pub over: Duration,
}

/// A part of the run.
#[derive(Clone, Debug, PartialEq)]
pub enum Window {
    /// After the warm-up.
    All,
    /// From the warm-up to the first fault.
    Before,
    /// From the last heal to the end.
    After,
    /// While this fault lasts (an index into `Scenario::faults`).
    Fault(usize),
    /// Between two moments.
    Between(Time, Time),
}

/// Which way a metric gets better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    /// The more of it the better.
    More,
    /// The less of it the better.
    Less,
}

/// The metrics that an expectation can bound. Latencies are in milliseconds, times in seconds, shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Requests that succeeded, of those offered.
    SuccessRate,
    /// Requests that succeeded, per second.
    Goodput,
    /// A quantile of the latency of requests that succeeded, in thousandths: 500, 900, 990, 999.
    LatencyQuantile(u32),
    /// Their mean latency.
    LatencyMean,
    /// Attempts sent to an instance that had died or had left the registry.
    StaleRequests,
    /// Attempts sent to an instance that could not answer.
    Misrouted,
    /// Attempts that left their zone.
    CrossZoneShare,
    /// The busiest instance's attempts against the mean, of the worst service.
    PeakToMean,
    /// Attempts per request.
    AttemptsPerRequest,
    /// Reads that the registry served.
    RegistryReads,
    /// From the first fault to the first belief that something is gone.
    Detect,
    /// From the first fault to the last attempt sent to an instance that could not answer.
    Reroute,
    /// From the last heal to the moment from which all views agree.
    Converge,
    /// The lowest success share of any whole second after the first fault.
    Dip,
    /// Instances that the registry dropped though they were alive, and had been since it last heard of them.
    FalseEviction,
    /// The longest time for which a dead instance was believed alive.
    GhostWindow,
}

impl Metric {
    /// Whether it can be read while the run goes on, over the time just past.
    pub fn is_live(self) -> bool {
        match self {
            Metric::SuccessRate
            | Metric::Goodput
            | Metric::LatencyQuantile(_)
            | Metric::LatencyMean
            | Metric::StaleRequests
            | Metric::Misrouted
            | Metric::CrossZoneShare
            | Metric::AttemptsPerRequest
            | Metric::RegistryReads => true,
            Metric::PeakToMean
            | Metric::Detect
            | Metric::Reroute
            | Metric::Converge
            | Metric::Dip
            | Metric::FalseEviction
            | Metric::GhostWindow => false,
        }
    }

    /// Whether more of it is better, so that an objective is the least that is allowed of it, or less.
    pub fn better(self) -> Better {
        match self {
            Metric::SuccessRate | Metric::Goodput | Metric::Dip => Better::More,
            Metric::LatencyQuantile(_)
            | Metric::LatencyMean
            | Metric::StaleRequests
            | Metric::Misrouted
            | Metric::CrossZoneShare
            | Metric::PeakToMean
            | Metric::AttemptsPerRequest
            | Metric::RegistryReads
            | Metric::Detect
            | Metric::Reroute
            | Metric::Converge
            | Metric::FalseEviction
            | Metric::GhostWindow => Better::Less,
        }
    }

    /// Its name in a scenario.
    pub fn name(self) -> &'static str {
        let entry = Metric::CATALOG.iter().find(|(_, _, metric)| *metric == self);
        entry.map(|(name, ..)| *name).expect("every metric is in the catalog")
    }

    /// The names a scenario may write, with what they mean.
    pub const CATALOG: &[(&str, &str, Metric)] = &[
        ("success-rate", "requests that succeeded, of those offered", Metric::SuccessRate),
        ("goodput", "requests that succeeded, per second", Metric::Goodput),
        ("latency-p50", "median latency of requests that succeeded", Metric::LatencyQuantile(500)),
        ("latency-p90", "90th percentile of their latency", Metric::LatencyQuantile(900)),
        ("latency-p99", "99th percentile of their latency", Metric::LatencyQuantile(990)),
        ("latency-p999", "99.9th percentile of their latency", Metric::LatencyQuantile(999)),
        ("latency-mean", "their mean latency", Metric::LatencyMean),
        (
            "stale-requests",
            "attempts sent to an instance that had died or had left the registry",
            Metric::StaleRequests,
        ),
        (
            "misrouted",
            "attempts sent to an instance that could not answer: dead, paused or cut off",
            Metric::Misrouted,
        ),
        ("cross-zone-share", "attempts that left their zone, of all attempts", Metric::CrossZoneShare),
        ("peak-to-mean", "the busiest instance's attempts against the mean", Metric::PeakToMean),
        ("attempts-per-request", "attempts sent, per request offered", Metric::AttemptsPerRequest),
        ("registry-reads", "reads that the registry served", Metric::RegistryReads),
        ("detect", "from the first fault to the first belief that something is gone", Metric::Detect),
        (
            "reroute",
            "from the first fault to the last attempt sent to an instance that could not answer",
            Metric::Reroute,
        ),
        ("converge", "from the last heal to the moment from which all views agree", Metric::Converge),
        ("dip", "the lowest success share of any whole second after the first fault", Metric::Dip),
        (
            "false-eviction",
            "instances that the registry dropped though they were alive, and had been since it last heard of them",
            Metric::FalseEviction,
        ),
        (
            "ghost-window",
            "the longest time for which a dead instance was believed alive",
            Metric::GhostWindow,
        ),
    ];
}
