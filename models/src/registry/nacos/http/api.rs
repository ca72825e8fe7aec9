//! What servers of the 1.x line and their clients tell each other.

use std::sync::Arc;

use schism_core::{NodeId, Time};

use crate::listing::{Endpoint, Listing, ServiceId};

/// One message.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// A client asks, or a server passes on what one has asked.
    Ask {
        /// The asker's number for the request.
        call: u32,
        /// What.
        ask: Ask,
        /// Who asks.
        by: Asker,
    },
    /// A server answers.
    Answer {
        /// The asker's number for the request.
        call: u32,
        /// What.
        answer: Answer,
    },
    /// A subscriber is told a whole list: a datagram.
    Push {
        /// The server's number for the push.
        number: u32,
        /// The list.
        listing: Arc<Listing>,
    },
    /// It has it: a datagram.
    Pushed {
        /// The server's number for the push.
        number: u32,
    },
    /// A server tells another what it has of some services.
    Sync {
        /// The sender's number for it.
        number: u32,
        /// What.
        data: Arc<[Datum]>,
    },
    /// The other has it.
    Synced {
        /// The sender's number for it.
        number: u32,
    },
    /// A server tells another the checksums of all services that it answers for.
    Verify {
        /// Which.
        sums: Arc<[(ServiceId, u64)]>,
    },
    /// The other wants what it has otherwise.
    Fetch {
        /// Of which services.
        services: Vec<ServiceId>,
    },
    /// That is this.
    Fetched {
        /// What.
        data: Arc<[Datum]>,
    },
    /// A server that starts wants all that another has.
    Load,
    /// That is this.
    Loaded {
        /// What.
        data: Arc<[Datum]>,
    },
}

/// Whose a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asker {
    /// A client's own.
    Client,
    /// A client's, as another server has passed it on: it is not passed on again.
    Server,
}

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To register an instance, or to change it.
    Register(ServiceId, Endpoint),
    /// To deregister it.
    Deregister(ServiceId, NodeId),
    /// To note that it lives.
    Beat(ServiceId, NodeId),
    /// The list of a service, and perhaps to be told of changes for a while.
    List(ServiceId, Interest),
}

/// Whether who asks for a list wants to be told of changes: whether it says at which UDP port it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interest {
    /// It does not.
    Once,
    /// It does.
    Pushes,
}

impl Ask {
    /// The service that only one server answers for this about; none, if every server does from what it has.
    pub fn of(&self) -> Option<ServiceId> {
        match *self {
            Ask::Register(service, _) | Ask::Deregister(service, _) | Ask::Beat(service, _) => Some(service),
            Ask::List(..) => None,
        }
    }
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// There is no such instance (code 20404): it registers.
    NotFound,
    /// The list.
    Listing(Arc<Listing>),
    /// It is not done: the client tries another server.
    Failed,
}

/// What a server has of a service.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Datum {
    /// Which.
    pub service: ServiceId,
    /// The instances.
    pub instances: Arc<[Instance]>,
}

/// One instance as it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Instance {
    /// The instance.
    pub endpoint: Endpoint,
    /// Whether it is healthy.
    pub healthy: bool,
    /// When its last beat came, by the wall clock of whoever answered for it.
    pub beat: Time,
}

/// What a message takes on the wire, and each instance or checksum in it: 200 bytes each, ours, as for JSON under the
/// headers of HTTP and TCP.
const PIECE_BYTES: u64 = 200;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        let of = |data: &[Datum]| data.iter().map(|datum| datum.instances.len()).sum();
        let pieces: usize = match self {
            Msg::Answer { answer: Answer::Listing(listing), .. } | Msg::Push { listing, .. } => {
                listing.endpoints.len()
            }
            Msg::Sync { data, .. } | Msg::Fetched { data } | Msg::Loaded { data } => of(data),
            Msg::Verify { sums } => sums.len(),
            Msg::Fetch { services } => services.len(),
            Msg::Ask { ask: Ask::Register(..), .. } => 1,
            Msg::Ask { ask: Ask::Deregister(..) | Ask::Beat(..) | Ask::List(..), .. }
            | Msg::Answer { answer: Answer::Done | Answer::NotFound | Answer::Failed, .. }
            | Msg::Pushed { .. }
            | Msg::Synced { .. }
            | Msg::Load => 0,
        };
        PIECE_BYTES * (1 + pieces as u64)
    }
}
