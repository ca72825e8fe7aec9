//! Links: a process's connections, each with what waits for it to be opened.

use std::collections::BTreeMap;

use madsim::net::Sender;
use schism_core::NodeId;

use super::frame::{self, Frame};

/// The connections of one process. Numbers are never used again, so that what is left of an earlier one is not taken for
/// a later one's.
pub(super) struct Links<M> {
    /// Those that it has opened, or is opening, by peer.
    own: BTreeMap<NodeId, (u64, Way<M>)>,
    /// The last that each peer has opened.
    accepted: BTreeMap<NodeId, (u64, Sender)>,
}

/// How far a connection has come.
enum Way<M> {
    /// It is being opened, and this waits.
    Opening(Vec<M>),
    /// It is open.
    Open(Sender),
}

impl<M> Default for Links<M> {
    fn default() -> Self {
        Links { own: BTreeMap::new(), accepted: BTreeMap::new() }
    }
}

impl<M: Send + Sync + 'static> Links<M> {
    /// How many the process has opened, or is opening.
    pub(super) fn opened_by_it(&self) -> usize {
        self.own.len()
    }

    /// A message goes on the connection to a peer, or waits for it; if there is none, it comes back.
    pub(super) fn put(&mut self, to: NodeId, msg: M) -> Option<M> {
        match (self.own.get_mut(&to), self.accepted.get(&to)) {
            (Some((_, Way::Opening(waiting))), _) => waiting.push(msg),
            (Some((_, Way::Open(sender))), _) => frame::put(sender, Frame::Message(msg)),
            (None, Some((_, sender))) => frame::put(sender, Frame::Message(msg)),
            (None, None) => return Some(msg),
        }
        None
    }

    /// A connection to a peer is being opened for this message.
    pub(super) fn open(&mut self, to: NodeId, number: u64, msg: M) {
        self.own.insert(to, (number, Way::Opening(vec![msg])));
    }

    /// It is open: what has waited goes. If nobody wants it any more, the peer is told.
    pub(super) fn opened(&mut self, to: NodeId, number: u64, sender: Sender) {
        match self.own.get_mut(&to) {
            Some((own, way)) if *own == number => {
                if let Way::Opening(waiting) = way {
                    waiting.drain(..).for_each(|msg| frame::put(&sender, Frame::Message(msg)));
                }
                *way = Way::Open(sender);
            }
            Some(_) | None => frame::put(&sender, Frame::<M>::Reset),
        }
    }

    /// A peer has opened a connection.
    pub(super) fn accept(&mut self, from: NodeId, number: u64, sender: Sender) {
        self.accepted.insert(from, (number, sender));
    }

    /// Whether a connection with a peer is still there.
    pub(super) fn has(&self, peer: NodeId, number: u64) -> bool {
        self.own.get(&peer).is_some_and(|(own, _)| *own == number)
            || self.accepted.get(&peer).is_some_and(|(accepted, _)| *accepted == number)
    }

    /// A connection with a peer is no more: whether the process is to know. If the peer has opened another since, it is
    /// not: it is about the one before.
    pub(super) fn end(&mut self, peer: NodeId, number: u64) -> bool {
        if !self.has(peer, number) {
            return false;
        }
        self.own.retain(|&with, (own, _)| with != peer || *own != number);
        self.accepted.retain(|&with, (accepted, _)| with != peer || *accepted != number);
        self.accepted.get(&peer).is_none_or(|(accepted, _)| *accepted < number)
    }

    /// The process drops its connections with a peer, which is told.
    pub(super) fn hang_up(&mut self, peer: NodeId) {
        let own = self.own.remove(&peer).and_then(|(_, way)| way.into_sender());
        let accepted = self.accepted.remove(&peer).map(|(_, sender)| sender);
        own.iter().chain(&accepted).for_each(|sender| frame::put(sender, Frame::<M>::Reset));
    }

    /// All connections that are open, by peer: the process is dead.
    pub(super) fn into_open(self) -> impl Iterator<Item = (NodeId, Sender)> {
        let own = self.own.into_iter().filter_map(|(peer, (_, way))| Some((peer, way.into_sender()?)));
        own.chain(self.accepted.into_iter().map(|(peer, (_, sender))| (peer, sender)))
    }
}

impl<M> Way<M> {
    fn into_sender(self) -> Option<Sender> {
        match self {
            Way::Opening(_) => None,
            Way::Open(sender) => Some(sender),
        }
    }
}
