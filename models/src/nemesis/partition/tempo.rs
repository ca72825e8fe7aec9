//! Tempos: how a partition comes and goes while it lasts.

use schism_core::{Duration, Luck, NodeId, NodeSet, Ratio};

use super::shape::{Pairs, Shape};
use crate::nemesis::aim::{Base, Target};
use crate::nemesis::find::Finder;

/// How a partition comes and goes while it lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tempo {
    /// It is there from its beginning to its end.
    Steady,
    /// It comes and goes, as a loose cable or a flapping route does (RFC 2439, section 1).
    Flap(Flap),
    /// Its nodes are cut off one by one, and then healed one by one in another order: FoundationDB's "swizzle-clogging",
    /// which finds bugs that no other fault does (Wilson, "Testing Distributed Systems w/ Deterministic Simulation",
    /// Strange Loop 2014).
    Swizzle {
        /// How long it takes to cut all off, and again to heal them all at the end; half of the fault at most.
        over: Duration,
    },
    /// The isolation moves from one to the next, and after the last to the first again. One at a time are the nodes of a
    /// group, and the targets of a list where they are zones or single nodes.
    Rolling {
        /// How long each is isolated.
        each: Duration,
    },
}

/// How a partition flaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flap {
    /// How long it is gone each time.
    pub up: Duration,
    /// How long it is there each time.
    pub down: Duration,
    /// By what share of itself each of these times is drawn longer or shorter.
    pub jitter: Ratio,
    /// How many times it comes; without end if `None`.
    pub count: Option<u32>,
}

impl Tempo {
    pub(super) fn words(&self) -> String {
        match self {
            Tempo::Steady => String::new(),
            Tempo::Flap(Flap { up, down, .. }) => format!(", flapping: {down} down, {up} up"),
            Tempo::Swizzle { over } => format!(", swizzled over {over}"),
            Tempo::Rolling { each } => format!(", rolling, {each} each"),
        }
    }

    /// The pairs of sets that the shape parts; of one that rolls, one pair for each turn.
    pub(super) fn pairs(&self, shape: &Shape, finder: &mut Finder<'_>) -> Pairs {
        match (self, shape) {
            (Tempo::Rolling { .. }, Shape::Isolate(targets)) => turns(targets, finder),
            (Tempo::Rolling { .. } | Tempo::Steady | Tempo::Flap(_) | Tempo::Swizzle { .. }, _) => {
                shape.pairs(finder)
            }
        }
    }
}

/// Each that is isolated in turn, and everyone else.
fn turns(targets: &[Target], finder: &mut Finder<'_>) -> Pairs {
    let mut turns = Pairs::new();
    for target in targets {
        let nodes = finder.find_side(std::slice::from_ref(target));
        let units: Vec<NodeSet> = match &target.base {
            Base::Zone(_) | Base::Rest | Base::Node(_) => vec![nodes],
            Base::Group(_) => nodes.iter().map(|node| [node].into_iter().collect()).collect(),
        };
        for unit in units {
            let others = finder.all().filter(|&node| !unit.contains(node)).collect();
            turns.push((unit, others));
        }
    }
    turns.retain(|(unit, others)| !unit.is_empty() && !others.is_empty());
    turns
}

impl Flap {
    /// How long it is there, or gone, at one turn.
    pub(super) fn lasts(&self, time: Duration, luck: &mut Luck) -> Duration {
        let nanos = u128::from(time.as_nanos());
        let (part, whole) = (u128::from(self.jitter.numerator()), u128::from(self.jitter.denominator()));
        let most = nanos * part / whole;
        let drawn = (2 * most * u128::from(luck.word() >> 32)) >> 32;
        let lasts = u64::try_from(nanos - most + drawn).expect("a turn is at most twice as long as it says");
        Duration::from_nanos(lasts.max(1))
    }

    /// Whether it comes once more after so many times.
    pub(super) fn goes_on(&self, times: u32) -> bool {
        self.count.is_none_or(|count| times < count)
    }
}

/// The nodes of some pairs, by number.
pub(super) fn nodes(pairs: &[(NodeSet, NodeSet)]) -> Vec<NodeId> {
    let all: NodeSet = pairs.iter().flat_map(|(a, b)| a.iter().chain(b.iter()).collect::<Vec<_>>()).collect();
    all.iter().collect()
}

/// What is left of some pairs if only these nodes are cut off.
pub(super) fn of_these(pairs: &[(NodeSet, NodeSet)], these: &NodeSet) -> Pairs {
    pairs
        .iter()
        .flat_map(|(a, b)| [(a.and(these), b.clone()), (a.without(these), b.and(these))])
        .filter(|(a, b)| !a.is_empty() && !b.is_empty())
        .collect()
}
