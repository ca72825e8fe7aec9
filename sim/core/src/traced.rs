//! What tracing witnesses are told: each event with what it came of, each deed of the driver, and what never arrived.
//!
//! A witness asks for it with [`Witness::TRACES`](crate::Witness::TRACES). The queue's order number tells which event one is;
//! what it came of is kept beside the queue, so that events stay as small as they are, and nothing is kept for who does
//! not ask.

use std::hash::BuildHasherDefault;

use rustc_hash::FxHasher;

use crate::{Actor, Fault, FaultId, Life, NodeId};

/// What something came of: it was asked for during this.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Cause {
    /// The beginning of the world, when all boot.
    #[default]
    Start,
    /// The event of this number, counted from 1.
    Event(u64),
    /// The driver's deed of this number, counted from 1: a fault, or what undoes one.
    Deed(u64),
}

/// An event, as it happens, before anybody has been told.
pub struct Traced<'w, A: Actor> {
    /// Which event it is, counted from 1: as in [`World::events`](crate::World::events).
    pub number: u64,
    /// During what the node asked for it that sent the message or set the timer.
    pub cause: Cause,
    /// What set it going at last, where that is something else: a retransmission, the mending of a cut that held it, the
    /// end of a pause, a change of clocks.
    pub via: Cause,
    /// To whom it happens.
    pub to: NodeId,
    /// The life of `to` that it is meant for.
    pub life: Life,
    /// How it finds the node.
    pub finds: Finds,
    /// What happens.
    pub what: Happening<'w, A>,
}

/// How an event finds the node that it is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Finds {
    /// It is told; or its host deals with it.
    Running,
    /// The process stands still: it is kept until that goes on, and then happens again, as another event.
    Still,
    /// The process is dead, or lives another life: its host answers for it, or nobody.
    Gone,
}

/// What an event is.
pub enum Happening<'w, A: Actor> {
    /// A message arrives at the node's host.
    Message {
        /// Who has sent it.
        from: NodeId,
        /// What it came on.
        over: Over,
        /// The message.
        msg: &'w A::Msg,
    },
    /// A timer is due.
    Timer(&'w A::Timer),
    /// What ails the node has changed while it stood still.
    Plight,
    /// A host says that there is no such connection.
    Reset {
        /// With whom.
        peer: NodeId,
    },
    /// The node's host may send again what a connection holds.
    Retransmit {
        /// To whom.
        peer: NodeId,
    },
    /// A supervisor starts the process that it has killed.
    Boot,
    /// A peer asks for a connection.
    Open {
        /// Who asks.
        peer: NodeId,
    },
    /// A peer has accepted the connection.
    Accepted {
        /// Who has.
        peer: NodeId,
    },
}

/// What a message travels on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Over {
    /// It is an exchange of its own.
    Exchange,
    /// A connection, in order.
    Connection,
}

/// Something that the driver does, before it takes effect.
pub struct Deed<'w, A: Actor> {
    /// Which deed it is, counted from 1.
    pub number: u64,
    /// What it is.
    pub what: Doing<'w, A>,
}

/// What a deed is.
pub enum Doing<'w, A: Actor> {
    /// A primitive fault.
    Fault(&'w Fault),
    /// This ails a node from now on, if anything does.
    Plight(NodeId, Option<&'w A::Plight>),
}

/// A message, or a segment without one, that does not come through.
pub struct Swallowed<'w, A: Actor> {
    /// During what it was asked for. What is swallowed on its way is so during the event of its arrival.
    pub cause: Cause,
    /// Who has sent it.
    pub from: NodeId,
    /// To whom it was.
    pub to: NodeId,
    /// The message; of several at once the first. None of a handshake with nothing to follow, or of a reset.
    pub msg: Option<&'w A::Msg>,
    /// What has taken it.
    pub by: Taker,
    /// What becomes of it.
    pub then: Then,
}

/// What keeps a message from its receiver.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Taker {
    /// A fault of the plan.
    Fault(FaultId),
    /// The link's own losses.
    Link,
    /// The receiver's host is dead, and says nothing.
    Darkness,
    /// The receiver's process is dead, and its host turns the message away.
    Refusal,
    /// The connection has been closed meanwhile.
    Closing,
}

/// What becomes of a message that does not come through.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Then {
    /// Nothing: it is lost.
    Lost,
    /// TCP sends it again.
    SentAgain,
    /// It is kept until this fault heals.
    Kept(FaultId),
}

/// What an event that waits came of, and what set it going.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    pub(crate) cause: Cause,
    pub(crate) via: Cause,
}

/// Looked up by order number alone, and never walked.
#[expect(
    clippy::disallowed_types,
    reason = "looked up by key only, so the order of iteration decides nothing"
)]
pub(crate) type Origins = std::collections::HashMap<u64, Origin, BuildHasherDefault<FxHasher>>;

/// What the world remembers for a tracing witness; for any other it stays as it was born.
#[derive(Clone, Debug, Default)]
pub(crate) struct Thread {
    /// What is under way.
    pub(crate) now: Cause,
    /// Of what is under way: during what it was asked for.
    pub(crate) origin: Cause,
    /// Of the events that wait, by the order in which they were scheduled.
    pub(crate) origins: Origins,
    /// How many deeds there have been.
    pub(crate) deeds: u64,
}

impl<A: Actor> Happening<'_, A> {
    /// Who else has a part in it: the sender of a message, the other end of a connection.
    pub fn peer(&self) -> Option<NodeId> {
        match *self {
            Happening::Message { from: peer, .. }
            | Happening::Reset { peer }
            | Happening::Retransmit { peer }
            | Happening::Open { peer }
            | Happening::Accepted { peer } => Some(peer),
            Happening::Timer(_) | Happening::Plight | Happening::Boot => None,
        }
    }
}
