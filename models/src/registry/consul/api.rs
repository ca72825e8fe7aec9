//! What servers, agents and their clients tell each other, remind themselves of, and keep on disk.

use std::sync::Arc;

use schism_core::{Durable, Duration, NodeId};

use super::catalog::{Command, Host, Registration, Status};
use super::{Mode, entropy, gossip, keys, raft};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::observation::{Cause, Value};
use crate::registry::Pair;
use crate::registry::raft::log;

/// One message of Consul's.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// Between servers.
    Raft(raft::Message<Command>),
    /// Between servers and agents.
    Gossip(gossip::Packet),
    /// A server is asked: by an agent, by another server or over HTTP by a client.
    Ask {
        /// The asker's number for it.
        call: u32,
        /// What.
        ask: Ask,
    },
    /// It answers.
    Answer {
        /// The asker's number for it.
        call: u32,
        /// What.
        answer: Answer,
    },
    /// An instance tells the agent on its host something.
    Tell {
        /// The instance's number for it.
        call: u32,
        /// What.
        tell: Tell,
    },
    /// The agent answers.
    Told {
        /// The instance's number for it.
        call: u32,
        /// Whether it knows what this is about.
        known: bool,
    },
    /// Is someone at the other end?
    Ping,
    /// Someone is.
    Pong,
    /// TCP asks whether the other end is there.
    Probe,
    /// TCP answers that it is.
    Probed,
}

/// What a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// What it has of a host; it may be stale (agent/local/state.go, `updateSyncState`). Two questions in the real
    /// system, for services and for checks.
    Host(NodeId),
    /// To write something into the catalog.
    Register(Registration),
    /// To take a service off it.
    Remove {
        /// Of which host.
        host: NodeId,
        /// Why. No real request says so; it is for the witnesses.
        cause: Cause,
    },
    /// The instances of a service.
    List {
        /// Which.
        service: ServiceId,
        /// How it is read.
        mode: Mode,
        /// Wait until there is something later than this; 0 is not to wait.
        index: u64,
        /// No longer than this.
        wait: Duration,
    },
    /// To write a key: one that others read and write, too, or one of the client's own.
    Put(Option<Pair>),
    /// To read one.
    Get(Mode, Option<u32>),
    /// Something about sessions and locks.
    Key(keys::Ask),
}

impl Ask {
    /// How it is read, if it only reads.
    pub fn mode(&self) -> Option<Mode> {
        match *self {
            Ask::Host(_) => Some(Mode::Stale),
            Ask::List { mode, .. } | Ask::Get(mode, _) | Ask::Key(keys::Ask::Look { mode, .. }) => Some(mode),
            Ask::Register(_) | Ask::Remove { .. } | Ask::Put(_) | Ask::Key(_) => None,
        }
    }

    /// For how long it may block.
    pub fn blocks(&self) -> Duration {
        match *self {
            Ask::List { index: 1.., wait, .. } | Ask::Key(keys::Ask::Look { index: 1.., wait, .. }) => wait,
            Ask::List { .. }
            | Ask::Host(_)
            | Ask::Register(_)
            | Ask::Remove { .. }
            | Ask::Put(_)
            | Ask::Key(_)
            | Ask::Get(..) => Duration::ZERO,
        }
    }
}

/// What a server answers.
#[derive(Clone, Debug, Hash)]
pub enum Answer {
    /// What it has of the host.
    Host(Option<Host>),
    /// The instances.
    Found(Arc<Found>),
    /// It is done.
    Done,
    /// A key was written, by this entry of the log. A real answer says only that it was; `/v1/txn` says this.
    Put {
        /// `ModifyIndex`.
        index: u64,
    },
    /// What a key holds, and the entry that wrote it (`ModifyIndex`).
    Value(Option<(u64, Value)>),
    /// Something about sessions and locks.
    Key(keys::Answer),
    /// It is not.
    Failed(Failure),
}

/// The instances of a service, as of an index.
#[derive(Clone, Debug, Hash)]
pub struct Found {
    /// `X-Consul-Index`.
    pub index: u64,
    /// `X-Consul-LastContact`: how long ago this server last heard of its leader.
    pub last_contact: Duration,
    /// The instances.
    pub listing: Arc<Listing>,
    /// How the list came to be that of the index that was asked with. No real answer says so: a real client compares the
    /// lists. Nothing, if a fault has made the list other than any server's state.
    pub trail: Option<Trail>,
}

