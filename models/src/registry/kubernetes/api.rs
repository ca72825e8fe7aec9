//! What API servers, kubelets, kube-proxies and containers tell each other.

use std::sync::Arc;

use schism_core::{NodeId, ZoneId};

use super::elector::Record;
use super::store::{PodName, PodView};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::registry::raft;

use super::store::Command;

/// One message of Kubernetes'.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// Between the members' etcds.
    Raft(raft::Message<Command>),
    /// A client calls an API server.
    Call {
        /// The client's number for the call.
        call: u32,
        /// What it wants.
        verb: Verb,
    },
    /// The answer.
    Answer {
        /// The client's number for the call.
        call: u32,
        /// What came of it.
        answer: Answer,
    },
    /// A kube-proxy wants every change of a service's slices after a revision.
    Watch {
        /// Which service.
        service: ServiceId,
        /// The revision.
        after: u64,
    },
    /// Changes of slices.
    Slices(Slices),
    /// There is no watch from so early on: 410 Gone, "too old resource version".
    Gone {
        /// Of which service.
        service: ServiceId,
    },
    /// A kubelet wants to be told of the pod on its node.
    WatchPod {
        /// Its instance's node.
        node: NodeId,
    },
    /// The pod on a node, if there is one.
    Pod(Option<PodView>),
    /// A ping of HTTP/2.
    Ping,
    /// The answer to it.
    Pong,
    /// A container runs, says its runtime.
    Running {
        /// Of which service.
        service: ServiceId,
        /// How it is reached.
        endpoint: Endpoint,
    },
    /// A kubelet that has just started asks whether a container runs.
    Inspect,
    /// A kubelet tells a container to end: SIGTERM.
    Terminate,
    /// The container has ended.
    Exited,
    /// The pod of this container is deleted: told where it is known, at the container, as if by whoever deletes it.
    Leave,
    /// A kubelet lets the container's witness know of the pod.
    Told(Told),
}

/// What a client wants of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    /// To renew a node's lease; the first time, to register the node.
    Beat {
        /// The instance's node.
        node: NodeId,
        /// Its zone.
        zone: ZoneId,
    },
    /// To post a node's status: that it is ready.
    Post {
        /// The instance's node.
        node: NodeId,
    },
    /// To write a pod's status, or to create the pod.
    Status {
        /// Which pod.
        pod: PodName,
        /// Of which service.
        service: ServiceId,
        /// How it is reached.
        endpoint: Endpoint,
        /// Whether it is ready.
        ready: bool,
    },
    /// To have a pod deleted, in order.
    Delete {
        /// Which pod.
        pod: PodName,
    },
    /// To remove a deleted pod whose containers have ended.
    Purge {
        /// Which pod.
        pod: PodName,
    },
    /// The Lease object of a lock. The real server asks a quorum of etcd's, and this one says what it has applied: who acts on
    /// an older state writes in vain.
    GetLease {
        /// The lock.
        lock: u32,
    },
    /// To write it, if it is still of the version that was read.
    WriteLease {
        /// The lock.
        lock: u32,
        /// Who holds it then.
        holder: u64,
        /// The version; 0 if there was none.
        version: u64,
        /// Whose that is. No real request says so; it is for the witnesses.
        by: NodeId,
    },
    /// The slices of a service.
    List {
        /// Which service.
        service: ServiceId,
    },
}

/// What an API server answers.
#[derive(Clone, Debug, Hash)]
pub enum Answer {
    /// It is done.
    Done,
    /// The Lease object of a lock, if there is one.
    Lease(Option<Record>),
    /// The endpoints of a service's slices that take requests, and of which state that is.
    Listing(u64, Arc<Listing>),
    /// It is not done.
    Failed(Failure),
}

/// Why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// etcd did not answer in time: 500, "etcdserver: request timed out".
    TimedOut,
    /// There are more requests than priority and fairness lets through: 429.
    TooMany,
    /// Something has gone wrong within the server: 500.
    Internal,
    /// There is no such pod, or another by now: 404 or 409.
    NotFound,
}

/// What is known of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Told {
    /// It is ready.
    Ready,
    /// It is not.
    NotReady,
    /// Its node's lease has been renewed.
    Renewed,
}

/// Changes of a service's endpoints that take requests, and the list that they lead to.
#[derive(Clone, Debug, Hash)]
pub struct Slices {
    /// The changes: at least one.
    pub changes: Vec<Change>,
    /// The list with all of them: one copy for all who have missed nothing.
    pub listing: Arc<Listing>,
}

impl Slices {
    /// Those that were made after a revision.
    pub fn after(&self, revision: u64) -> &[Change] {
        &self.changes[self.changes.partition_point(|change| change.revision <= revision)..]
    }
}

/// What a message takes on the wire, and each entry or endpoint in it: 300 bytes each, ours, as for an object of few
/// fields in protobuf under the headers of HTTP/2 and TLS.
const PIECE_BYTES: u64 = 300;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        let pieces = match self {
            Msg::Raft(message) => message.entries(),
            // A change tells its whole slice.
            Msg::Slices(slices) => slices.listing.endpoints.len().min(super::slices::MOST),
            Msg::Answer { answer: Answer::Listing(_, listing), .. } => listing.endpoints.len(),
            Msg::Call { .. }
            | Msg::Answer { answer: Answer::Done | Answer::Lease(_) | Answer::Failed(_), .. }
            | Msg::Watch { .. }
            | Msg::Gone { .. }
            | Msg::WatchPod { .. }
            | Msg::Pod(_)
            | Msg::Ping
            | Msg::Pong
            | Msg::Running { .. }
            | Msg::Inspect
            | Msg::Terminate
            | Msg::Exited
            | Msg::Leave
            | Msg::Told(_) => 0,
        };
        PIECE_BYTES * (1 + pieces as u64)
    }
}
