//! What servers and their clients tell each other.

use std::sync::Arc;

use schism_core::{Duration, NodeId};

use super::election::Notification;
use super::line;
use super::log::Entry;
use super::tree::{Refusal, SessionId, Txn};
use super::zxid::Zxid;
use crate::listing::{Endpoint, Listing, ServiceId};
use crate::observation::Value;
use crate::registry::Pair;

/// One message of ZooKeeper's.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// Between servers, on the election port.
    Vote {
        /// The sender's number for it.
        number: u64,
        /// What it tells.
        told: Notification,
    },
    /// Such a message has arrived: what TCP says of its own accord.
    Heard {
        /// The sender's number for it.
        number: u64,
    },
    /// From a server to the leader that it follows.
    Learner(Learner),
    /// From the leader to a server that follows it.
    Leader(Leader),
    /// From a client to its server.
    Client(Client),
    /// From a server to its client.
    Server(Server),
}

/// What a follower tells its leader (server/quorum/Learner.java, 3.8.0).
#[derive(Clone, Debug, Hash)]
pub enum Learner {
    /// It would follow (`FOLLOWERINFO`).
    Info {
        /// The latest epoch that it has accepted.
        accepted: u32,
    },
    /// It accepts the new epoch (`ACKEPOCH`).
    AckEpoch {
        /// The epoch that it has followed last; none if it had accepted the new one before, which counts for nothing.
        current: Option<u32>,
        /// The last transaction of its log.
        last: Zxid,
    },
    /// It has all of the leader's log on its disk up to here, and this is its leader (`ACK` of `NEWLEADER`).
    AckLeader(Zxid),
    /// It has all proposals up to this on its disk (`ACK`).
    Ack(Zxid),
    /// It is there (`PING`), and these sessions have been heard of since the last time.
    Touches(Vec<SessionId>),
    /// A request of a client's that the leader has to see (`REQUEST`).
    Submit {
        /// The follower's number for it.
        number: u64,
        /// The session that it is of.
        session: SessionId,
        /// What it would do.
        txn: Txn,
    },
    /// A client would see all that is committed (`REQUEST` of a `sync`).
    Sync {
        /// The follower's number for it.
        number: u64,
    },
    /// A client has come that says it has a session (`REVALIDATE`).
    Revalidate {
        /// The session.
        session: SessionId,
        /// The client.
        client: NodeId,
    },
}

/// What the leader tells its followers (server/quorum/LearnerHandler.java and Leader.java, 3.8.0).
#[derive(Clone, Debug, Hash)]
pub enum Leader {
    /// The new epoch (`LEADERINFO`).
    Info {
        /// The epoch.
        epoch: u32,
    },
    /// The log, from where it is the same as the follower's (`DIFF` or `TRUNC`, and the proposals), and `NEWLEADER`.
    /// A snapshot (`SNAP`) does the same for one who has fallen far behind.
    Diff {
        /// The last transaction that both have.
        after: Zxid,
        /// What follows it.
        entries: Arc<[Entry]>,
    },
    /// The follower may serve clients (`UPTODATE`).
    UpToDate {
        /// Up to where the log is committed.
        committed: Zxid,
    },
    /// A proposal (`PROPOSAL`).
    Propose(Arc<Entry>),
    /// All proposals up to this are committed (`COMMIT`).
    Commit(Zxid),
    /// Is anybody there (`PING`)?
    Ping,
    /// All that was committed when the leader was asked has been sent (`SYNC`).
    Synced {
        /// The follower's number for the request.
        number: u64,
    },
    /// Whether a session lives (`REVALIDATE`).
    Revalidated {
        /// The session.
        session: SessionId,
        /// The client.
        client: NodeId,
        /// Its time-out, if it lives.
        timeout: Option<Duration>,
    },
}

/// What a client tells its server.
#[derive(Clone, Debug, Hash)]
pub enum Client {
    /// It begins a session, or goes on with one.
    Connect {
        /// The session that it has, if it has one.
        session: Option<SessionId>,
        /// The time-out that it asks for.
        timeout: Duration,
        /// The last transaction that it has seen.
        seen: Zxid,
    },
    /// It is there.
    Ping,
    /// It asks.
    Ask {
        /// Its number for the request.
        xid: u32,
        /// What.
        ask: Ask,
    },
}

