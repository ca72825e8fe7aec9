//! What faults make of a member: the orders that it obeys, and what is wrong with its answers.

use super::super::api::Answer;
use super::super::lessor::Lessor;
use super::super::log::{Entry, Proposal};
use super::super::store::{Command, LeaseId};
use super::Member;
use crate::listing::{Change, ServiceId};
use crate::node::Ctx;
use crate::plight::Ailment;
use crate::registry::ail::{Order, ago, disfigure, orders};

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, order) in orders(ctx) {
            self.obey_order(ctx, ailment, order);
        }
        self.mind_lag(ctx);
        self.let_go_of_watchers(ctx);
        self.ghosts.mind(ctx);
        self.throttles.mind(ctx);
        self.settle(ctx);
    }

    fn obey_order(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        match order {
            Order::HandOver => {
                if self.raft.hand_over() {
                    ctx.touch(ailment.by);
                }
            }
            Order::Expire(share) => {
                let now = self.lease_time(ctx);
                let Lessor::Primary(primary) = &mut self.lessor else { return };
                let chosen = |lease: LeaseId| ailment.luck.derive(lease.0).chance(*share);
                (0..primary.expire(now, chosen)).for_each(|_| ctx.touch(ailment.by));
            }
            Order::Compact { keep } => {
                let revision = self.store.header().revision.saturating_sub(*keep);
                if revision > self.store.compacted() {
                    self.decree(Command::Compact { revision });
                    ctx.touch(ailment.by);
                }
            }
            Order::Restore { age } => {
                self.decree(Command::Restore { index: self.history.as_of(ago(ctx.moment(), *age)) });
                ctx.touch(ailment.by);
            }
            Order::Lose(instances) => {
                for &node in instances.iter() {
                    if self.store.has_key(node) {
                        self.decree(Command::Delete { node });
                        ctx.touch(ailment.by);
                    }
                }
            }
        }
    }

    /// Proposes something that nobody waits for.
    pub(super) fn decree(&mut self, command: Command) {
        let proposal = Proposal { by: None, command: Some(command) };
        self.put_to_raft(Entry { term: 0, proposal });
    }

    /// What a reader is told of a service's list: as it is, unless something is wrong with the member.
    pub(super) fn list(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) -> Answer {
        if let Some(by) = self.misled_by() {
            ctx.touch(by);
        }
        let store = self.shown();
        let mut header = store.header();
        let mut listing = store.listing(service).clone();
        if disfigure(ctx, &self.ghosts, self.last, &mut listing) {
            header.cluster = None;
        }
        Answer::Listing(header, listing)
    }

    /// Takes what watchers must not hear out of the changes of a list: instances that have gone, and haunt it.
    pub(super) fn hide_ghosts(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, changes: &mut Vec<Change>) {
        changes.retain(|change| !self.ghosts.hide(ctx, service, change.endpoint, change.up));
    }
}
