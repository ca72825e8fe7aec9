//! The roster: which nodes are there, of those that faults bring. Who is taken from a service is held
//! [away](super::hand::Hold), as others are held dead.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::NodeId;

/// Who has been brought, and who has not yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// Those who wait for a fault to launch them, for the first time or, once retired, again.
    unborn: BTreeSet<NodeId>,
    /// Whom faults have launched, in that order, by the first of their service's own instances.
    joined: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Roster {
    pub(super) fn new(spares: impl Iterator<Item = NodeId>) -> Roster {
        Roster { unborn: spares.collect(), joined: BTreeMap::new() }
    }

    pub(super) fn is_unborn(&self, node: NodeId) -> bool {
        self.unborn.contains(&node)
    }

    /// Who has joined a group, by its own nodes.
    pub(super) fn joined(&self, own: &[NodeId]) -> &[NodeId] {
        own.first().and_then(|first| self.joined.get(first)).map_or(&[], Vec::as_slice)
    }

    /// One of those who wait joins the service that has these instances of its own.
    pub(super) fn join(&mut self, node: NodeId, own: &[NodeId]) {
        assert!(self.unborn.remove(&node), "only who waits is launched");
        let first = *own.first().expect("a service has instances of its own");
        self.joined.entry(first).or_default().push(node);
    }

    /// One who has joined is gone for good.
    pub(super) fn retire(&mut self, node: NodeId) {
        self.joined.values_mut().for_each(|joined| joined.retain(|&other| other != node));
        self.unborn.insert(node);
    }
}
