//! What one server holds: the connections that it knows of, what each publishes, and the lists that come of that.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, NodeId, Ratio, Time};

use crate::listing::{Endpoint, Listing, ServiceId};
use crate::registry::nacos::book::{Book, Shown, Turn};

/// A connection, as Nacos numbers them: who opened it, and when. Who comes back has another, and the instance may be
/// published by both for a while.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ConnectionId {
    /// Whose it is.
    pub node: NodeId,
    /// The true moment at which it was opened.
    pub opened: Time,
}

/// What a connection publishes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Published {
    /// Of which service.
    pub service: ServiceId,
    /// The instance.
    pub endpoint: Endpoint,
    /// Whether it says that it is healthy.
    pub healthy: bool,
}

/// Whose connection it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// This server's own: what comes of it is told to the others.
    Native,
    /// Another server's, last verified at this time of this server's clock.
    Replica(Time),
}

/// All that a server holds of ephemeral instances.
#[derive(Clone, Debug)]
pub struct Table {
    threshold: Ratio,
    clients: BTreeMap<ConnectionId, Client>,
    books: Vec<Book>,
    /// The weights that metadata give to instances, and since when nobody publishes those that are gone.
    weights: BTreeMap<NodeId, (u32, Option<Time>)>,
}

#[derive(Clone, Copy, Debug)]
struct Client {
    origin: Origin,
    /// How often it has changed.
    revision: u64,
    published: Option<Published>,
}

impl Table {
    /// The table of a server that knows nothing yet.
    pub fn new(services: usize, threshold: Ratio) -> Table {
        let books = (0..services).map(|service| Book::new(ServiceId(service as u16))).collect();
        Table { threshold, clients: BTreeMap::new(), books, weights: BTreeMap::new() }
    }

    /// Whether a connection is known.
    pub fn knows(&self, id: ConnectionId) -> bool {
        self.clients.contains_key(&id)
    }

    /// Somebody has connected to this server.
    pub fn connect(&mut self, id: ConnectionId) {
        self.clients.entry(id).or_insert(Client { origin: Origin::Native, revision: 0, published: None });
    }

    /// A connection publishes something else, or nothing any more. `None` if it is not known.
    pub fn publish(&mut self, id: ConnectionId, published: Option<Published>, moment: Time) -> Option<Turn> {
        let client = self.clients.get_mut(&id)?;
        client.revision += 1;
        self.put(id, published, moment)
    }

    /// Another server has told what one of its connections publishes.
    pub fn replicate(
        &mut self,
        id: ConnectionId,
        (published, revision): (Option<Published>, u64),
        now: Time,
        moment: Time,
    ) -> Option<Turn> {
        let fresh = Client { origin: Origin::Replica(now), revision, published: None };
        let client = self.clients.entry(id).or_insert(fresh);
        client.revision = revision;
        self.put(id, published, moment)
    }

    /// A connection is gone.
    pub fn remove(&mut self, id: ConnectionId, moment: Time) -> Option<Turn> {
        self.clients.get(&id)?;
        let turn = self.put(id, None, moment);
        self.clients.remove(&id);
        turn
    }

    /// Another server asks whether a connection of its is known as it should be: that it is, renews it.
    pub fn verify(&mut self, id: ConnectionId, revision: Option<u64>, now: Time) -> bool {
        let Some(client) = self.clients.get_mut(&id) else { return false };
        let same = revision.is_none_or(|revision| client.revision == revision);
        if let (true, Origin::Replica(verified)) = (same, &mut client.origin) {
            *verified = now;
        }
        same
    }

    /// The replicas that were not verified for longer than this.
    pub fn expired(&self, expiry: Duration, now: Time) -> Vec<ConnectionId> {
        let old = |client: &Client| match client.origin {
            Origin::Native => false,
            Origin::Replica(verified) => now.since(verified) > expiry,
        };
        self.clients.iter().filter(|(_, client)| old(client)).map(|(id, _)| *id).collect()
    }

