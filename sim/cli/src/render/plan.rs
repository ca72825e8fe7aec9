//! The faults of a plan in words: what each is, and whom it names.

use schism_core::NodeId;
use schism_models::nemesis::{
    Base, Direction, End, Fault, Mode, Partition, Planned, Select, Shape, Start, Target,
};
use schism_scenario::{Node, Scenario};

use super::gantt::Row;
use super::words::{clean, many, percent, wrap};

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Step {
    /// Its row in the chart.
    pub(crate) row: Row,
    /// What it does to whom, in words.
    pub(crate) what: String,
}

/// The faults, in the order in which they can begin.
pub(crate) fn steps(scenario: &Scenario) -> Vec<Step> {
    let mut steps: Vec<Step> = scenario.faults.iter().map(|fault| step(fault, scenario)).collect();
    steps.sort_by(|a, b| a.row.from_s.total_cmp(&b.row.from_s));
    steps
}

fn step(planned: &Planned, scenario: &Scenario) -> Step {
    let (from, latest) = match planned.start {
        Start::At(at) => (at, at),
        Start::Between(from, to) => (from, to),
    };
    let to = match planned.end {
        End::After(length) => Some(from + length),
        End::At(at) => Some(at),
        End::Never => None,
    };
    let row = Row {
        id: planned.id.clone(),
        from_s: from.as_secs_f64(),
        latest_s: latest.as_secs_f64(),
        to_s: to.map(|to| to.as_secs_f64()),
        kind: kind(&planned.fault).to_owned(),
    };
    Step { row, what: what(&planned.fault, scenario) }
}

/// What each fault is, in lines of at most so many columns.
pub(crate) fn descriptions(steps: &[Step], columns: usize) -> Vec<String> {
    let describe = |step: &Step| {
        let text = format!("{} · {} · {}", clean(&step.row.id), step.row.when(), step.what);
        let mut lines = wrap(&text, columns - 4).into_iter();
        let first = lines.next();
        first.into_iter().chain(lines.map(|line| format!("    {line}"))).collect::<Vec<String>>()
    };
    steps.iter().flat_map(describe).collect()
}

/// The key that a scenario writes it with.
fn kind(fault: &Fault) -> &'static str {
    match fault {
        Fault::Partition(_) => "partition",
        Fault::Crash(_) => "crash",
        Fault::Pause(_) => "pause",
    }
}

fn what(fault: &Fault, scenario: &Scenario) -> String {
    match fault {
        Fault::Partition(partition) => cut(partition, scenario),
        Fault::Crash(targets) => format!("crash of {}", list(targets, scenario)),
        Fault::Pause(targets) => format!("pause of {}", list(targets, scenario)),
    }
}

fn cut(partition: &Partition, scenario: &Scenario) -> String {
    let Partition { shape, direction, mode } = partition;
    let who = match shape {
        Shape::Split(sides) => {
            let sides: Vec<String> = sides.iter().map(|side| list(side, scenario)).collect();
            format!("partition of {}", sides.join(" | "))
        }
        Shape::Isolate(targets) => format!("isolation of {}", list(targets, scenario)),
        Shape::OneWay(from, to) => {
            format!("no way from {} to {}", list(from, scenario), list(to, scenario))
        }
        Shape::Partial(pairs) => {
            let pair = |(a, b): &(Target, Target)| format!("{} and {}", name(a, scenario), name(b, scenario));
            format!("no way between {}", pairs.iter().map(pair).collect::<Vec<String>>().join(", "))
        }
    };
    let ways = match direction {
        Direction::Both => "",
        Direction::Forward => ", forward only",
        Direction::Backward => ", backward only",
    };
    let felt = match mode {
        Mode::Blackhole => "blackhole",
        Mode::Reject => "reject",
    };
    format!("{who}, {felt}{ways}")
}

fn list(targets: &[Target], scenario: &Scenario) -> String {
    targets.iter().map(|target| name(target, scenario)).collect::<Vec<String>>().join(", ")
}

/// A target as it is written, with how many nodes it stands for, if that is known before the run.
fn name(target: &Target, scenario: &Scenario) -> String {
    let (base, size) = base(&target.base, scenario);
    match (&target.select, size) {
        (Some(select), _) => format!("{base}:{}", selector(select, scenario)),
        (None, Some(size)) => format!("{base} ({})", many(size as u64, "node")),
        (None, None) => base,
    }
}

fn base(base: &Base, scenario: &Scenario) -> (String, Option<usize>) {
    match base {
        Base::Node(id) => (node_name(*id, scenario), None),
        Base::Group(nodes) => (group_name(nodes, scenario), Some(nodes.len())),
        Base::Zone(zone) => {
            let nodes = cast(scenario).filter(|node| node.zone == *zone).count();
            (format!("zone:{}", scenario.topology.name(*zone)), Some(nodes))
        }
        Base::Rest => ("rest".to_owned(), None),
    }
}

fn selector(select: &Select, scenario: &Scenario) -> String {
    match select {
        Select::Leader => "leader".to_owned(),
        Select::Followers => "followers".to_owned(),
        Select::Minority => "minority".to_owned(),
        Select::Majority => "majority".to_owned(),
        Select::Pick(1) => "one".to_owned(),
        Select::Pick(n) => format!("pick({n})"),
        Select::Share(share) => percent(share.numerator() as f64 / share.denominator() as f64),
        Select::In(zone) => format!("in(zone:{})", scenario.topology.name(*zone)),
    }
}

/// All nodes of a scenario.
fn cast(scenario: &Scenario) -> impl Iterator<Item = &Node> {
    let services = scenario.services.iter().flat_map(|group| &group.nodes);
    let clients = scenario.clients.iter().flat_map(|group| &group.nodes);
    scenario.members.iter().chain(services).chain(clients)
}

fn node_name(id: NodeId, scenario: &Scenario) -> String {
    cast(scenario).find(|node| node.id == id).map_or_else(|| format!("{id:?}"), |node| node.name.clone())
}

/// The group that has just these nodes.
fn group_name(nodes: &[NodeId], scenario: &Scenario) -> String {
    let is = |group: &[Node]| group.iter().map(|node| node.id).eq(nodes.iter().copied());
    if is(&scenario.members) {
        return "registry".to_owned();
    }
    let services = scenario.services.iter().map(|group| (&group.name, &group.nodes));
    let clients = scenario.clients.iter().map(|group| (&group.name, &group.nodes));
    let found = services.chain(clients).find(|(_, group)| is(group));
    found.map_or_else(
        || nodes.iter().map(|node| node_name(*node, scenario)).collect::<Vec<String>>().join("+"),
        |(name, _)| name.clone(),
    )
}
