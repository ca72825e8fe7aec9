//! The deeds: what all faults together have done to the nodes, so that each can be undone by itself.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::NodeId;

use super::bend::Bend;
use crate::nemesis::roster::Roster;
use crate::plight::Ailment;

/// How a process is kept from running, its disk from syncing, its host from answering, or an instance from its service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::nemesis) enum Hold {
    Dead,
    Still,
    Faking,
    Dark,
    Away,
}

/// What all faults together have done to the nodes, so that each can be undone by itself.
#[derive(Clone, Debug, Default)]
pub(in crate::nemesis) struct Deeds {
    /// Who there is, of those who come and go.
    pub(super) roster: Roster,
    /// How many faults hold each node: it is let go by the last of them.
    pub(super) holds: BTreeMap<(Hold, NodeId), u32>,
    /// What ails each node, by fault.
    pub(super) ailing: BTreeMap<NodeId, BTreeMap<usize, Vec<Ailment>>>,
    /// Which of that stays, though its fault is over.
    pub(super) abiding: BTreeSet<(NodeId, usize)>,
    /// How each node's clocks are wrong, by fault.
    pub(super) bent: BTreeMap<NodeId, BTreeMap<usize, Bend>>,
}

impl Deeds {
    /// Nothing is done yet. The nodes that wait for a fault to launch them are held by nobody, so that none else does.
    pub(in crate::nemesis) fn holding(spares: impl Iterator<Item = NodeId> + Clone) -> Deeds {
        let holds = spares.clone().map(|node| ((Hold::Dead, node), 1)).collect();
        Deeds { roster: Roster::new(spares), holds, ..Deeds::default() }
    }

    /// Whether a node waits for a fault to launch it.
    pub(in crate::nemesis) fn is_unborn(&self, node: NodeId) -> bool {
        self.roster.is_unborn(node)
    }

    /// Whether a fault has taken an instance from its service.
    pub(in crate::nemesis) fn is_away(&self, node: NodeId) -> bool {
        self.holds.contains_key(&(Hold::Away, node))
    }

    /// Who is of a group now, in the order in which they came, by its own nodes.
    pub(in crate::nemesis) fn group(&self, own: &[NodeId]) -> Vec<NodeId> {
        let all = own.iter().chain(self.roster.joined(own));
        all.copied().filter(|&node| !self.is_away(node)).collect()
    }
}
