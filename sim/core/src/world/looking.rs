//! Looking: what of the world can be seen from outside while it stands still. Nothing of it changes anything.

use super::{Carried, Event, Host, What, World};
use crate::queue::Queue;
use crate::stream::{Flow, Stage, Streams, Wait};
use crate::{Actor, Cause, FaultId, Happening, Life, NodeId, Over, Time, Witness};

/// An event that is still to come.
pub struct Coming<'w, A: Actor> {
    /// When it is due.
    pub at: Time,
    /// To whom.
    pub to: NodeId,
    /// Whether it is meant for the life that the node lives now. What is meant for an earlier one finds nobody.
    pub is_for_this_life: bool,
    /// During what it was asked for; known only where somebody [traces](Witness::TRACES).
    pub cause: Option<Cause>,
    /// What.
    pub what: Happening<'w, A>,
}

/// Something that is kept for a process that stands still.
pub struct Held<'w, A: Actor> {
    /// What.
    pub what: Happening<'w, A>,
}

/// One direction of a connection that is open or being opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Connection {
    /// Who sends on it.
    pub from: NodeId,
    /// Who receives.
    pub to: NodeId,
    /// Whether the handshake is over, as far as the sender knows.
    pub is_established: bool,
    /// What stops it, if something does.
    pub stalled: Option<Stalled>,
}

/// A connection on which nothing gets through, as far as the sender knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stalled {
    /// When the first segment was sent that has not been acknowledged.
    pub since: Time,
    /// How often it has been sent again.
    pub tries: u32,
    /// How many messages wait.
    pub backlog: usize,
    /// For what.
    pub waits: Waits,
}

/// What a stalled connection waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Waits {
    /// The peer's answer.
    Answer,
    /// This moment, to send again.
    Slot(Time),
    /// The end of this fault, which holds what was sent.
    Mend(FaultId),
}

impl<A: Actor, W: Witness<A>, Q: Queue<Event<A>>> World<A, W, Q> {
    /// All that is still to come, as far as is known, in the order in which it will happen.
    pub fn coming(&self) -> Vec<Coming<'_, A>> {
        let waiting = self.queue.waiting().into_iter();
        let coming = waiting.map(|(at, number, event)| {
            let Event { to, life, ref what } = *event;
            Coming {
                at,
                to,
                is_for_this_life: self.pulses[to.index()].life == life,
                cause: self.thread.origins.get(&number).map(|origin| origin.cause),
                what: happening(&self.streams, what),
            }
        });
        coming.collect()
    }

    /// What is kept for a process until it goes on, in order.
    pub fn held(&self, node: NodeId) -> Vec<Held<'_, A>> {
        let held = self.nodes[node.index()].held.iter();
        held.map(|(_, what)| Held { what: happening(&self.streams, what) }).collect()
    }

    /// Timers of a node whose monotonic clock stands still, each with what that would have to read.
    pub fn dormant(&self, node: NodeId) -> impl Iterator<Item = (Time, &A::Timer)> {
        self.nodes[node.index()].dormant.iter().map(|(due, _, timer)| (*due, timer))
    }

    /// All connections, by sender, in the order in which they were begun.
    pub fn connections(&self) -> Vec<Connection> {
        let streams = self.streams.all_open().map(|stream| {
            let stalled = match &stream.flow {
                Flow::Stalled(stall) => Some(Stalled {
                    since: stall.since,
                    tries: stall.tries,
                    backlog: stall.backlog.len(),
                    waits: match stall.wait {
                        Wait::Answer => Waits::Answer,
                        Wait::Slot(at) => Waits::Slot(at),
                        Wait::Mend(fault) => Waits::Mend(fault),
                    },
                }),
                Flow::Open | Flow::Closed => None,
            };
            let is_established = match &stream.flow {
                Flow::Stalled(stall) => stall.stage == Stage::Established,
                Flow::Open | Flow::Closed => true,
            };
            Connection { from: stream.from, to: stream.to, is_established, stalled }
        });
        streams.collect()
    }

    /// Which life a node lives, or lived last.
    pub fn life(&self, node: NodeId) -> Life {
        self.pulses[node.index()].life
    }

    /// What ails a node, if anything does.
    pub fn plight(&self, node: NodeId) -> Option<&A::Plight> {
        self.nodes[node.index()].plight.as_deref()
    }

    /// Whether a node's host is without power.
    pub fn is_dark(&self, node: NodeId) -> bool {
        self.nodes[node.index()].host == Host::Silent
    }

    /// What a node's monotonic clock reads, and its wall clock.
    pub fn clocks(&self, node: NodeId) -> (Time, Time) {
        let clocks = &self.nodes[node.index()].clocks;
        (clocks.monotonic.read(self.now), clocks.wall(self.now))
    }
}

/// What an event is, for who looks at it.
pub(super) fn happening<'w, A: Actor>(streams: &Streams<A::Msg>, what: &'w What<A>) -> Happening<'w, A> {
    match *what {
        What::Message { by, ref msg, .. } => match by.carried() {
            Carried::Alone(from) => Happening::Message { from, over: Over::Exchange, msg },
            Carried::On(stream) => {
                Happening::Message { from: streams.look(stream).from, over: Over::Connection, msg }
            }
        },
        What::Timer(ref timer) => Happening::Timer(timer),
        What::Plight => Happening::Plight,
        What::Reset { peer, .. } => Happening::Reset { peer },
        What::Retransmit { stream } => Happening::Retransmit { peer: streams.look(stream).to },
        What::Boot => Happening::Boot,
        What::Open { stream, .. } => Happening::Open { peer: streams.look(stream).from },
        What::Accepted { stream, .. } => Happening::Accepted { peer: streams.look(stream).to },
        What::End { stream, .. } => Happening::Reset { peer: streams.look(stream).from },
    }
}
