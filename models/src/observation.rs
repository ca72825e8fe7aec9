//! Observations: what nodes tell the witnesses. The vocabulary of metrics, beliefs and oracles.

use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use crate::holdings::Holding;
use crate::listing::{Listing, ServiceId};

/// Something that a node has just seen, done or come to believe.
#[derive(Clone, Debug)]
pub enum Observation {
    /// A client has a new request to make.
    Offered,
    /// A client sent one attempt of a request.
    Attempt {
        /// To which instance, or to which member of the registry.
        to: NodeId,
        /// The client's number for the request.
        request: u32,
        /// The request's key, if its client's group has keys that requests share, and the instance was picked just now: those are
        /// numbered from 0.
        key: Option<u32>,
    },
    /// A request is over for its client.
    Done {
        /// The true moment at which it was offered.
        offered: Time,
        /// How it ended.
        outcome: Outcome,
    },
    /// An instance has served one attempt.
    Served {
        /// How long it waited in the queue, in true time.
        waited: Duration,
        /// How long it was served, in true time.
        took: Duration,
    },

    /// A client or registry member now holds this list, and believes just those instances of its service to be up.
    View(Arc<Listing>),
    /// A client or registry member that holds a list has changed its mind about one instance.
    Believes {
        /// The instance's service.
        service: ServiceId,
        /// The instance.
        subject: NodeId,
        /// Up, or gone.
        up: bool,
    },
    /// A client's list has run out, and it has asked for another in vain: it believes nothing.
    Blind(ServiceId),

    /// An instance has been told that it is registered.
    Registered,
    /// An instance has been told that its lease lives on.
    Renewed,
    /// An instance has learnt that its lease is gone.
    LeaseLost,

    /// A registry member has become the leader of a term.
    Leads {
        /// The term.
        term: u64,
    },
    /// A registry member has ceased to lead.
    Deposed {
        /// The term in which it ceased.
        term: u64,
    },
    /// A registry member has served a read.
    Read,
    /// A registry member has applied a committed write. Every member does, sooner or later; the first to do so with a
    /// number is the moment of the commit.
    Committed {
        /// The number of the write, in the order of the log.
        at: u64,
        /// What was written.
        write: Write,
    },
    /// A registry member that asks nobody first has written to its own table. An instance is registered for as long as
    /// any live member of such a registry lists it.
    Wrote(Write),
    /// The leader has extended a lease.
    Extended,

    /// A node of a registry that gossips thinks otherwise of another from now on.
    Deems {
        /// Of whom; of an agent, the instance whose host it shares.
        subject: NodeId,
        /// What it thinks now.
        standing: Standing,
    },

    /// A client believes from now on that it holds a lock.
    Acquired {
        /// Which lock.
        lock: u32,
        /// The number that came with it: larger than those of all holders before.
        token: u64,
    },
    /// A client that held a lock has done what it wanted it for, and gives it back: it believes in it no longer.
    Released {
        /// Which lock.
        lock: u32,
    },
    /// A client that believed that it held a lock has learnt that it does not, or no longer trusts that it does.
    LockLost {
        /// Which lock.
        lock: u32,
    },
    /// What a lock guards has accepted a write.
    GuardedWrite {
        /// Which lock.
        lock: u32,
        /// The writer's number for its hold of the lock.
        token: u64,
        /// Who wrote.
        by: NodeId,
    },

    /// A client has asked to read or to write a key of the registry's that others use, too.
    Called {
        /// The client's number for the call, which with the client's own is the value that a write writes.
        call: u32,
        /// The key.
        key: u32,
        /// What for.
        act: Act,
        /// The member or server that was asked.
        to: NodeId,
    },
    /// A write of a key has been answered.
    Written {
        /// The client's number for the call.
        call: u32,
        /// The registry's number for the write.
        revision: u64,
    },
    /// A read of a key has been answered.
    Fetched {
        /// The client's number for the call.
        call: u32,
        /// The registry's number for the write that was read; 0 if the key had not been written.
        revision: u64,
        /// What that wrote.
        value: Value,
    },
    /// A call for a key is over and nothing is known of it: a write may have happened, or may happen yet.
    Unanswered {
        /// The client's number for the call.
        call: u32,
    },
    /// How much a process holds of something now. It says that of no doing of its own: who drives it has looked, between
    /// two events, where somebody wants to know.
    Holds {
        /// Of what: not of requests, which are observed one by one.
        what: Holding,
        /// How much.
        many: u32,
    },
    /// A client has learnt with an answer how far the registry is: the revision of the state that the answer is from.
    Saw {
        /// The client's number for the request that was answered.
        request: u32,
        /// The revision.
        revision: u64,
    },
}

/// What a node that gossips thinks of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It has not answered: it is dead, unless it says otherwise in time.
    Suspect,
    /// It was suspected, and has said otherwise.
    Cleared,
    /// It has not said otherwise in time.
    Dead,
}

/// What a key of the registry's is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// To learn what was written last.
    Read,
    /// To write what nobody else has written: the client's number and that of the call.
    Write,
}

/// What a key holds: who wrote it, and in which call of its own, so that no two writes are of the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(u64);

impl Value {
    /// What a client writes with a call.
    pub fn of(client: NodeId, call: u32) -> Value {
        Value(u64::from(client.0) << 32 | u64::from(call))
    }

    /// Who wrote it.
    pub fn author(self) -> NodeId {
        NodeId((self.0 >> 32) as u32)
    }

    /// In which call of its own.
    pub fn call(self) -> u32 {
        self.0 as u32
    }
}

/// A committed write to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// A lease was granted.
    Grant,
    /// An instance's key was written.
    Register(NodeId),
    /// An instance's key was removed.
    Remove(NodeId, Cause),
    /// A registered instance no longer counts as healthy: it stays, but is not offered to who asks for healthy ones.
    Fail(NodeId),
    /// A registered instance counts as healthy again.
    Recover(NodeId),
    /// A lease that held no key any more was removed.
    Revoke(Cause),
    /// Some other key was written.
    Put,
    /// A client's claim on a lock was taken: it holds it, or waits for it in line.
    Claim {
        /// Whose.
        by: NodeId,
        /// On which lock.
        lock: u32,
    },
    /// A client's claim on a lock is gone: it neither holds it nor waits for it.
    Release {
        /// Whose.
        by: NodeId,
        /// On which lock.
        lock: u32,
        /// Why.
        cause: Cause,
    },
}

impl Write {
    /// The instance whose registration it changes, if it does.
    pub fn instance(self) -> Option<NodeId> {
        match self {
            Write::Register(node) | Write::Remove(node, _) | Write::Fail(node) | Write::Recover(node) => {
                Some(node)
            }
            Write::Grant | Write::Revoke(_) | Write::Put | Write::Claim { .. } | Write::Release { .. } => {
                None
            }
        }
    }
}

/// Why a lease or its key was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Its time was up.
    Expired,
    /// Its holder asked for it.
    Revoked,
    /// It was lost without its holder's doing: deleted by someone else, or not in the backup that was restored.
    Lost,
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was answered.
    Success,
    /// An attempt was not answered in time.
    Timeout,
    /// The instance's host refused or reset the connection.
    Connect,
    /// The instance had no room, or the registry answered that it would not.
    Rejected,
    /// No instance was known, or none could be learnt in time.
    NoEndpoint,
    /// The request's own deadline passed.
    Deadline,
    /// The instance took the request and answered with an error.
    Failed,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_three_words() {
        assert_eq!(size_of::<Observation>(), 24);
    }
}
