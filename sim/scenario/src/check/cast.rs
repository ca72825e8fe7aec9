//! The cast: every node with its number, name and zone.

use std::collections::BTreeMap;

use schism_core::{NodeId, ZoneId};
use schism_models::registry::Aides;

use super::topology::{Zones, bad_name};
use crate::diagnostics::{Problem, Report};
use crate::limits::{self, Limit};
use crate::reader::too_many;
use crate::registry::Spec;
use crate::source::{At, Place};
use crate::spec::{Spread, Written};
use crate::target::is_name;
use crate::{Aide, Node, Spare};

/// All nodes, and the groups that targets can name.
pub(super) struct Cast {
    pub(super) members: Vec<Node>,
    pub(super) services: Vec<Vec<Node>>,
    pub(super) clients: Vec<Vec<Node>>,
    /// Processes of the registry's besides its members that share no instance's host.
    pub(super) apart: Vec<Node>,
    /// Instances that faults recruit.
    pub(super) spares: Vec<Spare>,
    /// The zones that the instances of each service take turns in.
    turns: Vec<Vec<ZoneId>>,
    /// Of each group: its first node and how many there are.
    groups: BTreeMap<String, (u32, u32)>,
    /// The groups, in the order of the file.
    names: Vec<String>,
    zone_of: Vec<ZoneId>,
    pub(super) registry: Registry,
    /// Its name in the catalog, if it could be read.
    pub(super) registry_name: Option<&'static str>,
    /// Whether clients learn from DNS, if that could be read.
    pub(super) dns: Option<bool>,
}

/// What a target may say of the registry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Registry {
    HasLeader,
    /// It has members, none of which leads the others; with its name.
    HasNoLeader(&'static str),
    IsStatic,
    /// What was written could not be read, which has been reported.
    Unknown,
}

/// What a node is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Member,
    Instance,
    Client,
    /// A process of the registry's besides its members.
    Aide,
}

impl Kind {
    /// What one of them is said to be.
    pub(super) fn one(self) -> &'static str {
        match self {
            Kind::Member => "is a registry member",
            Kind::Instance => "is an instance of a service",
            Kind::Client => "is a client",
            Kind::Aide => "serves the registry",
        }
    }

    /// What several are said to be.
    pub(super) fn many(self) -> &'static str {
        match self {
            Kind::Member => "are registry members",
            Kind::Instance => "are instances of a service",
            Kind::Client => "are clients",
            Kind::Aide => "serve the registry",
        }
    }
}

/// The name of the group of registry members.
pub(super) const REGISTRY: &str = "registry";

/// Names that mean something else in a target.
const RESERVED: &[&str] = &[REGISTRY, "rest", "zone"];

/// The name of the registry, if clients cannot call it as a key-value store.
pub(super) fn cannot_be_called(written: &Written, for_locks: bool) -> Option<&'static str> {
    let registry = &written.registry.as_ref()?.value;
    let can = if for_locks { registry.lock_ttl().is_some() } else { registry.can_be_called() };
    (!can).then(|| registry.name())
}

impl Cast {
    /// Numbers the nodes: members first, then services, then clients. None if there are too many to number.
    pub(super) fn assemble(written: &Written, zones: &Zones, report: &Report) -> Option<Cast> {
        totals(written, report)?;
        let registry = match &written.registry {
            Some(At { value: Spec::Static, .. }) => Registry::IsStatic,
            Some(At { value: spec, .. }) if spec.has_leader() => Registry::HasLeader,
            Some(At { value: spec, .. }) => Registry::HasNoLeader(spec.name()),
            None => Registry::Unknown,
        };
        let mut cast = Cast {
            members: Vec::new(),
            services: Vec::new(),
            clients: Vec::new(),
            apart: Vec::new(),
            spares: Vec::new(),
            turns: Vec::new(),
            groups: BTreeMap::new(),
            names: Vec::new(),
            zone_of: Vec::new(),
            registry,
            registry_name: written.registry.as_ref().map(|at| at.value.authority()),
            dns: written.registry.as_ref().map(|at| at.value.name() == "dns"),
        };
        let registry = written.registry.as_ref().map(|at| &at.value);
        if let Some(members) = registry.and_then(Spec::members) {
            cast.members = cast.add(REGISTRY, members.count.value, &members.spread, zones, report);
        }
        names(written, report);
        for service in &written.services {
            let count = service.instances.map_or(0, |at| at.value);
            let nodes = cast.add(&service.name.value, count, &service.spread, zones, report);
            let turn = nodes.iter().take(zones.all().len()).map(|node| node.zone).collect();
            cast.turns.push(turn);
            cast.services.push(nodes);
        }
        for client in &written.clients {
            let count = client.count.map_or(0, |at| at.value);
            let nodes = cast.add(&client.name.value, count, &client.spread, zones, report);
            cast.clients.push(nodes);
        }
        for aides in registry.map_or_else(Vec::new, |registry| registry.aides(written.services.len())) {
            if let Aides::Apart(name, count) = aides {
                let nodes = cast.add(name, count, &Spread::All, zones, report);
                cast.apart.extend(nodes);
            }
        }
        if cast.zone_of.is_empty() && !report.has_errors() {
            let place = written.registry.as_ref().map_or(Place::default(), |at| at.place);
            let problem = Problem::error(
                place,
                "there is nobody to simulate: no services, no clients, no registry members",
            );
            report.add(problem.help("add a [services.NAME] and a [clients.NAME]"));
        }
        Some(cast)
    }

