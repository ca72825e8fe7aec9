//! A leader's followers: which of them are still there, and which are sent away.

use schism_core::Time;

use super::super::{Member, Role, Timer};
use super::Leading;
use crate::node::Ctx;
use crate::registry::zookeeper::api::Leader;
use crate::registry::zookeeper::log::Sid;
use crate::registry::zookeeper::zxid::Zxid;

/// A follower as its leader knows it (server/quorum/LearnerHandler.java, 3.8.0).
#[derive(Clone, Copy, Debug)]
pub(super) struct Follower {
    /// Whether it gets what is proposed from now on.
    pub(super) forwarding: bool,
    /// When it was heard of last.
    pub(super) heard: Time,
    /// Up to which tick it counts as there.
    pub(super) deadline: u32,
    /// The oldest proposal that it has not acknowledged, as far as is kept, and when that was sent; and a later one, from
    /// which the time is taken next (`SyncLimitCheck`).
    pub(super) oldest: Option<(Zxid, Time)>,
    pub(super) later: Option<(Zxid, Time)>,
}

impl Leading {
    /// A proposal leaves for a follower.
    pub(in super::super) fn note_proposal(&mut self, sid: Sid, zxid: Zxid, now: Time) {
        if let Some(follower) = self.learners.get_mut(&sid) {
            match follower.oldest {
                None => follower.oldest = Some((zxid, now)),
                Some(_) => follower.later = Some((zxid, now)),
            }
        }
    }

    /// A follower has acknowledged all up to a proposal.
    pub(in super::super) fn note_ack(&mut self, sid: Sid, zxid: Zxid) {
        if let Some(follower) = self.learners.get_mut(&sid)
            && follower.oldest.is_some_and(|(oldest, _)| oldest <= zxid)
        {
            follower.oldest = follower.later.take().filter(|(later, _)| *later > zxid);
        }
    }
}

impl Member {
    /// Whether a message of a follower's is of one that this server knows as such.
    pub(in super::super) fn hears_learner(&mut self, ctx: &Ctx<'_>, sid: Sid) -> bool {
        let patience = self.seat.config.sync_limit;
        let Some(leading) = self.leading() else { return false };
        let ticks = leading.ticks;
        let Some(follower) = leading.learners.get_mut(&sid) else { return false };
        follower.heard = ctx.now();
        if follower.forwarding {
            follower.deadline = ticks + patience;
        }
        true
    }

    /// Every half tick it pings, and every tick it looks whether a quorum is still there.
    pub(in super::super) fn on_half_tick(&mut self, ctx: &mut Ctx<'_>) {
        let quorum = self.seat.layout.members.len() / 2;
        let Some(leading) = self.leading() else { return };
        if !leading.first_half {
            leading.ticks += 1;
            let ticks = leading.ticks;
            let there = leading.learners.values().filter(|follower| ticks <= follower.deadline).count();
            if there < quorum {
                return self.look(ctx);
            }
        }
        leading.first_half = !leading.first_half;
        for sid in self.learners() {
            self.ping(ctx, sid);
        }
        ctx.after(self.seat.config.tick / 2, Timer::HalfTick(self.turn).into());
    }

    /// Pings a follower, or closes the connection if it has not acknowledged a proposal for too long.
    fn ping(&mut self, ctx: &mut Ctx<'_>, sid: Sid) {
        let patience = self.seat.config.sync_timeout();
        let Some(leading) = self.leading() else { return };
        let Some(&Follower { forwarding, oldest, .. }) = leading.learners.get(&sid) else { return };
        match oldest {
            _ if !forwarding => {}
            Some((_, since)) if ctx.now().since(since) >= patience => self.shed(ctx, sid),
            Some(_) | None => self.tell(ctx, sid, Leader::Ping),
        }
    }

    /// Nothing may have come of a follower for too long.
    pub(in super::super) fn on_learner_quiet(&mut self, ctx: &mut Ctx<'_>, sid: Sid) {
        let (config, turn) = (self.seat.config.clone(), self.turn);
        let Some(leading) = self.leading() else { return };
        let has_synced = leading.synced.contains(&sid);
        let patience = if has_synced { config.sync_timeout() } else { config.init_timeout() };
        let Some(follower) = leading.learners.get(&sid) else { return };
        let silent = ctx.now().since(follower.heard);
        if silent >= patience {
            self.shed(ctx, sid);
        } else {
            ctx.after(patience.saturating_sub(silent), Timer::LearnerQuiet(turn, sid).into());
        }
    }

    /// Closes the connection to a follower.
    fn shed(&mut self, ctx: &mut Ctx<'_>, sid: Sid) {
        ctx.hang_up(self.node(sid));
        self.drop_learner(sid);
    }

    /// A follower is no more.
    pub(in super::super) fn drop_learner(&mut self, sid: Sid) {
        if let Role::Leading(leading) = &mut self.role {
            leading.learners.remove(&sid);
            leading.synced.remove(&sid);
        }
    }
}
