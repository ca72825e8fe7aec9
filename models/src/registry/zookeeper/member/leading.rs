//! A leader: how it begins, its followers, and what makes it give up (server/quorum/Leader.java, 3.8.0).

mod followers;

use std::collections::{BTreeMap, BTreeSet};

use schism_core::NodeId;

use self::followers::Follower;
use super::super::api::{Leader, Learner, Msg};
use super::super::expiry::ExpiryQueue;
use super::super::log::Sid;
use super::super::zxid::Zxid;
use super::proposals::Proposals;
use super::{Member, Role, Timer};
use crate::node::Ctx;
use crate::observation::Observation;

/// A server that leads, or is about to.
#[derive(Clone, Debug)]
pub(super) struct Leading {
    stage: Stage,
    learners: BTreeMap<Sid, Follower>,
    /// Who has told the epoch it accepted last, itself among them.
    infos: BTreeMap<Sid, u32>,
    /// Who has accepted the new epoch.
    accepted: BTreeSet<Sid>,
    /// Who has all of the log.
    synced: BTreeSet<Sid>,
    /// Ticks since it began to serve.
    ticks: u32,
    /// Whether the half tick that comes next is a tick's first.
    first_half: bool,
    pub(super) sessions: Option<ExpiryQueue>,
    pub(super) proposals: Proposals,
}

/// How far a leader has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Stage {
    /// It loads its database, and does not listen yet.
    Loading,
    /// It waits for a quorum, to begin an epoch that none of them has seen (`getEpochToPropose`, `waitForEpochAck`).
    Discovery,
    /// It waits until a quorum has its log (`waitForNewLeaderAck`).
    Synchronization,
    /// It serves.
    Broadcast,
}

impl Leading {
    /// Whether a quorum follows it, so that it serves.
    pub(super) fn is_established(&self) -> bool {
        self.stage == Stage::Broadcast
    }

    /// Those that get what is proposed.
    pub(super) fn forwarding(&self) -> Vec<Sid> {
        let followers = self.learners.iter().filter(|(_, follower)| follower.forwarding);
        followers.map(|(&sid, _)| sid).collect()
    }
}

impl Member {
    /// It has been elected: its database is loaded, and a snapshot taken.
    pub(super) fn lead(&mut self, ctx: &mut Ctx<'_>) {
        self.role = Role::Leading(Box::new(Leading {
            stage: Stage::Loading,
            learners: BTreeMap::new(),
            infos: BTreeMap::new(),
            accepted: BTreeSet::new(),
            synced: BTreeSet::new(),
            ticks: 0,
            first_half: true,
            sessions: None,
            proposals: Proposals::default(),
        }));
        let takes = self.restarts.sample(&self.seat.config.restart);
        ctx.after(takes, Timer::Loaded(self.turn).into());
    }

    pub(super) fn on_loaded(&mut self, ctx: &mut Ctx<'_>) {
        let (me, accepted) = (self.me, self.accepted);
        let Some(leading) = self.leading() else { return };
        leading.stage = Stage::Discovery;
        leading.infos.insert(me, accepted);
        self.await_step(ctx, Stage::Discovery);
        self.discover(ctx);
    }

    /// A server would follow. Nobody listens for it unless this one leads.
    pub(super) fn on_info(&mut self, ctx: &mut Ctx<'_>, sid: Sid, accepted: u32) {
        let (node, turn, quiet) = (self.node(sid), self.turn, self.seat.config.init_timeout());
        let patience = self.seat.config.init_limit + self.seat.config.sync_limit;
        let epoch = self.accepted;
        let Some(leading) = self.leading().filter(|leading| leading.stage > Stage::Loading) else {
            return ctx.hang_up(node);
        };
        let deadline = leading.ticks + patience;
        let now = ctx.now();
        leading
            .learners
            .insert(sid, Follower { forwarding: false, heard: now, deadline, oldest: None, later: None });
        leading.infos.insert(sid, accepted);
        let begun = leading.stage > Stage::Discovery || !leading.accepted.is_empty();
        ctx.after(quiet, Timer::LearnerQuiet(turn, sid).into());
        if begun {
            self.tell(ctx, sid, Leader::Info { epoch });
        } else {
            self.discover(ctx);
        }
    }

    /// With a quorum, a new epoch begins.
    fn discover(&mut self, ctx: &mut Ctx<'_>) {
        let (me, quorum) = (self.me, self.seat.layout.members.len() / 2);
        let Some(leading) = self.leading() else { return };
        if leading.infos.len() <= quorum {
            return;
        }
        let epoch = leading.infos.values().max().expect("its own is there") + 1;
        leading.accepted.insert(me);
        self.accepted = epoch;
        self.sync(ctx);
        for sid in self.learners() {
            self.tell(ctx, sid, Leader::Info { epoch });
        }
        self.synchronize(ctx);
    }

