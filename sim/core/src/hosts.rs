//! Hosts: which nodes share one. A fault of the network stands between hosts, and never within one.

use std::collections::BTreeMap;

use crate::NodeId;

/// On which host each node is. A host is called by the one node that has it to itself or was there first.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    /// The hosts of those who share another's.
    of: BTreeMap<NodeId, NodeId>,
    /// Who shares a host, by number.
    aboard: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Hosts {
    /// Of each node, by number, whose host it shares; `None` if it has its own.
    ///
    /// # Panics
    /// If a node shares the host of one who shares another's.
    pub fn new(shared: impl IntoIterator<Item = Option<NodeId>>) -> Hosts {
        let mut hosts = Hosts::default();
        for (node, host) in (0..).map(NodeId).zip(shared).filter_map(|(node, host)| Some((node, host?))) {
            hosts.of.insert(node, host);
            hosts.aboard.entry(host).or_default().push(node);
        }
        let their_own = hosts.aboard.keys().all(|host| !hosts.of.contains_key(host));
        assert!(their_own, "who lets others share its host has it to itself");
        hosts
    }

    /// The host of a node: itself, if it has its own.
    pub fn of(&self, node: NodeId) -> NodeId {
        self.of.get(&node).copied().unwrap_or(node)
    }

    /// Who shares a node's own host, by number.
    pub fn aboard(&self, host: NodeId) -> &[NodeId] {
        self.aboard.get(&host).map_or(&[], Vec::as_slice)
    }

    /// The hosts of two nodes; `None` if that is one host, within which no network lies.
    pub(crate) fn between(&self, (from, to): (NodeId, NodeId)) -> Option<(NodeId, NodeId)> {
        let ends = (self.of(from), self.of(to));
        (ends.0 != ends.1).then_some(ends)
    }
}
