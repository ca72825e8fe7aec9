//! The log on disk: one sync at a time, each for all that has come up meanwhile.

use schism_core::{Duration, FaultId, Luck};

use super::super::api::{Record, Timer};
use super::super::catalog::Command;
use super::super::raft::{Alarm, Message, Peer};
use super::Member;
use crate::failpoint::{Pass, Point};
use crate::node::Ctx;
use crate::plight::{BadDisk, Plight};
use crate::registry;
use crate::registry::raft::log;

/// What is being written, and what waits for it.
#[derive(Clone, Debug)]
pub(super) struct Syncs {
    luck: Luck,
    saved: (u64, Option<Peer>),
    under_way: Option<Sync>,
    /// Whether the sync under way should have ended, and the disk does not let it.
    stuck: bool,
    /// Messages that may leave only once what has changed is on disk.
    pub(super) held: Vec<(Peer, Message<Command>)>,
    /// What came while a sync was stuck, and what rang.
    pub(super) backlog: Vec<(Peer, Message<Command>)>,
    pub(super) missed: Vec<Alarm>,
}

#[derive(Clone, Debug)]
struct Sync {
    /// The last entry in it, and its term.
    last: (u64, u64),
    held: Vec<(Peer, Message<Command>)>,
}

impl Syncs {
    /// Nothing is under way: what the disk holds is all there is.
    pub(super) fn new(luck: Luck, disk: &log::Disk<Command>) -> Syncs {
        Syncs {
            luck,
            saved: (disk.term, disk.vote),
            under_way: None,
            stuck: false,
            held: Vec::new(),
            backlog: Vec::new(),
            missed: Vec::new(),
        }
    }

    /// Whether the server waits for a sync that does not end.
    pub(super) fn is_stuck(&self) -> bool {
        self.stuck
    }
}

impl Member {
    /// Hands what has changed to the disk, unless it is busy. A server that cannot write ends: hashicorp/raft panics over
    /// its term (raft.go, `setCurrentTerm`), and a leader steps down over its log (`dispatchLogs`).
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.under_way.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.disk.held);
        let state = (self.raft.term, self.raft.vote);
        if state == self.disk.saved && self.raft.log.is_handed_over() {
            return held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        }
        if let Some(by) = full(ctx) {
            ctx.touch(by);
            return ctx.exit(by);
        }
        let more = match self.passes.pass(ctx, Point::RegistryFsync) {
            Pass::Clear => Duration::ZERO,
            Pass::Late(by) => by,
            Pass::Fails(by) => return ctx.exit(by),
            Pass::Ends => return,
        };
        self.disk.saved = state;
        let (after, entries) = self.raft.log.hand_over();
        let record = log::Record { term: state.0, vote: state.1, commit: 0, after, entries };
        ctx.write(registry::Record::Consul(Record::Log(record)));
        self.disk.under_way = Some(Sync { last: self.raft.log.last(), held });
        let takes = self.disk.luck.sample(&self.config.fsync);
        let delay = delay(ctx, takes);
        ctx.after(takes + delay + more, Timer::Synced.into());
    }

    /// The disk has it, unless it is stalled.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        if let Some(by) = stall(ctx) {
            self.disk.stuck = true;
            return ctx.touch(by);
        }
        let Some(Sync { last: (term, index), held }) = self.disk.under_way.take() else { return };
        ctx.sync();
        self.raft.on_stable(ctx.now(), index, term);
        self.catch_up(ctx);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        self.settle(ctx);
    }

    /// The disk may be well again, or ill.
    pub(super) fn look_at_disk(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.stuck && stall(ctx).is_none() {
            self.disk.stuck = false;
            self.on_synced(ctx);
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
