//! A kubelet: it keeps its node's lease, probes its container, starts it anew, and tells the API how its pod is.

mod calls;
mod container;

use std::collections::BTreeMap;

use schism_core::{Duration, NodeId, Time};

use self::calls::Call;
use self::container::{Container, Flight};
use super::Config;
use super::api::{Msg, Verb};
use super::backoff::{Draws, Restarts, Retries, share};
use super::connection::Connection;
use super::probe::{Kind, Tally};
use super::store::{PodName, PodView};
use crate::listing::{Endpoint, ServiceId};
use crate::node::{Ctx, Health};
use crate::registry::{Seat, Server};

/// How often a node's lease is renewed: every 10 s, a quarter of its 40 s, and up to 4% later (pkg/kubelet/kubelet.go,
/// v1.28, `nodeLeaseRenewIntervalFraction`; component-helpers/apimachinery/lease/controller.go).
const RENEW: Duration = Duration::from_secs(10);
/// How often it is tried at once when that fails: 5 times (`maxUpdateRetries`).
const RENEWALS: u32 = 5;
/// How long one renewal may take: 10 s (cmd/kubelet/app/server.go, v1.28, `heartbeatClientConfig.Timeout`).
const RENEW_TIMEOUT: Duration = Duration::from_secs(10);
/// How often a node's status is looked at: 10 s (`nodeStatusUpdateFrequency`). It is posted if it is another.
const POST: Duration = Duration::from_secs(10);
/// How often the container runtime is asked what runs: 1 s (pkg/kubelet/kubelet.go, v1.28, `plegRelistPeriod`).
const RELIST: Duration = Duration::from_secs(1);
/// How often what the API has not taken is told again: 10 s (pkg/kubelet/status/status_manager.go, v1.28, `syncPeriod`).
const SYNC: Duration = Duration::from_secs(10);
/// How long a container has to end: 30 s (`terminationGracePeriodSeconds`).
const GRACE: Duration = Duration::from_secs(30);

/// What a kubelet reminds itself of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The lease is to be renewed.
    Renew,
    /// A renewal has taken too long.
    RenewTimedOut {
        /// Its number.
        call: u32,
    },
    /// The node's status is looked at.
    Post,
    /// What runs is looked at.
    Relist,
    /// What the API has not taken is told again.
    Sync,
    /// A watch is asked for again.
    Rewatch,
    /// A probe is due.
    Probe(Kind),
    /// A probe has taken too long.
    ProbeTimedOut {
        /// Its number.
        number: u32,
    },
    /// A container that was told to end is killed.
    Kill {
        /// How many were before it.
        containers: u32,
    },
}

/// A kubelet, with the one instance of its node.
#[derive(Clone, Debug)]
pub struct Kubelet {
    seat: Seat<Config>,
    host: NodeId,
    connection: Connection,
    retries: Retries,
    luck: Draws,
    last_call: u32,
    open: BTreeMap<u32, Call>,
    /// How often the renewal under way has been tried; none, between two.
    renewal: Option<u32>,
    /// Of which service the instance is, once it has said so.
    identity: Option<(ServiceId, Endpoint)>,
    container: Container,
    /// How many containers there have been.
    containers: u32,
    restarts: Restarts,
    /// The pod as the API has it, once that is known.
    pod: Known,
    /// The number of the last pod that this kubelet knows of.
    last_pod: u32,
    /// Whether the container is ready, by its probe.
    ready: bool,
    /// What the API has taken of that.
    acked: Option<bool>,
    leaving: Leaving,
    readiness: Option<Tally>,
    liveness: Option<Tally>,
    flights: BTreeMap<u32, Flight>,
    last_probe: u32,
    /// The phase of the looks at what runs.
    relist: Duration,
    told_to_sync: bool,
    /// Whether it will watch again in a while: a reflector is one loop, however often its connection is lost.
    will_watch: bool,
}

/// What is known of the pod in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Known {
    /// Nothing: the API has not been heard.
    Nothing,
    /// This, or that there is none.
    Pod(Option<PodView>),
}

/// Whether the pod is being deleted by who ends the container, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leaving {
    Yes,
    No,
}

