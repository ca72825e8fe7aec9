//! What a kubelet knows of its container, how it probes it, and how it ends it.

use schism_core::{Duration, Time};

use super::super::api::Msg;
use super::super::probe::{Finding, Kind};
use super::{GRACE, Kubelet, Leaving, Timer};
use crate::listing::{Endpoint, ServiceId};
use crate::node::{Ctx, Health, Message};

/// A container as its kubelet last saw it. What the runtime knows already is seen at the next look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Container {
    /// Nothing has been seen yet.
    Unknown,
    /// It has started, which has not been seen.
    Started,
    /// It runs since then.
    Running { since: Time },
    /// It has ended, which has not been seen.
    Ended,
    /// It has ended.
    Gone,
}

impl Container {
    /// Whether it is known to run.
    pub(super) fn runs(self) -> bool {
        matches!(self, Container::Running { .. })
    }

    /// Whether it is known to have ended.
    pub(super) fn is_gone(self) -> bool {
        self == Container::Gone
    }
}

/// A probe under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flight {
    kind: Kind,
    containers: u32,
    /// Whether the next was due meanwhile.
    late: bool,
}

impl Kubelet {
    /// The container, or its runtime, says something.
    pub(super) fn on_container(&mut self, ctx: &mut Ctx<'_>, msg: Msg) {
        match msg {
            Msg::Running { service, endpoint } => self.on_running(ctx, service, endpoint),
            Msg::Leave => {
                self.leaving = Leaving::Yes;
                self.sync(ctx);
            }
            Msg::Exited => self.on_kill(ctx, self.containers),
            // What others tell each other.
            Msg::Raft(_)
            | Msg::Call { .. }
            | Msg::Answer { .. }
            | Msg::Watch { .. }
            | Msg::Slices(_)
            | Msg::Gone { .. }
            | Msg::WatchPod { .. }
            | Msg::Pod(_)
            | Msg::Ping
            | Msg::Pong
            | Msg::Inspect
            | Msg::Terminate
            | Msg::Told(_) => {}
        }
    }

    fn on_running(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, endpoint: Endpoint) {
        // A runtime that is asked says again what it has said.
        if matches!(self.container, Container::Started | Container::Running { .. }) {
            return;
        }
        self.identity = Some((service, endpoint));
        self.container = Container::Started;
        self.containers += 1;
        ctx.at(self.next_relist(ctx.now()), Timer::Relist.into());
    }

    /// The container's process is gone: probes are refused at once, and the rest is seen at the next look.
    pub(super) fn on_exited(&mut self, ctx: &mut Ctx<'_>) {
        if matches!(self.container, Container::Ended | Container::Gone) {
            return;
        }
        self.container = Container::Ended;
        let flights: Vec<u32> = self.flights.keys().copied().collect();
        flights.into_iter().for_each(|number| self.on_probed(ctx, number, Health::Ill));
        ctx.at(self.next_relist(ctx.now()), Timer::Relist.into());
    }

    /// Looks at what runs (`relist`): a container that has ended is not ready, and a new one begins as its probe says
    /// that it does: not ready, or ready at once if there is none.
    pub(super) fn on_relist(&mut self, ctx: &mut Ctx<'_>) {
        match self.container {
            Container::Started => {
                self.container = Container::Running { since: ctx.now() };
                self.leaving = Leaving::No;
                self.ready = self.readiness.is_none();
                for tally in [&mut self.readiness, &mut self.liveness].into_iter().flatten() {
                    tally.renew();
                }
            }
            Container::Ended => {
                self.container = Container::Gone;
                self.ready = false;
            }
            Container::Unknown | Container::Running { .. } | Container::Gone => return,
        }
        self.sync(ctx);
    }

    // Probes.

    /// A probe is due: it is sent, unless the one before is not over.
    pub(super) fn on_probe(&mut self, ctx: &mut Ctx<'_>, kind: Kind) {
        let Some(tally) = self.tally(kind).copied() else { return };
        ctx.after(tally.spec().period, Timer::Probe(kind).into());
        match self.flights.values_mut().find(|flight| flight.kind == kind) {
            Some(flight) => flight.late = true,
            None => self.probe(ctx, kind),
        }
    }

    fn probe(&mut self, ctx: &mut Ctx<'_>, kind: Kind) {
        let Some(tally) = self.tally(kind).copied() else { return };
        let Container::Running { since } = self.container else { return };
        if !tally.wants(ctx.now().since(since)) || (kind == Kind::Liveness && self.is_ending()) {
            return;
        }
        self.last_probe += 1;
        let number = self.last_probe;
        self.flights.insert(number, Flight { kind, containers: self.containers, late: false });
        let luck = self.luck.draw();
        ctx.stream(self.host, Message::Probe { number, path: self.seat.config.probe_path, luck });
        ctx.after(tally.spec().timeout, Timer::ProbeTimedOut { number }.into());
    }

    /// A probe is over: what it has found counts, if it is about the container that runs.
    pub fn on_probed(&mut self, ctx: &mut Ctx<'_>, number: u32, health: Health) {
        let Some(flight) = self.flights.remove(&number) else { return };
        let finding = match health {
            Health::Well => Finding::Success,
            Health::Ill => Finding::Failure,
        };
        let believed = self.tally(flight.kind).and_then(|tally| tally.count(finding));
        let current = flight.containers == self.containers && self.container.runs();
        match (believed, flight.kind) {
            (Some(believed), Kind::Readiness) if current => {
                let ready = believed == Finding::Success;
                if std::mem::replace(&mut self.ready, ready) != ready {
                    self.sync(ctx);
                }
            }
            (Some(Finding::Failure), Kind::Liveness) if current => self.terminate(ctx),
            (Some(_) | None, Kind::Readiness | Kind::Liveness) => {}
        }
        if flight.late {
            self.probe(ctx, flight.kind);
        }
    }

    fn tally(&mut self, kind: Kind) -> Option<&mut super::Tally> {
        match kind {
            Kind::Readiness => self.readiness.as_mut(),
            Kind::Liveness => self.liveness.as_mut(),
        }
    }

    /// Whether the pod is being deleted: liveness is not probed any more then.
    fn is_ending(&self) -> bool {
        self.leaving == Leaving::Yes || matches!(self.pod, super::Known::Pod(Some(pod)) if pod.deleted)
    }

    // Ends.

    /// The container is told to end, and is killed if it does not within its grace period.
    pub(super) fn terminate(&mut self, ctx: &mut Ctx<'_>) {
        ctx.stream(self.host, Msg::Terminate.into());
        ctx.after(GRACE, Timer::Kill { containers: self.containers }.into());
    }

    /// The container has ended of itself, or has not in time: it is gone either way, and is started anew after its
    /// back-off. The pod of one that was deleted is followed by another, which waits for nothing.
    pub(super) fn on_kill(&mut self, ctx: &mut Ctx<'_>, containers: u32) {
        if containers != self.containers || !self.container.runs() {
            return;
        }
        let wait = if self.is_ending() { Duration::ZERO } else { self.restarts.end(ctx.now()) };
        ctx.recycle(self.host, wait);
    }
}
