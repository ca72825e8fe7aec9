//! A service's slices: what they say of its endpoints, to whoever looks for some and to the witnesses.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::NodeId;

use super::super::slices::{Condition, Placed, Serving, Slice};
use crate::listing::{Change, Listing, ServiceId};
use crate::observation::{Cause, Write};

/// A service's slices, and what they say.
#[derive(Clone, Debug)]
pub(super) struct Service {
    pub(super) slices: BTreeMap<u32, Slice>,
    /// All endpoints of all slices.
    placed: BTreeMap<NodeId, Placed>,
    /// How many of them are ready.
    ready: usize,
    /// Those that the witnesses hold to be registered, and whether they count as healthy.
    registered: BTreeMap<NodeId, bool>,
    pub(super) listing: Arc<Listing>,
    pub(super) history: Vec<Change>,
}

impl Service {
    /// A service without any.
    pub(super) fn new(service: ServiceId) -> Service {
        Service {
            slices: BTreeMap::new(),
            placed: BTreeMap::new(),
            ready: 0,
            registered: BTreeMap::new(),
            listing: Arc::new(Listing { service, revision: 1, endpoints: Vec::new() }),
            history: Vec::new(),
        }
    }

    /// Puts a slice's endpoints in the place of what it held before: whose changed.
    pub(super) fn place(&mut self, before: &[Placed], after: &[Placed]) -> Vec<NodeId> {
        let mut touched = Vec::new();
        let stays = |node: NodeId| after.binary_search_by_key(&node, |placed| placed.endpoint.node).is_ok();
        for gone in before.iter().map(|placed| placed.endpoint.node).filter(|&node| !stays(node)) {
            self.placed.remove(&gone);
            touched.push(gone);
        }
        for placed in after {
            if self.placed.insert(placed.endpoint.node, *placed) != Some(*placed) {
                touched.push(placed.endpoint.node);
            }
        }
        self.ready = self.placed.values().filter(|placed| placed.condition == Condition::Ready).count();
        touched
    }

    /// What has become of an endpoint, as the witnesses hold it: it is registered since it was first ready, fails and
    /// recovers, and is removed when its pod is to be deleted.
    pub(super) fn register(&mut self, node: NodeId, deleted: Option<Cause>) -> Option<Write> {
        let condition = self.placed.get(&node).map(|placed| placed.condition);
        let registered = self.registered.get(&node).copied();
        match (condition, registered) {
            (Some(Condition::Ready), None) => {
                self.registered.insert(node, true);
                Some(Write::Register(node))
            }
            (Some(Condition::Ready), Some(false)) => {
                self.registered.insert(node, true);
                Some(Write::Recover(node))
            }
            (Some(Condition::NotReady), Some(true)) => {
                self.registered.insert(node, false);
                Some(Write::Fail(node))
            }
            (Some(Condition::Terminating(_)) | None, Some(_)) => {
                self.registered.remove(&node);
                Some(Write::Remove(node, deleted.unwrap_or(Cause::Revoked)))
            }
            (Some(Condition::Ready), Some(true))
            | (Some(Condition::NotReady), Some(false) | None)
            | (Some(Condition::Terminating(_)) | None, None) => None,
        }
    }

    /// Whether an endpoint takes requests: it is ready; or none is, and it still serves while it ends (KEP-1669,
    /// `ProxyTerminatingEndpoints`, on by default since v1.26).
    fn takes(&self, placed: &Placed) -> bool {
        match placed.condition {
            Condition::Ready => true,
            Condition::Terminating(Serving::Yes) => self.ready == 0,
            Condition::NotReady | Condition::Terminating(Serving::No) => false,
        }
    }

    /// Brings the list up to date: its changes.
    pub(super) fn list(&mut self, touched: &[NodeId], revision: u64) -> Vec<Change> {
        // When the last ready one goes, or the first comes, those that end are looked at, too.
        let ending =
            self.placed.values().filter(|placed| matches!(placed.condition, Condition::Terminating(_)));
        let suspects = touched.iter().copied().chain(ending.map(|placed| placed.endpoint.node));
        let mut suspects: Vec<NodeId> = suspects.collect();
        suspects.sort_unstable();
        suspects.dedup();
        let after = self.listing.revision;
        let change = |node: NodeId| {
            let placed = self.placed.get(&node);
            let up = placed.is_some_and(|placed| self.takes(placed));
            let held = self.listing.endpoint(node);
            match (held, placed) {
                (None, Some(placed)) if up => Some(Change { revision, after, endpoint: placed.endpoint, up }),
                (Some(held), _) if !up => Some(Change { revision, after, endpoint: held, up }),
                (None | Some(_), _) => None,
            }
        };
        let changes: Vec<Change> = suspects.into_iter().filter_map(change).collect();
        if !changes.is_empty() {
            let listing = Arc::make_mut(&mut self.listing);
            changes.iter().for_each(|change| change.apply_to(listing));
            self.history.extend_from_slice(&changes);
        }
        changes
    }
}
