//! What faults make of a server, of either generation: what is wrong with its lists and pushes.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, FaultId, NodeId, Ratio, Time};

use super::book::{Book, Turn};

use crate::listing::{Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::plight::Ailment;
use crate::registry::ail::{Ail, Ill, Order, ails, ills, leave_out};
use crate::registry::bucket::Bucket;

/// What it is told to do now.
pub(super) fn orders<'w>(ctx: &Ctx<'w>) -> impl Iterator<Item = (&'w Ailment, &'w Order)> + use<'w> {
    ails(ctx).filter_map(|(ailment, ail)| match ail {
        Ail::Order(order) => Some((ailment, order)),
        Ail::Ill(_) => None,
    })
}

/// The fault that keeps subscribers from being told, if one does.
pub(super) fn stalled_by(ctx: &Ctx<'_>) -> Option<FaultId> {
    ills(ctx).find(|(_, ill)| **ill == Ill::Stalls).map(|(ailment, _)| ailment.by)
}

/// Whether a push never comes to a subscriber. Each fault decides for itself.
pub(super) fn is_gap(ctx: &mut Ctx<'_>, push: u32, subscriber: NodeId) -> bool {
    let mut gap = false;
    for (ailment, ill) in ills(ctx) {
        if let Ill::Gaps(share) = *ill
            && ailment.luck.derive(push.into()).derive(subscriber.0.into()).chance(share)
        {
            ctx.touch(ailment.by);
            gap = true;
        }
    }
    gap
}

/// How old a state is shown, and for which fault. Of several, the ages add up.
pub(super) fn stale(ctx: &Ctx<'_>) -> Option<(FaultId, Duration)> {
    let ages = ills(ctx).filter_map(|(ailment, ill)| match *ill {
        Ill::Stale(age) => Some((ailment.by, age)),
        Ill::Stalls
        | Ill::Gaps(_)
        | Ill::Empty
        | Ill::Partial(_)
        | Ill::Ghosts(_)
        | Ill::Throttled { .. }
        | Ill::Migrates(_) => None,
    });
    ages.reduce(|(by, age), (_, more)| (by, age + more))
}

/// The list of some time ago, if a fault has readers shown that, and it is another.
pub(super) fn stale_listing(ctx: &mut Ctx<'_>, book: &Book, threshold: Ratio) -> Option<Arc<Listing>> {
    let (by, age) = stale(ctx)?;
    let then = Time::START + ctx.moment().since(Time::START).saturating_sub(age);
    book.has_changed_since(then).then(|| {
        ctx.touch(by);
        Arc::new(book.offered_at(threshold, then))
    })
}

/// What lasts while faults do.
#[derive(Clone, Debug, Default)]
pub(super) struct Scars {
    /// Instances that have gone and stay listed, with the fault, the service and what was listed.
    ghosts: BTreeMap<NodeId, (FaultId, ServiceId, Endpoint)>,
    buckets: BTreeMap<FaultId, Bucket>,
    /// The faults that make lists other than they are.
    twists: Vec<FaultId>,
}

impl Scars {
    /// What ails the server has changed: whether its lists are others by that.
    pub(super) fn mind(&mut self, ctx: &Ctx<'_>) -> bool {
        let lasting: Vec<FaultId> = ills(ctx).map(|(ailment, _)| ailment.by).collect();
        let ghosts = self.ghosts.len();
        self.ghosts.retain(|_, (by, ..)| lasting.contains(by));
        self.buckets.retain(|by, _| lasting.contains(by));
        let twists: Vec<FaultId> =
            ills(ctx).filter(|(_, ill)| twists(ill)).map(|(ailment, _)| ailment.by).collect();
        let changed = self.twists != twists || self.ghosts.len() < ghosts;
        self.twists = twists;
        changed
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

    /// An instance's listing has changed: whether nobody is to be told, because it has gone and stays on the lists.
    pub(super) fn on_turn(&mut self, ctx: &mut Ctx<'_>, turn: &Turn) -> bool {
        match (turn.before, turn.after) {
            (Some(before), None) => self.haunts(ctx, turn.service, before.endpoint),
            (_, Some(_)) => {
                self.ghosts.remove(&turn.node);
                false
            }
            (None, None) => false,
        }
    }

    fn haunts(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, endpoint: Endpoint) -> bool {
        let by = ills(ctx).find_map(|(ailment, ill)| match *ill {
            Ill::Ghosts(share) => {
                ailment.luck.derive(endpoint.node.0.into()).chance(share).then_some(ailment.by)
            }
            Ill::Stale(_)
            | Ill::Stalls
            | Ill::Gaps(_)
            | Ill::Empty
            | Ill::Partial(_)
            | Ill::Throttled { .. }
            | Ill::Migrates(_) => None,
        });
        let Some(by) = by else { return false };
        ctx.touch(by);
        self.ghosts.insert(endpoint.node, (by, service, endpoint));
        true
    }

    /// Makes a list what the faults make of it.
    pub(super) fn disfigure(&self, ctx: &mut Ctx<'_>, listing: &mut Arc<Listing>) {
        for (ailment, ill) in ills(ctx) {
            let other = match *ill {
                Ill::Empty => leave_out(listing, |_| true),
                Ill::Partial(share) => leave_out(listing, |node| is_left_out(ailment, share, node)),
                Ill::Ghosts(_) => self.add_ghosts(ailment.by, listing),
                Ill::Stale(_) | Ill::Stalls | Ill::Gaps(_) | Ill::Throttled { .. } | Ill::Migrates(_) => {
                    false
                }
            };
            if other {
                ctx.touch(ailment.by);
            }
        }
    }

    fn add_ghosts(&self, fault: FaultId, listing: &mut Arc<Listing>) -> bool {
        let service = listing.service;
        let mine = self.ghosts.values().filter(|(by, of, _)| *by == fault && *of == service);
        let ghosts: Vec<Endpoint> = mine.map(|&(.., endpoint)| endpoint).collect();
        ghosts.iter().for_each(|&endpoint| Arc::make_mut(listing).insert(endpoint));
        !ghosts.is_empty()
    }
}

/// Whether a fault makes lists other than they are from its beginning to its end.
fn twists(ill: &Ill) -> bool {
    match ill {
        Ill::Empty | Ill::Partial(_) | Ill::Stale(_) => true,
        Ill::Stalls | Ill::Gaps(_) | Ill::Ghosts(_) | Ill::Throttled { .. } | Ill::Migrates(_) => false,
    }
}

fn is_left_out(ailment: &Ailment, share: Ratio, node: NodeId) -> bool {
    ailment.luck.derive(node.0.into()).chance(share)
}
