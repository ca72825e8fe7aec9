//! Traffic: how the world carries what nodes send each other, on its own or on connections, through the network's faults.

use std::collections::BTreeSet;

use super::{Carried, Carrier, Event, Host, Mark, What, World};
use crate::network::{By, Epoch, Fate, Met, RECEIVED, SYN_BYTES, Segment};
use crate::queue::Queue;
use crate::stream::{Asked, Flow, Stage, StreamId, Wait};
use crate::traced::Origin;
use crate::{Actor, Cause, Draw, FaultId, Life, NodeId, NodeSet, Status, Taker, Then, Time, Witness};

/// Something that the network keeps until a cut is mended.
#[derive(Clone)]
enum Kept<A: Actor> {
    Exchange(Exchange<A>),
    /// All that a stream has to send.
    Stream(StreamId),
    Reset(Reset),
}

/// All that the cuts of one fault hold, in order. What they found under way had left before what they kept at its sending.
#[derive(Clone)]
pub(super) struct Hoard<A: Actor> {
    found: Vec<Kept<A>>,
    kept: Vec<Kept<A>>,
}

impl<A: Actor> Default for Hoard<A> {
    fn default() -> Self {
        Hoard { found: Vec::new(), kept: Vec::new() }
    }
}

/// A message of its own.
#[derive(Clone)]
struct Exchange<A: Actor> {
    from: NodeId,
    to: NodeId,
    /// The life of `to` that it is meant for.
    life: Life,
    luck: Draw,
    /// During what it was asked for.
    cause: Cause,
    msg: A::Msg,
}

/// A host's word that there is no such connection.
#[derive(Clone, Copy)]
struct Reset {
    from: NodeId,
    to: NodeId,
    by: By,
    luck: Draw,
    /// During what it was asked for.
    cause: Cause,
    /// How many streams there had been when it was sent.
    streams: u32,
}

/// Labels of what is derived from luck. The numbers below belong to the network.
const RELEASED: u64 = 5;
const CONNECTION: u64 = 6;
const HELD: u64 = 7;

fn exchange<A: Actor>(msg: &A::Msg) -> Segment {
    Segment::whole(By::Exchange, Some(A::class(msg)), A::size(msg))
}

fn streamed<A: Actor>(connection: StreamId, msg: &A::Msg) -> Segment {
    Segment::whole(By::Connection(connection), Some(A::class(msg)), A::size(msg))
}

impl<A: Actor, W: Witness<A>, Q: Queue<Event<A>>> World<A, W, Q> {
    // Messages of their own.

