//! What Raft has asked for, and what comes of that.

use super::super::api::Failure;
use super::super::lessor::Lessor;
use super::super::log::Output;
use super::{Member, stopping};
use crate::node::Ctx;
use crate::observation::Observation;
use crate::registry::raft::Peer;

impl Member {
    /// Does all that the last step of Raft has asked for, and what comes of that. Nothing of it while a sync is stuck:
    /// who waits for the disk sends nothing and applies nothing (server/etcdserver/raft.go, `start`), though it hears.
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>) {
        while !self.disk.is_stuck() {
            for output in std::mem::take(&mut self.raft.outbox) {
                self.obey(ctx, output);
            }
            self.apply(ctx);
            self.serve_reads(ctx);
            self.revoke_more(ctx);
            self.sync(ctx);
            if self.raft.outbox.is_empty() {
                return;
            }
        }
    }

    fn obey(&mut self, ctx: &mut Ctx<'_>, output: Output) {
        match output {
            Output::Send(to, message) => self.send(ctx, to, message),
            Output::SendAfterSync(to, message) => self.disk.hold((to, message)),
            Output::ReadReady { id, index } => {
                if id == self.reads.current {
                    self.reads.index = Some(index);
                }
            }
            Output::Leader(leader) => self.on_leader(ctx, leader),
        }
    }

    fn on_leader(&mut self, ctx: &mut Ctx<'_>, leader: Option<Peer>) {
        let leads = self.raft.leads();
        if leads && !self.led {
            ctx.observe(Observation::Leads { term: self.raft.term });
        }
        if !leads && self.led {
            ctx.observe(Observation::Deposed { term: self.raft.term });
            self.lessor = Lessor::Secondary;
            self.revoking.clear();
            if let Some((by, _)) = stopping(ctx) {
                ctx.exit(by);
            }
        }
        self.led = leads;
        if leader.is_some() {
            for entry in std::mem::take(&mut self.leaderless) {
                if let Err(entry) = self.raft.propose(entry) {
                    self.leaderless.push(entry);
                }
            }
            self.try_all_keeps(ctx);
            if self.reads.current != 0 && self.reads.index.is_none() {
                self.fail_reads(ctx, Failure::LeaderChanged);
            }
        }
    }
}
