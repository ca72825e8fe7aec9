//! What members and their clients tell each other.

use std::sync::Arc;

use schism_core::Duration;

use super::claims;
use super::log;
use super::store::LeaseId;
use crate::cache::Reads;
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::observation::Value;
use crate::registry::Pair;

/// One message of etcd's.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// Between members.
    Raft(log::Message),
    /// A follower passes a keepalive on to the leader.
    Forward {
        /// The follower's number for it.
        ticket: u64,
        /// The lease.
        lease: LeaseId,
    },
    /// The leader's answer: the time to live, or zero if the lease is gone.
    Forwarded {
        /// The follower's number for it.
        ticket: u64,
        /// The time to live.
        ttl: Duration,
    },
    /// A client asks.
    Ask {
        /// The client's number for the call.
        call: u32,
        /// What.
        ask: Ask,
    },
    /// A member answers.
    Answer {
        /// The client's number for the call.
        call: u32,
        /// What.
        answer: Answer,
    },
    /// A holder asks for more time.
    KeepAlive {
        /// The lease.
        lease: LeaseId,
    },
    /// The answer: the time to live, zero if the lease is gone; or that it could not be had, which ends the stream.
    KeptAlive {
        /// The lease.
        lease: LeaseId,
        /// The time to live.
        ttl: Result<Duration, Failure>,
    },
    /// A client wants every change of a list after a revision.
    Watch {
        /// Of which service.
        service: ServiceId,
        /// The revision.
        after: u64,
    },
    /// Changes of a list.
    Changes(Changes),
    /// There is no watch from so early on: what happened then has been compacted.
    Compacted {
        /// Of which service.
        service: ServiceId,
    },
    /// There is no watch any more: the member has no leader, and the watch requires one (`ErrNoLeader`, "etcdserver: no
    /// leader").
    NoLeader {
        /// Of which service.
        service: ServiceId,
    },
    /// A client waits for a claim on a lock to go.
    WatchClaim {
        /// The lock.
        lock: u32,
        /// The lease that the claim is named after.
        lease: LeaseId,
        /// The revision at which it was there.
        after: u64,
    },
    /// The claim is gone.
    ClaimGone {
        /// The lock.
        lock: u32,
        /// The lease that it was named after.
        lease: LeaseId,
    },
    /// A client asks whether the member is still there: a ping of HTTP/2.
    Ping,
    /// It is.
    Pong,
}

/// Which state a member speaks of: etcd's `ResponseHeader` (api/etcdserverpb/rpc.proto).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// The cluster: a restored backup begins another. `None` if a fault has made the answer other than any cluster's
    /// state. No real header says so, and clients do not look at it; it is how the model knows that a client's own list
    /// is not the registry's.
    pub cluster: Option<u32>,
    /// The revision of the store.
    pub revision: u64,
}

/// What a message takes on the wire, and each entry, change or endpoint in it: 200 bytes each, ours, as for a key and a
/// value of some 60 bytes each under the headers of gRPC and TCP.
const PIECE_BYTES: u64 = 200;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        let pieces = match self {
            Msg::Raft(message) => message.entries(),
            Msg::Changes(news) => news.changes.len(),
            Msg::Answer { answer: Answer::Listing(_, listing), .. } => listing.endpoints.len(),
            Msg::Ask { ask: Ask::Register { .. }, .. } => 1,
            Msg::Answer {
                answer:
                    Answer::Granted { .. }
                    | Answer::Done
                    | Answer::Put(_)
                    | Answer::Value(..)
                    | Answer::Claim(_)
                    | Answer::Failed(_),
                ..
            }
            | Msg::Ask {
                ask:
                    Ask::Grant { .. }
                    | Ask::Revoke { .. }
                    | Ask::List { .. }
                    | Ask::Put(_)
                    | Ask::Get { .. }
                    | Ask::Claim(_),
                ..
            }
            | Msg::WatchClaim { .. }
            | Msg::ClaimGone { .. }
            | Msg::Forward { .. }
            | Msg::Forwarded { .. }
            | Msg::KeepAlive { .. }
            | Msg::KeptAlive { .. }
            | Msg::Watch { .. }
            | Msg::Compacted { .. }
            | Msg::NoLeader { .. }
            | Msg::Ping
            | Msg::Pong => 0,
        };
        PIECE_BYTES * (1 + pieces as u64)
    }
}

/// Changes of a list, in order, and the list that they lead to.
#[derive(Clone, Debug, Hash)]
pub struct Changes {
    /// The cluster that they are of.
    pub cluster: u32,
    /// The changes: at least one.
    pub changes: Vec<Change>,
    /// The list with all of them: one copy for all watchers that have missed nothing, where each real client would
    /// apply the changes to its own.
    pub listing: Arc<Listing>,
}

impl Changes {
    /// Those that were made after a revision.
    pub fn after(&self, revision: u64) -> &[Change] {
        &self.changes[self.changes.partition_point(|change| change.revision <= revision)..]
    }
}

/// What a client asks, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// A lease.
    Grant {
        /// For how long.
        ttl: Duration,
    },
    /// To write an instance's key.
    Register {
        /// The service.
        service: ServiceId,
        /// The value.
        endpoint: Endpoint,
        /// The lease that the key belongs to.
        lease: LeaseId,
    },
    /// The list of a service.
    List {
        /// Which.
        service: ServiceId,
        /// How it is read.
        reads: Reads,
    },
    /// To write a key of no meaning: one that others read and write, too, or one of the client's own.
    Put(Option<Pair>),
    /// To read one.
    Get {
        /// Which; `None` is one of the client's own.
        key: Option<u32>,
        /// How it is read.
        reads: Reads,
    },
    /// Something about claims on a lock.
    Claim(claims::Ask),
    /// To end a lease, and all keys that belong to it.
    Revoke {
        /// The lease.
        lease: LeaseId,
    },
}

/// What a member answers.
#[derive(Clone, Debug, Hash)]
pub enum Answer {
    /// The lease.
    Granted {
        /// Its number.
        lease: LeaseId,
        /// Its time to live, which may be longer than was asked.
        ttl: Duration,
    },
    /// The list.
    Listing(Header, Arc<Listing>),
    /// A key was written, at the revision of the header.
    Put(Header),
    /// What a key holds, and the revision at which it was written.
    Value(Header, Option<(u64, Value)>),
    /// Something about claims on a lock.
    Claim(claims::Answer),
    /// It is done.
    Done,
    /// It is not.
    Failed(Failure),
}

/// Why a member could not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// It took longer than the request time-out; whether it has happened is not known.
    TimedOut,
    /// The leader has changed while a read was under way.
    LeaderChanged,
    /// The lease is gone.
    LeaseNotFound,
    /// There are more requests than the member takes (`ErrTooManyRequests`, "etcdserver: too many requests").
    Overloaded,
    /// Something has gone wrong within the member.
    Internal,
}
