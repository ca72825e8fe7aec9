//! What Eureka says of all applications: the whole, the recent changes, and the hash code that tells whether one has
//! missed some.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use schism_core::{NodeId, Time};

use crate::listing::{Endpoint, Listing, ServiceId};

/// What an instance says of itself (`InstanceInfo`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Info {
    /// Its service: its application, in Eureka's words.
    pub service: ServiceId,
    /// How it is listed.
    pub endpoint: Endpoint,
    /// Whether it says that it can be called.
    pub status: Status,
    /// When it last said anything new, by its own wall clock (`lastDirtyTimestamp`).
    pub dirty: Time,
}

/// What an instance says of its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// It can be called.
    Up,
    /// Its health check fails: it stays in the registry, and clients leave it out (`shouldFilterOnlyUpInstances`).
    Down,
}

/// All applications, as a server has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apps {
    /// How many changes have led to this, at the server that counts them.
    pub version: u64,
    /// The instances that are up, by service.
    pub listings: Vec<Arc<Listing>>,
    /// Those that are down, sorted.
    pub down: Vec<NodeId>,
}

/// How many instances there are of each state: all that the reconcile hash code is made of, as in `DOWN_1_UP_9_`
/// (shared/Applications.java, `getReconcileHashCode`). One that has come hides one that has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Census {
    /// Up.
    pub up: u32,
    /// Down.
    pub down: u32,
}

impl Apps {
    /// Nobody, of so many services.
    pub fn empty(services: usize) -> Apps {
        let service = |number| ServiceId(u16::try_from(number).expect("there are fewer services than that"));
        let listing = |number| Listing { service: service(number), revision: 0, endpoints: Vec::new() };
        Apps {
            version: 0,
            listings: (0..services).map(|number| Arc::new(listing(number))).collect(),
            down: Vec::new(),
        }
    }

    /// The instances of a service that are up.
    pub fn listing(&self, service: ServiceId) -> &Arc<Listing> {
        &self.listings[usize::from(service.0)]
    }

    /// What the reconcile hash code is made of.
    pub fn census(&self) -> Census {
        let up: usize = self.listings.iter().map(|listing| listing.endpoints.len()).sum();
        Census { up: up as u32, down: self.down.len() as u32 }
    }

    /// Whether an instance is there, up or down.
    pub fn knows(&self, service: ServiceId, node: NodeId) -> bool {
        self.listing(service).lists(node) || self.down.binary_search(&node).is_ok()
    }

    /// Whether nobody at all is there.
    pub fn is_empty(&self) -> bool {
        self.census() == Census { up: 0, down: 0 }
    }

    /// Makes one change, at a revision.
    pub fn make(&mut self, item: &Item, revision: u64) {
        let node = item.info.endpoint.node;
        let listing = &mut self.listings[usize::from(item.info.service.0)];
        match (item.action, item.info.status) {
            (Action::Added, Status::Up) => {
                self.down.retain(|&down| down != node);
                let listing = Arc::make_mut(listing);
                listing.insert(item.info.endpoint);
                listing.revision = revision;
            }
            (Action::Added, Status::Down) => {
                if let Err(place) = self.down.binary_search(&node) {
                    self.down.insert(place, node);
                }
                leave(listing, node, revision);
            }
            (Action::Deleted, _) => self.remove(item.info.service, node, revision),
        }
    }

    /// Takes an instance off, at a revision.
    pub fn remove(&mut self, service: ServiceId, node: NodeId, revision: u64) {
        self.down.retain(|&down| down != node);
        leave(&mut self.listings[usize::from(service.0)], node, revision);
    }
}

fn leave(listing: &mut Arc<Listing>, node: NodeId, revision: u64) {
    if listing.lists(node) {
        let listing = Arc::make_mut(listing);
        listing.remove(node);
        listing.revision = revision;
    }
}

/// What has become of an instance (`ActionType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It has registered, for the first time or again.
    Added,
    /// It was cancelled or evicted.
    Deleted,
}

/// One recent change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// What became of it.
    pub action: Action,
    /// What the instance said of itself.
    pub info: Info,
}

/// One life of one server: its versions are no other's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The server.
    pub server: NodeId,
    /// The true moment at which it booted.
    pub booted: Time,
}

