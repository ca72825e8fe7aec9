//! Orphans: streams whose sender has died on a host that lives on, which still delivers what it had been given.

use std::collections::BTreeMap;

use super::StreamId;
use crate::{Life, NodeId};

/// All orphans, by sender, receiver and number. It is empty but for moments after a death.
#[derive(Clone, Debug, Default)]
pub(crate) struct Orphans(BTreeMap<(NodeId, NodeId, StreamId), Orphan>);

/// What is to be known of a stream whose sender is dead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Orphan {
    /// The life that its sender lived.
    pub(crate) life: Life,
    pub(crate) end: End,
}

/// What the receiver of an orphan notices at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// That the connection is no more.
    Told,
    /// Nothing: it had left the connection to itself.
    Untold,
}

impl Orphans {
    pub(crate) fn add(&mut self, (from, to): (NodeId, NodeId), id: StreamId, orphan: Orphan) {
        self.0.insert((from, to, id), orphan);
    }

    pub(crate) fn remove(&mut self, (from, to): (NodeId, NodeId), id: StreamId) -> Option<Orphan> {
        self.0.remove(&(from, to, id))
    }

    pub(crate) fn get(&self, (from, to): (NodeId, NodeId), id: StreamId) -> Option<Orphan> {
        self.0.get(&(from, to, id)).copied()
    }

    /// Those from one node to another, by number.
    pub(crate) fn between(&self, from: NodeId, to: NodeId) -> impl DoubleEndedIterator<Item = StreamId> {
        let range = (from, to, StreamId(0))..=(from, to, StreamId(u32::MAX));
        self.0.range(range).map(|(&(.., id), _)| id)
    }

    /// Those from one node to any, with whom they are to.
    pub(crate) fn from(&self, node: NodeId) -> impl Iterator<Item = (NodeId, StreamId)> {
        let range = (node, NodeId(0), StreamId(0))..=(node, NodeId(u32::MAX), StreamId(u32::MAX));
        self.0.range(range).map(|(&(_, to, id), _)| (to, id))
    }
}
