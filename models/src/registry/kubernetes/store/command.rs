//! What entries of etcd's log do to the objects of the API, and what that comes to.

use schism_core::{NodeId, ZoneId};

use super::PodName;
use crate::listing::{Change, Endpoint, ServiceId};
use crate::observation::{Cause, Write};
use crate::registry::kubernetes::elector::Record;
use crate::registry::kubernetes::lifecycle::{Ready, Taint};
use crate::registry::kubernetes::slices::Slice;

/// What a log entry does to the objects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A kubelet renews its node's lease; the first time, it registers the node.
    Beat {
        /// The instance's node.
        node: NodeId,
        /// Its zone.
        zone: ZoneId,
    },
    /// A node's condition is written.
    Condition {
        /// The instance's node.
        node: NodeId,
        /// What it is.
        ready: Ready,
    },
    /// A node's taint is written.
    Taint {
        /// The instance's node.
        node: NodeId,
        /// What it is.
        taint: Taint,
    },
    /// A kubelet creates a pod, or writes its status.
    Status {
        /// Which.
        pod: PodName,
        /// Of which service.
        service: ServiceId,
        /// How it is reached.
        endpoint: Endpoint,
        /// Whether it is ready.
        ready: bool,
    },
    /// A controller writes that whatever pod is on a node is not ready.
    Unready {
        /// The instance's node.
        node: NodeId,
    },
    /// A pod is to be deleted.
    Delete {
        /// Which.
        pod: PodName,
        /// Why.
        cause: Cause,
    },
    /// A deleted pod is gone.
    Purge {
        /// Which.
        pod: PodName,
    },
    /// A slice is written, or deleted.
    Slice {
        /// Of which service.
        service: ServiceId,
        /// Its number there.
        number: u32,
        /// What is in it.
        slice: Option<Slice>,
    },
    /// A controller manager takes or renews the lease of the active one.
    Lead {
        /// Who.
        holder: u64,
        /// The version that it has seen: 0 if there was none.
        version: u64,
    },
    /// A client takes, renews or gives up a lock.
    Lock {
        /// Which.
        lock: u32,
        /// Who holds it then; 0 is nobody.
        holder: u64,
        /// The version that it has seen: 0 if there was none.
        version: u64,
        /// Whose wish that is, for the witnesses alone.
        by: NodeId,
    },
    /// Changes of slices before a revision are forgotten.
    Compact {
        /// The revision.
        revision: u64,
    },
}

/// What applying a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: what it is about is not there, or not as it was.
    Refused,
    /// A node was heard of: for the first time, or again.
    Beat(Heard),
    /// A node's condition or taint is another.
    Node(NodeId),
    /// A pod is another.
    Pod(ServiceId, NodeId),
    /// A slice is another: what that means for who is registered, and for the list.
    Slice(ServiceId, Vec<Write>, Vec<Change>),
    /// The lease of the active controller manager is this.
    Lead(Record),
    /// The Lease object of a lock is this: what that means for who holds it.
    Lock(Record, Vec<Write>),
    /// Nothing that anyone sees.
    Unseen,
}

/// Whether a node is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It has registered.
    First,
    /// Its lease was renewed.
    Again,
}