/// The changes of the last minutes, and the hash code of the whole that they led to.
#[derive(Clone, Debug)]
pub struct Delta {
    /// The changes, oldest first.
    pub items: Vec<Item>,
    /// What the hash code of all applications is made of.
    pub census: Census,
    /// The whole that they led to. No message carries it: it is how clients that have missed nothing share one list
    /// instead of each making its own.
    pub apps: Arc<Apps>,
    /// Whoever has had the whole of this server at this version or a later one has missed nothing; nobody, if something
    /// is wrong with the server.
    pub since: Option<(Stamp, u64)>,
}

/// The whole, as a server tells it.
#[derive(Clone, Debug)]
pub struct Full {
    /// All applications.
    pub apps: Arc<Apps>,
    /// What everyone of them has said of itself: for a server that copies it.
    pub infos: Vec<Info>,
    /// Whose state this is; nobody's, if something is wrong with the server.
    pub of: Option<Stamp>,
}

/// What is told stands in the digest by its version and its numbers.
impl Hash for Full {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.apps.version, self.apps.census(), self.of).hash(state);
        self.apps.listings.iter().for_each(|listing| listing.hash(state));
    }
}

impl Hash for Delta {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.items, self.census, self.apps.version, self.since).hash(state);
    }
}

/// A client's copy of all applications (`DiscoveryClient`, `localRegionApps`).
#[derive(Clone, Debug)]
pub struct Copy {
    apps: Arc<Apps>,
    /// Whose whole this is, as far as nothing was missed.
    of: Option<Stamp>,
}

/// What came of a delta.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reconciled {
    /// The hash codes agree.
    Agrees,
    /// They differ: the client fetches the whole (`reconcileAndLogDifference`).
    Differs,
}

impl Copy {
    /// What was fetched as a whole.
    pub fn of(full: &Full) -> Copy {
        Copy { apps: full.apps.clone(), of: full.of }
    }

    /// All applications, as the client has them.
    pub fn apps(&self) -> &Arc<Apps> {
        &self.apps
    }

    /// Makes the changes of a delta (`updateDelta`), and compares the hash codes.
    pub fn apply(&mut self, delta: &Delta) -> Reconciled {
        if let Some((stamp, since)) = delta.since
            && self.of == Some(stamp)
            && (since..=delta.apps.version).contains(&self.apps.version)
        {
            // It has missed nothing, so the changes lead to just what the server has.
            self.apps = delta.apps.clone();
            return Reconciled::Agrees;
        }
        let apps = Arc::make_mut(&mut self.apps);
        let revision = delta.apps.listings.iter().map(|listing| listing.revision).max().unwrap_or(0);
        delta.items.iter().for_each(|item| apps.make(item, revision));
        self.of = None;
        if apps.census() != delta.census {
            return Reconciled::Differs;
        }
        if let Some((stamp, _)) = delta.since
            && same(apps, &delta.apps)
        {
            *self = Copy { apps: delta.apps.clone(), of: Some(stamp) };
        }
        Reconciled::Agrees
    }
}

