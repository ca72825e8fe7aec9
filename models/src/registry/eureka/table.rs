//! The registry itself: who has registered, and until when (`AbstractInstanceRegistry`, `registry`).

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use super::apps::{Action, Apps, Info, Item};
use super::lease::Lease;

/// Who is registered at one server.
#[derive(Clone, Debug)]
pub struct Table {
    entries: BTreeMap<NodeId, (Info, Lease)>,
    /// The same, as clients are told.
    apps: Arc<Apps>,
}

/// What a registration has made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// What stood there before.
    pub before: Option<Info>,
    /// What stands there now.
    pub item: Item,
}

impl Table {
    /// Nobody, of so many services.
    pub fn new(services: usize) -> Table {
        Table { entries: BTreeMap::new(), apps: Arc::new(Apps::empty(services)) }
    }

    /// All applications, as clients are told.
    pub fn apps(&self) -> &Arc<Apps> {
        &self.apps
    }

    /// How many are registered.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What an instance has said of itself.
    pub fn info(&self, node: NodeId) -> Option<&Info> {
        self.entries.get(&node).map(|(info, _)| info)
    }

    /// Everyone, by node.
    pub fn infos(&self) -> impl Iterator<Item = &Info> {
        self.entries.values().map(|(info, _)| info)
    }

    /// An instance registers, with a new lease in any case. What it says of itself is taken unless something newer is
    /// there, by the dirty timestamps; the same time is taken.
    pub fn register(&mut self, info: Info, now: Time, duration: Duration, revision: u64) -> Registered {
        let node = info.endpoint.node;
        let before = self.info(node).copied();
        let info = before.filter(|before| before.dirty > info.dirty).unwrap_or(info);
        self.entries.insert(node, (info, Lease::new(now, duration)));
        let item = Item { action: Action::Added, info };
        self.make(&item, revision);
        Registered { before, item }
    }

    /// An instance renews its lease: what it has said of itself, if it is there.
    pub fn renew(&mut self, node: NodeId, now: Time) -> Option<&Info> {
        let (info, lease) = self.entries.get_mut(&node)?;
        lease.renew(now);
        Some(info)
    }

    /// Takes an instance off, if it is there.
    pub fn cancel(&mut self, node: NodeId, revision: u64) -> Option<Item> {
        let (info, _) = self.entries.remove(&node)?;
        let item = Item { action: Action::Deleted, info };
        self.make(&item, revision);
        Some(item)
    }

    /// Whose time is up, if everybody is given so much more.
    pub fn expired(&self, now: Time, additional: Duration) -> Vec<NodeId> {
        let expired = self.entries.iter().filter(|(_, (_, lease))| lease.is_expired(now, additional));
        expired.map(|(&node, _)| node).collect()
    }

    /// Ends the leases of those who are chosen: how many.
    pub fn end_leases(&mut self, chosen: impl Fn(NodeId) -> bool) -> usize {
        let leases = self.entries.iter_mut().filter(|(node, _)| chosen(**node));
        leases.map(|(_, (_, lease))| lease.end()).count()
    }

    fn make(&mut self, item: &Item, revision: u64) {
        let apps = Arc::make_mut(&mut self.apps);
        apps.version += 1;
        apps.make(item, revision);
    }
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::super::apps::{Census, Status};
    use super::*;
    use crate::listing::{Endpoint, ServiceId};

    const TTL: Duration = Duration::from_secs(90);

    fn at(seconds: u64) -> Time {
        Time::START + Duration::from_secs(seconds)
    }

    fn info(node: u32, dirty: u64) -> Info {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        Info { service: ServiceId(0), endpoint, status: Status::Up, dirty: at(dirty) }
    }

    #[test]
    fn every_change_is_a_version_and_a_renewal_is_none() {
        let mut table = Table::new(1);
        table.register(info(1, 0), at(0), TTL, 1);
        table.register(info(1, 0), at(1), TTL, 2);
        assert!(table.renew(NodeId(1), at(2)).is_some());
        assert!(table.cancel(NodeId(1), 3).is_some());
        assert!(table.cancel(NodeId(1), 4).is_none());
        assert!(table.renew(NodeId(1), at(5)).is_none());
        assert_eq!(table.apps().version, 3);
        assert_eq!(table.apps().census(), Census { up: 0, down: 0 });
    }

    #[test]
    fn what_is_newer_stays_and_what_is_as_new_is_taken() {
        let mut table = Table::new(1);
        let weighs = |weight, dirty| {
            let mut info = info(1, dirty);
            info.endpoint.weight = weight;
            info
        };
        assert_eq!(table.register(weighs(1, 10), at(10), TTL, 1).before, None);
        assert_eq!(table.register(weighs(2, 9), at(11), TTL, 2).item.info.endpoint.weight, 1);
        assert_eq!(table.register(weighs(3, 10), at(12), TTL, 3).item.info.endpoint.weight, 3);
    }

    #[test]
    fn who_registers_again_has_a_lease_as_new_as_the_first() {
        let mut table = Table::new(1);
        table.register(info(1, 0), at(0), TTL, 1);
        table.renew(NodeId(1), at(30));
        table.register(info(1, 0), at(31), TTL, 2);
        assert_eq!(table.expired(at(121), Duration::ZERO), []);
        assert_eq!(table.expired(at(122), Duration::ZERO), [NodeId(1)]);
    }

    #[test]
    fn a_lease_that_was_ended_is_expired_at_once() {
        let mut table = Table::new(1);
        (0..4).for_each(|node| {
            table.register(info(node, 0), at(0), TTL, 1);
        });
        assert_eq!(table.end_leases(|node| node.0 % 2 == 0), 2);
        assert_eq!(table.expired(at(0), Duration::ZERO), [NodeId(0), NodeId(2)]);
    }
}
