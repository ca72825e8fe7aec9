//! What comes to Raft, what it asks for, and what comes of that.

use schism_core::NodeId;

use super::super::api::{Msg, Timer};
use super::super::catalog::Command;
use super::super::raft::{Alarm, Message, Output, Peer};
use super::Member;
use crate::node::Ctx;
use crate::observation::Observation;

impl Member {
    /// Another server's Raft has spoken.
    pub(super) fn on_raft(&mut self, ctx: &mut Ctx<'_>, from: NodeId, message: Message<Command>) {
        let Some(peer) = self.cluster.server_at(from) else { return };
        if self.disk.is_stuck() && !message.is_heartbeat() {
            return self.backlog.push((peer as Peer, message));
        }
        self.raft.step(ctx.now(), peer as Peer, message);
        self.settle(ctx);
    }

    /// What came while a sync was stuck.
    pub(super) fn catch_up(&mut self, ctx: &mut Ctx<'_>) {
        for (peer, message) in std::mem::take(&mut self.backlog) {
            self.raft.step(ctx.now(), peer, message);
        }
        for alarm in std::mem::take(&mut self.missed) {
            self.raft.on_alarm(ctx.now(), alarm);
        }
    }

    /// Does all that the last step of Raft has asked for, and what comes of that. While a sync is stuck, the one thread
    /// that runs Raft waits for the disk, and those that send and answer heartbeats go on (hashicorp/raft, replication.go,
    /// `heartbeat`; raft.go, `processHeartbeat`).
    pub(super) fn settle(&mut self, ctx: &mut Ctx<'_>) {
        loop {
            for output in std::mem::take(&mut self.raft.outbox) {
                self.obey(ctx, output);
            }
            if self.disk.is_stuck() {
                return;
            }
            self.apply(ctx);
            self.reconcile_on(ctx);
            self.sync(ctx);
            if self.raft.outbox.is_empty() {
                return;
            }
        }
    }

    fn obey(&mut self, ctx: &mut Ctx<'_>, output: Output<Command>) {
        match output {
            Output::Send(to, message) => self.send(ctx, to, message),
            Output::SendAfterSync(to, message) => self.disk.hold((to, message)),
            Output::HangUp(peer) => ctx.hang_up(self.cluster.server(peer as usize)),
            Output::Remind(after, alarm) => ctx.after(after, Timer::Raft(alarm).into()),
            Output::Verified { id, leads } => self.on_verified(ctx, id, leads),
            Output::Leader(leader) => self.on_leader(ctx, leader),
        }
    }

    /// Sends to another server.
    pub(super) fn send(&mut self, ctx: &mut Ctx<'_>, to: Peer, message: Message<Command>) {
        ctx.stream(self.cluster.server(to as usize), Msg::Raft(message).into());
    }

    fn on_leader(&mut self, ctx: &mut Ctx<'_>, _: Option<Peer>) {
        let leads = self.raft.leads();
        if leads && !self.led {
            ctx.observe(Observation::Leads { term: self.raft.term });
        }
        if !leads && self.led {
            ctx.observe(Observation::Deposed { term: self.raft.term });
            self.established = false;
            self.reconciler.stop();
            self.sessions.stop();
            self.lose_proposals(ctx);
        }
        self.led = leads;
    }

    /// Raft reminds itself of something.
    pub(super) fn on_alarm(&mut self, ctx: &mut Ctx<'_>, alarm: Alarm) {
        if self.disk.is_stuck() && !matches!(alarm, Alarm::Beat(..)) {
            return self.missed.push(alarm);
        }
        self.raft.on_alarm(ctx.now(), alarm);
        self.settle(ctx);
    }
}