/// What a client asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To create an instance's ephemeral node.
    Create {
        /// The service.
        service: ServiceId,
        /// The data.
        endpoint: Endpoint,
    },
    /// To delete an instance's node, whoever it belongs to.
    Delete {
        /// The instance.
        node: NodeId,
    },
    /// To write an instance's node.
    SetData {
        /// The data.
        endpoint: Endpoint,
    },
    /// To write a node of no meaning: one that others read and write, too, or one of the client's own.
    Put(Option<Pair>),
    /// To read one.
    Get(Option<u32>),
    /// Something about the line for a lock.
    Line(line::Ask),
    /// That the server has all that is committed before it answers what comes next.
    Sync,
    /// The children of a service's parent, and their data.
    Children {
        /// The service.
        service: ServiceId,
        /// Whether to be told of the next change.
        watch: Watch,
    },
    /// To be told of the next change after what it has seen, which may have been.
    SetWatches {
        /// The service.
        service: ServiceId,
        /// The last transaction that it has seen.
        seen: Zxid,
    },
    /// To end its session.
    Close,
}

/// Whether a read leaves a watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Watch {
    /// It does, for one event.
    Once,
    /// It does not.
    Never,
}

/// What a server tells its client.
#[derive(Clone, Debug, Hash)]
pub enum Server {
    /// The session has begun, or goes on.
    Connected {
        /// Its number.
        session: SessionId,
        /// The time-out that was agreed upon.
        timeout: Duration,
    },
    /// The session is over.
    Expired,
    /// The server has heard it.
    Pong,
    /// An answer.
    Reply {
        /// The client's number for the request.
        xid: u32,
        /// The last transaction that the server has applied.
        zxid: Zxid,
        /// What.
        answer: Answer,
    },
    /// The children of a service's parent have changed, and the watch is gone.
    Event {
        /// The service.
        service: ServiceId,
    },
    /// A node in the line for a lock is gone, and the watch with it.
    Gone {
        /// The lock.
        lock: u32,
        /// The node's number.
        number: u32,
    },
}

/// What a server answers.
#[derive(Clone, Debug, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// A node was written, by this transaction (`mzxid`).
    Put(u64),
    /// What a node holds, and the transaction that wrote it.
    Value(Option<(u64, Value)>),
    /// Something about the line for a lock.
    Line(line::Answer),
    /// The children and their data.
    Children(Arc<Listing>),
    /// It is refused.
    Refused(Refusal),
    /// There are more requests than the server takes (`ThrottledOp`, KeeperException.java, 3.8.0).
    Throttled,
    /// Something has gone wrong within the server (`SystemError`).
    Failed,
}

/// What a message takes on the wire, and each entry or child in it: 100 bytes each, ours, as for a path and its data of
/// some 40 bytes each under the headers of TCP.
const PIECE_BYTES: u64 = 100;
/// A session in the answer to a ping: its number and its time-out.
const TOUCH_BYTES: u64 = 12;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        let more = match self {
            Msg::Learner(Learner::Touches(sessions)) => TOUCH_BYTES * sessions.len() as u64,
            Msg::Leader(Leader::Diff { entries, .. }) => PIECE_BYTES * entries.len() as u64,
            Msg::Server(Server::Reply { answer: Answer::Children(list), .. }) => {
                PIECE_BYTES * list.endpoints.len() as u64
            }
            Msg::Vote { .. }
            | Msg::Heard { .. }
            | Msg::Learner(
                Learner::Info { .. }
                | Learner::AckEpoch { .. }
                | Learner::AckLeader(_)
                | Learner::Ack(_)
                | Learner::Submit { .. }
                | Learner::Sync { .. }
                | Learner::Revalidate { .. },
            )
            | Msg::Leader(
                Leader::Info { .. }
                | Leader::UpToDate { .. }
                | Leader::Propose(_)
                | Leader::Commit(_)
                | Leader::Ping
                | Leader::Synced { .. }
                | Leader::Revalidated { .. },
            )
            | Msg::Client(_)
            | Msg::Server(
                Server::Connected { .. }
                | Server::Expired
                | Server::Pong
                | Server::Reply { .. }
                | Server::Event { .. }
                | Server::Gone { .. },
            ) => 0,
        };
        PIECE_BYTES + more
    }
}
