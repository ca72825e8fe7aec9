//! Which controller manager is active: whoever holds the lease.

use super::super::elector::{Elector, RETRY};
use super::super::store::{Command, Effect};
use super::{Member, Timer, Waiting};
use crate::node::Ctx;
use crate::observation::Observation;

impl Member {
    /// A controller manager begins, and tries for the lease at once. Its identity is its own: not even an earlier
    /// process of the same node is it (cmd/kube-controller-manager/app, v1.28: host name and a UUID).
    pub(super) fn begin_manager(&mut self, ctx: &mut Ctx<'_>) {
        self.managers += 1;
        // Zero is nobody.
        let identity = ctx.moment().as_nanos() << 8 | (self.seat.me as u64 + 1);
        self.elector = Elector::new(identity);
        let phase = ctx.luck("election phase").draw().unit();
        let wait = super::super::backoff::share(RETRY, phase);
        ctx.after(wait, Timer::Elect(self.managers).into());
    }

    /// Looks at the lease. Who leads does so every two seconds, and others up to 1.2 times that later
    /// (client-go, tools/leaderelection/leaderelection.go, v1.28, `JitterFactor`).
    pub(super) fn on_elect(&mut self, ctx: &mut Ctx<'_>, manager: u32) {
        if manager != self.managers {
            return;
        }
        if self.elector.is_late(ctx.now()) {
            return self.end_manager(ctx);
        }
        if let Some(version) = self.elector.try_lease(ctx.now(), self.store.lead()) {
            let command = Command::Lead { holder: self.elector.identity(), version };
            self.propose(ctx, Waiting::Lead(manager), command);
        }
        let jitter = match self.manager {
            Some(_) => schism_core::Duration::ZERO,
            None => {
                let mut luck = ctx.luck("election jitter");
                let many = ctx.now().as_nanos();
                super::super::backoff::share(RETRY * 6 / 5, luck.draw().derive(many).unit())
            }
        };
        ctx.after(RETRY + jitter, Timer::Elect(manager).into());
    }

    /// The lease is written, by this member's wish.
    pub(super) fn on_lease_written(&mut self, ctx: &mut Ctx<'_>, manager: u32, effect: &Effect) {
        let Effect::Lead(record) = *effect else { return };
        if manager == self.managers && self.elector.on_written(ctx.now(), record) {
            ctx.observe(Observation::Leads { term: record.transitions + 1 });
            self.activate(ctx, manager);
        }
    }

    /// The controller manager ends, and another process begins in its place: it has to wait like any other.
    pub(super) fn end_manager(&mut self, ctx: &mut Ctx<'_>) {
        if self.manager.take().is_some() {
            let term = self.store.lead().map_or(0, |lead| lead.transitions + 1);
            ctx.observe(Observation::Deposed { term });
        }
        self.begin_manager(ctx);
    }
}