    pub(super) fn hear_learner(&mut self, ctx: &mut Ctx<'_>, sid: Sid, msg: Learner) {
        match msg {
            Learner::Info { .. } => unreachable!("it is heard of anybody"),
            Learner::AckEpoch { current, last } => self.on_ack_epoch(ctx, sid, current, last),
            Learner::AckLeader(last) => self.on_ack_leader(ctx, sid, last),
            Learner::Ack(zxid) => self.on_ack(ctx, sid, zxid),
            Learner::Touches(sessions) => {
                sessions.into_iter().for_each(|session| {
                    self.touch(ctx, session);
                });
            }
            Learner::Submit { number, session, txn } => {
                self.submit(ctx, Some((sid, number)), session, txn);
            }
            Learner::Sync { number } => self.on_sync(ctx, sid, number),
            Learner::Revalidate { session, client } => {
                let timeout = self.touch(ctx, session);
                self.tell(ctx, sid, Leader::Revalidated { session, client, timeout });
            }
        }
    }

    /// A follower accepts the epoch. One that knows more than the leader ends its leadership (`waitForEpochAck`).
    fn on_ack_epoch(&mut self, ctx: &mut Ctx<'_>, sid: Sid, current: Option<u32>, last: Zxid) {
        let own = (self.current, self.log.last());
        let Some(leading) = self.leading() else { return };
        if leading.stage == Stage::Discovery {
            match current {
                Some(current) if (current, last) > own => return self.look(ctx),
                Some(_) => {
                    leading.accepted.insert(sid);
                }
                None => {}
            }
        }
        let after = self.log.floor(last);
        let entries = self.log.after(after);
        if let Some(follower) = self.leading().and_then(|leading| leading.learners.get_mut(&sid)) {
            follower.forwarding = true;
        }
        self.tell(ctx, sid, Leader::Diff { after, entries });
        self.synchronize(ctx);
    }

    /// With a quorum that accepts the epoch, it is the leader's own.
    fn synchronize(&mut self, ctx: &mut Ctx<'_>) {
        let (me, quorum, epoch) = (self.me, self.seat.layout.members.len() / 2, self.accepted);
        let Some(leading) = self.leading() else { return };
        if leading.stage == Stage::Discovery && leading.accepted.len() > quorum {
            leading.stage = Stage::Synchronization;
            leading.synced.insert(me);
            self.current = epoch;
            self.sync(ctx);
            self.await_step(ctx, Stage::Synchronization);
            self.establish(ctx);
        }
    }

    /// A follower has all that the leader had when it came.
    fn on_ack_leader(&mut self, ctx: &mut Ctx<'_>, sid: Sid, last: Zxid) {
        let patience = self.seat.config.sync_limit;
        let committed = self.tree.zxid();
        let Some(leading) = self.leading() else { return };
        leading.synced.insert(sid);
        let established = leading.is_established();
        let ticks = leading.ticks;
        if let Some(follower) = leading.learners.get_mut(&sid) {
            follower.deadline = ticks + patience;
        }
        if established {
            self.tell(ctx, sid, Leader::UpToDate { committed });
            self.on_ack(ctx, sid, last);
        } else {
            self.establish(ctx);
        }
    }

    /// With a quorum that has its log, all of that is committed, and the leader serves.
    fn establish(&mut self, ctx: &mut Ctx<'_>) {
        let (quorum, epoch) = (self.seat.layout.members.len() / 2, self.current);
        let Some(leading) = self.leading() else { return };
        if leading.stage != Stage::Synchronization || leading.synced.len() <= quorum {
            return;
        }
        leading.stage = Stage::Broadcast;
        leading.proposals.begin(Zxid::new(epoch, 0));
        let synced = leading.synced.clone();
        self.election.set_epoch(epoch);
        ctx.observe(Observation::Leads { term: epoch.into() });
        let committed = self.log.last();
        self.apply_up_to(ctx, committed);
        self.track_sessions(ctx);
        for sid in synced.into_iter().filter(|&sid| sid != self.me) {
            self.tell(ctx, sid, Leader::UpToDate { committed });
        }
        ctx.after(self.seat.config.tick / 2, Timer::HalfTick(self.turn).into());
    }

    /// A step of the beginning has an end, too.
    fn await_step(&self, ctx: &mut Ctx<'_>, stage: Stage) {
        ctx.after(self.seat.config.init_timeout(), Timer::Beginning(self.turn, stage as u8).into());
    }

    pub(super) fn on_beginning(&mut self, ctx: &mut Ctx<'_>, step: u8) {
        if self.leading().is_some_and(|leading| leading.stage as u8 == step) {
            self.look(ctx);
        }
    }

    /// It leads no more.
    pub(super) fn step_down(&mut self, ctx: &mut Ctx<'_>, leading: &Leading) {
        if leading.is_established() {
            ctx.observe(Observation::Deposed { term: self.current.into() });
        }
        let followers: Vec<NodeId> = leading.learners.keys().map(|&sid| self.node(sid)).collect();
        followers.into_iter().for_each(|node| ctx.hang_up(node));
    }

    /// Tells a follower something.
    pub(super) fn tell(&self, ctx: &mut Ctx<'_>, sid: Sid, msg: Leader) {
        ctx.stream(self.node(sid), Msg::Leader(msg).into());
    }

    /// What it is as a leader, if it is one.
    pub(super) fn leading(&mut self) -> Option<&mut Leading> {
        match &mut self.role {
            Role::Leading(leading) => Some(leading),
            Role::Looking | Role::Following(_) => None,
        }
    }

    fn learners(&self) -> Vec<Sid> {
        match &self.role {
            Role::Leading(leading) => leading.learners.keys().copied().collect(),
            Role::Looking | Role::Following(_) => Vec::new(),
        }
    }
}