    fn add(&mut self, name: &str, count: u32, spread: &Spread, zones: &Zones, report: &Report) -> Vec<Node> {
        let over = zones_of(spread, zones, report);
        let first = self.zone_of.len() as u32;
        let nodes: Vec<Node> = (0..count)
            .map(|i| Node {
                id: NodeId(first + i),
                name: format!("{name}-{i}"),
                zone: over[i as usize % over.len()],
            })
            .collect();
        self.zone_of.extend(nodes.iter().map(|node| node.zone));
        self.groups.entry(name.to_owned()).or_insert((first, count));
        self.names.push(name.to_owned());
        nodes
    }

    /// So many more instances of a service, which go on where its own end: by name, by zone and by number.
    pub(super) fn recruit(&mut self, service: usize, count: u32) -> Vec<NodeId> {
        let own = &self.services[service];
        let group = own[0].name.rsplit_once('-').expect("a node is named after its group").0.to_owned();
        let had = self.spares.iter().filter(|spare| spare.service == service).count();
        let (first, id) = ((own.len() + had) as u32, self.zone_of.len() as u32);
        let turn = &self.turns[service];
        let fresh = (0..count).map(|i| Spare {
            service,
            ordinal: first + i,
            node: Node {
                id: NodeId(id + i),
                name: format!("{group}-{}", first + i),
                zone: turn[(first + i) as usize % turn.len()],
            },
        });
        let fresh: Vec<Spare> = fresh.collect();
        let nodes = fresh.iter().map(|spare| spare.node.id).collect();
        self.zone_of.extend(fresh.iter().map(|spare| spare.node.zone));
        self.spares.extend(fresh);
        nodes
    }

    /// The processes of the registry's besides its members, once nobody else comes: those apart, and one on the host of
    /// each instance.
    pub(super) fn aides(&self, kinds: &[Aides]) -> Vec<Aide> {
        let apart = self.apart.iter().map(|node| Aide { node: node.clone(), host: None });
        let instances = self.services.iter().flatten().chain(self.spares.iter().map(|spare| &spare.node));
        let suffixes = kinds.iter().filter_map(|kind| match kind {
            Aides::OnHosts(suffix) => Some(suffix),
            Aides::Apart(..) => None,
        });
        let hosts = suffixes.flat_map(|suffix| instances.clone().map(move |host| (host, suffix)));
        let aboard = (self.zone_of.len() as u32..).zip(hosts).map(|(id, (host, suffix))| Aide {
            node: Node { id: NodeId(id), name: format!("{}-{suffix}", host.name), zone: host.zone },
            host: Some(host.id),
        });
        apart.chain(aboard).collect()
    }

    /// How many instances there are, with those that faults have recruited.
    pub(super) fn instances(&self) -> usize {
        self.services.iter().map(Vec::len).sum::<usize>() + self.spares.len()
    }

    /// What a node is.
    pub(super) fn kind_of(&self, node: NodeId) -> Kind {
        let instances: usize = self.services.iter().map(Vec::len).sum();
        let (members, clients) = (self.members.len(), self.clients.iter().map(Vec::len).sum::<usize>());
        match node.index() {
            index if index < members => Kind::Member,
            index if index < members + instances => Kind::Instance,
            index if index < members + instances + clients => Kind::Client,
            index if index < members + instances + clients + self.apart.len() => Kind::Aide,
            _ => Kind::Instance,
        }
    }

    /// The service whose instances these are, if they are all of it.
    pub(super) fn service_of(&self, nodes: &[NodeId]) -> Option<usize> {
        self.services.iter().position(|service| service.iter().map(|node| node.id).eq(nodes.iter().copied()))
    }

    /// The nodes of a group.
    pub(super) fn group(&self, name: &str) -> Option<Vec<NodeId>> {
        self.groups.get(name).map(|(first, count)| (*first..first + count).map(NodeId).collect())
    }

