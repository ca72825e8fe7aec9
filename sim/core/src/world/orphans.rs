//! Orphans: what becomes of the connections of a process that dies on a host that lives on.
//!
//! Its TCP goes on: what the process had written is delivered, if need be by retransmission, and then comes the end (FIN).
//! A node has one connection with each peer here, so what an orphan still has to send again is given up when a later life
//! has another connection with that peer; a real one would go on beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Event, Mark, What, World};
use crate::network::{By, Epoch, Fate, Met, RECEIVED, Segment};
use crate::queue::Queue;
use crate::stream::{End, Flow, StreamId};
use crate::traced::Origin;
use crate::{Actor, Draw, Life, NodeId, Taker, Then, Time, Witness};

impl<A: Actor, W: Witness<A>, Q: Queue<Event<A>>> World<A, W, Q> {
    /// A process that lived this life has died, and its host lives on: it ends the connections with these peers, each
    /// after all that had been sent on it.
    pub(super) fn leave_orphans(&mut self, node: NodeId, life: Life, peers: Vec<NodeId>) {
        let told: BTreeSet<NodeId> = peers.iter().copied().collect();
        let orphans = self.streams.orphan(node, life, &told).into_iter();
        let to = |id: StreamId| (self.streams.look(id).to, id);
        let mut orphans: BTreeMap<NodeId, StreamId> = orphans.map(to).collect();
        for peer in peers {
            match orphans.remove(&peer) {
                Some(id) => {
                    let luck = self.nodes[node.index()].luck.draw();
                    self.end(id, luck);
                }
                None => self.reset(node, peer),
            }
        }
        orphans.into_values().for_each(|id| self.end_untold(id));
    }

    /// The host of the dead sends the end, unless that has to wait behind what has not got through.
    fn end(&mut self, id: StreamId, luck: Draw) {
        let stream = self.streams.get(id);
        let (from, to, connection) = (stream.from, stream.to, stream.connection);
        if stream.stalled().is_some() {
            return;
        }
        match self.network.fate(self.now, (from, to), luck, || Segment::reset(By::Connection(connection))) {
            Fate::Travels(latency) => self.deliver_end(id, self.now + latency, self.network.epoch()),
            stopped @ (Fate::Lost(_) | Fate::Held(_) | Fate::Refused(_)) => {
                self.streams.get(id).stall(self.now);
                self.stop(id, stopped);
            }
        }
    }

    /// Nobody waits for the end of this one: it is over when what is under way has arrived.
    fn end_untold(&mut self, id: StreamId) {
        let now = self.now;
        let stream = self.streams.get(id);
        match stream.flow {
            Flow::Open if stream.last > now => self.deliver_end(id, now, RECEIVED),
            Flow::Stalled(_) => {}
            Flow::Open | Flow::Closed => {
                self.streams.close_orphan(id);
            }
        }
    }

    /// The end of a stream arrives, not before what was sent on it before.
    fn deliver_end(&mut self, id: StreamId, at: Time, sent: Epoch) {
        let stream = self.streams.get(id);
        stream.last = stream.last.max(at);
        let (at, to, life) = (stream.last, stream.to, stream.life);
        let origin = Origin { cause: self.thread.now, via: self.thread.now };
        self.schedule(origin, at, Event { to, life, what: What::End { stream: id, sent } });
    }

    /// What an orphan had to send again is under way, and so is its end.
    pub(super) fn end_after_all(&mut self, id: StreamId) {
        if let Some(orphan) = self.streams.orphaned(id) {
            let sent = if orphan.end == End::Told { self.network.epoch() } else { RECEIVED };
            self.deliver_end(id, self.now, sent);
        }
    }

    /// The end of a stream comes to a process that runs.
    #[cold]
    #[inline(never)]
    pub(super) fn on_end(&mut self, to: NodeId, id: StreamId, sent: Epoch) {
        let peer = self.streams.look(id).from;
        if self.has_ended(id, sent) {
            self.mark(Mark::Reset, peer, to);
            self.tell(to, |actor, ctx| actor.on_reset(ctx, peer));
        }
    }

    /// The end of a stream comes to the host of its receiver. Whether that is to be told: not if something before it is
    /// missing, for then it is sent again behind that, nor if it has heard from a later life of the sender.
    pub(super) fn has_ended(&mut self, id: StreamId, sent: Epoch) -> bool {
        let Some(orphan) = self.streams.orphaned(id) else { return false };
        let stream = self.streams.get(id);
        let (from, to, connection) = (stream.from, stream.to, stream.connection);
        if stream.stalled().is_some() {
            return false;
        }
        let met = self.network.met(sent, (from, to), || Segment::reset(By::Connection(connection)));
        if met != Met::Nothing {
            self.streams.get(id).stall(self.now);
            self.fall_back(id, met);
            return false;
        }
        self.streams.close_orphan(id);
        if self.streams.find(to, from).is_some_and(|back| self.streams.look(back).connection == connection) {
            self.streams.close(to, from);
        }
        orphan.end == End::Told && !self.streams.has_opened(from, to, id.0 + 1)
    }

    /// The end of a stream finds its receiver dead, or in another life. In the dark nothing answers.
    pub(super) fn miss_end(&mut self, to: NodeId, id: StreamId) {
        let Some(orphan) = self.streams.orphaned(id) else { return };
        if !self.is_silent(to) || orphan.end == End::Untold {
            self.streams.close_orphan(id);
            return;
        }
        let now = self.now;
        let stream = self.streams.get(id);
        if stream.stalled().is_none() {
            stream.stall(now);
            self.lose(id, Taker::Darkness);
        }
    }

    /// A message on an orphan finds no receiver, and its host answers: who sent it is dead, so nobody is told.
    pub(super) fn turn_orphan_away(&mut self, id: StreamId, msg: &A::Msg) -> bool {
        let closed = self.streams.close_orphan(id).is_some();
        if closed {
            let stream = self.streams.look(id);
            let ends = (stream.from, stream.to);
            self.swallow(ends, self.thread.origin, Some(msg), Taker::Refusal, Then::Lost);
        }
        closed
    }

    /// Whether this is an orphan that is not to be sent again: a later life has another connection. It is closed then.
    pub(super) fn is_superseded(&mut self, id: StreamId) -> bool {
        self.streams.orphaned(id).is_some()
            && self.streams.has_later(id)
            && self.streams.close_orphan(id).is_some()
    }
}
