//! The transaction log: what has changed goes there, as `SyncRequestProcessor` has it.

use super::super::api::{Learner, Msg};
use super::super::log::Record;
use super::super::zxid::Zxid;
use super::{Member, Role, Timer};
use crate::node::Ctx;
use crate::registry;
use crate::registry::syncs::{Begun, Sync};

/// The epochs are saved beside the log, and what waits for both is for the leader.
pub(super) type Syncs = registry::syncs::Syncs<(u32, u32), Zxid, Learner>;

impl Member {
    /// Tells the leader something once all that has changed is on disk.
    pub(super) fn tell_leader_after_sync(&mut self, ctx: &mut Ctx<'_>, msg: Learner) {
        self.disk.hold(msg);
        self.sync(ctx);
    }

    /// Hands what has changed to the disk, unless it is busy. A server that cannot write ends: "Severe unrecoverable error,
    /// exiting" (server/SyncRequestProcessor.java by way of ZooKeeperCriticalThread).
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let (accepted, current) = (self.accepted, self.current);
        match self.disk.begin(ctx, &mut self.passes, (accepted, current), self.log.is_handed_over()) {
            Begun::Nothing => {}
            Begun::Clean(held) => held.into_iter().for_each(|msg| self.tell_leader(ctx, msg)),
            Begun::Write(late) => {
                let (after, entries) = self.log.hand_over();
                let record = Record { accepted, current, committed: self.tree.zxid(), after, entries };
                ctx.write(registry::Record::Zookeeper(record));
                let takes = self.fsync.sample(&self.seat.config.fsync);
                let takes = self.disk.start(ctx, self.log.last(), takes);
                ctx.after(takes + late, Timer::Synced.into());
            }
        }
    }

    /// The disk has it, unless it is stalled: then whatever waits for it does so, and all else goes on. Pings come from
    /// another thread, so a leader leads on.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Sync { last, held }) = self.disk.end(ctx) else { return };
        self.synced = last;
        held.into_iter().for_each(|msg| self.tell_leader(ctx, msg));
        match &self.role {
            Role::Looking => {}
            Role::Leading(_) => self.on_ack(ctx, self.me, last),
            Role::Following(following) if following.serves() => self.tell_leader(ctx, Learner::Ack(last)),
            Role::Following(_) => {}
        }
        self.sync(ctx);
    }

    /// The disk may be well again.
    pub(super) fn look_at_disk(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.come_free(ctx) {
            self.on_synced(ctx);
        }
    }

    /// Tells the leader something, if there is one.
    pub(super) fn tell_leader(&mut self, ctx: &mut Ctx<'_>, msg: Learner) {
        if let Role::Following(following) = &self.role {
            ctx.stream(self.node(following.leader), Msg::Learner(msg).into());
        }
    }
}
