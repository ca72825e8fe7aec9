//! Wounds: what faults have done to the world and not undone.

use crate::{FaultId, NodeId};

/// All that is wrong now, for which a fault is to blame. A world that has healed has none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Wounds {
    /// What is wrong with nodes, by number.
    pub nodes: Vec<(NodeId, Wound)>,
    /// Which faults make the network worse than it is, in the order of their numbers; each once.
    pub ways: Vec<FaultId>,
}

impl Wounds {
    /// Whether the world is whole.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty() && self.ways.is_empty()
    }
}

/// One thing that is wrong with a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Wound {
    /// Its process is dead.
    Dead,
    /// Its host is without power, and answers nothing.
    Dark,
    /// Its process was born before its time.
    Born,
    /// Its process stands still.
    Still,
    /// Something ails it.
    Ails,
    /// A clock of it does not run as true time does, or is skewed.
    ClocksWrong,
    /// Its disk claims syncs that it does not make.
    FakesSyncs,
}
