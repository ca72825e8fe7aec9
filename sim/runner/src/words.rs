//! Words: nodes and faults as a reader would name them.

use std::sync::Arc;

use schism_core::{NodeId, ZoneId};
use schism_models::nemesis::{Base, Direction, Fault, Mode, Partition, Select, Shape, Target};
use schism_scenario::{Node, Scenario};

/// The names of all nodes and groups. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Names {
    groups: Arc<[Named]>,
}

struct Named {
    name: String,
    first: NodeId,
    nodes: Vec<String>,
}

/// How many nodes are named one by one; more are named by ranges.
const FEW: usize = 16;

impl Names {
    pub(crate) fn new(scenario: &Scenario) -> Names {
        let named = |(name, nodes): (&str, &[Node])| {
            let first = nodes.first()?.id;
            Some(Named {
                name: name.to_owned(),
                first,
                nodes: nodes.iter().map(|node| node.name.clone()).collect(),
            })
        };
        Names { groups: groups(scenario).filter_map(named).collect() }
    }

    /// The name of one node.
    pub(crate) fn one(&self, node: NodeId) -> &str {
        let group = self.group_of(node);
        &group.nodes[(node.0 - group.first.0) as usize]
    }

    /// The name of a node's group: `registry`, a service or a client group.
    pub(crate) fn group(&self, node: NodeId) -> &str {
        &self.group_of(node).name
    }

    /// Nodes one by one, or by ranges if they are many.
    pub(crate) fn each(&self, nodes: &[NodeId]) -> Vec<String> {
        let mut sorted = nodes.to_vec();
        sorted.sort_unstable();
        if sorted.len() <= FEW {
            return sorted.into_iter().map(|node| self.one(node).to_owned()).collect();
        }
        self.ranges(&sorted)
    }

    /// Nodes by ranges, in one line: `registry-0, orders (all 30), web-3..web-7`.
    pub(crate) fn of(&self, nodes: &[NodeId]) -> String {
        let mut sorted = nodes.to_vec();
        sorted.sort_unstable();
        self.ranges(&sorted).join(", ")
    }

    fn ranges(&self, sorted: &[NodeId]) -> Vec<String> {
        let adjoin = |a: &NodeId, b: &NodeId| a.0 + 1 == b.0 && self.group_of(*b).first != *b;
        sorted.chunk_by(adjoin).map(|run| self.range(run)).collect()
    }

    fn range(&self, run: &[NodeId]) -> String {
        let group = self.group_of(run[0]);
        match run {
            [only] => self.one(*only).to_owned(),
            all if all.len() == group.nodes.len() => format!("{} (all {})", group.name, all.len()),
            [first, .., last] => format!("{}..{}", self.one(*first), self.one(*last)),
            [] => unreachable!("a range has a node"),
        }
    }

    fn group_of(&self, node: NodeId) -> &Named {
        let after = self.groups.partition_point(|group| group.first <= node);
        &self.groups[after - 1]
    }
}

/// A fault in the words of the scenario: `partition: zone:b | rest, blackhole`.
pub fn of_fault(scenario: &Scenario, fault: &Fault) -> String {
    match fault {
        Fault::Partition(partition) => of_partition(scenario, partition),
        Fault::Crash(targets) => format!("crash of {}", of_targets(scenario, targets)),
        Fault::Pause(targets) => format!("pause of {}", of_targets(scenario, targets)),
    }
}

fn of_partition(scenario: &Scenario, Partition { shape, direction, mode }: &Partition) -> String {
    let targets = |targets: &[Target]| of_targets(scenario, targets);
    let shape = match shape {
        Shape::Split(sides) => sides.iter().map(|side| targets(side)).collect::<Vec<_>>().join(" | "),
        Shape::Isolate(nodes) => format!("{} | everyone else", targets(nodes)),
        Shape::OneWay(from, to) => format!("{} -> {}", targets(from), targets(to)),
        Shape::Partial(pairs) => {
            let pair = |(a, b): &(Target, Target)| {
                format!("{} | {}", of_target(scenario, a), of_target(scenario, b))
            };
            pairs.iter().map(pair).collect::<Vec<_>>().join(" and ")
        }
    };
    let direction = match direction {
        Direction::Both => "",
        Direction::Forward => ", forward only",
        Direction::Backward => ", backward only",
    };
    let mode = match mode {
        Mode::Blackhole => "blackhole",
        Mode::Reject => "reject",
    };
    format!("partition: {shape}{direction}, {mode}")
}

fn of_targets(scenario: &Scenario, targets: &[Target]) -> String {
    targets.iter().map(|target| of_target(scenario, target)).collect::<Vec<_>>().join(", ")
}

fn of_target(scenario: &Scenario, Target { base, select }: &Target) -> String {
    let zone = |zone: ZoneId| scenario.topology.name(zone).to_owned();
    let base = match base {
        Base::Node(node) => Names::new(scenario).one(*node).to_owned(),
        Base::Group(nodes) => match nodes.first() {
            Some(first) => Names::new(scenario).group(*first).to_owned(),
            None => "nobody".to_owned(),
        },
        Base::Zone(id) => format!("zone:{}", zone(*id)),
        Base::Rest => "rest".to_owned(),
    };
    let select = match select {
        None => String::new(),
        Some(Select::Leader) => ":leader".to_owned(),
        Some(Select::Followers) => ":followers".to_owned(),
        Some(Select::Minority) => ":minority".to_owned(),
        Some(Select::Majority) => ":majority".to_owned(),
        Some(Select::Pick(count)) => format!(":pick({count})"),
        Some(Select::Share(share)) => format!(":{}%", share.as_f64() * 100.0),
        Some(Select::In(id)) => format!(":in(zone:{})", zone(*id)),
    };
    base + &select
}

fn groups(scenario: &Scenario) -> impl Iterator<Item = (&str, &[Node])> {
    let members = std::iter::once(("registry", scenario.members.as_slice()));
    let services = scenario.services.iter().map(|group| (group.name.as_str(), group.nodes.as_slice()));
    let clients = scenario.clients.iter().map(|group| (group.name.as_str(), group.nodes.as_slice()));
    members.chain(services).chain(clients)
}
