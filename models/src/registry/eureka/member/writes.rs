//! What changes a server's table: registrations, renewals, cancellations and evictions.

use schism_core::{Duration, NodeId, Time};

use super::super::api::Answer;
use super::super::apps::{Action, Info, Item, Status};
use super::super::outbox::Errand;
use super::super::preservation::{Gone, eviction_limit};
use super::Member;
use super::late::Late;
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::observation::{Cause, Observation, Write};

impl Member {
    /// An instance registers.
    pub(super) fn on_register(&mut self, ctx: &mut Ctx<'_>, info: Info) -> Answer {
        ctx.observe(Observation::Wrote(Write::Grant));
        self.register(ctx, info);
        self.replicate(ctx, Errand::Register, info);
        Answer::Done
    }

    /// An instance renews its lease. One that is not known, or has more to say than is known of it, shall register
    /// (resources/InstanceResource.java, `renewLease` and `validateDirtyTimestamp`).
    pub(super) fn on_renew(&mut self, ctx: &mut Ctx<'_>, node: NodeId, dirty: Time) -> Answer {
        let Some(info) = self.renew(ctx, node) else { return Answer::NotFound };
        ctx.observe(Observation::Extended);
        self.replicate(ctx, Errand::Heartbeat, info);
        if dirty > info.dirty { Answer::NotFound } else { Answer::Done }
    }

    /// An instance cancels its registration.
    pub(super) fn on_cancel(&mut self, ctx: &mut Ctx<'_>, node: NodeId) -> Answer {
        match self.remove(ctx, node, Cause::Revoked) {
            Some(info) => {
                self.replicate(ctx, Errand::Cancel, info);
                Answer::Done
            }
            None => Answer::NotFound,
        }
    }

    /// What a peer tells of an instance: what it is to be answered, if that is not that it is done.
    pub(super) fn on_replica(&mut self, ctx: &mut Ctx<'_>, errand: Errand, info: Info) -> Option<Conflict> {
        let node = info.endpoint.node;
        match errand {
            Errand::Register => self.register(ctx, info),
            Errand::Cancel => {
                self.remove(ctx, node, Cause::Revoked);
            }
            Errand::Heartbeat => {
                let Some(mine) = self.renew(ctx, node) else { return Some(Conflict::Missing(node)) };
                if info.dirty > mine.dirty {
                    return Some(Conflict::Missing(node));
                }
                if info.dirty < mine.dirty {
                    return Some(Conflict::Newer(mine));
                }
            }
        }
        None
    }

    /// Writes what an instance says of itself, with a new lease.
    pub(super) fn register(&mut self, ctx: &mut Ctx<'_>, info: Info) {
        let (wall, revision) = (ctx.wall(), ctx.moment().as_nanos());
        let registered = self.table.register(info, wall, self.seat.config.lease_duration, revision);
        if registered.before.is_none() {
            self.preservation.on_registered();
            ctx.observe(Observation::Wrote(Write::Register(info.endpoint.node)));
        }
        self.on_change(ctx, registered.before, registered.item);
    }

    fn renew(&mut self, ctx: &Ctx<'_>, node: NodeId) -> Option<Info> {
        let info = *self.table.renew(node, ctx.wall())?;
        self.preservation.on_renewal();
        Some(info)
    }

    /// Takes an instance off, if it is there: what it had said of itself.
    pub(super) fn remove(&mut self, ctx: &mut Ctx<'_>, node: NodeId, cause: Cause) -> Option<Info> {
        let item = self.table.cancel(node, ctx.moment().as_nanos())?;
        self.preservation.on_gone(match cause {
            Cause::Expired => Gone::Evicted,
            Cause::Revoked | Cause::Lost => Gone::Cancelled,
        });
        ctx.observe(Observation::Wrote(Write::Remove(node, cause)));
        self.on_change(ctx, Some(item.info), item);
        Some(item.info)
    }

    /// The table has changed: readers are told sooner or later, and witnesses at once.
    fn on_change(&mut self, ctx: &mut Ctx<'_>, before: Option<Info>, item: Item) {
        self.history.note(ctx.moment(), before, &item);
        self.mind_ghost(ctx, &item);
        self.enqueue(ctx, item);
        self.cache.invalidate();
        let (node, service) = (item.info.endpoint.node, item.info.service);
        let was = before.is_some_and(|before| before.status == Status::Up);
        let is = item.action == Action::Added && item.info.status == Status::Up;
        if was != is {
            ctx.observe(Observation::Believes { service, subject: node, up: is });
        }
        if item.action == Action::Added && before.is_some_and(|before| before.status != item.info.status) {
            let write = if is { Write::Recover(node) } else { Write::Fail(node) };
            ctx.observe(Observation::Wrote(write));
        } else if before.is_none() && item.info.status == Status::Down {
            ctx.observe(Observation::Wrote(Write::Fail(node)));
        }
    }

    /// The eviction task runs. Leases are given as much more as it comes late, by the monotonic clock
    /// (`EvictionTask.getCompensationTimeMs`).
    pub(super) fn evict(&mut self, ctx: &mut Ctx<'_>) {
        let before = self.evicted.replace(ctx.now());
        let late = |before| ctx.now().since(before).saturating_sub(self.seat.config.eviction_interval);
        let additional = before.map_or(Duration::ZERO, late);
        if !self.preservation.lets_expire() {
            return;
        }
        let mut expired = self.table.expired(ctx.wall(), additional);
        let limit = eviction_limit(self.table.len(), self.seat.config.renewal_percent_threshold);
        let many = expired.len().min(limit);
        for place in 0..many {
            let left = u32::try_from(expired.len() - place).expect("instances are counted in 32 bits");
            expired.swap(place, place + self.luck.below(left) as usize);
            self.evict_one(ctx, expired[place]);
        }
    }

    fn evict_one(&mut self, ctx: &mut Ctx<'_>, node: NodeId) {
        match self.passes.pass(ctx, Point::RegistryRevoke) {
            Pass::Clear => {
                self.remove(ctx, node, Cause::Expired);
            }
            Pass::Late(by) => self.postpone(ctx, by, Late::Evict(node)),
            // The next run finds it expired as well.
            Pass::Fails(_) | Pass::Ends => {}
        }
    }

    /// The threshold is reckoned anew. The server counts what its own client has fetched, from a peer; here, what it has
    /// itself. One without peers fetches from nobody, and counts nobody (Netflix/eureka#1459).
    pub(super) fn recount(&mut self) {
        let count = if self.peers.is_empty() { 0 } else { self.table.len() as u32 };
        self.preservation.recount(count);
    }
}

/// What a peer is answered whose heartbeat does not fit.
#[derive(Clone, Copy, Debug)]
pub(super) enum Conflict {
    /// 404: the instance is not known, or what is known of it is older.
    Missing(NodeId),
    /// 409: what is known of it is newer.
    Newer(Info),
}
