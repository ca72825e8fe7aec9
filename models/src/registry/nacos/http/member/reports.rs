//! Whether the other servers are there: each is reported to in turn.

use schism_core::NodeId;

use super::super::Timer;
use super::Member;
use crate::node::Ctx;
use crate::registry::nacos::Peer;
use crate::registry::nacos::membership::REPORT;

impl Member {
    /// Reports to the next.
    pub(super) fn report(&mut self, ctx: &mut Ctx<'_>) {
        ctx.after(REPORT, Timer::Report.into());
        if let Some(member) = self.membership.turn() {
            let number = self.number();
            self.membership.report(ctx, self.node(member), member, number);
            ctx.after(self.seat.config.request_timeout, Timer::Unreported(number).into());
        }
    }

    /// Another server reports, or answers a report.
    pub fn on_peer(&mut self, ctx: &mut Ctx<'_>, from: NodeId, peer: Peer) {
        if let Some(member) = self.seat.layout.member_at(from) {
            self.membership.on_peer(ctx, from, member, peer);
        }
    }

    /// A report was not answered: the next one goes by a new connection.
    pub(super) fn on_unreported(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        if let Some(member) = self.membership.on_unreported(number) {
            ctx.hang_up(self.node(member));
            self.on_unreachable(ctx, member);
        }
    }

    /// Another server's host has reset the connection: whatever was asked of it has failed.
    pub(super) fn on_member_reset(&mut self, ctx: &mut Ctx<'_>, member: usize) {
        self.membership.on_reset(member);
        self.fail_forwards(ctx, member);
        self.on_unreachable(ctx, member);
    }
}
