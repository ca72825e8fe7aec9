//! The write-ahead log: what has changed of Raft's state goes there.

use super::super::api::Msg;
use super::super::log::{Message, Record};
use super::{Member, Timer};
use crate::node::Ctx;
use crate::registry;
use crate::registry::raft::Peer;
use crate::registry::syncs::{Begun, Sync};

/// The term and the vote are saved beside the log, entries are told by term and index, and messages wait for them.
pub(super) type Syncs = registry::syncs::Syncs<(u64, Option<Peer>), (u64, u64), (Peer, Message)>;

impl Member {
    /// Hands what has changed to the disk, unless it is busy. That it cannot be written is fatal: "failed to save Raft
    /// hard state and entries" (server/etcdserver/raft.go, `start`).
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let (term, vote) = (self.raft.term, self.raft.vote);
        let is_handed_over = self.raft.log.is_handed_over();
        match self.disk.begin(ctx, &mut self.passes, (term, vote), is_handed_over) {
            Begun::Nothing => {}
            Begun::Clean(held) => held.into_iter().for_each(|(to, message)| self.send(ctx, to, message)),
            Begun::Write(late) => {
                let (after, entries) = self.raft.log.hand_over();
                let record = Record { term, vote, commit: self.raft.commit, after, entries };
                ctx.write(registry::Record::Etcd(record));
                let takes = self.fsync.sample(&self.seat.config.fsync);
                let takes = self.disk.start(ctx, self.raft.log.last(), takes);
                ctx.after(takes + late, Timer::Synced.into());
            }
        }
    }

    /// The disk has it, unless it is stalled.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Sync { last: (term, index), held }) = self.disk.end(ctx) else { return };
        self.raft.on_stable(index, term);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        self.settle(ctx);
    }

    /// The disk may be well again, or ill.
    pub(super) fn look_at_disk(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.come_free(ctx) {
            self.on_synced(ctx);
            self.try_all_keeps(ctx);
        }
    }

    /// Sends to another member.
    pub(super) fn send(&mut self, ctx: &mut Ctx<'_>, to: Peer, message: Message) {
        ctx.send(self.seat.members[to as usize], Msg::Raft(message).into());
    }
}
