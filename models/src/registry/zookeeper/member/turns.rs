//! Turns: a server looks for a leader, leads, or follows, and is closed between two of them.

use super::super::election::Vote;
use super::super::log::Sid;
use super::super::zxid::Zxid;
use super::{Member, Role, Timer};
use crate::node::Ctx;

impl Member {
    /// Gives up what it is, with all connections, to look for a leader once that is closed.
    pub(super) fn look(&mut self, ctx: &mut Ctx<'_>) {
        match std::mem::replace(&mut self.role, Role::Looking) {
            Role::Looking => return,
            Role::Following(following) => ctx.hang_up(self.node(following.leader)),
            Role::Leading(leading) => self.step_down(ctx, &leading),
        }
        self.disk.forget_held();
        self.drop_clients(ctx);
        self.close(ctx);
    }

    pub(super) fn close(&mut self, ctx: &mut Ctx<'_>) {
        self.turn += 1;
        let takes = self.restarts.sample(&self.seat.config.restart);
        ctx.after(takes, Timer::Closed(self.turn).into());
    }

    pub(super) fn on_closed(&mut self, ctx: &mut Ctx<'_>, turn: u32) {
        if turn != self.turn {
            return;
        }
        if self.cables.is_empty() {
            return self.lead(ctx);
        }
        let own = Vote { epoch: self.current, zxid: self.log.last(), leader: self.me };
        let least = Vote { epoch: 0, zxid: Zxid::ZERO, ..own };
        self.election.look(if self.stands_back { least } else { own });
        self.settle_election(ctx);
    }

    /// Everyone of the ensemble has been asked, and this one is to lead or to follow.
    pub(super) fn on_elected(&mut self, ctx: &mut Ctx<'_>, leader: Sid) {
        self.turn += 1;
        self.stands_back = false;
        if leader == self.me {
            self.lead(ctx);
        } else {
            self.follow(ctx, leader);
        }
    }

    /// Whether a timer is of the turn that it is.
    pub(super) fn is_turn(&self, turn: u32) -> bool {
        turn == self.turn
    }
}