    /// This server's own connections, with their revisions.
    pub fn native(&self) -> impl Iterator<Item = (ConnectionId, u64)> {
        let native = self.clients.iter().filter(|(_, client)| client.origin == Origin::Native);
        native.map(|(id, client)| (*id, client.revision))
    }

    /// What a connection publishes, and its revision, if it is known.
    pub fn client(&self, id: ConnectionId) -> Option<(Option<Published>, u64)> {
        self.clients.get(&id).map(|client| (client.published, client.revision))
    }

    /// All connections that publish something.
    pub fn publishers(&self) -> impl Iterator<Item = (ConnectionId, Published, u64)> {
        self.clients
            .iter()
            .filter_map(|(id, client)| client.published.map(|published| (*id, published, client.revision)))
    }

    /// Those of one instance.
    pub fn connections_of(&self, node: NodeId) -> Vec<ConnectionId> {
        self.range(node).map(|(id, _)| *id).collect()
    }

    /// The metadata give an instance another weight.
    pub fn weigh(&mut self, service: ServiceId, node: NodeId, weight: u32, moment: Time) -> Option<Turn> {
        self.weights.insert(node, (weight, None));
        self.settle(service, node, moment)
    }

    /// Forgets metadata of instances that have been gone for longer than this (naming/core/v2/cleaner/
    /// ExpiredMetadataCleaner.java, 3.0.3).
    pub fn forget_weights(&mut self, expiry: Duration, now: Time) {
        let Table { weights, books, .. } = self;
        weights.retain(|node, (_, gone)| {
            let listed = books.iter().any(|book| book.listed().contains_key(node));
            let since = if listed { None } else { Some(gone.unwrap_or(now)) };
            *gone = since;
            since.is_none_or(|since| now.since(since) <= expiry)
        });
    }

    /// The list that is offered: those that are healthy, or all if too few are.
    pub fn offered(&mut self, service: ServiceId) -> Arc<Listing> {
        let threshold = self.threshold;
        self.books[service.0 as usize].offered(threshold)
    }

    /// A service.
    pub fn book(&self, service: ServiceId) -> &Book {
        &self.books[service.0 as usize]
    }

    fn put(&mut self, id: ConnectionId, published: Option<Published>, moment: Time) -> Option<Turn> {
        let client = self.clients.get_mut(&id).expect("only what is known is changed");
        let before = std::mem::replace(&mut client.published, published);
        let service = published.or(before)?.service;
        self.settle(service, id.node, moment)
    }

    /// Lists an instance as the latest of its connections publishes it, if any does.
    fn settle(&mut self, service: ServiceId, node: NodeId, moment: Time) -> Option<Turn> {
        let latest = self.range(node).filter_map(|(_, client)| client.published).next_back();
        let weight = self.weights.get(&node).map(|(weight, _)| *weight);
        let after = latest.filter(|published| published.service == service).map(|published| Shown {
            endpoint: Endpoint { weight: weight.unwrap_or(published.endpoint.weight), ..published.endpoint },
            healthy: published.healthy,
        });
        self.books[service.0 as usize].list(node, after, self.threshold, moment)
    }

    fn range(&self, node: NodeId) -> impl DoubleEndedIterator<Item = (&ConnectionId, &Client)> {
        let all = ConnectionId { node, opened: Time::START }..=ConnectionId {
            node,
            opened: Time::from_nanos(u64::MAX),
        };
        self.clients.range(all)
    }
}

#[cfg(test)]
mod tests {
    use schism_core::ZoneId;

    use super::*;

