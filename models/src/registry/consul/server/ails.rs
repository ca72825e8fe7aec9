//! What faults make of a server: the orders that it obeys, and what is wrong with its answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use schism_core::FaultId;

use super::super::catalog::Command;
use super::lag::ago;
use super::{Asker, Member};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Ailment;
use crate::registry::ail::{Ail, Ill, Order, ails, ills, leave_out};
use crate::registry::bucket::Bucket;

/// An instance that has gone and stays listed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ghost {
    by: FaultId,
    service: ServiceId,
    endpoint: Endpoint,
}

impl Member {
    /// Obeys what is ordered, and begins or ceases to be ill.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, ail) in ails(ctx) {
            if let Ail::Order(order) = ail {
                self.obey_order(ctx, ailment, order);
            }
        }
        self.mind_lag(ctx);
        let lasting: Vec<FaultId> = ills(ctx).map(|(ailment, _)| ailment.by).collect();
        self.ghosts.retain(|_, ghost| lasting.contains(&ghost.by));
        self.buckets.retain(|by, _| lasting.contains(by));
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

    /// Whether one more request is too many. Every bucket of several is asked, and one that is empty refuses.
    pub(super) fn is_throttled(&mut self, ctx: &mut Ctx<'_>) -> bool {
        let mut refused = false;
        for (ailment, ill) in ills(ctx) {
            if let Ill::Throttled { gap, burst } = *ill {
                let bucket = self.buckets.entry(ailment.by).or_insert_with(|| Bucket::new(gap, burst));
                if !bucket.take(ctx.now()) {
                    ctx.touch(ailment.by);
                    refused = true;
                }
            }
        }
        refused
    }

    /// The fault that keeps blocking queries from being answered, if one does.
    pub(super) fn stalled_by(&self, ctx: &Ctx<'_>) -> Option<FaultId> {
        ills(ctx).find(|(_, ill)| **ill == Ill::Stalls).map(|(ailment, _)| ailment.by)
    }

    /// A list, as what ails the server makes it.
    pub(super) fn disfigured(&mut self, ctx: &mut Ctx<'_>, mut listing: Arc<Listing>) -> Arc<Listing> {
        for (ailment, ill) in ills(ctx) {
            if self.disfigure(ailment, ill, &mut listing) {
                ctx.touch(ailment.by);
            }
        }
        listing
    }

    /// Makes a list what an ailment makes of it; whether that is something else.
    fn disfigure(&self, ailment: &Ailment, ill: &Ill, listing: &mut Arc<Listing>) -> bool {
        match *ill {
            Ill::Empty => leave_out(listing, |_| true),
            Ill::Partial(share) => {
                leave_out(listing, |node| ailment.luck.derive(node.0.into()).chance(share))
            }
            Ill::Ghosts(_) => {
                let haunts = |ghost: &&Ghost| ghost.by == ailment.by && ghost.service == listing.service;
                let ghosts: Vec<Endpoint> =
                    self.ghosts.values().filter(haunts).map(|ghost| ghost.endpoint).collect();
                ghosts.iter().for_each(|&ghost| Arc::make_mut(listing).insert(ghost));
                !ghosts.is_empty()
            }
            Ill::Stale(_) | Ill::Stalls | Ill::Throttled { .. } => false,
            Ill::Gaps(_) | Ill::Migrates(_) => {
                unreachable!("a checked scenario has no Consul that suffers from {ill:?}")
            }
        }
    }

    /// An instance has come or gone: one that goes may haunt the lists.
    pub(super) fn mind_ghost(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, change: &Change) {
        let &Change { endpoint, up, .. } = change;
        if up {
            self.ghosts.remove(&endpoint.node);
            return;
        }
        let haunts = ills(ctx).find(|(ailment, ill)| match **ill {
            Ill::Ghosts(share) => ailment.luck.derive(endpoint.node.0.into()).chance(share),
            Ill::Stale(_)
            | Ill::Stalls
            | Ill::Gaps(_)
            | Ill::Empty
            | Ill::Partial(_)
            | Ill::Throttled { .. }
            | Ill::Migrates(_) => false,
        });
        if let Some((ailment, _)) = haunts {
            ctx.touch(ailment.by);
            self.ghosts.insert(endpoint.node, Ghost { by: ailment.by, service, endpoint });
        }
    }
}
