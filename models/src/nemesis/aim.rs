//! Aims: whom a fault is meant for, by name. What a name stands for is found when the fault begins.

use schism_core::{NodeId, Ratio, ZoneId};

/// Some nodes, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Out of whom.
    pub base: Base,
    /// Which of them.
    pub select: Option<Select>,
}

/// The nodes that a target selects from.
#[derive(Clone, Debug, PartialEq)]
pub enum Base {
    /// One node.
    Node(NodeId),
    /// A group: all registry members, all instances of a service, all clients of a group.
    Group(Vec<NodeId>),
    /// All nodes of a zone.
    Zone(ZoneId),
    /// Every node that no other target of the same fault names.
    Rest,
}

/// Which nodes of a group.
#[derive(Clone, Debug, PartialEq)]
pub enum Select {
    /// The registry member that leads, when the fault begins.
    Leader,
    /// The registry members that do not lead.
    Followers,
    /// The smaller half, drawn: fewer than half of the group, the leader not among them unless it must be.
    Minority,
    /// The larger half, drawn: more than half of the group.
    Majority,
    /// So many, drawn.
    Pick(u32),
    /// This share, rounded to the nearest whole number and at least one, drawn.
    Share(Ratio),
    /// Those in a zone.
    In(ZoneId),
}

/// The own instances of the service that such a target names.
pub(super) fn service(targets: &[Target]) -> &[NodeId] {
    match targets {
        [Target { base: Base::Group(own), select: None }] => own,
        _ => unreachable!("a checked scenario names one service and nothing else"),
    }
}

impl Target {
    /// Whether it means the same nodes as long as the same are there.
    pub(super) fn is_steady(&self) -> bool {
        match self.select {
            None | Some(Select::In(_)) => true,
            Some(
                Select::Leader
                | Select::Followers
                | Select::Minority
                | Select::Majority
                | Select::Pick(_)
                | Select::Share(_),
            ) => false,
        }
    }
}

impl Select {
    /// Whether nobody can say whom it selects before it is known who leads.
    pub(super) fn depends_on_the_leader(&self) -> bool {
        match self {
            Select::Leader | Select::Followers | Select::Minority => true,
            Select::Majority | Select::Pick(_) | Select::Share(_) | Select::In(_) => false,
        }
    }
}

/// Turns targets of one sort into targets of another, all that stand together at once: names as written into nodes.
/// `None` where a name means nothing, which has then been reported.
pub type Aim<'a, T, U> = dyn FnMut(Vec<T>) -> Option<Vec<U>> + 'a;

/// Aims what may not be aimed at anybody. The outer `None` is a name that means nothing.
pub(super) fn aim_maybe<T, U>(targets: Option<Vec<T>>, at: &mut Aim<'_, T, U>) -> Option<Option<Vec<U>>> {
    match targets {
        Some(targets) => at(targets).map(Some),
        None => Some(None),
    }
}

/// Whom a fault is aimed at, and beside them those for whom alone it is there, if it is not for everybody.
pub(super) fn sides_maybe<'t, T>(targets: &'t [T], only: Option<&'t [T]>) -> Vec<&'t [T]> {
    std::iter::once(targets).chain(only).collect()
}

/// How nodes are called, where a fault is told in words.
pub trait Names {
    /// A target as the scenario spells it.
    fn target(&self, target: &Target) -> String;

    /// Several, one after another.
    fn targets(&self, targets: &[Target]) -> String {
        targets.iter().map(|target| self.target(target)).collect::<Vec<_>>().join(", ")
    }

    /// `, for web:20% only`, if it is for some alone.
    fn only(&self, targets: Option<&[Target]>) -> String {
        targets.map_or_else(String::new, |targets| format!(", for {} only", self.targets(targets)))
    }
}

/// What kind of process a fault acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Every kind.
    Anyone,
    /// Registry members.
    Members,
    /// Instances of services.
    Instances,
    /// All instances of one service.
    Service,
    /// Clients.
    Clients,
    /// DNS servers.
    DnsServers,
    /// Instances or clients.
    InstancesOrClients,
}
