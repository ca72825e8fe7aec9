//! The transaction log: one sync at a time, each for all that has come up meanwhile, as `SyncRequestProcessor` does.

use schism_core::{Duration, FaultId, Luck};

use super::super::api::{Learner, Msg};
use super::super::log::{Disk, Record};
use super::super::zxid::Zxid;
use super::{Member, Role, Timer};
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::plight::{BadDisk, Plight};
use crate::registry;

/// What is being written, and what waits for it.
#[derive(Clone, Debug)]
pub(super) struct Syncs {
    luck: Luck,
    /// The epochs that were written last.
    saved: (u32, u32),
    /// The last proposal that is on the disk.
    last: Zxid,
    under_way: Option<Sync>,
    /// Whether the sync under way should have ended, and the disk does not let it.
    stuck: bool,
    /// What the leader is told only once all that has changed is on disk.
    held: Vec<Learner>,
}

#[derive(Clone, Debug)]
struct Sync {
    last: Zxid,
    held: Vec<Learner>,
}

impl Syncs {
    /// Nothing is under way: what the disk holds is all there is.
    pub(super) fn new(luck: Luck, disk: &Disk) -> Syncs {
        let saved = (disk.accepted, disk.current);
        Syncs { luck, saved, last: disk.log.last(), under_way: None, stuck: false, held: Vec::new() }
    }

    /// The last proposal that is on the disk.
    pub(super) fn last(&self) -> Zxid {
        self.last
    }

    /// There is nobody any more to tell.
    pub(super) fn forget_held(&mut self) {
        self.held.clear();
        if let Some(sync) = &mut self.under_way {
            sync.held.clear();
        }
    }
}

impl Member {
    /// Tells the leader something once all that has changed is on disk.
    pub(super) fn tell_leader_after_sync(&mut self, ctx: &mut Ctx<'_>, msg: Learner) {
        self.disk.held.push(msg);
        self.sync(ctx);
    }

    /// Hands what has changed to the disk, unless it is busy.
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.under_way.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.disk.held);
        let epochs = (self.accepted, self.current);
        if epochs == self.disk.saved && self.log.is_handed_over() {
            return held.into_iter().for_each(|msg| self.tell_leader(ctx, msg));
        }
        if let Some(by) = full(ctx) {
            // "Severe unrecoverable error, exiting" (server/SyncRequestProcessor.java by way of ZooKeeperCriticalThread).
            ctx.touch(by);
            return ctx.exit(by);
        }
        let more = match self.passes.pass(ctx, Point::RegistryFsync) {
            Pass::Clear => Duration::ZERO,
            Pass::Late(by) => by,
            Pass::Fails(by) => return ctx.exit(by),
            Pass::Ends => return,
        };
        self.disk.saved = epochs;
        let (after, entries) = self.log.hand_over();
        let committed = self.tree.zxid();
        let record = Record { accepted: epochs.0, current: epochs.1, committed, after, entries };
        ctx.write(registry::Record::Zookeeper(record));
        self.disk.under_way = Some(Sync { last: self.log.last(), held });
        let takes = self.disk.luck.sample(&self.seat.config.fsync);
        let delay = delay(ctx, takes);
        ctx.after(takes + delay + more, Timer::Synced.into());
    }

    /// The disk has it, unless it is stalled: then whatever waits for it does so, and all else goes on. Pings come from
    /// another thread, so a leader leads on.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(by) = stall(ctx) {
            self.disk.stuck = true;
            return ctx.touch(by);
        }
        let Some(Sync { last, held }) = self.disk.under_way.take() else { return };
        ctx.sync();
        self.disk.last = last;
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
        if self.disk.stuck && stall(ctx).is_none() {
            self.disk.stuck = false;
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

/// All that is bad about the server's disk, and by which fault.
fn bad(ctx: &Ctx<'_>) -> Vec<(FaultId, BadDisk)> {
    ctx.plight().into_iter().flat_map(Plight::disk).collect()
}

/// Which fault lets no sync end, if one does.
fn stall(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Stalled).map(|(by, _)| by)
}

/// Which fault lets no write succeed, if one does.
fn full(ctx: &Ctx<'_>) -> Option<FaultId> {
    bad(ctx).into_iter().find(|(_, bad)| *bad == BadDisk::Full).map(|(by, _)| by)
}

/// By how much longer a sync takes that would take this long.
fn delay(ctx: &mut Ctx<'_>, takes: Duration) -> Duration {
    let extra = |(by, bad)| match bad {
        BadDisk::Slow(factor) => Some((by, factor.extra(takes))),
        BadDisk::Stalled | BadDisk::Full => None,
    };
    let delays: Vec<(FaultId, Duration)> = bad(ctx).into_iter().filter_map(extra).collect();
    delays.iter().for_each(|&(by, _)| ctx.touch(by));
    delays.iter().fold(Duration::ZERO, |sum, &(_, delay)| sum + delay)
}
