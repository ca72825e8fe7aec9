//! What a trace keeps: events, the driver's deeds, and what was noted during them.

use std::sync::Arc;

use schism_core::{Cause, Fault, FaultId, Finds, NodeId, Over, Taker, Then, Time};
use schism_models::nemesis::Struck;
use schism_models::node::{Message, Timer};
use schism_models::observation::Observation;
use schism_models::plight::Plight;

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Time,
    /// To whom.
    pub to: NodeId,
    /// During what it was asked for.
    pub cause: Cause,
    /// What set it going at last; the same, unless it was held up.
    pub via: Cause,
    /// How it found the node.
    pub finds: Finds,
    /// What.
    pub what: What,
}

/// What an event was.
#[derive(Clone, Debug)]
pub enum What {
    /// A message came.
    Message {
        /// From whom.
        from: NodeId,
        /// On what.
        over: Over,
        /// The message.
        msg: Message,
    },
    /// A timer was due.
    Timer(Timer),
    /// What ailed the node had changed while it stood still.
    Plight,
    /// A peer's host said that there is no such connection.
    Reset {
        /// The peer.
        peer: NodeId,
    },
    /// A connection might send again what it held.
    Retransmit {
        /// To whom.
        peer: NodeId,
    },
    /// A supervisor started the process.
    Boot,
    /// A peer asked for a connection.
    Open {
        /// The peer.
        peer: NodeId,
    },
    /// A peer had accepted the connection.
    Accepted {
        /// The peer.
        peer: NodeId,
    },
}

/// One deed of the driver's: something that a fault of the plan did, or undid.
#[derive(Clone, Debug)]
pub struct Act {
    /// When.
    pub at: Time,
    /// After how many events.
    pub after: u64,
    /// For which fault of the plan, by its place there; unknown if nobody said so.
    pub of: Option<usize>,
    /// What.
    pub doing: Doing,
}

/// What a deed was.
#[derive(Clone, Debug)]
pub enum Doing {
    /// A primitive fault.
    Inflicts(Arc<Fault>),
    /// This ailed a node from then on, if anything did.
    Ails(NodeId, Option<Arc<Plight>>),
}

/// Something that was noted during an event, a deed, or the start.
#[derive(Clone, Debug)]
pub struct Note {
    /// When.
    pub at: Time,
    /// During what.
    pub during: Cause,
    /// After how many events; the one under way is counted.
    pub after: u64,
    /// What.
    pub noted: Noted,
}

/// What was noted.
#[derive(Clone, Debug)]
pub enum Noted {
    /// A node observed something.
    Observed {
        /// Who.
        by: NodeId,
        /// What.
        seen: Observation,
    },
    /// A message did not come through.
    Swallowed {
        /// During what it was asked for.
        cause: Cause,
        /// Who had sent it.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// The message, or the first of several; of a segment alone none.
        msg: Option<Message>,
        /// What took it.
        by: Taker,
        /// What became of it.
        then: Then,
    },
    /// A process died or was started, by the doing of the models: its supervisor's, or its own.
    Struck(Arc<Fault>),
    /// A process ended by its own hand, driven to it by a fault.
    Exited {
        /// Which.
        node: NodeId,
        /// The fault.
        by: FaultId,
    },
    /// A fault of the plan began.
    Began {
        /// Its place in the plan.
        fault: usize,
        /// Whom it struck.
        struck: Arc<Struck>,
    },
    /// A fault of the plan was healed.
    Healed {
        /// Its place in the plan.
        fault: usize,
    },
}

impl What {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            What::Message { .. } => "message",
            What::Timer(_) => "timer",
            What::Plight => "plight",
            What::Reset { .. } => "reset",
            What::Retransmit { .. } => "retransmit",
            What::Boot => "boot",
            What::Open { .. } => "open",
            What::Accepted { .. } => "accepted",
        }
    }

    /// Who else has a part in it.
    pub fn peer(&self) -> Option<NodeId> {
        match *self {
            What::Message { from: peer, .. }
            | What::Reset { peer }
            | What::Retransmit { peer }
            | What::Open { peer }
            | What::Accepted { peer } => Some(peer),
            What::Timer(_) | What::Plight | What::Boot => None,
        }
    }

    /// The message or the timer, as it shows itself.
    pub fn text(&self) -> Option<String> {
        match self {
            What::Message { msg, .. } => Some(format!("{msg:?}")),
            What::Timer(timer) => Some(format!("{timer:?}")),
            What::Plight
            | What::Reset { .. }
            | What::Retransmit { .. }
            | What::Boot
            | What::Open { .. }
            | What::Accepted { .. } => None,
        }
    }
}

impl Noted {
    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Noted::Observed { .. } => "observed",
            Noted::Swallowed { .. } => "swallowed",
            Noted::Struck(_) => "struck",
            Noted::Exited { .. } => "exited",
            Noted::Began { .. } => "began",
            Noted::Healed { .. } => "healed",
        }
    }
}
