//! What servers from 2.0 on and their clients tell each other.

use std::sync::Arc;

use schism_core::NodeId;

use super::table::{ConnectionId, Published};
use crate::listing::{Listing, ServiceId};
use crate::observation::Cause;

/// One message.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// A client asks whether a server is there to be connected to (`ServerCheckRequest`).
    Check,
    /// It is.
    Checked,
    /// The client connects (`ConnectionSetupRequest`).
    Setup {
        /// The connection's number.
        id: ConnectionId,
    },
    /// A client asks.
    Ask {
        /// By which connection.
        id: ConnectionId,
        /// The client's number for the call.
        call: u32,
        /// What.
        ask: Ask,
    },
    /// The server answers.
    Answer {
        /// The client's number for the call.
        call: u32,
        /// What.
        answer: Answer,
    },
    /// A subscriber is told a whole list (`NotifySubscriberRequest`).
    Push {
        /// The server's number for the push.
        number: u32,
        /// The list.
        listing: Arc<Listing>,
    },
    /// It has it.
    Pushed {
        /// The server's number for the push.
        number: u32,
    },
    /// A server asks whether a silent client is still there (`ClientDetectionRequest`).
    Detect {
        /// By which connection.
        id: ConnectionId,
    },
    /// It is.
    Detected {
        /// By which connection.
        id: ConnectionId,
    },
    /// A server tells another what its connections publish now: one message where Nacos sends one for each.
    Sync {
        /// The sender's number for it.
        number: u32,
        /// What.
        items: Arc<[Item]>,
    },
    /// The other has it.
    Synced {
        /// The sender's number for it.
        number: u32,
    },
    /// A server tells another which connections it has, and at which revisions.
    Verify {
        /// Which; lines that verify without a revision say none.
        clients: Arc<[(ConnectionId, Option<u64>)]>,
    },
    /// The other does not have these as it should.
    Unverified {
        /// Which.
        clients: Vec<ConnectionId>,
    },
    /// A server that starts wants all that another has (`DistroLoadDataTask`).
    Load,
    /// That is this.
    Loaded {
        /// What.
        items: Arc<[Item]>,
    },
    /// These instances' registrations are lost: no message of Nacos's, but how a fault reaches all servers.
    Lose {
        /// Whose.
        nodes: Arc<[NodeId]>,
    },
}

/// What a client asks, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To publish an instance by this connection.
    Register(Published),
    /// To publish it no more.
    Deregister,
    /// The list of a service.
    Query(ServiceId),
    /// The same, and to be pushed to from now on.
    Subscribe(ServiceId),
    /// Whether the connection is still known.
    Health,
    /// To give an instance another weight, in its metadata.
    Weigh {
        /// Of which service.
        service: ServiceId,
        /// The instance.
        node: NodeId,
        /// The weight.
        weight: u32,
    },
}

/// What a server answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// The list.
    Listing(Arc<Listing>),
    /// There are more requests than the server takes.
    Refused,
    /// Something has gone wrong.
    Failed,
    /// The server does not know the connection (`UN_REGISTER`): the client opens another.
    Unknown,
}

/// What one connection publishes now, with its revision; or why it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// Which.
    pub id: ConnectionId,
    /// What.
    pub state: Result<(Option<Published>, u64), Cause>,
}

/// What a message takes on the wire, and each instance or connection in it: 200 bytes each, ours, as for the JSON of an
/// instance under the headers of gRPC and TCP.
const PIECE_BYTES: u64 = 200;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        let pieces = match self {
            Msg::Answer { answer: Answer::Listing(listing), .. } | Msg::Push { listing, .. } => {
                listing.endpoints.len()
            }
            Msg::Sync { items, .. } | Msg::Loaded { items } => items.len(),
            Msg::Verify { clients } => clients.len(),
            Msg::Unverified { clients } => clients.len(),
            Msg::Ask { ask: Ask::Register(_), .. } => 1,
            Msg::Answer {
                answer: Answer::Done | Answer::Refused | Answer::Failed | Answer::Unknown, ..
            }
            | Msg::Ask {
                ask: Ask::Deregister | Ask::Query(_) | Ask::Subscribe(_) | Ask::Health | Ask::Weigh { .. },
                ..
            }
            | Msg::Check
            | Msg::Checked
            | Msg::Setup { .. }
            | Msg::Pushed { .. }
            | Msg::Detect { .. }
            | Msg::Detected { .. }
            | Msg::Synced { .. }
            | Msg::Load
            | Msg::Lose { .. } => 0,
        };
        PIECE_BYTES * (1 + pieces as u64)
    }
}
