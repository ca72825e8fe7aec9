//! What one server of the 1.x line has of each service: who is listed, and when each sent its last beat.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId, Ratio, Time};

use super::api::{Datum, Instance};
use crate::listing::{Endpoint, Listing, ServiceId};
use crate::registry::nacos::book::{Book, Shown, Turn};

/// All that a server has.
#[derive(Clone, Debug)]
pub struct Table {
    threshold: Ratio,
    services: Vec<Service>,
}

#[derive(Clone, Debug)]
struct Service {
    book: Book,
    beats: BTreeMap<NodeId, Time>,
    /// Whether anybody has ever registered for it, so that there is something to compare.
    known: bool,
    /// The checksum of the list, and of which of its revisions it is.
    sum: (u64, u64),
}

impl Table {
    /// The table of a server that knows nothing yet.
    pub fn new(services: usize, threshold: Ratio) -> Table {
        let service = |id| Service {
            book: Book::new(ServiceId(id as u16)),
            beats: BTreeMap::new(),
            known: false,
            sum: (0, u64::MAX),
        };
        Table { threshold, services: (0..services).map(service).collect() }
    }

    /// A service.
    pub fn book(&self, service: ServiceId) -> &Book {
        &self.services[service.0 as usize].book
    }

    /// The list that is offered.
    pub fn offered(&mut self, service: ServiceId) -> Arc<Listing> {
        self.services[service.0 as usize].book.offered(self.threshold)
    }

    /// An instance registers, or changes: it counts as healthy, and as having just sent a beat.
    pub fn register(
        &mut self,
        service: ServiceId,
        endpoint: Endpoint,
        wall: Time,
        moment: Time,
    ) -> Option<Turn> {
        let of = &mut self.services[service.0 as usize];
        of.known = true;
        of.beats.insert(endpoint.node, wall);
        of.book.list(endpoint.node, Some(Shown { endpoint, healthy: true }), self.threshold, moment)
    }

    /// An instance goes.
    pub fn remove(&mut self, service: ServiceId, node: NodeId, moment: Time) -> Option<Turn> {
        let of = &mut self.services[service.0 as usize];
        of.beats.remove(&node);
        of.book.list(node, None, self.threshold, moment)
    }

    /// An instance has sent a beat, and is healthy by that; `None` if there is no such instance (naming/healthcheck/
    /// ClientBeatProcessor.java, 1.4.6).
    pub fn beat(
        &mut self,
        service: ServiceId,
        node: NodeId,
        wall: Time,
        moment: Time,
    ) -> Option<Option<Turn>> {
        let of = &mut self.services[service.0 as usize];
        let shown = *of.book.listed().get(&node)?;
        of.beats.insert(node, wall);
        Some(of.book.list(node, Some(Shown { healthy: true, ..shown }), self.threshold, moment))
    }

    /// Instances of a service without a beat for longer than that are unhealthy (naming/healthcheck/
    /// ClientBeatCheckTask.java, 1.4.6).
    pub fn fail_silent(
        &mut self,
        service: ServiceId,
        timeout: Duration,
        wall: Time,
        moment: Time,
    ) -> Vec<Turn> {
        let silent = self.silent(service, timeout, wall);
        let of = &mut self.services[service.0 as usize];
        let mut fail = |node: &NodeId| {
            let shown = *of.book.listed().get(node).expect("who is silent is listed");
            of.book.list(*node, Some(Shown { healthy: false, ..shown }), self.threshold, moment)
        };
        silent.iter().filter_map(&mut fail).collect()
    }

    /// Instances of a service without a beat for longer than that.
    pub fn silent(&self, service: ServiceId, timeout: Duration, wall: Time) -> Vec<NodeId> {
        let beats = &self.services[service.0 as usize].beats;
        beats.iter().filter(|(_, beat)| wall.since(**beat) > timeout).map(|(node, _)| *node).collect()
    }

    /// What there is of a service, to be told, if anybody has ever registered for it.
    pub fn datum(&self, service: ServiceId) -> Option<Datum> {
        let of = &self.services[service.0 as usize];
        let instance = |(node, shown): (&NodeId, &Shown)| {
            let beat = *of.beats.get(node).expect("who is listed has sent a beat, or has registered");
            Instance { endpoint: shown.endpoint, healthy: shown.healthy, beat }
        };
        of.known.then(|| Datum { service, instances: of.book.listed().iter().map(instance).collect() })
    }

