//! The catalog: hosts, what runs there, and what their checks say. The same at every server, sooner or later.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::NodeId;

use super::Health;
use super::keys::{self, Keys};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::observation::{Cause, Write};
use crate::registry::Pair;

/// What a check says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Status {
    /// All is well.
    Passing,
    /// It is not, or nothing has been heard.
    Critical,
}

/// What a service's own check says, and in which words.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Said {
    /// What it says.
    pub status: Status,
    /// What else: a text, by its number.
    pub output: u32,
}

/// What is registered of a host. What is not said stays as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Registration {
    /// The host, by the instance that runs on it.
    pub host: NodeId,
    /// The service, and how it is listed.
    pub service: Option<(ServiceId, Endpoint)>,
    /// What the service's own check says.
    pub check: Option<Said>,
    /// What the leader says of the host: `serfHealth`.
    pub serf: Option<Status>,
}

/// What an entry of the log does to the catalog.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Command {
    /// Something is registered, or updated.
    Register(Registration),
    /// A host's service and its check are removed.
    RemoveService {
        /// The host.
        host: NodeId,
        /// Why. No real request says so; it is for the witnesses.
        cause: Cause,
    },
    /// A host is removed, with all that runs there.
    RemoveHost {
        /// The host.
        host: NodeId,
    },
    /// A key is written that has nothing to do with the catalog; nobody else's, if it has no number.
    Put(Option<Pair>),
    /// Something about sessions and locks.
    Key(keys::Command),
    /// The catalog is what it was after an earlier entry, as a snapshot that was taken then has it.
    Restore {
        /// The index of that entry.
        index: u64,
    },
}

/// What applying a command did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What the witnesses are told.
    pub writes: Vec<Write>,
    /// How lists have changed.
    pub changes: Vec<(ServiceId, Change)>,
    /// Services whose index has changed: whoever waits for that is woken, though its list may be the same.
    pub touched: Vec<ServiceId>,
    /// Whether the catalog is another's: all that was known of it is void.
    pub restored: bool,
    /// What was done to sessions and locks.
    pub key: Option<keys::Done>,
}

/// What the catalog has of a host.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Host {
    /// What the leader says of it, if it is a member of the cluster.
    pub serf: Option<Status>,
    /// What runs there.
    pub service: Option<(ServiceId, Endpoint)>,
    /// What its check says.
    pub check: Option<Said>,
}

impl Host {
    /// Whether all its checks pass.
    fn is_passing(&self) -> bool {
        self.serf != Some(Status::Critical) && self.check_passes()
    }

    /// Whether the service's own check passes, if it has one.
    fn check_passes(&self) -> bool {
        self.check.is_none_or(|check| check.status == Status::Passing)
    }

    /// Its service, if those are told of it who ask for that kind of health.
    fn offers(&self, health: Health) -> Option<(ServiceId, Endpoint)> {
        let offered = match health {
            Health::Passing => self.is_passing(),
            Health::ServiceCheck => self.check_passes(),
            Health::All => true,
        };
        self.service.filter(|_| offered)
    }
}

/// A service, as those see it who ask for it.
#[derive(Clone, Debug)]
struct Service {
    /// The instances of the kind of health that clients of this run ask for.
    listing: Arc<Listing>,
    /// How that list came about.
    history: Vec<Change>,
    /// The last entry that had to do with the service: what `X-Consul-Index` says.
    index: u64,
}

/// Hosts and services as of an entry of the log.
#[derive(Clone, Debug)]
pub struct Catalog {
    health: Health,
    /// 0, and one more with each snapshot that was restored.
    generation: u32,
    writes: u64,
    hosts: BTreeMap<NodeId, Host>,
    services: Vec<Service>,
    keys: Keys,
}

impl Catalog {
    /// A catalog for so many services, none of which has instances. The hosts are known: their agents have been up for
    /// long.
    pub fn new(services: usize, health: Health, hosts: impl Iterator<Item = NodeId>) -> Catalog {
        let alive = Host { serf: Some(Status::Passing), service: None, check: None };
        let service = |number| Service {
            listing: Arc::new(Listing {
                service: ServiceId(number as u16),
                revision: 0,
                endpoints: Vec::new(),
            }),
            history: Vec::new(),
            index: 0,
        };
        Catalog {
            health,
            generation: 0,
            writes: 0,
            hosts: hosts.map(|host| (host, alive)).collect(),
            services: (0..services).map(service).collect(),
            keys: Keys::default(),
        }
    }

    /// Keys, sessions and locks.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How often a snapshot has been restored.
    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// How many writes there have been that the witnesses are told of: the number of the last.
    pub fn writes(&self) -> u64 {
        self.writes
    }

    /// What it has of a host.
    pub fn host(&self, host: NodeId) -> Option<&Host> {
        self.hosts.get(&host)
    }

    /// The list of a service.
    pub fn listing(&self, service: ServiceId) -> &Arc<Listing> {
        &self.services[service.0 as usize].listing
    }

