//! The store: what the log says once it is applied. The same at every member, sooner or later.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schism_core::{Duration, NodeId};

use super::api::Header;
use super::claims::{self, Claim, Claims};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::observation::{Cause, Value, Write};
use crate::registry::Pair;

/// A lease's number: in its highest byte the member's that granted it, below that how many it had.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeaseId(pub u64);

impl fmt::Debug for LeaseId {
    /// `Lease(2.17)`: the seventeenth of the third member's.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Lease({}.{})", self.0 >> 56, self.0 & (u64::MAX >> 8))
    }
}

/// What a log entry does to the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// A lease begins.
    Grant {
        /// Its number.
        lease: LeaseId,
        /// Its time to live.
        ttl: Duration,
    },
    /// An instance's key is written, and belongs to a lease from now on.
    Register {
        /// The instance's service.
        service: ServiceId,
        /// The value.
        endpoint: Endpoint,
        /// The lease.
        lease: LeaseId,
    },
    /// Some other key is written; nobody else's, if it has no number.
    Put(Option<Pair>),
    /// A key that stands for a claim on a lock is written or deleted.
    Claim(claims::Command),
    /// It is written down how much is left of a lease; nothing, if its whole time to live is again.
    Checkpoint {
        /// Its number.
        lease: LeaseId,
        /// What is left.
        left: Option<Duration>,
    },
    /// A lease ends, and its keys go with it.
    Revoke {
        /// Its number.
        lease: LeaseId,
        /// Why.
        cause: Cause,
    },
    /// An instance's key is deleted, though its lease lives on.
    Delete {
        /// The instance.
        node: NodeId,
    },
    /// Changes before a revision are forgotten, as far as they are no longer the state.
    Compact {
        /// The revision.
        revision: u64,
    },
    /// The store is what it was after an earlier entry, as a backup that was taken then has it.
    Restore {
        /// The index of that entry.
        index: u64,
    },
}

/// What applying a command did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A write that no list shows.
    Wrote(Write),
    /// A change of a service's list.
    Listed(Write, ServiceId, Change),
    /// Claims on locks are gone.
    Freed(Vec<Claim>, Cause),
    /// Nothing: the lease was not there.
    LeaseNotFound,
    /// Nothing that a read of the present shows.
    Unseen,
    /// The state is another's: as if these writes had been made at once.
    Restored(Vec<Write>),
}

/// What is watched after a revision that has been compacted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// The first revision from which a watch is possible.
    pub revision: u64,
}

/// Keys, leases and lists as of a revision.
#[derive(Clone, Debug)]
pub struct Store {
    cluster: u32,
    revision: u64,
    compacted: u64,
    /// How many writes there have been that the witnesses are told of.
    writes: u64,
    leases: BTreeMap<LeaseId, Lease>,
    keys: BTreeMap<NodeId, Registration>,
    claims: Claims,
    /// Keys that clients share: when each was written last, and what.
    values: BTreeMap<u32, (u64, Value)>,
    services: Vec<Service>,
}

#[derive(Clone, Debug)]
struct Lease {
    ttl: Duration,
    /// What was left of it when that was written down last.
    left: Option<Duration>,
    key: Option<NodeId>,
}

#[derive(Clone, Copy, Debug)]
struct Registration {
    service: ServiceId,
    endpoint: Endpoint,
    lease: LeaseId,
}

#[derive(Clone, Debug)]
struct Service {
    listing: Arc<Listing>,
    history: Vec<Change>,
}

impl Store {
    /// An empty store for so many services. A fresh etcd is at revision 1.
    pub fn new(services: u16) -> Store {
        let service = |number| Service {
            listing: Arc::new(Listing { service: ServiceId(number), revision: 1, endpoints: Vec::new() }),
            history: Vec::new(),
        };
        Store {
            cluster: 0,
            revision: 1,
            compacted: 0,
            writes: 0,
            leases: BTreeMap::new(),
            keys: BTreeMap::new(),
            claims: Claims::default(),
            values: BTreeMap::new(),
            services: (0..services).map(service).collect(),
        }
    }

    /// The cluster: 0, and one more with each backup that was restored.
    pub fn cluster(&self) -> u32 {
        self.cluster
    }

