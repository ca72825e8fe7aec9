//! Ghosts: instances that have gone, and stay on every list.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{FaultId, NodeId, Ratio};

use super::{Ill, ills, lasting};
use crate::listing::{Endpoint, Listing, ServiceId};
use crate::node::Ctx;
use crate::plight::Ailment;

/// What makes ghosts, and of which share of the instances that go.
pub(crate) fn haunters<'w>(ctx: &Ctx<'w>) -> impl Iterator<Item = (&'w Ailment, Ratio)> + use<'w> {
    ills(ctx).filter_map(|(ailment, ill)| match *ill {
        Ill::Ghosts(share) => Some((ailment, share)),
        Ill::Stale(_)
        | Ill::Stalls
        | Ill::Gaps(_)
        | Ill::Empty
        | Ill::Partial(_)
        | Ill::Throttled { .. }
        | Ill::Migrates(_) => None,
    })
}

/// The ghosts of a member's lists, each with what was listed of it.
#[derive(Clone, Debug)]
pub(crate) struct Ghosts<T = Listed> {
    ghosts: BTreeMap<NodeId, (FaultId, T)>,
}

/// What stays listed of an instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    /// On the list of this service.
    pub(crate) service: ServiceId,
    /// As this.
    pub(crate) endpoint: Endpoint,
}

impl<T> Default for Ghosts<T> {
    fn default() -> Ghosts<T> {
        Ghosts { ghosts: BTreeMap::new() }
    }
}

impl<T> Ghosts<T> {
    /// What ails the member has changed: ghosts of faults that are over go. Whether any did.
    pub(crate) fn mind(&mut self, ctx: &Ctx<'_>) -> bool {
        let lasting = lasting(ctx);
        let before = self.ghosts.len();
        self.ghosts.retain(|_, (by, _)| lasting.contains(by));
        self.ghosts.len() < before
    }

    /// An instance has come, or come back: it is no ghost.
    pub(crate) fn on_up(&mut self, node: NodeId) {
        self.ghosts.remove(&node);
    }

    /// An instance goes: whether it stays on the lists, and nobody is to be told.
    pub(crate) fn on_down(&mut self, ctx: &mut Ctx<'_>, node: NodeId, listed: T) -> bool {
        let haunts = haunters(ctx).find(|(ailment, share)| ailment.luck.derive(node.0.into()).chance(*share));
        let Some((ailment, _)) = haunts else { return false };
        ctx.touch(ailment.by);
        self.ghosts.insert(node, (ailment.by, listed));
        true
    }

    /// Whether an instance is a ghost.
    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.ghosts.contains_key(&node)
    }

    /// What stays listed because of a fault.
    pub(crate) fn of(&self, fault: FaultId) -> impl Iterator<Item = &T> {
        self.ghosts.values().filter(move |(by, _)| *by == fault).map(|(_, listed)| listed)
    }
}

impl Ghosts {
    /// An instance of a service has come or gone: whether nobody is to be told, because it has gone and stays listed.
    pub(crate) fn hide(
        &mut self,
        ctx: &mut Ctx<'_>,
        service: ServiceId,
        endpoint: Endpoint,
        up: bool,
    ) -> bool {
        if up {
            self.on_up(endpoint.node);
            return false;
        }
        self.on_down(ctx, endpoint.node, Listed { service, endpoint })
    }

    /// Puts a fault's ghosts on a list; whether there are any.
    pub(super) fn haunt(&self, fault: FaultId, listing: &mut Arc<Listing>) -> bool {
        let service = listing.service;
        let mut any = false;
        for ghost in self.of(fault).filter(|ghost| ghost.service == service) {
            Arc::make_mut(listing).insert(ghost.endpoint);
            any = true;
        }
        any
    }
}
