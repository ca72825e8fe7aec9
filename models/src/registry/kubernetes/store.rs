//! The objects of the API as etcd keeps them: nodes, pods, slices, and the controller managers' lease.

mod command;
mod service;

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{NodeId, ZoneId};

pub use self::command::{Command, Effect, Heard};
use self::service::Service;
use super::elector::{NOBODY, Record};
use super::lifecycle::{Ready, Sight, Taint};
use super::slices::{Condition, Placed, Serving, Slice};
use crate::listing::{Change, Endpoint, Listing, ServiceId};
use crate::observation::{Cause, Write};

/// A pod's name: that of its instance's node, and the how manieth of that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodName {
    /// The instance's node.
    pub node: NodeId,
    /// Which of its pods.
    pub number: u32,
}

/// One node.
#[derive(Clone, Copy, Debug)]
struct Node {
    zone: ZoneId,
    beats: u64,
    ready: Ready,
    taint: Taint,
}

/// One pod.
#[derive(Clone, Copy, Debug)]
struct Pod {
    number: u32,
    service: ServiceId,
    endpoint: Endpoint,
    ready: bool,
    deleted: Option<Cause>,
}

/// A pod as its kubelet sees it in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PodView {
    /// Its name.
    pub name: PodName,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether it is to be deleted.
    pub deleted: bool,
}

/// The objects as of a revision.
#[derive(Clone, Debug)]
pub struct Store {
    revision: u64,
    writes: u64,
    compacted: u64,
    nodes: BTreeMap<NodeId, Node>,
    pods: BTreeMap<NodeId, Pod>,
    services: Vec<Service>,
    lead: Option<Record>,
    /// The Lease objects of clients' locks, and who has written each last.
    locks: BTreeMap<u32, (Record, NodeId)>,
}

impl Store {
    /// The objects of a fresh cluster: its services alone.
    pub fn new(services: u16) -> Store {
        Store {
            revision: 1,
            writes: 0,
            compacted: 0,
            nodes: BTreeMap::new(),
            pods: BTreeMap::new(),
            services: (0..services).map(ServiceId).map(Service::new).collect(),
            lead: None,
            locks: BTreeMap::new(),
        }
    }

    /// How many writes there have been, and one.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes so many numbers for writes that the witnesses are told of: the first.
    pub fn number_writes(&mut self, count: usize) -> u64 {
        self.writes += count as u64;
        self.writes + 1 - count as u64
    }

    /// Changes before this revision are forgotten.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// The lease of the active controller manager.
    pub fn lead(&self) -> Option<Record> {
        self.lead
    }

    /// The Lease object of a lock.
    pub fn lease(&self, lock: u32) -> Option<Record> {
        self.locks.get(&lock).map(|(record, _)| *record)
    }

    /// The endpoints of a service that take requests.
    pub fn listing(&self, service: ServiceId) -> &Arc<Listing> {
        &self.services[service.0 as usize].listing
    }

    /// The same of all services.
    pub fn listings(&self) -> impl Iterator<Item = &Arc<Listing>> {
        self.services.iter().map(|service| &service.listing)
    }

    /// A service's slices.
    pub fn slices(&self, service: ServiceId) -> &BTreeMap<u32, Slice> {
        &self.services[service.0 as usize].slices
    }

    /// What has changed in a service's list after a revision; nothing, if some of it has been forgotten.
    pub fn changes_after(&self, service: ServiceId, revision: u64) -> Option<&[Change]> {
        let history = &self.services[service.0 as usize].history;
        (revision + 1 >= self.compacted)
            .then(|| &history[history.partition_point(|change| change.revision <= revision)..])
    }

    /// A node's condition.
    pub fn ready(&self, node: NodeId) -> Option<Ready> {
        self.nodes.get(&node).map(|node| node.ready)
    }

    /// Whether a node is tainted.
    pub fn is_tainted(&self, node: NodeId) -> bool {
        self.nodes.get(&node).is_some_and(|node| node.taint == Taint::Unreachable)
    }

    /// The nodes that are.
    pub fn tainted(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.keys().copied().filter(|&node| self.is_tainted(node))
    }

    /// All nodes, as their controller sees them.
    pub fn sights(&self) -> Vec<Sight> {
        let sight = |(&node, of): (&NodeId, &Node)| Sight {
            node,
            zone: of.zone,
            beats: of.beats,
            ready: of.ready,
            taint: of.taint,
        };
        self.nodes.iter().map(sight).collect()
    }

    /// The pod on a node.
    pub fn pod(&self, node: NodeId) -> Option<PodView> {
        let pod = self.pods.get(&node)?;
        let name = PodName { node, number: pod.number };
        Some(PodView { name, ready: pod.ready, deleted: pod.deleted.is_some() })
    }

    /// Which endpoints a service's slices should hold: those of all its pods
    /// (staging/src/k8s.io/endpointslice/utils.go, v1.28, `podToEndpoint`).
    pub fn desired(&self, service: ServiceId) -> BTreeMap<NodeId, Placed> {
        let of = self.pods.iter().filter(|(_, pod)| pod.service == service);
        of.map(|(&node, pod)| {
            let condition = match (pod.deleted, pod.ready) {
                (Some(_), true) => Condition::Terminating(Serving::Yes),
                (Some(_), false) => Condition::Terminating(Serving::No),
                (None, true) => Condition::Ready,
                (None, false) => Condition::NotReady,
            };
            (node, Placed { endpoint: pod.endpoint, condition })
        })
        .collect()
    }

