//! The nemesis: what goes wrong, when, and to whom.

mod strike;
mod target;

pub use strike::{Audience, Nemesis, Struck};

use schism_core::{Duration, Luck, NodeId, Ratio, Seed, Time, ZoneId};

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The name that expectations, phases and the report use.
    pub id: String,
    /// When it begins.
    pub start: Start,
    /// When it is healed.
    pub end: End,
    /// What it is.
    pub fault: Fault,
    /// Whether a run in which it touched nothing is vacuous.
    pub on_miss: OnMiss,
}

impl Planned {
    /// When it begins with this seed, and when it is healed, if it ever is.
    pub fn span(&self, seed: Seed) -> (Time, Option<Time>) {
        let start = match self.start {
            Start::At(at) => at,
            Start::Between(from, to) => {
                let share = self.luck(seed, "start").draw().unit();
                from + Duration::from_secs_f64(to.since(from).as_secs_f64() * share)
            }
        };
        let end = match self.end {
            End::After(lasts) => Some(start + lasts),
            End::At(at) => Some(at.max(start)),
            End::Never => None,
        };
        (start, end)
    }

    /// The fault's own luck: nobody else draws from it, so that taking the fault away changes nothing else.
    fn luck(&self, seed: Seed, purpose: &'static str) -> Luck {
        seed.luck(&format!("fault {}", self.id), purpose, 0)
    }
}

/// What it means if a fault touched nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMiss {
    /// The run says nothing: it is vacuous.
    Vacuous,
    /// Fine: `may-miss = true`.
    Fine,
}

/// When a fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this moment.
    At(Time),
    /// At a moment drawn uniformly between these two, from the fault's own luck.
    Between(Time, Time),
}

/// When a fault is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This long after it began.
    After(Duration),
    /// At this moment.
    At(Time),
    /// Not in this run.
    Never,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Some nodes cannot reach others.
    Partition(Partition),
    /// Processes die: all that is not on disk is lost, and peers see a reset. Healing starts them anew.
    Crash(Vec<Target>),
    /// Processes stand still and keep their state (SIGSTOP). Healing lets them go on.
    Pause(Vec<Target>),
}

/// Who cannot reach whom, and how that feels.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition {
    /// Who is parted from whom.
    pub shape: Shape,
    /// Which ways are cut.
    pub direction: Direction,
    /// What a sender notices.
    pub mode: Mode,
}

/// Who is parted from whom.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Nodes of different sides do not reach each other; who stands on no side is not touched.
    Split(Vec<Vec<Target>>),
    /// These nodes reach nobody else, and nobody else reaches them. They reach each other.
    Isolate(Vec<Target>),
    /// From the first set to the second only.
    OneWay(Vec<Target>, Vec<Target>),
    /// Between each pair of sets.
    Partial(Vec<(Target, Target)>),
}

/// Which ways between two sides are cut; "forward" is from an earlier named side to a later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// From the earlier side to the later.
    Forward,
    /// From the later side to the earlier.
    Backward,
}

/// What a sender notices of a cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing: messages vanish.
    Blackhole,
    /// A refusal: the sender sees a reset.
    Reject,
}

/// Some nodes, by name. What a name stands for is found when the fault begins.
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
