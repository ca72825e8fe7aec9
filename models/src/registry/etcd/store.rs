//! The store: what the log says once it is applied. The same at every member, sooner or later.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId};

use crate::listing::{Endpoint, Listing, ServiceId};
use crate::observation::{Cause, Write};

/// A lease's number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LeaseId(pub u64);

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
    /// Some other key is written.
    Put,
    /// A lease ends, and its keys go with it.
    Revoke {
        /// Its number.
        lease: LeaseId,
        /// Why.
        cause: Cause,
    },
}

/// One change of a service's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Change {
    /// The revision that it made.
    pub revision: u64,
    /// The revision of the list that it changed: whoever has seen less has missed something. No real event says so; it
    /// is how the model knows that a client's own list is no longer the registry's.
    pub after: u64,
    /// The instance.
    pub endpoint: Endpoint,
    /// Whether it is there now.
    pub up: bool,
}

impl Change {
    /// Makes the change in a list.
    pub fn apply_to(&self, listing: &mut Listing) {
        if self.up {
            listing.insert(self.endpoint);
        } else {
            listing.remove(self.endpoint.node);
        }
        listing.revision = self.revision;
    }
}

/// What applying a command did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A write that no list shows.
    Wrote(Write),
    /// A change of a service's list.
    Listed(Write, ServiceId, Change),
    /// Nothing: the lease was not there.
    LeaseNotFound,
}

/// Keys, leases and lists as of a revision.
#[derive(Clone, Debug)]
pub struct Store {
    revision: u64,
    leases: BTreeMap<LeaseId, Lease>,
    keys: BTreeMap<NodeId, Registration>,
    services: Vec<Service>,
}

#[derive(Clone, Debug)]
struct Lease {
    ttl: Duration,
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
            revision: 1,
            leases: BTreeMap::new(),
            keys: BTreeMap::new(),
            services: (0..services).map(service).collect(),
        }
    }

    /// The revision: how many writes of keys there have been, and one.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// All leases with their time to live.
    pub fn leases(&self) -> impl Iterator<Item = (LeaseId, Duration)> + '_ {
        self.leases.iter().map(|(&id, lease)| (id, lease.ttl))
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
    pub fn changes_after(&self, service: ServiceId, revision: u64) -> &[Change] {
        let history = &self.services[service.0 as usize].history;
        &history[history.partition_point(|change| change.revision <= revision)..]
    }

    /// Does what an entry of the log says.
    pub fn apply(&mut self, command: &Command) -> Effect {
        match *command {
            Command::Grant { lease, ttl } => {
                self.leases.insert(lease, Lease { ttl, key: None });
                Effect::Wrote(Write::Grant)
            }
            Command::Register { service, endpoint, lease } => self.register(service, endpoint, lease),
            Command::Put => {
                self.revision += 1;
                Effect::Wrote(Write::Put)
            }
            Command::Revoke { lease, cause } => self.revoke(lease, cause),
        }
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
            None => Effect::Wrote(Write::Revoke(cause)),
        }
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