    /// All that there is, to be told.
    pub fn data(&self) -> Arc<[Datum]> {
        (0..self.services.len()).filter_map(|service| self.datum(ServiceId(service as u16))).collect()
    }

    /// Another server's word of a service takes the place of what is here: the times of the last beats with it, as they
    /// were when it was sent. They are not told again while nothing else changes (#7697).
    pub fn replace(&mut self, datum: &Datum, moment: Time) -> Vec<Turn> {
        let threshold = self.threshold;
        let of = &mut self.services[datum.service.0 as usize];
        of.known = true;
        let fresh: BTreeMap<NodeId, Time> =
            datum.instances.iter().map(|instance| (instance.endpoint.node, instance.beat)).collect();
        let gone: Vec<NodeId> =
            of.book.listed().keys().filter(|node| !fresh.contains_key(node)).copied().collect();
        of.beats = fresh;
        let mut turns: Vec<Turn> =
            gone.into_iter().filter_map(|node| of.book.list(node, None, threshold, moment)).collect();
        for &Instance { endpoint, healthy, .. } in datum.instances.iter() {
            turns.extend(of.book.list(endpoint.node, Some(Shown { endpoint, healthy }), threshold, moment));
        }
        turns
    }

    /// All that there is of a service goes, and that there ever was one.
    pub fn forget(&mut self, service: ServiceId, moment: Time) -> Vec<Turn> {
        let turns = self.replace(&Datum { service, instances: [].into() }, moment);
        self.services[service.0 as usize].known = false;
        turns
    }

    /// The checksum of a service's list, if anybody has ever registered for it: of instances, weights and health, but
    /// not of beats (naming/core/Instances.java, 1.4.6, `recalculateChecksum`; MD5 there, FNV-1a here).
    pub fn sum(&mut self, service: ServiceId) -> Option<u64> {
        let of = &mut self.services[service.0 as usize];
        if of.sum.1 != of.book.revision() {
            of.sum = (checksum(of.book.listed()), of.book.revision());
        }
        of.known.then_some(of.sum.0)
    }
}

fn checksum(listed: &BTreeMap<NodeId, Shown>) -> u64 {
    let words = listed.iter().flat_map(|(node, shown)| [node.0, shown.endpoint.weight, shown.healthy.into()]);
    words.fold(0xcbf2_9ce4_8422_2325, |sum, word| (sum ^ u64::from(word)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;

    const ORDERS: ServiceId = ServiceId(0);

    fn at(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    fn endpoint(node: u32) -> Endpoint {
        Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 }
    }

    fn table(nodes: &[u32]) -> Table {
        let mut table = Table::new(1, Ratio::ZERO);
        for &node in nodes {
            table.register(ORDERS, endpoint(node), at(0), at(0));
        }
        table
    }

    #[test]
    fn silence_of_just_the_timeout_is_forgiven() {
        let mut table = table(&[1]);
        let timeout = Duration::from_secs(15);
        assert_eq!(table.fail_silent(ORDERS, timeout, at(15), at(15)), []);
        let failed = table.fail_silent(ORDERS, timeout, at(15) + Duration::from_nanos(1), at(16));
        assert_eq!(failed.len(), 1);
        assert_eq!(table.fail_silent(ORDERS, timeout, at(17), at(17)), [], "it has failed already");
        assert!(table.beat(ORDERS, NodeId(1), at(18), at(18)).is_some_and(|turn| turn.is_some()));
        assert!(table.beat(ORDERS, NodeId(2), at(18), at(18)).is_none());
    }

    #[test]
    fn a_replica_has_the_beats_of_when_it_was_told() {
        let mut owner = table(&[1, 2]);
        let mut replica = Table::new(1, Ratio::ZERO);
        replica.replace(&owner.datum(ORDERS).expect("it is known"), at(1));
        owner.beat(ORDERS, NodeId(1), at(60), at(60));
        assert_eq!(owner.sum(ORDERS), replica.sum(ORDERS), "beats are not in the checksum");
        assert_eq!(replica.silent(ORDERS, Duration::from_secs(30), at(61)).len(), 2);
        assert_eq!(owner.silent(ORDERS, Duration::from_secs(30), at(61)), [NodeId(2)]);
    }

    #[test]
    fn health_is_in_the_checksum() {
        let mut table = table(&[1, 2]);
        let before = table.sum(ORDERS);
        table.fail_silent(ORDERS, Duration::from_secs(1), at(9), at(9));
        assert_ne!(table.sum(ORDERS), before);
    }
}
