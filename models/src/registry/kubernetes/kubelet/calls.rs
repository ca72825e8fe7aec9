//! What a kubelet tells the API, and hears from it.

use schism_core::Duration;

use super::super::api::{Answer, Msg, Told, Verb};
use super::super::backoff::share;
use super::super::store::PodView;
use super::{Container, Known, Kubelet, Leaving, RENEW, RENEW_TIMEOUT, RENEWALS, SYNC, Timer};
use crate::node::Ctx;
use crate::waits::Wait;

/// A call that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Renew,
    Post,
    /// The pod's status, of which this is what matters.
    Status {
        ready: bool,
    },
    Delete,
    Purge,
}

impl Kubelet {
    /// What its calls and its probes wait for.
    pub fn waits(&self) -> Vec<Wait> {
        let call = |call: &Call| {
            Wait::new(
                format!("{call:?}").to_lowercase(),
                "the API server's answer",
                [self.connection.member()],
            )
        };
        let probe = |&number: &u32| {
            let probe = Wait::new(format!("probe {number}"), "the container's answer", [self.host]);
            probe.by(Timer::ProbeTimedOut { number })
        };
        self.open.values().map(call).chain(self.flights.keys().map(probe)).collect()
    }
}

impl Kubelet {
    pub(super) fn call(&mut self, ctx: &mut Ctx<'_>, what: Call, verb: Verb) -> u32 {
        self.last_call += 1;
        let call = self.last_call;
        self.open.insert(call, what);
        self.connection.send(ctx, Msg::Call { call, verb });
        call
    }

    // The node.

    /// Tries to renew the lease, for the so manieth time.
    pub(super) fn renew(&mut self, ctx: &mut Ctx<'_>, tried: u32) {
        self.renewal = Some(tried);
        let zone = self.seat.layout.aides[self.seat.me].zone;
        let call = self.call(ctx, Call::Renew, Verb::Beat { node: self.host, zone });
        ctx.after(RENEW_TIMEOUT, Timer::RenewTimedOut { call }.into());
    }

    /// A renewal has failed: it is tried again at once, a few times (`retryUpdateLease`).
    fn on_renewal_failed(&mut self, ctx: &mut Ctx<'_>) {
        match self.renewal {
            Some(tried) if tried + 1 < RENEWALS => self.renew(ctx, tried + 1),
            Some(_) => self.renew_later(ctx),
            None => {}
        }
    }

    fn renew_later(&mut self, ctx: &mut Ctx<'_>) {
        self.renewal = None;
        let jitter = share(RENEW / 25, self.luck.draw().unit());
        ctx.after(RENEW + jitter, Timer::Renew.into());
    }

    pub(super) fn on_renew_timed_out(&mut self, ctx: &mut Ctx<'_>, call: u32) {
        if self.open.remove(&call).is_some() {
            self.on_renewal_failed(ctx);
        }
    }

    // The pod.

    /// Tells the API of the pod what it does not know yet, one thing at a time.
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let Known::Pod(pod) = self.pod else { return };
        let busy = self.open.values().any(|call| match call {
            Call::Status { .. } | Call::Delete | Call::Purge => true,
            Call::Renew | Call::Post => false,
        });
        if busy {
            return;
        }
        match (pod, self.identity) {
            (Some(pod), _) if pod.deleted && self.container.is_gone() => {
                self.call(ctx, Call::Purge, Verb::Purge { pod: pod.name });
            }
            // The pod of before has to go first; its container does, if who deleted it does not end that.
            (Some(pod), _) if pod.deleted => {
                if self.leaving == Leaving::No {
                    self.terminate(ctx);
                }
                self.sync_status(ctx);
            }
            (Some(pod), _) if self.leaving == Leaving::Yes => {
                self.call(ctx, Call::Delete, Verb::Delete { pod: pod.name });
            }
            (Some(_), _) => self.sync_status(ctx),
            (None, Some(_)) if self.container.runs() && self.leaving == Leaving::No => {
                self.last_pod += 1;
                self.acked = None;
                self.sync_status(ctx);
            }
            (None, Some(_) | None) => {}
        }
    }

    fn sync_status(&mut self, ctx: &mut Ctx<'_>) {
        let Some((service, endpoint)) = self.identity else { return };
        let ready = self.ready;
        if self.acked != Some(ready) {
            let pod = self.pod_name();
            self.call(ctx, Call::Status { ready }, Verb::Status { pod, service, endpoint, ready });
        }
    }

    /// The API says what it has of the pod.
    pub(super) fn on_pod(&mut self, ctx: &mut Ctx<'_>, pod: Option<PodView>) {
        if let Some(pod) = pod {
            self.last_pod = self.last_pod.max(pod.name.number);
            // What a controller has written over is written again (`NeedToReconcilePodReadiness`).
            self.acked = Some(pod.ready);
        }
        self.pod = Known::Pod(pod);
        self.sync(ctx);
    }

    pub(super) fn on_answer(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &Answer) {
        let Some(call) = self.open.remove(&call) else { return };
        match (call, answer) {
            (Call::Renew, Answer::Done) => {
                self.tell(ctx, Told::Renewed);
                self.renew_later(ctx);
            }
            (Call::Renew, Answer::Failed(_)) => self.on_renewal_failed(ctx),
            (Call::Status { ready }, Answer::Done) => {
                self.acked = Some(ready);
                self.tell(ctx, if ready { Told::Ready } else { Told::NotReady });
                self.sync(ctx);
            }
            (Call::Delete | Call::Purge, Answer::Done) => self.sync(ctx),
            (Call::Status { .. } | Call::Delete | Call::Purge, Answer::Failed(_)) => self.sync_later(ctx),
            (Call::Post, Answer::Done | Answer::Failed(_)) | (_, Answer::Listing(..) | Answer::Lease(_)) => {}
        }
    }

    pub(super) fn sync_later(&mut self, ctx: &mut Ctx<'_>) {
        if !self.told_to_sync {
            self.told_to_sync = true;
            ctx.after(SYNC, Timer::Sync.into());
        }
    }

    fn tell(&self, ctx: &mut Ctx<'_>, told: Told) {
        if let Container::Running { .. } = self.container {
            ctx.stream(self.host, Msg::Told(told).into());
        }
    }

    /// The connection is dead, and all that was asked on it has failed.
    pub(super) fn disconnect(&mut self, ctx: &mut Ctx<'_>, wait: Duration) {
        self.connection.turn(ctx);
        let open = std::mem::take(&mut self.open);
        if !self.will_watch {
            self.will_watch = true;
            ctx.after(wait, Timer::Rewatch.into());
        }
        if open.values().any(|call| *call == Call::Renew) {
            self.on_renewal_failed(ctx);
        }
        if open.values().any(|call| matches!(call, Call::Status { .. } | Call::Delete | Call::Purge)) {
            self.sync_later(ctx);
        }
    }
}
