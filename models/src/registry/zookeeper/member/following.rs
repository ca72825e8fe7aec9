//! A follower: how it joins its leader, and what makes it leave (server/quorum/Learner.java and Follower.java, 3.8.0).

use std::collections::BTreeSet;

use schism_core::{Duration, Time};

use super::super::api::{Leader, Learner, Msg};
use super::super::log::Sid;
use super::super::tree::SessionId;
use super::super::zxid::Zxid;
use super::{Member, Role, Timer};
use crate::node::Ctx;
use crate::observation::Observation;

/// How long a follower waits before it tries again to reach its leader: 100 ms (`leaderConnectDelayDuringRetryMs`).
const RETRY: Duration = Duration::from_millis(100);
/// How often it tries before it looks for another: 5 times (`LeaderConnector`).
const TRIES: u32 = 5;

/// A server that follows, or is about to.
#[derive(Clone, Debug)]
pub(super) struct Following {
    pub(super) leader: Sid,
    stage: Stage,
    /// When the leader was heard of last.
    pub(super) heard: Time,
    /// Sessions that have been heard of since the last ping.
    touched: BTreeSet<SessionId>,
    /// Up to where the log is known to be committed.
    committed: Zxid,
}

/// How far a follower has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// It has tried so often to reach the leader.
    Connecting(u32),
    /// The leader has answered, and it gets the log.
    Synchronizing,
    /// It serves clients.
    Serving,
}

impl Following {
    /// Whether it serves clients.
    pub(super) fn serves(&self) -> bool {
        self.stage == Stage::Serving
    }
}

impl Member {
    /// Another has been elected.
    pub(super) fn follow(&mut self, ctx: &mut Ctx<'_>, leader: Sid) {
        self.role = Role::Following(Following {
            leader,
            stage: Stage::Connecting(0),
            heard: ctx.now(),
            touched: BTreeSet::new(),
            committed: self.tree.zxid(),
        });
        ctx.after(self.seat.config.init_timeout(), Timer::LeaderQuiet(self.turn).into());
        self.on_retry(ctx);
    }

    /// It asks the leader, once more.
    pub(super) fn on_retry(&mut self, ctx: &mut Ctx<'_>) {
        let accepted = self.accepted;
        if let Role::Following(following) = &mut self.role
            && let Stage::Connecting(tries) = &mut following.stage
        {
            *tries += 1;
            let leader = following.leader;
            ctx.stream(self.node(leader), Msg::Learner(Learner::Info { accepted }).into());
        }
    }

    /// The connection to a server is gone: if that was the leader, it does not listen yet, or leads no more.
    pub(super) fn lose_leader(&mut self, ctx: &mut Ctx<'_>, sid: Sid) {
        let Role::Following(following) = &self.role else { return };
        if following.leader != sid {
            return;
        }
        match following.stage {
            Stage::Connecting(tries) if tries < TRIES => ctx.after(RETRY, Timer::Retry(self.turn).into()),
            Stage::Connecting(_) | Stage::Synchronizing | Stage::Serving => self.look(ctx),
        }
    }

    /// Nothing may have come of the leader for too long.
    pub(super) fn on_leader_quiet(&mut self, ctx: &mut Ctx<'_>) {
        let Role::Following(following) = &self.role else { return };
        let config = &self.seat.config;
        let patience = if following.serves() { config.sync_timeout() } else { config.init_timeout() };
        let silent = ctx.now().since(following.heard);
        if silent >= patience {
            self.look(ctx);
        } else {
            ctx.after(patience.saturating_sub(silent), Timer::LeaderQuiet(self.turn).into());
        }
    }

    /// The leader has said something.
    pub(super) fn hear_leader(&mut self, ctx: &mut Ctx<'_>, msg: Leader) {
        match msg {
            Leader::Info { epoch } => self.on_epoch(ctx, epoch),
            Leader::Diff { after, entries } => {
                if after < self.tree.zxid() {
                    self.roll_back(ctx, after);
                }
                self.log.replace_after(after, &entries);
                self.current = self.accepted;
                let last = self.log.last();
                self.tell_leader_after_sync(ctx, Learner::AckLeader(last));
            }
            Leader::UpToDate { committed } => self.on_up_to_date(ctx, committed),
            Leader::Propose(entry) => {
                if entry.zxid > self.log.last() {
                    self.log.push((*entry).clone());
                    self.sync(ctx);
                }
            }
            Leader::Commit(zxid) => self.on_commit(ctx, zxid),
            Leader::Ping => {
                let touched = self.take_touched();
                self.tell_leader(ctx, Learner::Touches(touched));
            }
            Leader::Synced { number } => self.on_synced_up(ctx, number),
            Leader::Revalidated { session, client, timeout } => {
                self.on_validated(ctx, client, session, timeout);
            }
        }
    }

    /// A session has been heard of: the leader is told with the next ping (`LearnerSessionTracker.touchSession`).
    pub(super) fn note_touch(&mut self, session: SessionId) {
        if let Role::Following(following) = &mut self.role {
            following.touched.insert(session);
        }
    }

    fn take_touched(&mut self) -> Vec<SessionId> {
        match &mut self.role {
            Role::Following(following) => std::mem::take(&mut following.touched).into_iter().collect(),
            Role::Looking | Role::Leading(_) => Vec::new(),
        }
    }

    /// The leader's epoch: it is accepted unless a later one was.
    fn on_epoch(&mut self, ctx: &mut Ctx<'_>, epoch: u32) {
        if epoch < self.accepted {
            return self.look(ctx);
        }
        if let Role::Following(following) = &mut self.role {
            following.stage = Stage::Synchronizing;
        }
        let current = (epoch > self.accepted).then_some(self.current);
        self.accepted = epoch;
        let last = self.log.last();
        self.tell_leader_after_sync(ctx, Learner::AckEpoch { current, last });
    }

    fn on_up_to_date(&mut self, ctx: &mut Ctx<'_>, committed: Zxid) {
        self.election.set_epoch(self.current);
        let Role::Following(following) = &mut self.role else { return };
        following.stage = Stage::Serving;
        following.committed = following.committed.max(committed);
        let upto = following.committed;
        self.apply_up_to(ctx, upto);
        ctx.after(self.seat.config.sync_timeout(), Timer::LeaderQuiet(self.turn).into());
        let synced = self.synced;
        self.tell_leader(ctx, Learner::Ack(synced));
    }

    fn on_commit(&mut self, ctx: &mut Ctx<'_>, zxid: Zxid) {
        let Role::Following(following) = &mut self.role else { return };
        following.committed = following.committed.max(zxid);
        if following.serves() {
            self.apply_up_to(ctx, zxid);
        }
    }

    /// The leader does not have what this server has applied: it has lost its disk, and so have others. The tree is made
    /// anew from what both have.
    fn roll_back(&mut self, ctx: &mut Ctx<'_>, after: Zxid) {
        self.tree = self.log.replay(self.services(), after);
        for list in self.tree.lists() {
            ctx.observe(Observation::View(list.clone()));
        }
    }
}
