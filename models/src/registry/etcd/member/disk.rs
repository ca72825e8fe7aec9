//! The write-ahead log: one sync at a time, each for all that has come up meanwhile.

use schism_core::Luck;

use super::super::api::Msg;
use super::super::log::{Disk, Record};
use super::super::raft::{self, Peer};
use super::{Member, Timer};
use crate::node::{Ctx, Timer as NodeTimer};

/// What is being written, and what waits for it.
#[derive(Clone, Debug)]
pub(super) struct Syncs {
    luck: Luck,
    saved: (u64, Option<Peer>),
    under_way: Option<Sync>,
    /// Messages that may leave only once what has changed is on disk.
    pub(super) held: Vec<(Peer, raft::Message)>,
}

#[derive(Clone, Debug)]
pub(super) struct Sync {
    /// The last entry in it, and its term.
    last: (u64, u64),
    held: Vec<(Peer, raft::Message)>,
}

impl Syncs {
    /// Nothing is under way: what the disk holds is all there is.
    pub(super) fn new(luck: Luck, disk: &Disk) -> Syncs {
        Syncs { luck, saved: (disk.term, disk.vote), under_way: None, held: Vec::new() }
    }
}

impl Member {
    /// Hands what has changed to the disk, unless it is busy.
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.under_way.is_some() {
            return;
        }
        let held = std::mem::take(&mut self.disk.held);
        let state = (self.raft.term, self.raft.vote);
        if state == self.disk.saved && self.raft.log.is_handed_over() {
            return held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        }
        self.disk.saved = state;
        let (after, entries) = self.raft.log.hand_over();
        let record = Record { term: state.0, vote: state.1, commit: self.raft.commit, after, entries };
        ctx.write(record);
        self.disk.under_way = Some(Sync { last: self.raft.log.last(), held });
        let takes = self.disk.luck.sample(&self.seat.config.fsync);
        ctx.after(takes, NodeTimer::Etcd(Timer::Synced));
    }

    /// The disk has it.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Sync { last: (term, index), held }) = self.disk.under_way.take() else { return };
        ctx.sync();
        self.raft.on_stable(index, term);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        self.settle(ctx);
    }

    /// Sends to another member.
    pub(super) fn send(&mut self, ctx: &mut Ctx<'_>, to: Peer, message: raft::Message) {
        ctx.send(self.seat.members[to as usize], Msg::Raft(message).into());
    }
}