    fn at(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    fn id(node: u32, opened: u64) -> ConnectionId {
        ConnectionId { node: NodeId(node), opened: at(opened) }
    }

    fn published(node: u32, healthy: bool) -> Option<Published> {
        let endpoint = Endpoint { node: NodeId(node), ordinal: node, zone: ZoneId(0), weight: 1 };
        Some(Published { service: ServiceId(0), endpoint, healthy })
    }

    fn table(threshold: Ratio) -> Table {
        Table::new(1, threshold)
    }

    fn nodes(listing: &Listing) -> Vec<u32> {
        listing.endpoints.iter().map(|endpoint| endpoint.node.0).collect()
    }

    #[test]
    fn an_instance_is_there_while_any_connection_of_its_is() {
        let mut table = table(Ratio::ZERO);
        table.connect(id(1, 0));
        assert!(table.publish(id(1, 0), published(1, true), at(0)).is_some());
        assert_eq!(table.replicate(id(1, 5), (published(1, true), 1), at(6), at(6)), None);
        assert_eq!(table.remove(id(1, 0), at(7)), None);
        let gone = table.remove(id(1, 5), at(8)).expect("the last has gone");
        assert_eq!(gone.after, None);
        assert!(table.offered(ServiceId(0)).endpoints.is_empty());
    }

    #[test]
    fn a_replica_lives_for_so_long_after_it_was_verified() {
        let mut table = table(Ratio::ZERO);
        table.replicate(id(1, 0), (published(1, true), 4), at(0), at(0));
        assert!(!table.verify(id(1, 0), Some(3), at(50)), "another revision renews nothing");
        assert!(table.verify(id(1, 0), Some(4), at(60)));
        let expiry = Duration::from_secs(180);
        assert_eq!(table.expired(expiry, at(240)), []);
        assert_eq!(table.expired(expiry, at(240) + Duration::from_nanos(1)), [id(1, 0)]);
        assert!(!table.verify(id(2, 0), None, at(60)), "nobody knows this one");
    }

    #[test]
    fn nobody_healthy_is_everybody_healthy() {
        let mut table = table(Ratio::ZERO);
        for node in [1, 2] {
            table.connect(id(node, 0));
            table.publish(id(node, 0), published(node, true), at(0));
        }
        let turn = table.publish(id(1, 0), published(1, false), at(1)).expect("it is another");
        assert_eq!(turn.protected, (false, false));
        assert_eq!(nodes(&table.offered(ServiceId(0))), [2]);
        let turn = table.publish(id(2, 0), published(2, false), at(2)).expect("it is another");
        assert_eq!(turn.protected, (false, true));
        assert_eq!(nodes(&table.offered(ServiceId(0))), [1, 2]);
    }

    #[test]
    fn what_was_offered_can_be_told_later() {
        let mut table = table(Ratio::ZERO);
        for node in [1, 2] {
            table.connect(id(node, 0));
            table.publish(id(node, 0), published(node, true), at(node.into()));
        }
        table.remove(id(1, 0), at(9));
        let book = table.book(ServiceId(0));
        assert_eq!(nodes(&book.offered_at(Ratio::ZERO, at(0))), [0_u32; 0]);
        assert_eq!(nodes(&book.offered_at(Ratio::ZERO, at(1))), [1]);
        assert_eq!(nodes(&book.offered_at(Ratio::ZERO, at(8))), [1, 2]);
        assert_eq!(nodes(&book.offered_at(Ratio::ZERO, at(9))), [2]);
        assert!(book.has_changed_since(at(8)) && !book.has_changed_since(at(9)));
    }

    #[test]
    fn a_weight_of_the_metadata_outlives_the_instance_for_a_while() {
        let mut table = table(Ratio::ZERO);
        table.connect(id(1, 0));
        table.publish(id(1, 0), published(1, true), at(0));
        table.weigh(ServiceId(0), NodeId(1), 7, at(1));
        table.remove(id(1, 0), at(2));
        let expiry = Duration::from_secs(60);
        table.forget_weights(expiry, at(5));
        table.forget_weights(expiry, at(65));
        table.connect(id(1, 65));
        table.publish(id(1, 65), published(1, true), at(65));
        assert_eq!(table.offered(ServiceId(0)).endpoints[0].weight, 7);
        table.remove(id(1, 65), at(70));
        table.forget_weights(expiry, at(70));
        table.forget_weights(expiry, at(131));
        table.connect(id(1, 132));
        table.publish(id(1, 132), published(1, true), at(132));
        assert_eq!(table.offered(ServiceId(0)).endpoints[0].weight, 1);
    }
}
