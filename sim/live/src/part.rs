//! Parts: what users' code is handed by the scenario that it plays a part in, and how it speaks to the witnesses.

mod client;
mod instance;
mod member;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use schism_core::{Luck, NodeId};
use schism_models::listing::{Endpoint, Listing, ServiceId};
use schism_models::observation::Observation;

pub use self::client::{Answered, Arrivals, Client, Endpoints, Failed, Request};
pub use self::instance::{Asked, Instance, Serving};
pub use self::member::{Member, Written};

use crate::bridge::Bridge;
use crate::stage::{Playbill, Stage, Whose, ip};

/// A process of the scenario that users' code plays, in one of its lives: who it is, who the others are, and what it says of
/// itself.
///
/// It can be cloned and handed to tasks. What it says is told to the witnesses at this moment; after the process has died,
/// nothing is.
#[derive(Clone)]
pub struct Part {
    life: Arc<Alive>,
}

/// What belongs to one life.
struct Alive {
    whose: Whose,
    name: String,
    playbill: Arc<Playbill>,
    stage: Weak<dyn Stage>,
    bridge: Bridge,
    memory: Mutex<Memory>,
}

/// What it has said and drawn.
#[derive(Default)]
struct Memory {
    views: BTreeMap<ServiceId, BTreeSet<NodeId>>,
    work: Option<Luck>,
}

/// Another process of the scenario.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Peer {
    /// Its name: the group's, a dash and its number there.
    pub name: String,
    /// Where it is. Its ports are its own business; models answer at none.
    pub ip: IpAddr,
}

impl Peer {
    /// Where a port of its is.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip, port)
    }

    fn of(node: &schism_scenario::Node) -> Peer {
        Peer { name: node.name.clone(), ip: ip(node.id) }
    }
}

impl Part {
    pub(crate) fn new(whose: Whose, playbill: Arc<Playbill>, stage: Weak<dyn Stage>, bridge: Bridge) -> Part {
        let name = playbill.name(whose.node).to_owned();
        Part { life: Arc::new(Alive { whose, name, playbill, stage, bridge, memory: Mutex::default() }) }
    }

    /// Its name: the group's, a dash and its number there, such as `orders-3`.
    pub fn name(&self) -> &str {
        &self.life.name
    }

    /// Its address. All ports are free but the first, which is the engine's.
    pub fn ip(&self) -> IpAddr {
        ip(self.life.whose.node)
    }

    /// Where a port of its own is.
    pub fn at(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.ip(), port)
    }

    /// The zone that it runs in.
    pub fn zone(&self) -> &str {
        let scenario = &self.life.playbill.scenario;
        let me = scenario.nodes().find(|node| node.id == self.life.whose.node).expect("it is of the cast");
        scenario.topology.name(me.zone)
    }

    /// How often it has died before: 0 in its first life.
    pub fn life(&self) -> u32 {
        self.life.whose.life
    }

    /// How late it is in the run.
    pub fn now(&self) -> Duration {
        let now = self.stage().map_or(schism_core::Time::START, |stage| stage.now());
        Duration::from_nanos(now.as_nanos())
    }

    /// What luck it has for a purpose of its own: of the run's seed, its name, its life and the purpose alone, so that it
    /// does not depend on who draws what elsewhere.
    pub fn luck(&self, purpose: &'static str) -> Luck {
        self.life.playbill.seed.luck(&self.life.name, purpose, self.life.whose.life)
    }

    /// The members of the registry.
    pub fn members(&self) -> Vec<Peer> {
        self.life.playbill.scenario.members.iter().map(Peer::of).collect()
    }

    /// The instances of a service, whether they live or not; those last that only a fault starts.
    ///
    /// # Panics
    ///
    /// If the scenario has no such service.
    #[track_caller]
    pub fn instances(&self, service: &str) -> Vec<Peer> {
        let service = self.service(service);
        self.life.playbill.instances(usize::from(service.0)).map(Peer::of).collect()
    }

    // What its own kinds have in common.

    fn stage(&self) -> Option<Arc<dyn Stage>> {
        self.life.stage.upgrade()
    }

    fn observe(&self, seen: Observation) {
        if let Some(stage) = self.stage() {
            stage.observe(self.life.whose, seen);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.life.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[track_caller]
    fn service(&self, name: &str) -> ServiceId {
        let playbill = &self.life.playbill;
        if let Some(number) = playbill.service(name) {
            return ServiceId(number as u16);
        }
        let names: Vec<&str> =
            playbill.scenario.services.iter().map(|service| service.name.as_str()).collect();
        panic!("there is no service `{name}` in this scenario: it has {}", listed(&names))
    }

    #[track_caller]
    fn instance(&self, name: &str) -> (ServiceId, Endpoint) {
        let playbill = &self.life.playbill;
        if let Some(found) = playbill.instance(name) {
            return found;
        }
        let services = 0..playbill.scenario.services.len();
        let names: Vec<&str> =
            services.flat_map(|of| playbill.instances(of)).map(|node| node.name.as_str()).collect();
        panic!("there is no instance `{name}` in this scenario: it has {}", listed(&names))
    }

    /// Tells what list it holds now, unless it has said so before.
    #[track_caller]
    fn view<S: AsRef<str>>(&self, service: &str, instances: impl IntoIterator<Item = S>) {
        let service = self.service(service);
        let mut listing = Listing { service, ..Listing::default() };
        for name in instances {
            let (of, endpoint) = self.instance(name.as_ref());
            assert!(of == service, "`{}` is no instance of the service that the list is of", name.as_ref());
            listing.insert(endpoint);
        }
        let list: BTreeSet<NodeId> = listing.endpoints.iter().map(|endpoint| endpoint.node).collect();
        let before = self.memory().views.insert(service, list.clone());
        if before != Some(list) {
            self.observe(Observation::View(Arc::new(listing)));
        }
    }

    #[track_caller]
    fn opinion(&self, instance: &str, up: bool) {
        let (service, endpoint) = self.instance(instance);
        let subject = endpoint.node;
        let mut memory = self.memory();
        let view = memory.views.entry(service).or_default();
        let changed = if up { view.insert(subject) } else { view.remove(&subject) };
        drop(memory);
        if changed {
            self.observe(Observation::Believes { service, subject, up });
        }
    }

    #[track_caller]
    fn blind(&self, service: &str) {
        let service = self.service(service);
        if self.memory().views.remove(&service).is_some() {
            self.observe(Observation::Blind(service));
        }
    }
}

/// Names for a reader: the first dozen of them.
pub(crate) fn listed(names: &[&str]) -> String {
    const MOST: usize = 12;
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(MOST);
    match (shown.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A kind of part is one all the same.
macro_rules! parts {
    ($($kind:ty),*) => {$(
        impl Deref for $kind {
            type Target = Part;

            fn deref(&self) -> &Part {
                &self.0
            }
        }
    )*};
}

parts!(Client, Instance, Member);