    /// The lists of all services.
    pub fn listings(&self) -> impl Iterator<Item = &Arc<Listing>> {
        self.services.iter().map(|service| &service.listing)
    }

    /// The index of a service, never 0: a client that takes it for one would not block (agent/consul/rpc.go,
    /// `blockingQuery`).
    pub fn index(&self, service: ServiceId) -> u64 {
        self.services[service.0 as usize].index.max(1)
    }

    /// How a service's list has changed after an index.
    pub fn changes_after(&self, service: ServiceId, index: u64) -> &[Change] {
        let history = &self.services[service.0 as usize].history;
        &history[history.partition_point(|change| change.revision <= index)..]
    }

    /// Does what an entry of the log says. `snapshot` gives the catalog as it was after an earlier entry.
    pub fn apply(&mut self, index: u64, command: &Command, snapshot: impl FnOnce(u64) -> Catalog) -> Outcome {
        let mut outcome = Outcome::default();
        match *command {
            Command::Register(registration) => self.register(index, registration, &mut outcome),
            Command::RemoveService { host, cause } => self.remove(index, host, cause, &mut outcome),
            Command::RemoveHost { host } => {
                self.remove(index, host, Cause::Revoked, &mut outcome);
                self.hosts.remove(&host);
            }
            Command::Put(pair) => {
                pair.into_iter().for_each(|pair| self.keys.put(index, pair));
                outcome.writes.push(Write::Put);
            }
            Command::Key(command) => {
                let done = self.keys.apply(index, command);
                outcome.writes.extend(&done.writes);
                outcome.key = Some(done);
            }
            Command::Restore { index } => self.restore(snapshot(index), &mut outcome),
        }
        self.writes += outcome.writes.len() as u64;
        outcome
    }

    /// What is the same as before leaves the index alone (agent/consul/state/catalog.go, `ensureServiceTxn` and
    /// `ensureCheckTxn`: `IsSame`).
    fn register(&mut self, index: u64, registration: Registration, outcome: &mut Outcome) {
        let Registration { host, service, check, serf } = registration;
        let before = self.hosts.get(&host).copied().unwrap_or_default();
        let after = Host {
            serf: serf.or(before.serf),
            service: service.or(before.service),
            check: check.or(before.check),
        };
        self.hosts.insert(host, after);
        if after == before {
            return;
        }
        if after.service != before.service {
            outcome.writes.push(Write::Register(host));
        }
        // One that is registered critical, as all are that have yet to pass, has not failed.
        if before.service.is_some() {
            match (before.is_passing(), after.is_passing()) {
                (true, false) => outcome.writes.push(Write::Fail(host)),
                (false, true) => outcome.writes.push(Write::Recover(host)),
                (true, true) | (false, false) => {}
            }
        }
        self.relist(index, &before, &after, outcome);
    }

    fn remove(&mut self, index: u64, host: NodeId, cause: Cause, outcome: &mut Outcome) {
        let Some(state) = self.hosts.get_mut(&host) else { return };
        let before = std::mem::replace(state, Host { serf: state.serf, service: None, check: None });
        let after = *state;
        if before.service.is_some() {
            outcome.writes.push(Write::Remove(host, cause));
            self.relist(index, &before, &after, outcome);
        }
    }

    /// Brings the list of a host's service up to date.
    fn relist(&mut self, index: u64, before: &Host, after: &Host, outcome: &mut Outcome) {
        let Some((service, _)) = after.service.or(before.service) else { return };
        let state = &mut self.services[service.0 as usize];
        state.index = index;
        outcome.touched.push(service);
        let (endpoint, up) = match (before.offers(self.health), after.offers(self.health)) {
            (before, after) if before == after => return,
            (_, Some((_, endpoint))) => (endpoint, true),
            (Some((_, endpoint)), None) => (endpoint, false),
            (None, None) => return,
        };
        let change = Change { revision: index, after: state.listing.revision, endpoint, up };
        change.apply_to(Arc::make_mut(&mut state.listing));
        state.history.push(change);
        outcome.changes.push((service, change));
    }

    /// A snapshot brings its own indexes, so those that clients have seen go backwards (`consul snapshot restore`;
    /// website, api-docs/features/blocking).
    fn restore(&mut self, snapshot: Catalog, outcome: &mut Outcome) {
        let runs = |catalog: &Catalog, host: &NodeId| {
            catalog.hosts.get(host).is_some_and(|state| state.service.is_some())
        };
        for host in self.hosts.keys().filter(|host| runs(self, host) && !runs(&snapshot, host)) {
            outcome.writes.push(Write::Remove(*host, Cause::Lost));
        }
        for host in snapshot.hosts.keys().filter(|host| runs(&snapshot, host) && !runs(self, host)) {
            outcome.writes.push(Write::Register(*host));
        }
        outcome.writes.extend(self.keys.lost_to(&snapshot.keys));
        outcome.restored = true;
        *self = Catalog { generation: self.generation + 1, writes: self.writes, ..snapshot };
    }
}
