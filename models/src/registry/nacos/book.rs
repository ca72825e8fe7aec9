//! One service as a server has it: who is listed, who of them is offered, and how that came about.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{NodeId, Ratio, Time};

use super::threshold::protects;
use crate::listing::{Endpoint, Listing, ServiceId};

/// An instance as it is listed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shown {
    /// With the weight that its metadata says, if they say one.
    pub endpoint: Endpoint,
    /// Whether it is.
    pub healthy: bool,
}

/// What has come of something for one instance's listing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    /// The service.
    pub service: ServiceId,
    /// The instance.
    pub node: NodeId,
    /// How it was listed.
    pub before: Option<Shown>,
    /// How it is.
    pub after: Option<Shown>,
    /// Whether the list was whole for lack of healthy instances before, and is now.
    pub protected: (bool, bool),
}

/// One service.
#[derive(Clone, Debug)]
pub struct Book {
    service: ServiceId,
    listed: BTreeMap<NodeId, Shown>,
    healthy: usize,
    revision: u64,
    /// The list that is offered, once somebody has asked for it.
    offered: Option<Arc<Listing>>,
    /// How each instance was listed before each change, by when that was in true time.
    past: Vec<(Time, NodeId, Option<Shown>)>,
}

impl Book {
    /// A service that nobody has registered for.
    pub fn new(service: ServiceId) -> Book {
        Book { service, listed: BTreeMap::new(), healthy: 0, revision: 0, offered: None, past: Vec::new() }
    }

    /// Who is listed.
    pub fn listed(&self) -> &BTreeMap<NodeId, Shown> {
        &self.listed
    }

    /// How often the list has changed.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// An instance is listed like this now, or not at all: what that changes, if anything.
    pub fn list(
        &mut self,
        node: NodeId,
        after: Option<Shown>,
        threshold: Ratio,
        moment: Time,
    ) -> Option<Turn> {
        let protected = self.protects(threshold);
        let before = match after {
            Some(shown) => self.listed.insert(node, shown),
            None => self.listed.remove(&node),
        };
        if before == after {
            return None;
        }
        let is_healthy = |shown: &Option<Shown>| usize::from(shown.is_some_and(|shown| shown.healthy));
        self.healthy = self.healthy + is_healthy(&after) - is_healthy(&before);
        self.revision += 1;
        self.offered = None;
        self.past.push((moment, node, before));
        let protected = (protected, self.protects(threshold));
        Some(Turn { service: self.service, node, before, after, protected })
    }

    /// The list that is offered: those that are healthy, or all if too few are.
    pub fn offered(&mut self, threshold: Ratio) -> Arc<Listing> {
        let whole = self.protects(threshold);
        let (service, revision, listed) = (self.service, self.revision, &self.listed);
        let offered = self.offered.get_or_insert_with(|| Arc::new(listing(service, revision, listed, whole)));
        offered.clone()
    }

    /// The list that was offered at a moment.
    pub fn offered_at(&self, threshold: Ratio, moment: Time) -> Listing {
        let mut then = self.listed.clone();
        let undone = &self.past[self.changes_upto(moment)..];
        for &(_, node, before) in undone.iter().rev() {
            match before {
                Some(shown) => then.insert(node, shown),
                None => then.remove(&node),
            };
        }
        let healthy = then.values().filter(|shown| shown.healthy).count();
        let whole = protects(healthy, then.len(), threshold);
        listing(self.service, self.revision - undone.len() as u64, &then, whole)
    }

    /// Whether the list has changed since a moment.
    pub fn has_changed_since(&self, moment: Time) -> bool {
        self.changes_upto(moment) < self.past.len()
    }

    fn changes_upto(&self, moment: Time) -> usize {
        self.past.partition_point(|(when, ..)| *when <= moment)
    }

    fn protects(&self, threshold: Ratio) -> bool {
        protects(self.healthy, self.listed.len(), threshold)
    }
}

fn listing(service: ServiceId, revision: u64, listed: &BTreeMap<NodeId, Shown>, whole: bool) -> Listing {
    let offered = listed.values().filter(|shown| whole || shown.healthy);
    Listing { service, revision, endpoints: offered.map(|shown| shown.endpoint).collect() }
}
