//! What faults make of a server: the orders that it obeys, and what is wrong with its answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::catalog::Command;
use super::{Asker, Member};
use crate::listing::{Listing, ServiceId};
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Ailment;
use crate::registry::ail::{Ill, Order, ago, disfigure, ills, orders};

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, order) in orders(ctx) {
            self.obey_order(ctx, ailment, order);
        }
        self.mind_lag(ctx);
        for (_, ill) in ills(ctx) {
            let is_other = matches!(ill, Ill::Gaps(_) | Ill::Migrates(_));
            assert!(!is_other, "a checked scenario has no Consul that suffers from {ill:?}");
        }
        self.ghosts.mind(ctx);
        self.throttles.mind(ctx);
        let all: BTreeSet<ServiceId> = (0..self.services).map(|service| ServiceId(service as u16)).collect();
        self.wake(ctx, &all);
        self.settle(ctx);
    }

    fn obey_order(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        match order {
            Order::HandOver => {
                if self.raft.hand_over(ctx.now()) {
                    ctx.touch(ailment.by);
                }
            }
            Order::Restore { age } => {
                if self.raft.leads() {
                    let index = self.history.as_of(ago(ctx.moment(), *age));
                    self.propose(ctx, Asker::Nobody, Command::Restore { index });
                    ctx.touch(ailment.by);
                }
            }
            Order::Lose(instances) => {
                for &host in instances.iter() {
                    if self.raft.leads() && self.catalog.host(host).is_some_and(|host| host.service.is_some())
                    {
                        let cause = Cause::Lost;
                        self.propose(ctx, Asker::Nobody, Command::RemoveService { host, cause });
                        ctx.touch(ailment.by);
                    }
                }
            }
            Order::Expire(_) | Order::Compact { .. } => {
                unreachable!("a checked scenario asks no Consul for {order:?}")
            }
        }
    }

    /// A list, as what ails the server makes it.
    pub(super) fn disfigured(&mut self, ctx: &mut Ctx<'_>, mut listing: Arc<Listing>) -> Arc<Listing> {
        disfigure(ctx, &self.ghosts, self.last, &mut listing);
        listing
    }
}
