//! What faults make of a server: the orders that it obeys, and what is wrong with its answers.

use std::sync::Arc;

use schism_core::NodeId;

use super::super::api::Answer;
use super::super::apps::{Action, Apps, Delta, Full, Item, Status};
use super::super::cache::Payload;
use super::super::outbox::Errand;
use super::Member;
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Ailment;
use crate::registry::ail::{Ill, Order, ago, ills, orders, stalled_by};

impl Member {
    /// Obeys what is ordered, and forgets what belongs to faults that have healed.
    pub(super) fn mind_ails(&mut self, ctx: &mut Ctx<'_>) {
        for (ailment, order) in orders(ctx) {
            self.obey(ctx, ailment, order);
        }
        self.ghosts.mind(ctx);
        self.throttles.mind(ctx);
    }

    fn obey(&mut self, ctx: &mut Ctx<'_>, ailment: &Ailment, order: &Order) {
        match order {
            // The leases end, and the next eviction finds them, if self-preservation lets it.
            Order::Expire(share) => {
                let ended = self.table.end_leases(|node| ailment.luck.derive(node.0.into()).chance(*share));
                (0..ended).for_each(|_| ctx.touch(ailment.by));
            }
            // Somebody deletes them (`DELETE apps/APP/ID`), which every peer is told.
            Order::Lose(instances) => {
                for &node in instances.iter() {
                    if let Some(info) = self.remove(ctx, node, Cause::Lost) {
                        self.replicate(ctx, Errand::Cancel, info);
                        ctx.touch(ailment.by);
                    }
                }
            }
            // Nobody leads, nothing is compacted, and there are no backups: a checked scenario asks for none of these.
            Order::HandOver | Order::Compact { .. } | Order::Restore { .. } => {}
        }
    }

    /// Whether the thread is stuck that copies what clients are told.
    pub(super) fn is_stalled(&self, ctx: &mut Ctx<'_>) -> bool {
        stalled_by(ctx).inspect(|&by| ctx.touch(by)).is_some()
    }

    /// A change goes into the delta queue, unless a fault leaves it out.
    pub(super) fn enqueue(&mut self, ctx: &mut Ctx<'_>, item: Item) {
        let version = self.table.apps().version;
        let lost = ills(ctx).find(|(ailment, ill)| match **ill {
            Ill::Gaps(share) => ailment.luck.derive(version).chance(share),
            Ill::Stale(_)
            | Ill::Stalls
            | Ill::Empty
            | Ill::Partial(_)
            | Ill::Ghosts(_)
            | Ill::Throttled { .. }
            | Ill::Migrates(_) => false,
        });
        match lost {
            Some((ailment, _)) => {
                ctx.touch(ailment.by);
                self.queue.omit(version);
            }
            None => self.queue.push(ctx.wall(), version, item),
        }
    }

    /// An instance that goes may stay on every list; one that comes back is no ghost.
    pub(super) fn mind_ghost(&mut self, ctx: &mut Ctx<'_>, item: &Item) {
        let node = item.info.endpoint.node;
        if item.action == Action::Added {
            self.ghosts.on_up(node);
        } else {
            self.ghosts.on_down(ctx, node, item.info);
        }
    }

    /// What is told: as it is, unless something is wrong with the server.
    pub(super) fn answer(&mut self, ctx: &mut Ctx<'_>, payload: Payload) -> Answer {
        let true_apps = match &payload {
            Payload::Full(full) => &full.apps,
            Payload::Delta(delta) => &delta.apps,
        };
        let shown = self.show(ctx, true_apps);
        match (shown, payload) {
            (None, Payload::Full(full)) => Answer::Full(full),
            (None, Payload::Delta(delta)) => Answer::Delta(delta),
            (Some(apps), Payload::Full(full)) => {
                Answer::Full(Arc::new(Full { apps, infos: full.infos.clone(), of: None }))
            }
            (Some(apps), Payload::Delta(delta)) => {
                // What contradicts the list that is shown is not told.
                let fits = |item: &&Item| {
                    (item.action == Action::Added) == apps.knows(item.info.service, item.info.endpoint.node)
                };
                let items = delta.items.iter().filter(fits).copied().collect();
                Answer::Delta(Arc::new(Delta { items, census: apps.census(), apps, since: None }))
            }
        }
    }

    /// What is shown instead of the state that it is, if something else is.
    fn show(&mut self, ctx: &mut Ctx<'_>, apps: &Arc<Apps>) -> Option<Arc<Apps>> {
        let mut shown = apps.clone();
        for (ailment, ill) in ills(ctx) {
            let before = shown.clone();
            match *ill {
                Ill::Stale(age) => {
                    shown = self.history.as_of(ago(ctx.moment(), age), self.table.apps());
                }
                Ill::Empty => leave_out(&mut shown, |_| true),
                Ill::Partial(share) => {
                    leave_out(&mut shown, |node| ailment.luck.derive(node.0.into()).chance(share));
                }
                Ill::Ghosts(_) => {
                    let ghosts = self.ghosts.of(ailment.by).copied();
                    for info in ghosts.filter(|info| info.status == Status::Up) {
                        let revision = shown.listing(info.service).revision;
                        Arc::make_mut(&mut shown).make(&Item { action: Action::Added, info }, revision);
                    }
                }
                Ill::Stalls | Ill::Gaps(_) | Ill::Throttled { .. } | Ill::Migrates(_) => {}
            }
            if !Arc::ptr_eq(&before, &shown) && *before != *shown {
                ctx.touch(ailment.by);
            }
        }
        (!Arc::ptr_eq(&shown, apps)).then_some(shown)
    }
}

/// Takes some instances out of all lists.
fn leave_out(apps: &mut Arc<Apps>, gone: impl Fn(NodeId) -> bool) {
    let listed = apps.listings.iter().flat_map(|listing| {
        listing.endpoints.iter().map(|endpoint| (listing.service, endpoint.node, listing.revision))
    });
    let left: Vec<_> = listed.filter(|&(_, node, _)| gone(node)).collect();
    let down: Vec<NodeId> = apps.down.iter().copied().filter(|&node| gone(node)).collect();
    if left.is_empty() && down.is_empty() {
        return;
    }
    let apps = Arc::make_mut(apps);
    left.into_iter().for_each(|(service, node, revision)| apps.remove(service, node, revision));
    apps.down.retain(|node| !down.contains(node));
}