    #[inline]
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, msg: A::Msg, luck: Option<Draw>) {
        let luck = luck.unwrap_or_else(|| self.nodes[from.index()].luck.draw());
        if self.network.is_troubled() {
            let life = self.pulses[to.index()].life;
            let cause = self.thread.now;
            return self.send_through_trouble(Exchange { from, to, life, luck, cause, msg });
        }
        match self.network.cross(from, to, luck) {
            Some(latency) => {
                let sent = self.network.epoch();
                self.push(self.now + latency, to, What::Message { by: Carrier::alone(from), sent, msg });
            }
            None => self.swallow((from, to), self.thread.now, Some(&msg), Taker::Link, Then::Lost),
        }
    }

    #[cold]
    #[inline(never)]
    fn send_through_trouble(&mut self, exchange: Exchange<A>) {
        let Exchange { from, to, life, luck, cause, ref msg } = exchange;
        let segment = self::exchange::<A>(msg);
        match self.network.stop((from, to), &segment) {
            Some(Fate::Held(fault)) => {
                self.swallow((from, to), cause, Some(msg), Taker::Fault(fault), Then::Kept(fault));
                self.keep(fault, Kept::Exchange(exchange));
            }
            Some(Fate::Refused(fault)) => {
                self.swallow((from, to), cause, Some(msg), Taker::Fault(fault), Then::Lost);
                self.refuse(from, to);
            }
            Some(Fate::Lost(by)) => self.swallow((from, to), cause, Some(msg), taker(by), Then::Lost),
            Some(Fate::Travels(_)) => {}
            None => {
                let first = self.network.carry(self.now, (from, to), luck, &segment);
                if let Err(by) = first {
                    self.swallow((from, to), cause, Some(msg), taker(by), Then::Lost);
                }
                let copy = self.network.copy(self.now, (from, to), luck, &segment);
                let (by, sent) = (Carrier::alone(from), self.network.epoch());
                let origin = Origin { cause, via: self.thread.now };
                for latency in first.ok().into_iter().chain(copy) {
                    let what = What::Message { by, sent, msg: msg.clone() };
                    self.schedule(origin, self.now + latency, Event { to, life, what });
                }
            }
        }
    }

    /// Whether a message has reached the host of `to`.
    #[inline]
    pub(super) fn gets_through(
        &mut self,
        to: NodeId,
        life: Life,
        by: Carrier,
        sent: Epoch,
        msg: &A::Msg,
    ) -> bool {
        sent == RECEIVED
            || match by.carried() {
                Carried::Alone(from) => self.has_passed(from, to, life, sent, msg),
                Carried::On(stream) => !self.fell_behind(stream, sent, msg),
            }
    }

    /// Whether a message of its own has met no cut.
    #[inline]
    fn has_passed(&mut self, from: NodeId, to: NodeId, life: Life, sent: Epoch, msg: &A::Msg) -> bool {
        sent == self.network.epoch() || self.has_passed_since(from, to, life, sent, msg)
    }

    /// The same where cuts have begun meanwhile. What one of them holds is kept from now on; if that is over already, it
    /// leaves once more.
    #[cold]
    #[inline(never)]
    fn has_passed_since(&mut self, from: NodeId, to: NodeId, life: Life, sent: Epoch, msg: &A::Msg) -> bool {
        let met = self.network.met(sent, (from, to), || exchange::<A>(msg));
        let cause = self.thread.origin;
        let exchange = |luck| Exchange { from, to, life, luck, cause, msg: msg.clone() };
        match met {
            Met::Nothing => return true,
            Met::Stop(fault) => {
                self.swallow((from, to), cause, Some(msg), Taker::Fault(fault), Then::Lost);
            }
            Met::Hold(fault) => {
                self.swallow((from, to), cause, Some(msg), Taker::Fault(fault), Then::Kept(fault));
                let luck = self.held_luck(fault);
                self.hoards.entry(fault).or_default().found.push(Kept::Exchange(exchange(luck)));
            }
            Met::Release(fault) => {
                let luck = self.held_luck(fault);
                self.send_through_trouble(exchange(luck));
            }
        }
        false
    }

    /// The luck of what was in flight when a cut came to hold it: the cut's own, by how much the fault has touched so far,
    /// since what it left with is not known any more.
    fn held_luck(&self, fault: FaultId) -> Draw {
        Draw::new(self.seed.0).derive(HELD).derive(fault.0.into()).derive(self.network.touched(fault))
    }

    /// The node that an event was meant for is dead, or not the one it was. Its host turns messages away, if it lives.
    #[cold]
    pub(super) fn miss(&mut self, to: NodeId, life: Life, what: What<A>) {
        match what {
            What::Message { by, msg, .. } if self.is_silent(to) => self.vanish(to, by, msg),
            What::Open { stream, .. } if self.is_silent(to) => {
                self.swallow_of(stream, Taker::Darkness, Then::SentAgain);
                self.wait_for_slot(stream);
            }
            What::Message { by, sent, msg } => self.turn_away(to, life, by, sent, &msg),
            // Its host answers, whichever life it is.
            What::Open { stream, sent } => self.on_open(to, stream, sent),
            What::Boot => self.on_boot(to, life),
            What::End { stream, .. } => self.miss_end(to, stream),
            What::Retransmit { stream } if self.streams.orphaned(stream).is_some() => self.on_slot(stream),
            What::Timer(_)
            | What::Plight
            | What::Reset { .. }
            | What::Retransmit { .. }
            | What::Accepted { .. } => {}
        }
    }

    pub(super) fn is_silent(&self, node: NodeId) -> bool {
        self.nodes[node.index()].host == Host::Silent
    }

    /// A message has come to where nobody is. The sender of a stream knows that from the silence alone.
    fn vanish(&mut self, to: NodeId, by: Carrier, msg: A::Msg) {
        let cause = self.thread.origin;
        let id = match by.carried() {
            Carried::Alone(from) => {
                return self.swallow((from, to), cause, Some(&msg), Taker::Darkness, Then::Lost);
            }
            Carried::On(id) => id,
        };
        let stream = self.streams.get(id);
        let from = stream.from;
        let then = if let Flow::Closed = stream.flow { Then::Lost } else { Then::SentAgain };
        self.swallow((from, to), cause, Some(&msg), Taker::Darkness, then);
        let stream = self.streams.get(id);
        match &mut stream.flow {
            Flow::Open => {
                stream.stall(self.now).fall_behind(cause, msg);
                self.wait_for_slot(id);
            }
            Flow::Stalled(stall) => stall.fall_behind(cause, msg),
            Flow::Closed => {}
        }
    }

    fn turn_away(&mut self, to: NodeId, life: Life, by: Carrier, sent: Epoch, msg: &A::Msg) {
        match by.carried() {
            Carried::Alone(from) => {
                if self.has_passed(from, to, life, sent, msg) {
                    self.swallow((from, to), self.thread.origin, Some(msg), Taker::Refusal, Then::Lost);
                    self.reset_by(to, from, By::Exchange);
                }
            }
            // If the sender has opened another by now, it knows already that this one is no more.
            Carried::On(stream) if self.has_successor(stream) => {}
            Carried::On(stream) if self.turn_orphan_away(stream, msg) => {}
            Carried::On(stream) => {
                let (from, connection) = (self.streams.get(stream).from, self.streams.get(stream).connection);
                let met = self.network.met(sent, (from, to), || streamed::<A>(connection, msg));
                let by = if let Met::Stop(fault) | Met::Hold(fault) | Met::Release(fault) = met {
                    Taker::Fault(fault)
                } else {
                    Taker::Refusal
                };
                self.swallow((from, to), self.thread.origin, Some(msg), by, Then::Lost);
                if met == Met::Nothing {
                    // Who is told that there is no such connection does not take the rest of it.
                    self.streams.close_stalled_orphans(to, from);
                    self.reset_by(to, from, By::Connection(connection));
                }
            }
        }
    }

    fn has_successor(&mut self, stream: StreamId) -> bool {
        let stream = self.streams.get(stream);
        let (from, to, closed) = (stream.from, stream.to, matches!(stream.flow, Flow::Closed));
        closed && (self.streams.is_open(from, to) || self.streams.is_open(to, from))
    }

    // Connections.

    /// A message on the connection from one node to another, which is opened when first used.
    pub(super) fn stream(&mut self, from: NodeId, to: NodeId, msg: A::Msg, luck: Option<Draw>) {
        let luck = luck.unwrap_or_else(|| self.nodes[from.index()].luck.draw());
        let Some(id) = self.streams.find(from, to).or_else(|| self.join(from, to, luck)) else {
            return self.connect(from, to, msg, luck);
        };
        let cause = self.thread.now;
        let stream = self.streams.get(id);
        let connection = stream.connection;
        if let Some(stall) = stream.stalled() {
            return stall.give(cause, msg);
        }
        match self.network.fate(self.now, (from, to), luck, || streamed::<A>(connection, &msg)) {
            Fate::Travels(latency) => self.deliver(id, self.now + latency, [Asked { cause, msg }]),
            Fate::Lost(by) => {
                self.swallow((from, to), cause, Some(&msg), taker(by), Then::SentAgain);
                self.streams.get(id).stall(self.now).give(cause, msg);
                self.wait_for_slot(id);
            }
            Fate::Held(fault) => {
                self.swallow((from, to), cause, Some(&msg), Taker::Fault(fault), Then::Kept(fault));
                self.streams.get(id).stall(self.now).give(cause, msg);
                self.wait_for_mend(id, fault);
            }
            Fate::Refused(fault) => {
                self.swallow((from, to), cause, Some(&msg), Taker::Fault(fault), Then::Lost);
                self.refuse(from, to);
            }
        }
    }

    fn join(&mut self, from: NodeId, to: NodeId, luck: Draw) -> Option<StreamId> {
        let life = |node: NodeId| (node, self.pulses[node.index()].life);
        self.streams.join(life(from), life(to), luck.derive(CONNECTION), self.now)
    }

    fn connect(&mut self, from: NodeId, to: NodeId, msg: A::Msg, luck: Draw) {
        let id = self.streams.connect(from, to, luck.derive(CONNECTION), self.now);
        let cause = self.thread.now;
        self.streams.get(id).stalled().expect("it is still to be opened").give(cause, msg);
        self.knock(id);
    }

    /// Asks the peer for the connection: a SYN.
    fn knock(&mut self, id: StreamId) {
        let stream = self.streams.get(id);
        let (from, to, luck) = (stream.from, stream.to, stream.next_luck());
        let Some(stall) = stream.stalled() else { return };
        stall.wait = Wait::Answer;
        let syn = || handshake::<A>(By::Opening(id), stall.first());
        match self.network.fate(self.now, (from, to), luck, syn) {
            Fate::Travels(latency) => {
                let sent = self.network.epoch();
                self.push(self.now + latency, to, What::Open { stream: id, sent });
            }
            stopped @ (Fate::Lost(_) | Fate::Held(_) | Fate::Refused(_)) => self.stop(id, stopped),
        }
    }

    /// A SYN comes to a host. It is accepted, or refused where no process lives; that answer may be lost too.
    #[inline(never)]
    pub(super) fn on_open(&mut self, to: NodeId, id: StreamId, sent: Epoch) {
        let stream = self.streams.get(id);
        let (from, luck) = (stream.from, stream.next_luck());
        let Some(stall) = stream.stalled() else { return };
        let first = stall.first();
        let met = self.network.met(sent, (from, to), || handshake::<A>(By::Opening(id), first));
        if met != Met::Nothing {
            return self.knock_later(id, met);
        }
        let answer = || handshake::<A>(By::Connection(id), first);
        let fate = self.network.fate(self.now, (to, from), luck, answer);
        self.mark(Mark::Open, from, to);
        match fate {
            Fate::Travels(latency) => self.answer(id, self.now + latency),
            Fate::Lost(by) => self.lose(id, taker(by)),
            Fate::Refused(fault) => self.lose(id, Taker::Fault(fault)),
            Fate::Held(fault) => self.hold_up(id, fault),
        }
    }

    /// The answer to a SYN will reach the one who asked at `at`.
    fn answer(&mut self, id: StreamId, at: Time) {
        let (from, to) = (self.streams.get(id).from, self.streams.get(id).to);
        let pulse = self.pulses[to.index()];
        let what = match pulse.status {
            Status::Up | Status::Paused => {
                self.streams.accept(id, self.pulses[from.index()].life, pulse.life);
                What::Accepted { stream: id, sent: self.network.epoch() }
            }
            Status::Down => {
                self.streams.close(from, to);
                What::Reset { peer: to, streams: self.streams.count() }
            }
        };
        self.push(at, from, what);
    }

    /// A SYN-ACK comes to the one who asked: the connection is open, and what has waited leaves.
    #[inline(never)]
    pub(super) fn on_accepted(&mut self, from: NodeId, id: StreamId, sent: Epoch) {
        let now = self.now;
        let stream = self.streams.get(id);
        let to = stream.to;
        let Some(stall) = stream.stalled() else { return };
        let first = stall.first();
        let met = self.network.met(sent, (to, from), || handshake::<A>(By::Connection(id), first));
        if met != Met::Nothing {
            return self.knock_later(id, met);
        }
        stall.start_over(Stage::Established, now);
        self.mark(Mark::Accepted, to, from);
        self.send_again(id);
    }

    /// A segment of the handshake has met a cut on its way.
    fn knock_later(&mut self, id: StreamId, met: Met) {
        match met {
            Met::Nothing => self.wait_for_slot(id),
            Met::Stop(fault) => self.lose(id, Taker::Fault(fault)),
            Met::Hold(fault) => self.hold_up(id, fault),
            Met::Release(_) => self.knock(id),
        }
    }

    /// What the sender of a stream has just sent does not arrive.
    pub(super) fn stop(&mut self, id: StreamId, fate: Fate) {
        match fate {
            Fate::Travels(_) => {}
            Fate::Lost(by) => self.lose(id, taker(by)),
            Fate::Held(fault) => self.hold_up(id, fault),
            Fate::Refused(fault) => {
                self.swallow_of(id, Taker::Fault(fault), Then::Lost);
                self.give_up(id);
            }
        }
    }

    /// A segment of a stream is lost: it is sent again.
    pub(super) fn lose(&mut self, id: StreamId, by: Taker) {
        self.swallow_of(id, by, Then::SentAgain);
        self.wait_for_slot(id);
    }

    /// A cut keeps a segment of a stream.
    fn hold_up(&mut self, id: StreamId, fault: FaultId) {
        self.swallow_of(id, Taker::Fault(fault), Then::Kept(fault));
        self.wait_for_mend(id, fault);
    }

    /// Messages on a stream arrive, in order: not before what was sent on it before them.
    #[inline]
    fn deliver(&mut self, id: StreamId, at: Time, msgs: impl IntoIterator<Item = Asked<A::Msg>>) {
        let sent = self.network.epoch();
        let stream = self.streams.get(id);
        stream.last = stream.last.max(at);
        let (at, to, life) = (stream.last, stream.to, stream.life);
        for Asked { cause, msg } in msgs {
            let what = What::Message { by: Carrier::on(id), sent, msg };
            self.schedule(Origin { cause, via: self.thread.now }, at, Event { to, life, what });
        }
    }

    /// Whether a message on a stream did not get through after all, or comes behind one that did not: then it waits for
    /// the retransmission. What belongs to a stream that is closed is dropped.
    fn fell_behind(&mut self, id: StreamId, sent: Epoch, msg: &A::Msg) -> bool {
        let stream = self.streams.get(id);
        let (ends, connection) = ((stream.from, stream.to), stream.connection);
        let met = self.network.met(sent, ends, || streamed::<A>(connection, msg));
        let cause = self.thread.origin;
        match &mut stream.flow {
            Flow::Closed => {
                self.swallow(ends, cause, Some(msg), Taker::Closing, Then::Lost);
                return true;
            }
            Flow::Open if met == Met::Nothing => return false,
            // What was lost had been sent after this one.
            Flow::Stalled(stall) if met == Met::Nothing && !stall.has_gap() => return false,
            Flow::Stalled(stall) => {
                stall.fall_behind(cause, msg.clone());
                if let Met::Stop(fault) | Met::Hold(fault) = met {
                    self.swallow(ends, cause, Some(msg), Taker::Fault(fault), Then::SentAgain);
                }
                return true;
            }
            Flow::Open => stream.stall(self.now).fall_behind(cause, msg.clone()),
        }
        self.fall_back(id, met);
        true
    }

    /// A stream has stalled because of what a segment of it has met on its way.
    pub(super) fn fall_back(&mut self, id: StreamId, met: Met) {
        match met {
            Met::Nothing => self.wait_for_slot(id),
            Met::Stop(fault) => self.lose(id, Taker::Fault(fault)),
            Met::Hold(fault) => self.hold_up(id, fault),
            Met::Release(_) => self.try_again(id),
        }
    }

    fn wait_for_slot(&mut self, id: StreamId) {
        let stream = self.streams.get(id);
        let from = stream.from;
        if let Some(stall) = stream.stalled() {
            let slot = stall.back_off(self.now);
            self.push(slot, from, What::Retransmit { stream: id });
        }
    }

    fn wait_for_mend(&mut self, id: StreamId, fault: FaultId) {
        if let Some(stall) = self.streams.get(id).stalled() {
            stall.wait = Wait::Mend(fault);
            self.keep(fault, Kept::Stream(id));
        }
    }

    /// One of TCP's slots has come, unless it was of a stall that is over.
    #[inline(never)]
    pub(super) fn on_slot(&mut self, id: StreamId) {
        let is_orphan = self.streams.orphaned(id).is_some();
        let Some(stall) = self.streams.get(id).stalled() else { return };
        if stall.wait != Wait::Slot(self.now) {
            return;
        }
        if stall.has_given_up() || is_orphan && stall.has_given_up_as_orphan() {
            return self.give_up(id);
        }
        self.try_again(id);
    }

    /// A stream is given up by its sender's host, which tells the process, if it lives.
    fn give_up(&mut self, id: StreamId) {
        if self.streams.close_orphan(id).is_none() {
            let stream = self.streams.get(id);
            let (from, to) = (stream.from, stream.to);
            self.refuse(from, to);
        }
    }

    fn try_again(&mut self, id: StreamId) {
        if self.is_superseded(id) {
            return;
        }
        let stream = self.streams.get(id);
        let (from, last) = (stream.from, stream.last);
        let Some(stall) = stream.stalled() else { return };
        match stall.stage {
            Stage::Opening => self.knock(id),
            // What is still under way will wait behind what is missing, and must not be overtaken by what came later.
            Stage::Established if stall.has_gap() && last > self.now => {
                stall.wait = Wait::Slot(last);
                self.push(last, from, What::Retransmit { stream: id });
            }
            Stage::Established => self.send_again(id),
        }
    }

    /// Sends all that waits: if a segment gets through now, all does. It is of the class of its first message.
    fn send_again(&mut self, id: StreamId) {
        let stream = self.streams.get(id);
        let (from, to, connection, luck) = (stream.from, stream.to, stream.connection, stream.next_luck());
        if self.is_silent(to) {
            return self.lose(id, Taker::Darkness);
        }
        let Some(stall) = self.streams.get(id).stalled() else { return };
        let all = || Segment {
            by: By::Connection(connection),
            class: stall.first().map(A::class),
            bytes: stall.backlog.iter().map(|asked| A::size(&asked.msg)).sum(),
            at_once: stall.first().map_or(0, A::size),
        };
        match self.network.fate(self.now, (from, to), luck, all) {
            Fate::Travels(latency) => {
                let backlog = self.streams.get(id).go_on();
                self.deliver(id, self.now + latency, backlog);
                self.end_after_all(id);
            }
            stopped @ (Fate::Lost(_) | Fate::Held(_) | Fate::Refused(_)) => self.stop(id, stopped),
        }
    }

    // Ends of connections.

    /// The sender's own host says that the connection is no more: a cut turned it away, or TCP has given up.
    fn refuse(&mut self, from: NodeId, to: NodeId) {
        self.streams.close(from, to);
        self.push(self.now, from, What::Reset { peer: to, streams: self.streams.count() });
    }

    /// Both directions of the connection are dropped with what they hold, and the peer is told if it can be reached. Of a
    /// connection that was never opened it knows nothing.
    pub(super) fn hang_up(&mut self, from: NodeId, to: NodeId) {
        let connection = self.streams.connection(from, to);
        self.streams.close(from, to);
        self.streams.close(to, from);
        self.streams.close_orphans(to, from);
        if let Some(connection) = connection {
            self.reset_by(from, to, By::Connection(connection));
        }
    }

    /// The host of `from` tells `to` that the connection is no more; a segment that may be lost.
    pub(super) fn reset(&mut self, from: NodeId, to: NodeId) {
        let by = self.streams.connection(from, to).map_or(By::Exchange, By::Connection);
        self.reset_by(from, to, by);
    }

    fn reset_by(&mut self, from: NodeId, to: NodeId, by: By) {
        let luck = self.nodes[from.index()].luck.draw();
        self.streams.close(to, from);
        let (cause, streams) = (self.thread.now, self.streams.count());
        self.send_reset(Reset { from, to, by, luck, cause, streams });
    }

    fn send_reset(&mut self, reset: Reset) {
        let Reset { from, to, by, luck, cause, streams } = reset;
        match self.network.fate(self.now, (from, to), luck, || Segment::reset(by)) {
            Fate::Travels(latency) => {
                self.push_for(cause, self.now + latency, to, What::Reset { peer: from, streams });
            }
            Fate::Held(fault) => {
                self.swallow((from, to), cause, None, Taker::Fault(fault), Then::Kept(fault));
                self.keep(fault, Kept::Reset(reset));
            }
            Fate::Lost(by) => self.swallow((from, to), cause, None, taker(by), Then::Lost),
            Fate::Refused(fault) => self.swallow((from, to), cause, None, Taker::Fault(fault), Then::Lost),
        }
    }

    /// Tears down every connection between a node of the one set and a node of the other.
    pub(super) fn sever(&mut self, id: FaultId, from: &NodeSet, to: &NodeSet) {
        let mut pairs = BTreeSet::new();
        for (near, far) in [(from, to), (to, from)] {
            let hosts = self.network.hosts();
            for node in
                near.iter().flat_map(|host| std::iter::once(host).chain(hosts.aboard(host).iter().copied()))
            {
                let actor = self.actors[node.index()].as_ref();
                let called = actor.map(A::peers).unwrap_or_default();
                let peers = called.into_iter().chain(self.streams.peers(node));
                let is_far =
                    |node, peer| hosts.between((node, peer)).is_some_and(|(_, host)| far.contains(host));
                let pair = |peer: NodeId| (node.min(peer), node.max(peer));
                pairs.extend(peers.filter(|&peer| is_far(node, peer)).map(pair));
            }
        }
        self.network.sweep(id, from, to);
        self.network.sweep(id, to, from);
        pairs.into_iter().for_each(|(a, b)| self.tear(id, a, b));
    }

    fn tear(&mut self, id: FaultId, a: NodeId, b: NodeId) {
        self.network.touch(id);
        for (from, to) in [(a, b), (b, a)] {
            self.streams.close(from, to);
            self.streams.close_orphans(from, to);
        }
        let streams = self.streams.count();
        self.push(self.now, a, What::Reset { peer: b, streams });
        self.push(self.now, b, What::Reset { peer: a, streams });
    }

    // Held cuts.

    fn keep(&mut self, fault: FaultId, kept: Kept<A>) {
        self.hoards.entry(fault).or_default().kept.push(kept);
    }

    /// Undoes the cuts of a fault. What they held leaves now, in order, and meets what is in force now.
    pub(super) fn mend(&mut self, fault: FaultId) {
        self.network.mend(fault);
        let Hoard { found, kept } = self.hoards.remove(&fault).unwrap_or_default();
        for kept in found.into_iter().chain(kept) {
            match kept {
                Kept::Exchange(exchange) => {
                    let luck = exchange.luck.derive(RELEASED);
                    self.send_through_trouble(Exchange { luck, ..exchange });
                }
                Kept::Stream(id) => self.release(id, fault),
                Kept::Reset(reset) => {
                    let luck = reset.luck.derive(RELEASED);
                    self.send_reset(Reset { luck, ..reset });
                }
            }
        }
    }

    fn release(&mut self, id: StreamId, fault: FaultId) {
        let now = self.now;
        if let Some(stall) = self.streams.get(id).stalled()
            && stall.wait == Wait::Mend(fault)
        {
            stall.start_over(stall.stage, now);
            self.try_again(id);
        }
    }
}

/// A segment of the handshake, of the class of the first message that waits for it.
fn handshake<A: Actor>(by: By, first: Option<&A::Msg>) -> Segment {
    Segment::whole(by, first.map(A::class), SYN_BYTES)
}

/// What has taken a message: this fault, or the link itself.
fn taker(fault: Option<FaultId>) -> Taker {
    fault.map_or(Taker::Link, Taker::Fault)
}
