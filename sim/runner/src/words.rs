//! Words: nodes and faults as a reader would name them.

use std::sync::Arc;

use schism_core::{NodeId, Seed, ZoneId};
use schism_models::nemesis::{self, Base, Fault, Planned, Select, Target};
use schism_scenario::{Node, Scenario, Spare};

/// The names of all nodes and groups. Cheap to make and to clone.
#[derive(Clone)]
pub(crate) struct Names {
    groups: Arc<[Named]>,
}

/// A group, whose nodes are named after it: `name-0`, `name-1`, ...
struct Named {
    name: String,
    first: NodeId,
    nodes: u32,
    /// The number in its name of the first node: not zero of spares.
    number: u32,
    /// What follows the number: of what shares an instance's host and is named after that.
    suffix: String,
}

/// How many nodes are named one by one; more are named by ranges.
const FEW: usize = 16;

/// How many ranges are named; the nodes beyond are counted.
const MOST_RANGES: usize = 64;

impl Names {
    pub(crate) fn new(scenario: &Scenario) -> Names {
        let named = |(name, nodes): (&str, &[Node])| {
            let first = nodes.first()?.id;
            Some(Named {
                name: name.to_owned(),
                first,
                nodes: nodes.len() as u32,
                number: 0,
                suffix: String::new(),
            })
        };
        let spare = |spare: &Spare| Named {
            name: scenario.services[spare.service].name.clone(),
            first: spare.node.id,
            nodes: 1,
            number: spare.ordinal,
            suffix: String::new(),
        };
        let spares = scenario.spares.iter().map(spare);
        let (apart, aboard) = scenario.aides_apart();
        let aides = |aides: Vec<&Node>| join(aides.into_iter().map(of_aide));
        let known = groups(scenario).filter_map(named).chain(aides(apart.collect()));
        Names { groups: known.chain(join(spares)).chain(aides(aboard.collect())).collect() }
    }

    /// How many nodes there are: they are numbered below that.
    pub(crate) fn count(&self) -> u32 {
        self.groups.iter().map(|group| group.first.0 + group.nodes).max().unwrap_or(0)
    }

    /// The name of one node.
    pub(crate) fn one(&self, node: NodeId) -> String {
        let group = self.group_of(node);
        format!("{}-{}{}", group.name, group.number + node.0 - group.first.0, group.suffix)
    }

    /// The name of a node's group: `registry`, a service or a client group.
    pub(crate) fn group(&self, node: NodeId) -> &str {
        &self.group_of(node).name
    }

    /// How many nodes a node's group has.
    fn size(&self, node: NodeId) -> usize {
        self.group_of(node).nodes as usize
    }

    /// Nodes one by one, or by ranges if they are many.
    pub(crate) fn each(&self, nodes: &[NodeId]) -> Vec<String> {
        let mut sorted = nodes.to_vec();
        sorted.sort_unstable();
        if sorted.len() <= FEW {
            return sorted.into_iter().map(|node| self.one(node)).collect();
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
        let mut rest = sorted;
        let mut ranges = Vec::new();
        while let Some(&first) = rest.first() {
            if ranges.len() == MOST_RANGES {
                ranges.push(format!("{} more", rest.len()));
                break;
            }
            let group = self.group_of(first);
            let end = group.first.0 + group.nodes;
            let run =
                rest.iter().zip(first.0..end).take_while(|(node, expected)| node.0 == *expected).count();
            ranges.push(self.range(&rest[..run]));
            rest = &rest[run..];
        }
        ranges
    }

    fn range(&self, run: &[NodeId]) -> String {
        let group = self.group_of(run[0]);
        match run {
            [only] => self.one(*only),
            all if all.len() == group.nodes as usize && group.number == 0 => {
                format!("{}{} (all {})", group.name, group.suffix, all.len())
            }
            [first, .., last] => format!("{}..{}", self.one(*first), self.one(*last)),
            [] => unreachable!("a range has a node"),
        }
    }

    fn group_of(&self, node: NodeId) -> &Named {
        let after = self.groups.partition_point(|group| group.first <= node);
        &self.groups[after - 1]
    }
}

/// Text that was made for programmers, with the names of nodes in place of their numbers: `#3` is `orders-0`.
pub(crate) fn named(names: &Names, text: &str) -> String {
    let mut parts = text.split('#');
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        match part[..digits].parse() {
            Ok(node) if node < names.count() => told.push_str(&names.one(NodeId(node))),
            Ok(_) | Err(_) => {
                told.push('#');
                told.push_str(&part[..digits]);
            }
        }
        told.push_str(&part[digits..]);
    }
    told
}

