//! Claims: the keys under a lock's prefix, whose oldest is the holder's, as the Go client's mutex has them.

use std::collections::BTreeMap;

use schism_core::NodeId;

use super::api::Header;
use super::store::LeaseId;

/// What a client asks of claims (client/v3/concurrency/mutex.go and key.go, v3.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// To put its key under the prefix, unless it is there, and who is first (`tryAcquire`, a transaction).
    Take {
        /// The lock.
        lock: u32,
        /// The lease that the key belongs to, and is named after.
        lease: LeaseId,
    },
    /// To delete its key (`Unlock`).
    Drop {
        /// The lock.
        lock: u32,
        /// The lease that the key is named after.
        lease: LeaseId,
    },
    /// Which key was created last before a revision (`waitDeletes`: `WithLastCreate`, `WithMaxCreateRev`).
    Before {
        /// The lock.
        lock: u32,
        /// The revision.
        revision: u64,
    },
    /// Whether its key is still there (`Lock`: "make sure the session is not expired").
    Mine {
        /// The lock.
        lock: u32,
        /// The lease that the key is named after.
        lease: LeaseId,
    },
}

/// What a member answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// The key is there.
    Taken {
        /// The revision that it was created at.
        mine: u64,
        /// The same of the oldest under the prefix.
        first: u64,
    },
    /// The key is not there any more.
    Dropped,
    /// The key that was looked for, if there is one: when it was created, and the lease that it is named after.
    Found(Header, Option<(u64, LeaseId)>),
}

/// What a log entry does to claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A key is written, unless it is there, and belongs to a lease.
    Take {
        /// The lock.
        lock: u32,
        /// The lease.
        lease: LeaseId,
        /// Who asked for it, for the witnesses alone.
        by: NodeId,
    },
    /// A key is deleted.
    Drop {
        /// The lock.
        lock: u32,
        /// The lease that the key is named after.
        lease: LeaseId,
    },
}

/// One key under a lock's prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The lock.
    pub lock: u32,
    /// The revision that it was created at.
    pub created: u64,
    /// The lease that it belongs to, and is named after.
    pub lease: LeaseId,
    /// Whose it is, for the witnesses alone.
    pub by: NodeId,
}

/// All claims, by lock, and oldest first.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    lines: BTreeMap<u32, Vec<Claim>>,
}

impl Claims {
    /// A claim that is younger than all.
    pub fn add(&mut self, claim: Claim) {
        let line = self.lines.entry(claim.lock).or_default();
        assert!(line.last().is_none_or(|last| last.created < claim.created), "revisions grow");
        line.push(claim);
    }

    /// The claim of a lease on a lock.
    pub fn of(&self, lock: u32, lease: LeaseId) -> Option<&Claim> {
        self.line(lock).iter().find(|claim| claim.lease == lease)
    }

    /// The oldest claim on a lock: the holder's.
    pub fn first(&self, lock: u32) -> Option<&Claim> {
        self.line(lock).first()
    }

    /// The claim on a lock that was made last before a revision.
    pub fn before(&self, lock: u32, revision: u64) -> Option<&Claim> {
        self.line(lock).iter().rfind(|claim| claim.created < revision)
    }

    /// Takes those away that meet a condition: which they were.
    pub fn remove(&mut self, is: impl Fn(&Claim) -> bool) -> Vec<Claim> {
        let removed =
            self.lines.values_mut().flat_map(|line| line.extract_if(.., |claim| is(claim))).collect();
        self.lines.retain(|_, line| !line.is_empty());
        removed
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Claim> {
        self.lines.values().flatten()
    }

    fn line(&self, lock: u32) -> &[Claim] {
        self.lines.get(&lock).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_holds_and_each_waits_for_the_one_before() {
        let mut claims = Claims::default();
        for (created, lease) in [(4, 1), (7, 2), (9, 3)] {
            claims.add(Claim { lock: 0, created, lease: LeaseId(lease), by: NodeId(lease as u32) });
        }
        let before = |claims: &Claims, revision| claims.before(0, revision).map(|claim| claim.lease.0);
        assert_eq!(claims.first(0).map(|claim| claim.created), Some(4));
        assert_eq!((before(&claims, 9), before(&claims, 7), before(&claims, 4)), (Some(2), Some(1), None));
        assert_eq!(claims.remove(|claim| claim.lease == LeaseId(2)).len(), 1);
        assert_eq!(before(&claims, 9), Some(1));
        assert_eq!((claims.of(0, LeaseId(2)), claims.first(1)), (None, None));
    }
}
