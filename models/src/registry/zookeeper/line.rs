//! Lines: the sequential ephemeral nodes under each lock's parent, whose lowest is the holder's; and the nodes that clients
//! share.

use std::collections::BTreeMap;

use schism_core::NodeId;

use super::tree::SessionId;
use super::zxid::Zxid;
use crate::observation::{Cause, Value, Write};
use crate::registry::Pair;

/// What a client asks of a lock (zookeeper-docs, recipes.md, "Locks", 3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To create its sequential ephemeral node.
    Stand {
        /// The lock.
        lock: u32,
    },
    /// To delete it.
    Step {
        /// The lock.
        lock: u32,
        /// The node's number.
        number: u32,
    },
    /// Which node has the next lower number (`getChildren`, without a watch).
    Before {
        /// The lock.
        lock: u32,
        /// Lower than this.
        number: u32,
    },
    /// Which node is the session's own, after the answer to its creation was lost (Curator's protection by a GUID;
    /// curator-framework, CreateBuilderImpl.java, `findProtectedNodeInForeground`).
    Mine {
        /// The lock.
        lock: u32,
    },
    /// Whether a node is there, and to be told when it is not any more (`exists`, with a watch).
    Exists {
        /// The lock.
        lock: u32,
        /// The node's number.
        number: u32,
    },
}

/// What a server answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The number of the node that was created.
    Stands(u32),
    /// It is deleted.
    Stepped,
    /// The number of the node that was looked for, if there is one.
    Found(Option<u32>),
    /// Whether it is there.
    Exists(bool),
}

/// One node under a lock's parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stander {
    /// The lock.
    pub lock: u32,
    /// The node's number.
    pub number: u32,
    /// The session that it belongs to.
    pub session: SessionId,
    /// Whose that is, for the witnesses alone.
    pub by: NodeId,
}

/// All lines and shared nodes as of a transaction.
#[derive(Clone, Debug, Default)]
pub struct Lines {
    standing: Vec<Stander>,
    /// The number that the next node under a parent gets (`cversion`).
    next: BTreeMap<u32, u32>,
    /// The transaction that wrote a node last (`mzxid`), and what.
    values: BTreeMap<u32, (u64, Value)>,
}

impl Lines {
    /// A session's node is created, with the next number.
    pub fn stand(&mut self, lock: u32, session: SessionId, by: NodeId) -> Write {
        let next = self.next.entry(lock).or_default();
        self.standing.push(Stander { lock, number: *next, session, by });
        *next += 1;
        Write::Claim { by, lock }
    }

    /// Those nodes are deleted that meet a condition: which.
    pub fn remove(&mut self, is: impl Fn(&Stander) -> bool) -> Vec<Stander> {
        self.standing.extract_if(.., |stander| is(stander)).collect()
    }

    /// The next lower node of a lock's.
    pub fn before(&self, lock: u32, number: u32) -> Option<u32> {
        self.of(lock).filter(|stander| stander.number < number).map(|stander| stander.number).max()
    }

    /// A session's node.
    pub fn mine(&self, lock: u32, session: SessionId) -> Option<u32> {
        self.of(lock).filter(|stander| stander.session == session).map(|stander| stander.number).max()
    }

    /// Whether a node is there.
    pub fn exists(&self, lock: u32, number: u32) -> bool {
        self.of(lock).any(|stander| stander.number == number)
    }

    /// A shared node is written.
    pub fn put(&mut self, zxid: Zxid, Pair { key, value }: Pair) {
        self.values.insert(key, (zxid.revision(), value));
    }

    /// When a shared node was written last, and what.
    pub fn value(&self, key: u32) -> Option<(u64, Value)> {
        self.values.get(&key).copied()
    }

    /// What another state has taken from those who stood here.
    pub fn lost_to<'a>(&'a self, other: &'a Lines) -> impl Iterator<Item = Write> + 'a {
        let lost = self.standing.iter().filter(|stander| !other.standing.contains(stander));
        lost.map(|stander| stander.release(Cause::Lost))
    }

    fn of(&self, lock: u32) -> impl Iterator<Item = &Stander> {
        self.standing.iter().filter(move |stander| stander.lock == lock)
    }
}

impl Stander {
    /// What its end is, to the witnesses.
    pub fn release(&self, cause: Cause) -> Write {
        Write::Release { by: self.by, lock: self.lock, cause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_behind_the_one_before_and_numbers_never_come_again() {
        let mut lines = Lines::default();
        for session in [1, 2, 3] {
            lines.stand(0, SessionId(session), NodeId(session as u32));
        }
        assert_eq!((lines.before(0, 2), lines.before(0, 1), lines.before(0, 0)), (Some(1), Some(0), None));
        assert_eq!(lines.remove(|stander| stander.session == SessionId(2)).len(), 1);
        assert_eq!((lines.before(0, 2), lines.exists(0, 1)), (Some(0), false));
        lines.stand(0, SessionId(2), NodeId(2));
        assert_eq!((lines.mine(0, SessionId(2)), lines.mine(1, SessionId(2))), (Some(3), None));
    }
}