/// Whether both say the same, at whatever versions.
fn same(one: &Apps, other: &Apps) -> bool {
    let alike = |(one, other): (&Arc<Listing>, &Arc<Listing>)| one.endpoints == other.endpoints;
    one.down == other.down && one.listings.iter().zip(&other.listings).all(alike)
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;

    fn item(node: u32, action: Action, status: Status) -> Item {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        Item { action, info: Info { service: ServiceId(0), endpoint, status, dirty: Time::START } }
    }

    fn added(node: u32) -> Item {
        item(node, Action::Added, Status::Up)
    }

    fn deleted(node: u32) -> Item {
        item(node, Action::Deleted, Status::Up)
    }

    fn apps(version: u64, items: &[Item]) -> Arc<Apps> {
        let mut apps = Apps::empty(1);
        items.iter().for_each(|item| apps.make(item, version));
        apps.version = version;
        Arc::new(apps)
    }

    fn stamp(server: u32) -> Stamp {
        Stamp { server: NodeId(server), booted: Time::START }
    }

    fn delta(server: u32, since: u64, items: &[Item], apps: &Arc<Apps>) -> Delta {
        let since = Some((stamp(server), since));
        Delta { items: items.to_vec(), census: apps.census(), apps: apps.clone(), since }
    }

    fn copy(server: u32, apps: &Arc<Apps>) -> Copy {
        Copy::of(&Full { apps: apps.clone(), infos: Vec::new(), of: Some(stamp(server)) })
    }

    fn nodes(copy: &Copy) -> Vec<u32> {
        copy.apps().listing(ServiceId(0)).endpoints.iter().map(|endpoint| endpoint.node.0).collect()
    }

    #[test]
    fn who_has_missed_nothing_shares_the_servers_own() {
        let (first, second) = (apps(2, &[added(1), added(2)]), apps(3, &[added(1)]));
        let mut copy = copy(9, &first);
        assert_eq!(copy.apply(&delta(9, 1, &[deleted(2)], &second)), Reconciled::Agrees);
        assert!(Arc::ptr_eq(copy.apps(), &second));
    }

    #[test]
    fn who_has_missed_a_change_is_told_so_by_the_hash_code() {
        // The fourth change is no longer in the queue: instance 2 has gone, and nobody says so.
        let (first, last) = (apps(2, &[added(1), added(2)]), apps(5, &[added(1), added(3)]));
        let mut copy = copy(9, &first);
        assert_eq!(copy.apply(&delta(9, 4, &[added(3)], &last)), Reconciled::Differs);
        assert_eq!(nodes(&copy), [1, 2, 3]);
    }

    #[test]
    fn one_that_has_come_hides_one_that_has_gone() {
        // Both changes are lost, and the numbers agree.
        let (first, last) = (apps(2, &[added(1), added(2)]), apps(4, &[added(1), added(3)]));
        let mut copy = copy(9, &first);
        assert_eq!(copy.apply(&delta(9, 4, &[], &last)), Reconciled::Agrees);
        assert_eq!(nodes(&copy), [1, 2], "nobody notices");
        // Nor is it taken for the server's own state later.
        assert_eq!(copy.apply(&delta(9, 4, &[], &last)), Reconciled::Agrees);
        assert_eq!(nodes(&copy), [1, 2]);
    }

    #[test]
    fn another_servers_delta_is_made_in_the_copy_of_the_first_and_shared_if_it_comes_to_the_same() {
        let (first, other) = (apps(2, &[added(1), added(2)]), apps(7, &[added(2), added(1)]));
        let mut copy = copy(8, &first);
        assert_eq!(copy.apply(&delta(9, 6, &[added(2)], &other)), Reconciled::Agrees);
        assert!(Arc::ptr_eq(copy.apps(), &other));
        // From here on it has missed nothing of the other's.
        let next = apps(8, &[added(1)]);
        assert_eq!(copy.apply(&delta(9, 7, &[deleted(2)], &next)), Reconciled::Agrees);
        assert!(Arc::ptr_eq(copy.apps(), &next));
    }

    #[test]
    fn an_older_delta_is_made_all_the_same() {
        // The delta was cached before the whole was: it still says that instance 2 has registered.
        let (older, newer) = (apps(2, &[added(1), added(2)]), apps(3, &[added(1)]));
        let mut copy = copy(9, &newer);
        assert_eq!(copy.apply(&delta(9, 0, &[added(1), added(2)], &older)), Reconciled::Agrees);
        assert_eq!(nodes(&copy), [1, 2]);
    }

    #[test]
    fn who_is_down_is_counted_and_not_listed() {
        let mut apps = Apps::empty(1);
        apps.make(&added(1), 1);
        apps.make(&added(2), 2);
        apps.make(&item(2, Action::Added, Status::Down), 3);
        assert_eq!(apps.census(), Census { up: 1, down: 1 });
        assert!(!apps.listing(ServiceId(0)).lists(NodeId(2)));
        apps.make(&added(2), 4);
        assert_eq!(apps.census(), Census { up: 2, down: 0 });
        apps.make(&item(2, Action::Added, Status::Down), 5);
        apps.make(&deleted(2), 6);
        assert_eq!(apps.census(), Census { up: 1, down: 0 });
    }
}
