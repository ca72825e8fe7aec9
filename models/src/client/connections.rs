//! Connections: one from a client to each instance that it calls, which all its requests there share.
//!
//! They are HTTP/2's: many requests at once, in one order. So after a cut all of them wait for TCP's next
//! retransmission, and a connection that is dead without a word hangs until a ping goes unanswered.

use schism_core::{Draw, Draws, Duration, NodeId, Time};

use crate::listing::Listing;
use crate::node::{Ctx, Message, Timer};

/// How a client group reaches the instances that it calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// Each attempt is an exchange on a connection of its own that has long been open.
    Warm,
    /// Attempts share one connection to each instance, which is opened when it is first needed.
    Pooled(Pooling),
}

/// How shared connections are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// How long opening a connection may take.
    pub connect_timeout: Duration,
    /// What becomes of a connection on which an attempt has timed out.
    pub on_timeout: OnTimeout,
    /// After how long without a word from a peer that owes an answer it is pinged; `None` is never.
    pub keepalive_time: Option<Duration>,
    /// How long an answer to a ping may take.
    pub keepalive_timeout: Duration,
}

/// What becomes of a connection on which an attempt has timed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnTimeout {
    /// Others go on using it, as HTTP/2 does.
    Keep,
    /// It is closed, as a client of HTTP/1.1 must: whatever else is on it fails.
    Close,
}

/// One client's connections, by peer: only those that have been used and not closed.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    pooling: Pooling,
    connections: Vec<Connection>,
    /// How many there have been.
    opened: u32,
    /// The luck of pings that no request is behind.
    luck: Draws,
}

#[derive(Clone, Copy, Debug)]
struct Connection {
    peer: NodeId,
    /// Tells its timers from those of an earlier connection to the same peer.
    number: u32,
    /// How many attempts are under way on it.
    attempts: u32,
    phase: Phase,
    /// When something has to be done about it, if nothing happens before: an earlier timer is nothing to it.
    due: Time,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The peer has not said anything yet.
    Opening,
    /// The peer was last heard then.
    Open { heard: Time },
    /// The peer has been pinged, and not been heard since.
    Pinged,
}

/// What is to be done about a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Keep,
    /// It is dead, as far as anybody can tell.
    GiveUp,
}

impl Pool {
    pub(super) fn new(pooling: Pooling, luck: Draws) -> Pool {
        Pool { pooling, connections: Vec::new(), opened: 0, luck }
    }

    /// What becomes of a connection on which an attempt has timed out.
    pub(super) fn on_timeout(&self) -> OnTimeout {
        self.pooling.on_timeout
    }

    /// Whom there are connections to.
    pub(super) fn peers(&self) -> impl Iterator<Item = NodeId> {
        self.connections.iter().map(|connection| connection.peer)
    }

    /// An attempt goes over the connection to a peer, which is opened, with this luck, if there is none.
    ///
    /// Requests need not wait for the peer's answer to the opening (RFC 9113, section 3.4), so they do not.
    pub(super) fn take(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, luck: Draw) {
        let at = match self.find(peer) {
            Ok(at) => at,
            Err(at) => {
                self.open(ctx, at, peer, luck);
                at
            }
        };
        self.connections[at].attempts += 1;
        self.watch(ctx, at);
    }

    /// An attempt on the connection to a peer is over.
    pub(super) fn leave(&mut self, peer: NodeId) {
        if let Ok(at) = self.find(peer) {
            self.connections[at].attempts -= 1;
        }
    }

    /// A peer has said something. A host without such a connection turns it away.
    pub(super) fn on_heard(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let Ok(at) = self.find(peer) else { return ctx.hang_up(peer) };
        let heard = ctx.now();
        let connection = &mut self.connections[at];
        let was = std::mem::replace(&mut connection.phase, Phase::Open { heard });
        if !matches!(was, Phase::Open { .. }) {
            connection.due = Time::END;
            self.watch(ctx, at);
        }
    }

    /// It may be time to do something about a connection.
    pub(super) fn on_due(&mut self, ctx: &mut Ctx<'_>, peer: NodeId, number: u32) -> Verdict {
        let Ok(at) = self.find(peer) else { return Verdict::Keep };
        let connection = &mut self.connections[at];
        if connection.number != number || ctx.now() < connection.due {
            return Verdict::Keep;
        }
        match connection.phase {
            Phase::Opening | Phase::Pinged => Verdict::GiveUp,
            Phase::Open { .. } => {
                connection.due = Time::END;
                self.watch(ctx, at);
                Verdict::Keep
            }
        }
    }

    /// The connection to a peer is no more.
    pub(super) fn forget(&mut self, peer: NodeId) {
        if let Ok(at) = self.find(peer) {
            self.connections.remove(at);
        }
    }

    /// Closes what leads to instances that are no longer listed and owe nothing.
    pub(super) fn release(&mut self, ctx: &mut Ctx<'_>, listing: &Listing) {
        self.connections.retain(|connection| {
            let needed = connection.attempts > 0 || listing.lists(connection.peer);
            if !needed {
                ctx.hang_up(connection.peer);
            }
            needed
        });
    }

    fn open(&mut self, ctx: &mut Ctx<'_>, at: usize, peer: NodeId, luck: Draw) {
        let number = self.opened;
        self.opened += 1;
        let due = ctx.now() + self.pooling.connect_timeout;
        self.connections.insert(at, Connection { peer, number, attempts: 0, phase: Phase::Opening, due });
        ctx.stream_with(peer, Message::Ping { luck }, luck);
        ctx.at(due, Timer::Connection { peer, number });
    }

    /// Sees to it that a peer which owes an answer, and has not been heard for long, is pinged (gRFC A8: from the last
    /// byte that was read, and only while there is an attempt).
    fn watch(&mut self, ctx: &mut Ctx<'_>, at: usize) {
        let Connection { peer, number, attempts, phase, due } = self.connections[at];
        let (Phase::Open { heard }, Some(quiet)) = (phase, self.pooling.keepalive_time) else { return };
        if attempts == 0 || due != Time::END {
            return;
        }
        let connection = &mut self.connections[at];
        connection.due = heard + quiet;
        if connection.due <= ctx.now() {
            connection.phase = Phase::Pinged;
            connection.due = ctx.now() + self.pooling.keepalive_timeout;
            let luck = self.luck.draw();
            ctx.stream_with(peer, Message::Ping { luck }, luck);
        }
        ctx.at(self.connections[at].due, Timer::Connection { peer, number });
    }

    fn find(&self, peer: NodeId) -> Result<usize, usize> {
        self.connections.binary_search_by_key(&peer, |connection| connection.peer)
    }
}
