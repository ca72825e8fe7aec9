//! The log on disk: what has changed of Raft's state goes there.

use super::super::api::{Record, Timer};
use super::super::catalog::Command;
use super::super::raft::{Message, Peer};
use super::Member;
use crate::node::Ctx;
use crate::registry;
use crate::registry::raft::log;
use crate::registry::syncs::{Begun, Sync};

/// The term and the vote are saved beside the log, entries are told by term and index, and messages wait for them.
pub(super) type Syncs = registry::syncs::Syncs<(u64, Option<Peer>), (u64, u64), (Peer, Message<Command>)>;

impl Member {
    /// Hands what has changed to the disk, unless it is busy. A server that cannot write ends: hashicorp/raft panics over
    /// its term (raft.go, `setCurrentTerm`), and a leader steps down over its log (`dispatchLogs`).
    pub(super) fn sync(&mut self, ctx: &mut Ctx<'_>) {
        let (term, vote) = (self.raft.term, self.raft.vote);
        let is_handed_over = self.raft.log.is_handed_over();
        match self.disk.begin(ctx, &mut self.passes, (term, vote), is_handed_over) {
            Begun::Nothing => {}
            Begun::Clean(held) => held.into_iter().for_each(|(to, message)| self.send(ctx, to, message)),
            Begun::Write(late) => {
                let (after, entries) = self.raft.log.hand_over();
                let record = log::Record { term, vote, commit: 0, after, entries };
                ctx.write(registry::Record::Consul(Record::Log(record)));
                let takes = self.fsync.sample(&self.config.fsync);
                let takes = self.disk.start(ctx, self.raft.log.last(), takes);
                ctx.after(takes + late, Timer::Synced.into());
            }
        }
    }

    /// The disk has it, unless it is stalled.
    pub(super) fn on_synced(&mut self, ctx: &mut Ctx<'_>) {
        let Some(Sync { last: (term, index), held }) = self.disk.end(ctx) else { return };
        self.raft.on_stable(ctx.now(), index, term);
        self.catch_up(ctx);
        held.into_iter().for_each(|(to, message)| self.send(ctx, to, message));
        self.settle(ctx);
    }

    /// The disk may be well again, or ill.
    pub(super) fn look_at_disk(&mut self, ctx: &mut Ctx<'_>) {
        if self.disk.come_free(ctx) {
            self.on_synced(ctx);
        }
    }
}
