//! Watchers: who is told of the changes of which list, revision by revision.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::NodeId;

use super::ail::stalled_by;
use crate::listing::ServiceId;
use crate::node::Ctx;

/// The watchers of one member.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watchers {
    watchers: BTreeMap<ServiceId, BTreeSet<NodeId>>,
    /// Up to where those have been told that are told nothing for now.
    held_back: BTreeMap<(ServiceId, NodeId), u64>,
}

impl Watchers {
    /// A client watches a list from after a revision on: whether it may be told now what it has missed.
    pub(crate) fn watch(&mut self, ctx: &Ctx<'_>, client: NodeId, service: ServiceId, after: u64) -> bool {
        self.watchers.entry(service).or_default().insert(client);
        let is_stalled = stalled_by(ctx).is_some();
        if is_stalled {
            self.held_back.insert((service, client), after);
        }
        !is_stalled
    }

    /// A list has changed after a revision: whether nobody is to be told that for now.
    pub(crate) fn hold_back(&mut self, ctx: &mut Ctx<'_>, service: ServiceId, before: u64) -> bool {
        let Some(by) = stalled_by(ctx) else { return false };
        for &watcher in self.watchers.get(&service).into_iter().flatten() {
            self.held_back.entry((service, watcher)).or_insert(before);
            ctx.touch(by);
        }
        true
    }

    /// Those that were told nothing, with the lists and up to where they have been told; nobody, if they are to be told
    /// nothing still.
    pub(crate) fn let_go(&mut self, ctx: &Ctx<'_>) -> BTreeMap<(ServiceId, NodeId), u64> {
        match stalled_by(ctx) {
            Some(_) => BTreeMap::new(),
            None => std::mem::take(&mut self.held_back),
        }
    }

    /// How many watch, of each list its own.
    pub(crate) fn len(&self) -> usize {
        self.watchers.values().map(BTreeSet::len).sum()
    }

    /// Who watches a list.
    pub(crate) fn of(&self, service: ServiceId) -> Option<&BTreeSet<NodeId>> {
        self.watchers.get(&service)
    }

    /// A client watches a list no longer.
    pub(crate) fn cancel(&mut self, client: NodeId, service: ServiceId) {
        if let Some(watchers) = self.watchers.get_mut(&service) {
            watchers.remove(&client);
        }
    }

    /// A client has gone.
    pub(crate) fn forget(&mut self, client: NodeId) {
        for watchers in self.watchers.values_mut() {
            watchers.remove(&client);
        }
        self.held_back.retain(|(_, watcher), _| *watcher != client);
    }

    /// All watches end: whose they are.
    pub(crate) fn end_all(&mut self) -> BTreeMap<ServiceId, BTreeSet<NodeId>> {
        self.held_back.clear();
        std::mem::take(&mut self.watchers)
    }
}
