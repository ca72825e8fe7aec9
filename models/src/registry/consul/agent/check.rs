//! The check with its time to live, and the reaper (agent/checks/check.go, `CheckTTL`; agent/agent.go).

use schism_core::Duration;

use super::super::Output;
use super::super::api::{Kept, Record, Timer};
use super::super::catalog::Status;
use super::super::stagger::stagger;
use super::Agent;
use crate::listing::{Endpoint, ServiceId};
use crate::node::Ctx;
use crate::observation::{Cause, Observation};
use crate::registry;

/// How often the reaper looks (`check_reap_interval`; agent/config/default.go; no user can change it).
pub(super) const REAP: Duration = Duration::from_secs(30);
/// A service is critical for at least this long before it is reaped (`check_deregister_interval_min`).
const LEAST_CRITICAL: Duration = Duration::from_secs(60);
/// What else a check says than its status is told the servers after half of this and up to as long again
/// (`check_update_interval`; agent/local/state.go, `UpdateCheck`).
const UPDATE: Duration = Duration::from_secs(300);

impl Agent {
    /// The service is registered. One that was here keeps what its check says (`addServiceLocked`).
    pub(super) fn register(&mut self, ctx: &mut Ctx<'_>, service: (ServiceId, Endpoint)) {
        let status = self.local.check().map_or(Status::Critical, |check| check.status);
        self.local.register(ctx.now(), service, status);
        self.start_ttl(ctx);
        self.keep(ctx);
        self.syncer.on_changed();
    }

    /// The check passes, until its time to live is over. Whether there is a check.
    pub(super) fn pass(&mut self, ctx: &mut Ctx<'_>) -> bool {
        if self.local.check().is_none() {
            return false;
        }
        self.start_ttl(ctx);
        let changed = self.local.update(ctx.now(), Status::Passing);
        self.keep(ctx);
        ctx.observe(Observation::Extended);
        if changed {
            self.syncer.on_changed();
        } else if self.config.output == Output::Varies && self.local.vary() {
            self.deferred = self.deferred.wrapping_add(1);
            let wait = UPDATE / 2 + stagger(UPDATE, self.luck.draw());
            ctx.after(wait, Timer::Tell(self.deferred).into());
        }
        true
    }

    /// What has varied in the check's output is told the servers now.
    pub(super) fn on_deferred(&mut self, number: u32) {
        if number == self.deferred && self.local.tell_output() {
            self.syncer.on_changed();
        }
    }

    /// The service is taken off. Whether there was one.
    pub(super) fn deregister(&mut self, ctx: &mut Ctx<'_>, cause: Cause) -> bool {
        let was = self.local.deregister(cause);
        if was {
            self.ttl_ends = None;
            self.keep(ctx);
            self.syncer.on_changed();
        }
        was
    }

    /// The time to live begins anew. Its timer is exact; here one that rings early is set again for what is left.
    pub(super) fn start_ttl(&mut self, ctx: &mut Ctx<'_>) {
        let ends = ctx.now() + self.config.ttl;
        self.ttl_ends = Some(ends);
        if !std::mem::replace(&mut self.ttl_watched, true) {
            ctx.at(ends, Timer::Ttl.into());
        }
    }

    /// The check may have missed its time to live: it is critical, until someone says otherwise.
    pub(super) fn on_ttl(&mut self, ctx: &mut Ctx<'_>) {
        self.ttl_watched = false;
        let Some(ends) = self.ttl_ends else { return };
        if ctx.now() < ends {
            self.ttl_watched = true;
            return ctx.at(ends, Timer::Ttl.into());
        }
        self.ttl_ends = None;
        if self.local.update(ctx.now(), Status::Critical) {
            self.syncer.on_changed();
        }
    }

    /// The reaper will look.
    pub(super) fn await_reaping(&self, ctx: &mut Ctx<'_>, after: Duration) {
        if self.config.deregister_after.is_some() {
            ctx.after(after, Timer::Reap.into());
        }
    }

    /// The reaper looks whether the service has been critical for too long.
    pub(super) fn reap(&mut self, ctx: &mut Ctx<'_>) {
        let Some(after) = self.config.deregister_after else { return };
        if self.local.is_critical_for(ctx.now(), after.max(LEAST_CRITICAL)) {
            self.deregister(ctx, Cause::Expired);
        }
        self.await_reaping(ctx, REAP);
    }

    /// Writes to the disk what a later life is to know. The files are synced one by one (lib/file, `WriteAtomic`).
    pub(super) fn keep(&self, ctx: &mut Ctx<'_>) {
        let said = self.local.check().filter(|check| check.status == Status::Passing);
        let said = said.map(|check| (check.status, ctx.wall() + self.config.ttl));
        let kept = Kept { service: self.local.service(), said };
        ctx.write(registry::Record::Consul(Record::Kept(kept)));
        ctx.sync();
    }
}