/// Text that was made for programmers, as words: `Registry(Etcd(Session(Unanswered { call: 36 })))` is `session unanswered,
/// call 36`.
pub(crate) fn plainly(text: &str) -> String {
    let is_of_word = |c: char| c.is_alphanumeric() || "-_.#:".contains(c);
    let mut words: Vec<String> = Vec::new();
    let mut ends_part = false;
    for word in text.split_inclusive(|c: char| !is_of_word(c)) {
        let (word, mark) = match word.char_indices().next_back() {
            Some((at, last)) if !is_of_word(last) => (&word[..at], Some(last)),
            Some(_) | None => (word, None),
        };
        let told = lower(word.trim_end_matches(':'));
        if !told.is_empty() && !OUTER.contains(&told.as_str()) && words.last() != Some(&told) {
            if ends_part && let Some(last) = words.last_mut() {
                last.push(',');
            }
            words.push(told);
            ends_part = false;
        }
        ends_part |= matches!(mark, Some(',' | '{'));
    }
    words.join(" ")
}

/// What stands around the rest and says nothing that is not known.
const OUTER: &[&str] =
    &["registry", "etcd", "consul", "zoo keeper", "eureka", "nacos", "kubernetes", "dns", "some", "attempt"];

/// `GrantLate` as `grant late`; names of nodes as they are.
fn lower(word: &str) -> String {
    let mut told = String::new();
    for c in word.chars() {
        if c.is_uppercase() && !told.is_empty() && !told.ends_with(['-', '.']) {
            told.push(' ');
        }
        told.extend(c.to_lowercase());
    }
    told
}

/// An aide by its name: `dns-0`, or `orders-3-agent` after the instance whose host it shares.
fn of_aide(node: &Node) -> Named {
    let (rest, last) = node.name.rsplit_once('-').expect("an aide is numbered, or named after an instance");
    let (name, number, suffix) = match (last.parse(), rest.rsplit_once('-')) {
        (Err(_), Some((name, number))) => {
            (name, number.parse().expect("instances are numbered"), format!("-{last}"))
        }
        (number, _) => (rest, number.expect("aides that are apart are numbered"), String::new()),
    };
    Named { name: name.to_owned(), first: node.id, nodes: 1, number, suffix }
}

/// Nodes that follow each other, by number and by name, as one range.
fn join(nodes: impl Iterator<Item = Named>) -> Vec<Named> {
    let mut ranges: Vec<Named> = Vec::new();
    for node in nodes {
        let follows = |last: &&mut Named| {
            last.name == node.name
                && last.suffix == node.suffix
                && last.first.0 + last.nodes == node.first.0
                && last.number + last.nodes == node.number
        };
        match ranges.last_mut().filter(follows) {
            Some(last) => last.nodes += 1,
            None => ranges.push(node),
        }
    }
    ranges
}

/// Faults and nodes in the words of the scenario.
pub struct Words<'s> {
    scenario: &'s Scenario,
    names: Names,
}

impl<'s> Words<'s> {
    /// The words of a scenario.
    pub fn new(scenario: &'s Scenario) -> Words<'s> {
        Words { scenario, names: Names::new(scenario) }
    }

    /// A fault as it is meant: `partition: zone:b | rest, blackhole`.
    pub fn fault(&self, fault: &Fault) -> String {
        fault.words(self)
    }

    /// A fault as it is with a seed: of a choice, what is chosen.
    pub fn with_seed(&self, planned: &Planned, seed: Seed) -> String {
        let chosen = self.fault(planned.chosen(seed));
        match planned.fault.alternatives().len() {
            1 => chosen,
            several => format!("{chosen} (chosen of {several})"),
        }
    }

    /// What a process reminds itself of or is told, in words.
    pub fn plainly(text: &str) -> String {
        plainly(text)
    }

    /// Nodes one by one, or by ranges if they are many.
    pub fn each(&self, nodes: &[NodeId]) -> Vec<String> {
        self.names.each(nodes)
    }

    /// Nodes by ranges: `registry-0, orders (all 30), web-3..web-7`.
    pub fn nodes(&self, nodes: &[NodeId]) -> String {
        self.names.of(nodes)
    }
}

impl nemesis::Names for Words<'_> {
    fn target(&self, target: &Target) -> String {
        of_target(self.scenario, &self.names, target)
    }
}

