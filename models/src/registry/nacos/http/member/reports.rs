//! Whether the other servers are there: each is reported to in turn.

use schism_core::NodeId;

use super::super::Timer;
use super::Member;
use crate::node::Ctx;
use crate::registry::nacos::membership::{Failure, REPORT};
use crate::registry::nacos::{Msg, Peer};

impl Member {
    /// Reports to the next.
    pub(super) fn report(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(REPORT, Timer::Report.into());
        if let Some(member) = self.membership.turn() {
            let number = self.number();
            self.reports.insert(number, member);
            ctx.stream(self.node(member), Msg::Peer(Peer::Report { number }).into());
            ctx.after(self.seat.config.request_timeout, Timer::Unreported(number).into());
        }
    }

    /// Another server reports, or answers a report.
    pub fn on_peer(&mut self, ctx: &mut Ctx<'_>, from: NodeId, peer: Peer) {
        let Some(member) = self.seat.layout.member_at(from) else { return };
        match peer {
            Peer::Report { number } => ctx.stream(from, Msg::Peer(Peer::Reported { number }).into()),
            Peer::Reported { number } => {
                self.reports.remove(&number);
            }
        }
        self.membership.on_heard(member);
    }

    /// A report was not answered: the next one goes by a new connection.
    pub(super) fn on_unreported(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some(member) = self.reports.remove(&number) {
            self.membership.on_failed(member, Failure::Silence);
            ctx.hang_up(self.node(member));
            self.membership.on_closed(member);
            self.on_unreachable(ctx, member);
        }
    }

    /// Another server's host has reset the connection: whatever was asked of it has failed.
    pub(super) fn on_member_reset(&mut self, ctx: &mut Ctx<'_>, member: usize) {
        let before = self.reports.len();
        self.reports.retain(|_, to| *to != member);
        let failure = self.membership.on_closed(member);
        if self.reports.len() < before {
            self.membership.on_failed(member, failure);
        }
        self.fail_forwards(ctx, member);
        self.on_unreachable(ctx, member);
    }
}
