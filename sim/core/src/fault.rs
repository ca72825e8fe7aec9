//! Faults: the primitives that every failure is made of, each with the word that undoes it.

use std::hash::{Hash, Hasher};

use fixedbitset::FixedBitSet;

use crate::{Death, NodeId, Setting};

/// One thing that goes wrong, or is put right.
#[derive(Clone, Debug, Hash)]
pub enum Fault {
    /// The process dies: all but its disk is lost. How it dies says what its peers notice, and what the disk loses.
    Crash(NodeId, Death),
    /// A dead process begins its next life, or one that is not yet born its first.
    Restart(NodeId),
    /// The process stands still: it keeps its state and loses time. Its peers notice nothing.
    Pause(NodeId),
    /// A paused process goes on, with all that reached its host meanwhile.
    Resume(NodeId),
    /// Messages from one set of nodes to another are lost, those in flight too.
    Cut(Cut),
    /// Every cut with this name is undone; others stay.
    Mend(CutId),
    /// The disk claims syncs and does not make them: what is written stays unsynced.
    FakeSyncs(NodeId),
    /// The disk makes syncs again; the next one makes all durable that was written meanwhile.
    MakeSyncs(NodeId),
    /// The node's clocks go on like this; [`Setting::TRUE`] undoes it.
    SetClock(NodeId, Setting),
}

/// A cut's name: what a mend refers to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CutId(pub u32);

/// One direction that is cut.
#[derive(Clone, Debug, Hash)]
pub struct Cut {
    /// Its name; several cuts may share one.
    pub id: CutId,
    /// Messages from these ...
    pub from: NodeSet,
    /// ... to these.
    pub to: NodeSet,
    /// What a sender notices.
    pub feel: Feel,
}

/// What a sender notices of a cut.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Feel {
    /// Nothing.
    Silent,
    /// A reset.
    Refused,
}

/// A set of nodes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct NodeSet(FixedBitSet);

impl NodeSet {
    /// Whether a node is in it.
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.contains(node.index())
    }

    /// Adds a node.
    pub fn insert(&mut self, node: NodeId) {
        self.0.grow_and_insert(node.index());
    }

    /// The nodes in it, by number.
    pub fn iter(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.0.ones().map(|index| NodeId(index as u32))
    }

    /// How many nodes are in it.
    pub fn len(&self) -> usize {
        self.0.count_ones(..)
    }

    /// Whether no node is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_clear()
    }
}

/// By its nodes, not by the bit set's own blocks: those are as wide as the processor's registers.
impl Hash for NodeSet {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.len().hash(state);
        self.iter().for_each(|node| node.hash(state));
    }
}

impl FromIterator<NodeId> for NodeSet {
    fn from_iter<I: IntoIterator<Item = NodeId>>(nodes: I) -> NodeSet {
        let mut set = NodeSet::default();
        nodes.into_iter().for_each(|node| set.insert(node));
        set
    }
}