fn of_target(scenario: &Scenario, names: &Names, Target { base, select }: &Target) -> String {
    let zone = |zone: ZoneId| scenario.topology.name(zone).to_owned();
    let base = match base {
        Base::Node(node) => names.one(*node),
        Base::Group(nodes) => match nodes.first() {
            Some(first) if select.is_some() || nodes.len() == names.size(*first) => {
                names.group(*first).to_owned()
            }
            Some(_) => names.of(nodes),
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
        Some(Select::Pick(1)) => ":one".to_owned(),
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

#[cfg(test)]
mod tests {
    use schism_models::nemesis::{Direction, Existing, Mode, Partition, Pause, Shape, Tempo};

    use super::*;
    use crate::ledger::stage::{BATCH, ORDERS, REGISTRY, Stage, WEB, next};

    #[test]
    fn nodes_are_named_by_ranges_that_end_with_their_group() {
        let names = Names::new(&Stage::new().scenario);
        let nodes = [WEB, next(WEB, 1), BATCH, next(ORDERS, 1), next(ORDERS, 2), REGISTRY];
        assert_eq!(names.of(&nodes), "registry-0, orders-1..orders-2, web (all 2), batch-0");
        assert_eq!(names.each(&nodes)[..2], ["registry-0", "orders-1"]);
        assert_eq!(names.of(&[]), "");
    }

    #[test]
    fn numbers_of_nodes_become_names_in_text() {
        let names = Names::new(&Stage::new().scenario);
        let web = format!("Attempt {{ to: {WEB:?} }}, {BATCH:?}");
        assert_eq!(named(&names, &web), "Attempt { to: web-0 }, batch-0");
        assert_eq!(named(&names, "#99999 # and #x"), "#99999 # and #x");
    }

    #[test]
    fn what_programmers_read_becomes_words() {
        assert_eq!(
            plainly("Registry(Etcd(Session(Unanswered { call: 36 })))"),
            "session unanswered, call 36"
        );
        assert_eq!(plainly("Registry(Etcd(Locker(Wake(Lease(2.17)))))"), "locker wake lease 2.17");
        assert_eq!(plainly("Attempt(Attempt { slot: 3, request: 12 })"), "slot 3, request 12");
        assert_eq!(plainly("Work"), "work");
    }

    #[test]
    fn a_fault_is_told_in_the_words_of_the_scenario() {
        let scenario = Stage::new().scenario;
        let target = |base, select| Target { base, select };
        let orders = target(Base::Group(vec![ORDERS]), Some(Select::Pick(2)));
        let leader = target(Base::Group(vec![REGISTRY]), Some(Select::Leader));
        let (mode, direction) = (Mode::Blackhole, Direction::Forward);
        let sides =
            vec![vec![target(Base::Zone(ZoneId(1)), None), leader.clone()], vec![target(Base::Rest, None)]];
        let told = |fault| Words::new(&scenario).fault(&fault);
        assert_eq!(told(Fault::Pause(Pause { targets: vec![orders.clone()] })), "pause of orders:pick(2)");
        let (existing, tempo) = (Existing::Cut, Tempo::Steady);
        let split =
            Fault::Partition(Partition { shape: Shape::Split(sides), direction, mode, existing, tempo });
        assert_eq!(told(split), "partition: zone:b, registry:leader | rest, forward only, blackhole");
        let shape = Shape::Partial(vec![(orders, leader)]);
        let (direction, mode) = (Direction::Both, Mode::Reject);
        let partial = Fault::Partition(Partition { shape, direction, mode, existing, tempo });
        assert_eq!(told(partial), "partition: orders:pick(2) | registry:leader, reject");
    }
}