impl Server for Kubelet {
    type Msg = Msg;
    type Timer = super::Timer;

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if from == self.host {
            return self.on_container(ctx, msg);
        }
        if !self.connection.on_heard(ctx, from) {
            return;
        }
        match msg {
            Msg::Answer { call, answer } => self.on_answer(ctx, call, &answer),
            Msg::Pod(pod) => self.on_pod(ctx, pod),
            // What others tell each other.
            Msg::Raft(_)
            | Msg::Call { .. }
            | Msg::Watch { .. }
            | Msg::Slices(_)
            | Msg::Gone { .. }
            | Msg::WatchPod { .. }
            | Msg::Ping
            | Msg::Pong
            | Msg::Running { .. }
            | Msg::Inspect
            | Msg::Terminate
            | Msg::Exited
            | Msg::Leave
            | Msg::Told(_) => {}
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: super::Timer) {
        match timer {
            super::Timer::Silence(silence) => {
                if self.connection.on_silence(ctx, silence) {
                    self.disconnect(ctx, Duration::ZERO);
                }
            }
            super::Timer::Kubelet(timer) => self.on_own_timer(ctx, timer),
            super::Timer::Member(_) | super::Timer::Subscriber(_) | super::Timer::Locker(_) => {
                unreachable!("a kubelet has no {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        if peer == self.host {
            self.on_exited(ctx);
        } else if peer == self.connection.member() {
            let wait = self.retries.fail(ctx.now(), self.luck.draw());
            self.disconnect(ctx, wait);
        }
    }

    fn on_plight(&mut self, _: &mut Ctx<'_>) {}

    fn peers(&self) -> Vec<NodeId> {
        vec![self.host, self.connection.member()]
    }
}

impl Kubelet {
    /// A kubelet starts: it asks what runs and what the API has, registers its node, and begins to probe at some moment
    /// of the first period (pkg/kubelet/prober/worker.go, v1.28, `run`).
    pub fn boot(seat: &Seat<Config>, ctx: &mut Ctx<'_>) -> Kubelet {
        let place = seat.layout.aides[seat.me];
        let host = place.host.expect("a kubelet is on the host of an instance");
        let mut phases = ctx.luck("phases");
        let readiness = seat.config.readiness.map(|spec| Tally::new(Kind::Readiness, spec));
        let liveness = seat.config.liveness.map(|spec| Tally::new(Kind::Liveness, spec));
        for tally in [readiness, liveness].into_iter().flatten() {
            let wait = share(tally.spec().period, phases.draw().unit());
            ctx.after(wait, Timer::Probe(tally.kind()).into());
        }
        ctx.after(Duration::ZERO, Timer::Renew.into());
        ctx.after(share(POST, phases.draw().unit()), Timer::Post.into());
        let mut kubelet = Kubelet {
            host,
            connection: Connection::new(&seat.layout, ctx),
            retries: Retries::default(),
            luck: Draws::new(ctx.luck("retries")),
            last_call: 0,
            open: BTreeMap::new(),
            renewal: None,
            identity: None,
            container: Container::Unknown,
            containers: 0,
            restarts: Restarts::default(),
            pod: Known::Nothing,
            last_pod: 0,
            ready: false,
            acked: None,
            leaving: Leaving::No,
            readiness,
            liveness,
            flights: BTreeMap::new(),
            last_probe: 0,
            relist: share(RELIST, phases.draw().unit()),
            told_to_sync: false,
            will_watch: false,
            seat: seat.clone(),
        };
        ctx.stream(host, Msg::Inspect.into());
        kubelet.connection.send(ctx, Msg::WatchPod { node: host });
        kubelet
    }

    fn on_own_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Renew => self.renew(ctx, 0),
            Timer::RenewTimedOut { call } => self.on_renew_timed_out(ctx, call),
            Timer::Post => {
                ctx.after(POST, Timer::Post.into());
                self.call(ctx, Call::Post, Verb::Post { node: self.host });
            }
            Timer::Relist => self.on_relist(ctx),
            Timer::Sync => {
                self.told_to_sync = false;
                self.sync(ctx);
            }
            Timer::Rewatch => {
                self.will_watch = false;
                self.connection.send(ctx, Msg::WatchPod { node: self.host });
            }
            Timer::Probe(kind) => self.on_probe(ctx, kind),
            Timer::ProbeTimedOut { number } => self.on_probed(ctx, number, Health::Ill),
            Timer::Kill { containers } => self.on_kill(ctx, containers),
        }
    }

    /// The moment at which what runs is looked at next.
    fn next_relist(&self, now: Time) -> Time {
        let period = RELIST.as_nanos();
        let since = now.as_nanos() + period - self.relist.as_nanos();
        Time::from_nanos(now.as_nanos() + period - since % period)
    }

    fn pod_name(&self) -> PodName {
        PodName { node: self.host, number: self.last_pod }
    }
}