/// How a list came about.
#[derive(Clone, Debug, Hash)]
pub struct Trail {
    /// Of which catalog: a restored snapshot begins another.
    pub generation: u32,
    /// What has changed after the index that was asked with.
    pub changes: Arc<[Change]>,
}

/// Why a server could not do what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Nobody leads, as far as is known ("No cluster leader").
    NoLeader,
    /// The connection to the leader broke, or it ceased to lead: whether it has happened is not known.
    Lost,
    /// There are more requests than the server takes ("Resource Exhausted", 429).
    Overloaded,
    /// Something has gone wrong within the server.
    Internal,
}

/// What an instance tells the agent on its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tell {
    /// To register a service with a check that has a time to live.
    Register(ServiceId, Endpoint),
    /// The check passes.
    Pass,
    /// To take the service off.
    Deregister,
}

/// What a message takes on the wire, and each entry, change or endpoint in it: 200 bytes each, ours, as for etcd. An
/// instance in an answer of `/v1/health/service` is JSON of some 1,500 bytes.
const PIECE_BYTES: u64 = 200;
const ENTRY_BYTES: u64 = 1_500;
/// A segment without data: headers of IP and TCP.
const PROBE_BYTES: u64 = 52;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        match self {
            Msg::Raft(message) => PIECE_BYTES * (1 + message.entries() as u64),
            Msg::Gossip(packet) => packet.size(&gossip::Config::lan()),
            Msg::Answer { answer: Answer::Found(found), .. } => {
                PIECE_BYTES + ENTRY_BYTES * found.listing.endpoints.len() as u64
            }
            Msg::Ask { .. }
            | Msg::Answer {
                answer:
                    Answer::Host(_)
                    | Answer::Done
                    | Answer::Put { .. }
                    | Answer::Value(_)
                    | Answer::Key(_)
                    | Answer::Failed(_),
                ..
            }
            | Msg::Tell { .. }
            | Msg::Told { .. }
            | Msg::Ping
            | Msg::Pong => PIECE_BYTES,
            Msg::Probe | Msg::Probed => PROBE_BYTES,
        }
    }
}

/// What processes of Consul's and its clients remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// Raft's own.
    Raft(raft::Alarm),
    /// The gossip's own.
    Gossip(gossip::Timer),
    /// Anti-entropy's own.
    Entropy(entropy::Alarm),
    /// A connection may have been silent for too long.
    Pulse(u32),
    /// A call may have taken too long, or may be tried again.
    Call(u32),
    /// It is time to try again.
    Retry(u32),
    /// A server's disk has what it was given.
    Synced,
    /// Blocking queries may have waited for long enough.
    Wake,
    /// A leader compares the catalog with the members of the cluster.
    Reconcile(u32),
    /// It is time to show a change of some time ago.
    Lag,
    /// A check may have missed its time to live.
    Ttl,
    /// The time to look for services that have been critical for too long.
    Reap,
    /// What varies in a check's output is to be told.
    Tell(u32),
    /// An instance begins, or says that it passes.
    Pass(u32),
    /// It is time for what a failpoint has put off.
    Late(u32),
    /// The time of sessions may be up.
    Session,
    /// Someone has waited for long enough for a key to change.
    Look(u32),
    /// A client renews its session.
    Renew(u32),
}

/// What a process of Consul's keeps on its disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// A server's log.
    pub log: log::Disk<Command>,
    /// An agent's services and checks.
    pub kept: Option<Kept>,
}

/// What an agent keeps: the definitions of its service and check, and what the check last said (agent/agent.go,
/// `persistService`, `persistCheck`, `persistCheckState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Kept {
    /// What runs on the host.
    pub service: Option<(ServiceId, Endpoint)>,
    /// What its check said, and until when that holds, by the wall clock.
    pub said: Option<(Status, schism_core::Time)>,
}

/// One write to such a disk.
#[derive(Clone, Debug)]
pub enum Record {
    /// A server's.
    Log(log::Record<Command>),
    /// An agent's.
    Kept(Kept),
}

impl Durable for Disk {
    type Record = Record;

    fn apply(&mut self, record: Record) {
        match record {
            Record::Log(record) => self.log.apply(record),
            Record::Kept(kept) => self.kept = Some(kept),
        }
    }
}