    /// Does what an entry of the log says.
    pub fn apply(&mut self, command: &Command) -> Effect {
        self.revision += 1;
        match *command {
            Command::Beat { node, zone } => self.beat(node, zone),
            Command::Condition { node, ready } => self.change_node(node, |node| {
                node.ready = ready;
                // A posted status is heard of as well as a lease.
                node.beats += u64::from(ready == Ready::True);
            }),
            Command::Taint { node, taint } => self.change_node(node, |node| node.taint = taint),
            Command::Status { pod, service, endpoint, ready } => {
                self.write_status(pod, service, endpoint, ready)
            }
            Command::Unready { node } => match self.pods.get_mut(&node) {
                Some(pod) if pod.ready => {
                    pod.ready = false;
                    Effect::Pod(pod.service, node)
                }
                Some(_) | None => Effect::Refused,
            },
            Command::Delete { pod, cause } => match self.named(pod) {
                Some(found) if found.deleted.is_none() => {
                    found.deleted = Some(cause);
                    Effect::Pod(found.service, pod.node)
                }
                Some(_) | None => Effect::Refused,
            },
            Command::Purge { pod } => match self.named(pod).map(|found| found.service) {
                Some(service) => {
                    self.pods.remove(&pod.node);
                    Effect::Pod(service, pod.node)
                }
                None => Effect::Refused,
            },
            Command::Slice { service, number, ref slice } => self.write_slice(service, number, slice.clone()),
            Command::Lead { holder, version } => self.take_lead(holder, version),
            Command::Lock { lock, holder, version, by } => self.take_lock(lock, holder, version, by),
            Command::Compact { revision } => {
                self.compact(revision);
                Effect::Unseen
            }
        }
    }

    fn beat(&mut self, node: NodeId, zone: ZoneId) -> Effect {
        let first = Node { zone, beats: 0, ready: Ready::True, taint: Taint::None };
        let heard = if self.nodes.contains_key(&node) { Heard::Again } else { Heard::First };
        self.nodes.entry(node).or_insert(first).beats += 1;
        Effect::Beat(heard)
    }

    fn change_node(&mut self, node: NodeId, change: impl FnOnce(&mut Node)) -> Effect {
        match self.nodes.get_mut(&node) {
            Some(found) => {
                change(found);
                Effect::Node(node)
            }
            None => Effect::Refused,
        }
    }

    fn named(&mut self, pod: PodName) -> Option<&mut Pod> {
        self.pods.get_mut(&pod.node).filter(|found| found.number == pod.number)
    }

    fn write_status(&mut self, name: PodName, service: ServiceId, endpoint: Endpoint, ready: bool) -> Effect {
        let fresh = Pod { number: name.number, service, endpoint, ready, deleted: None };
        match self.pods.get_mut(&name.node) {
            None => {
                self.pods.insert(name.node, fresh);
            }
            Some(pod) if pod.number == name.number => pod.ready = ready,
            Some(_) => return Effect::Refused,
        }
        Effect::Pod(service, name.node)
    }

    fn take_lead(&mut self, holder: u64, version: u64) -> Effect {
        if self.lead.map_or(0, |lead| lead.version) != version {
            return Effect::Refused;
        }
        let transitions = match self.lead {
            Some(lead) => lead.transitions + u64::from(lead.holder != holder),
            None => 0,
        };
        let record = Record { holder, version: version + 1, transitions };
        self.lead = Some(record);
        Effect::Lead(record)
    }

    /// Who holds it and writes it again renews it; whoever takes it from another takes it away from that one.
    fn take_lock(&mut self, lock: u32, holder: u64, version: u64, by: NodeId) -> Effect {
        let before = self.locks.get(&lock).copied();
        if before.map_or(0, |(record, _)| record.version) != version {
            return Effect::Refused;
        }
        let changes = before.is_none_or(|(record, _)| record.holder != holder);
        let transitions =
            before.map_or(0, |(record, _)| record.transitions + u64::from(changes && holder != NOBODY));
        let record = Record { holder, version: version + 1, transitions };
        self.locks.insert(lock, (record, by));
        let mut writes = Vec::new();
        if let Some((Record { holder: 1.., .. }, of)) = before
            && changes
        {
            let cause = if holder == NOBODY { Cause::Revoked } else { Cause::Expired };
            writes.push(Write::Release { by: of, lock, cause });
        }
        if changes && holder != NOBODY {
            writes.push(Write::Claim { by, lock });
        }
        Effect::Lock(record, if writes.is_empty() { vec![Write::Put] } else { writes })
    }

    fn compact(&mut self, revision: u64) {
        if revision > self.compacted && revision <= self.revision {
            self.compacted = revision;
            for service in &mut self.services {
                service.history.retain(|change| change.revision >= revision);
            }
        }
    }

    fn write_slice(&mut self, service: ServiceId, number: u32, slice: Option<Slice>) -> Effect {
        let deleted: BTreeMap<NodeId, Cause> = slice
            .iter()
            .flat_map(|slice| slice.iter())
            .filter_map(|placed| Some((placed.endpoint.node, self.pods.get(&placed.endpoint.node)?.deleted?)))
            .collect();
        let state = &mut self.services[service.0 as usize];
        let before = match &slice {
            Some(slice) => state.slices.insert(number, slice.clone()),
            None => state.slices.remove(&number),
        };
        let touched = state.place(before.as_deref().unwrap_or(&[]), slice.as_deref().unwrap_or(&[]));
        let writes =
            touched.iter().filter_map(|&node| state.register(node, deleted.get(&node).copied())).collect();
        let changes = state.list(&touched, self.revision);
        Effect::Slice(service, writes, changes)
    }
}
