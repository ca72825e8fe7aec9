//! What instances, clients and servers say to each other: Eureka's REST operations, and batches between servers.

use std::sync::Arc;

use schism_core::{NodeId, Time};

use super::apps::{Delta, Full, Info};
use super::outbox::Errand;

/// A message.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// A request of an instance's or a client's, or of a server's that starts.
    Ask {
        /// Its number, by which the answer is known.
        call: u32,
        /// What.
        ask: Ask,
    },
    /// The answer to it.
    Answer {
        /// The number of the request.
        call: u32,
        /// What.
        answer: Answer,
    },
    /// What a server tells a peer (`POST peerreplication/batch/`).
    Batch {
        /// Its number.
        number: u32,
        /// What, each with what the instance says of itself; a heartbeat carries its dirty timestamp alone.
        items: Vec<(Errand, Info)>,
    },
    /// The answer to it.
    BatchDone {
        /// The number of the batch.
        number: u32,
        /// Of whom the peer knows nothing, or something older, though it was told that they are alive: 404.
        missing: Vec<NodeId>,
        /// Of whom it knows something newer: 409.
        newer: Vec<Info>,
    },
}

/// What is asked of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// `POST apps/APP`.
    Register(Info),
    /// `PUT apps/APP/ID`.
    Renew {
        /// Who.
        node: NodeId,
        /// When it last said anything new, by its wall clock.
        dirty: Time,
    },
    /// `DELETE apps/APP/ID`.
    Cancel {
        /// Who.
        node: NodeId,
    },
    /// `GET apps/`.
    Full,
    /// `GET apps/delta`.
    Delta,
}

/// What a server answers.
#[derive(Clone, Debug, Hash)]
pub enum Answer {
    /// 200 or 204: done.
    Done,
    /// 404: nobody knows the instance, or what is known of it is old.
    NotFound,
    /// 403: the server tells nobody anything yet.
    Forbidden,
    /// 503, or any other failure.
    Unavailable,
    /// 200: all applications.
    Full(Arc<Full>),
    /// 200: the recent changes.
    Delta(Arc<Delta>),
}

/// What a request or an answer takes without what it tells: 256 bytes, ours, about that of a short HTTP header.
const HEADER_BYTES: u64 = 256;
/// What an instance takes in a registration: 1.5 KiB, ours, about that of an `InstanceInfo` in JSON.
const INFO_BYTES: u64 = 1536;
/// What an instance takes in a list: 160 bytes, ours, for the same is told of many and the list is compressed with gzip.
const LISTED_BYTES: u64 = 160;
/// What a heartbeat takes in a batch: 160 bytes, ours, in JSON.
const HEARTBEAT_BYTES: u64 = 160;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        HEADER_BYTES
            + match self {
                Msg::Ask { ask: Ask::Register(_), .. } => INFO_BYTES,
                Msg::Ask { ask: Ask::Renew { .. } | Ask::Cancel { .. } | Ask::Full | Ask::Delta, .. } => 0,
                Msg::Answer { answer, .. } => answer.size(),
                Msg::Batch { items, .. } => items.iter().map(|&(errand, _)| size_of_errand(errand)).sum(),
                Msg::BatchDone { missing, newer, .. } => {
                    HEARTBEAT_BYTES * missing.len() as u64 + INFO_BYTES * newer.len() as u64
                }
            }
    }
}

impl Answer {
    fn size(&self) -> u64 {
        match self {
            Answer::Done | Answer::NotFound | Answer::Forbidden | Answer::Unavailable => 0,
            Answer::Full(full) => {
                let census = full.apps.census();
                LISTED_BYTES * u64::from(census.up + census.down)
            }
            Answer::Delta(delta) => LISTED_BYTES * delta.items.len() as u64,
        }
    }
}

fn size_of_errand(errand: Errand) -> u64 {
    match errand {
        Errand::Register => INFO_BYTES,
        Errand::Heartbeat | Errand::Cancel => HEARTBEAT_BYTES,
    }
}