    /// The names of the groups.
    pub(super) fn group_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(String::as_str)
    }

    /// The group whose node this would be, its number there, and how many the group has.
    pub(super) fn numbered<'n>(&self, name: &'n str) -> Option<(&'n str, Option<NodeId>, u32)> {
        let (group, number) = name.rsplit_once('-')?;
        let (first, count) = self.groups.get(group)?;
        let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let canonical = digits && (number == "0" || !number.starts_with('0'));
        if !digits {
            return None;
        }
        let number = number.parse::<u32>().ok().filter(|number| canonical && number < count);
        Some((group, number.map(|number| NodeId(first + number)), *count))
    }

    /// The zone of every node, by number.
    pub(super) fn zones(&self) -> &[ZoneId] {
        &self.zone_of
    }

    pub(super) fn zone_of(&self, node: NodeId) -> ZoneId {
        self.zone_of[node.index()]
    }

    /// The name of a node.
    pub(super) fn name_of(&self, node: NodeId) -> String {
        if let Some(spare) = self.spares.iter().find(|spare| spare.node.id == node) {
            return spare.node.name.clone();
        }
        let (name, (first, _)) = self
            .groups
            .iter()
            .find(|(_, (first, count))| (*first..first + count).contains(&node.0))
            .expect("a node is in a group");
        format!("{name}-{}", node.0 - first)
    }

    /// The nodes of a zone that are there from the start.
    pub(super) fn in_zone(&self, zone: ZoneId) -> impl Iterator<Item = NodeId> {
        (0..self.len() as u32).map(NodeId).filter(move |node| self.zone_of(*node) == zone)
    }

    /// How many nodes are there from the start.
    pub(super) fn len(&self) -> usize {
        self.zone_of.len() - self.spares.len()
    }
}

/// Refuses counts before any memory is taken for them.
fn totals(written: &Written, report: &Report) -> Option<()> {
    let groups = (written.services.len() + written.clients.len()) as u64;
    if groups > limits::GROUPS.most {
        let place = written
            .services
            .last()
            .map(|one| one.name.place)
            .or(written.clients.last().map(|one| one.name.place));
        report.add(too_many(place.unwrap_or_default(), limits::GROUPS, groups));
        return None;
    }
    total(written.services.iter().filter_map(|one| one.instances), limits::INSTANCES_TOTAL, report)?;
    total(written.clients.iter().filter_map(|one| one.count), limits::CLIENTS_TOTAL, report)
}

fn total(counts: impl Iterator<Item = At<u32>>, limit: Limit, report: &Report) -> Option<()> {
    let mut sum = 0;
    for count in counts {
        sum += u64::from(count.value);
        if sum > limit.most {
            report.add(too_many(count.place, limit, sum));
            return None;
        }
    }
    Some(())
}

/// Names that can be told apart, from each other and from the nodes' own.
fn names(written: &Written, report: &Report) {
    let services = written.services.iter().map(|one| ("service", &one.name, one.instances));
    let clients = written.clients.iter().map(|one| ("client group", &one.name, one.count));
    let aides = written.registry.as_ref().map_or_else(Vec::new, |at| at.value.aides(written.services.len()));
    let is_aides =
        |group: &str| aides.iter().any(|aides| matches!(aides, Aides::Apart(name, _) if *name == group));
    let mut seen: BTreeMap<&str, (&At<String>, u32)> = BTreeMap::new();
    for (what, name, count) in services.chain(clients) {
        if !is_name(&name.value) {
            report.add(bad_name(what, name));
        } else if RESERVED.contains(&name.value.as_str()) || is_aides(&name.value) {
            let message =
                format!("`{}` cannot be the name of a {what}: it has a meaning of its own", name.value);
            report.add(Problem::error(name.place, message).help("give it another name"));
        } else if let Some((first, _)) = seen.get(name.value.as_str()) {
            let message = format!("a service and a client group are both named `{}`", name.value);
            report.add(
                Problem::error(name.place, message)
                    .related(first.place, "the first is here")
                    .help("rename one of them"),
            );
        }
        seen.entry(&name.value).or_insert((name, count.map_or(0, |at| at.value)));
    }
    for (name, (at, _)) in &seen {
        let Some((group, number)) = name.rsplit_once('-') else { continue };
        let count = seen.get(group).map_or(0, |(_, count)| *count);
        if number.parse::<u32>().is_ok_and(|number| number < count || is_aides(group)) {
            let message = format!("`{name}` is also the name of a node of `{group}`");
            report.add(Problem::error(at.place, message).help("give it another name"));
        }
    }
}

/// The zones that a group takes turns in; all of them where something is wrong with the list.
fn zones_of(spread: &Spread, zones: &Zones, report: &Report) -> Vec<ZoneId> {
    let Spread::Over(written) = spread else { return zones.all() };
    if written.value.is_empty() {
        report.add(Problem::error(written.place, "`zones` is empty").help("leave it out for all zones"));
        return zones.all();
    }
    let mut over = Vec::new();
    for name in &written.value {
        match zones.find(&name.value) {
            None => report.add(super::no_zone(name, zones)),
            Some(zone) if over.contains(&zone) => {
                let message = format!("the zone `{}` is there twice", name.value);
                report.add(
                    Problem::error(name.place, message).help("nodes take turns in the zones: name each once"),
                );
            }
            Some(zone) => over.push(zone),
        }
    }
    if over.is_empty() { zones.all() } else { over }
}