    /// The revision: how many writes of keys there have been, and one. And of which cluster.
    pub fn header(&self) -> Header {
        Header { cluster: Some(self.cluster), revision: self.revision }
    }

    /// How many writes there have been that the witnesses are told of: the number of the last.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// Changes before this revision are forgotten; 0 if none are.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Whether an instance has a key.
    pub fn has_key(&self, node: NodeId) -> bool {
        self.keys.contains_key(&node)
    }

    /// The claims on locks.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// When a key was written last, and what; nothing, if it was not.
    pub fn value(&self, key: u32) -> Option<(u64, Value)> {
        self.values.get(&key).copied()
    }

    /// All leases with their time to live.
    pub fn leases(&self) -> impl Iterator<Item = (LeaseId, Duration)> + '_ {
        self.leases.iter().map(|(&id, lease)| (id, lease.ttl))
    }

    /// All leases with what is left of them for a new leader: their whole time to live, unless less was written down.
    pub fn leases_left(&self) -> impl Iterator<Item = (LeaseId, Duration)> + '_ {
        self.leases.iter().map(|(&id, lease)| (id, lease.left.unwrap_or(lease.ttl)))
    }

    /// Whether it was written down that less than its whole time to live is left of a lease.
    pub fn is_checkpointed(&self, lease: LeaseId) -> bool {
        self.leases.get(&lease).is_some_and(|lease| lease.left.is_some())
    }

    /// A lease's time to live, if there is such a lease.
    pub fn ttl(&self, lease: LeaseId) -> Option<Duration> {
        self.leases.get(&lease).map(|lease| lease.ttl)
    }

    /// The list of a service.
    pub fn listing(&self, service: ServiceId) -> &Arc<Listing> {
        &self.services[service.0 as usize].listing
    }

    /// The lists of all services.
    pub fn listings(&self) -> impl Iterator<Item = &Arc<Listing>> {
        self.services.iter().map(|service| &service.listing)
    }

    /// What has changed in a service's list after a revision.
    ///
    /// # Errors
    /// If some of it has been forgotten: a watch begins no sooner than at the revision of the last compaction
    /// (server/storage/mvcc/watcher_group.go, `chooseAll`: `w.minRev < compactRev`, v3.6).
    pub fn changes_after(&self, service: ServiceId, revision: u64) -> Result<&[Change], Compacted> {
        if revision + 1 < self.compacted {
            return Err(Compacted { revision: self.compacted });
        }
        let history = &self.services[service.0 as usize].history;
        Ok(&history[history.partition_point(|change| change.revision <= revision)..])
    }

    /// Does what an entry of the log says. `backup` gives the store as it was after an earlier entry.
    pub fn apply(&mut self, command: &Command, backup: impl FnOnce(u64) -> Store) -> Effect {
        let effect = match *command {
            Command::Grant { lease, ttl } => {
                self.leases.insert(lease, Lease { ttl, left: None, key: None });
                Effect::Wrote(Write::Grant)
            }
            Command::Register { service, endpoint, lease } => self.register(service, endpoint, lease),
            Command::Put(pair) => {
                self.revision += 1;
                self.values.extend(pair.map(|Pair { key, value }| (key, (self.revision, value))));
                Effect::Wrote(Write::Put)
            }
            Command::Claim(claims::Command::Take { lock, lease, by }) => self.claim(lock, lease, by),
            Command::Claim(claims::Command::Drop { lock, lease }) => {
                self.free(Cause::Revoked, |claim| claim.lock == lock && claim.lease == lease)
            }
            Command::Checkpoint { lease, left } => {
                if let Some(lease) = self.leases.get_mut(&lease) {
                    lease.left = left;
                }
                Effect::Unseen
            }
            Command::Revoke { lease, cause } => self.revoke(lease, cause),
            Command::Delete { node } => self.delete(node),
            Command::Compact { revision } => self.compact(revision),
            Command::Restore { index } => self.restore(backup(index)),
        };
        self.writes += match &effect {
            Effect::Wrote(_) | Effect::Listed(..) => 1,
            Effect::Freed(claims, _) => claims.len() as u64,
            Effect::Restored(writes) => writes.len() as u64,
            Effect::LeaseNotFound | Effect::Unseen => 0,
        };
        effect
    }

    fn register(&mut self, service: ServiceId, endpoint: Endpoint, lease: LeaseId) -> Effect {
        let Some(held) = self.leases.get_mut(&lease) else { return Effect::LeaseNotFound };
        held.key = Some(endpoint.node);
        let registration = Registration { service, endpoint, lease };
        if let Some(before) = self.keys.insert(endpoint.node, registration)
            && before.lease != lease
            && let Some(old) = self.leases.get_mut(&before.lease)
        {
            // The key belongs to one lease at a time: the old one's end no longer takes it along.
            old.key = None;
        }
        self.list(Write::Register(endpoint.node), service, endpoint, true)
    }

    fn revoke(&mut self, lease: LeaseId, cause: Cause) -> Effect {
        let Some(gone) = self.leases.remove(&lease) else { return Effect::LeaseNotFound };
        match gone.key.and_then(|node| self.keys.remove(&node)) {
            Some(Registration { service, endpoint, .. }) => {
                self.list(Write::Remove(endpoint.node, cause), service, endpoint, false)
            }
            None => {
                let freed = self.free(cause, |claim| claim.lease == lease);
                let is_bare = matches!(freed, Effect::Unseen);
                if is_bare { Effect::Wrote(Write::Revoke(cause)) } else { freed }
            }
        }
    }

    /// A key that is there stays as it is.
    fn claim(&mut self, lock: u32, lease: LeaseId, by: NodeId) -> Effect {
        if !self.leases.contains_key(&lease) {
            return Effect::LeaseNotFound;
        }
        if self.claims.of(lock, lease).is_some() {
            return Effect::Unseen;
        }
        self.revision += 1;
        self.claims.add(Claim { lock, created: self.revision, lease, by });
        Effect::Wrote(Write::Claim { by, lock })
    }

    /// What one entry deletes goes with one revision.
    fn free(&mut self, cause: Cause, is: impl Fn(&Claim) -> bool) -> Effect {
        let freed = self.claims.remove(is);
        if freed.is_empty() {
            return Effect::Unseen;
        }
        self.revision += 1;
        Effect::Freed(freed, cause)
    }

    fn delete(&mut self, node: NodeId) -> Effect {
        let Some(Registration { service, endpoint, lease }) = self.keys.remove(&node) else {
            return Effect::Unseen;
        };
        self.leases.get_mut(&lease).expect("a key belongs to a lease").key = None;
        self.list(Write::Remove(node, Cause::Lost), service, endpoint, false)
    }

    /// What is compacted already stays so, and what is yet to come cannot be (server/storage/mvcc/kvstore.go, v3.6:
    /// `ErrCompacted`, `ErrFutureRev`).
    fn compact(&mut self, revision: u64) -> Effect {
        if revision > self.compacted && revision <= self.revision {
            self.compacted = revision;
            for service in &mut self.services {
                service.history.retain(|change| change.revision >= revision);
            }
        }
        Effect::Unseen
    }

    /// `etcdutl snapshot restore` writes a new cluster with the backup's keys, leases and revisions: they go back.
    fn restore(&mut self, backup: Store) -> Effect {
        let lost = self.keys.keys().filter(|node| !backup.keys.contains_key(node));
        let back = backup.keys.keys().filter(|node| !self.keys.contains_key(node));
        let lost = lost.map(|&node| Write::Remove(node, Cause::Lost));
        let freed = self.claims.iter().filter(|claim| backup.claims.of(claim.lock, claim.lease).is_none());
        let freed = freed.map(|&Claim { by, lock, .. }| Write::Release { by, lock, cause: Cause::Lost });
        let writes = lost.chain(back.map(|&node| Write::Register(node))).chain(freed).collect();
        *self = Store { cluster: self.cluster + 1, writes: self.writes, ..backup };
        Effect::Restored(writes)
    }

    fn list(&mut self, write: Write, service: ServiceId, endpoint: Endpoint, up: bool) -> Effect {
        self.revision += 1;
        let state = &mut self.services[service.0 as usize];
        let change = Change { revision: self.revision, after: state.listing.revision, endpoint, up };
        change.apply_to(Arc::make_mut(&mut state.listing));
        state.history.push(change);
        Effect::Listed(write, service, change)
    }
}
