//! Some nodes cannot reach others.

use schism_core::{Classes, Cut, Feel, Flows, NodeId, NodeSet};

use super::aim::{Aim, Names, Target};
use super::find::Finder;
use super::hand::{Hand, Strike};
use super::{Grip, Nature, Struck};

/// Who cannot reach whom, and how that feels.
#[derive(Clone, Debug, PartialEq)]
pub struct Partition<T = Target> {
    /// Who is parted from whom.
    pub shape: Shape<T>,
    /// Which ways are cut.
    pub direction: Direction,
    /// What a sender notices.
    pub mode: Mode,
}

/// Who is parted from whom.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape<T = Target> {
    /// Nodes of different sides do not reach each other; who stands on no side is not touched.
    Split(Vec<Vec<T>>),
    /// These nodes reach nobody else, and nobody else reaches them. They reach each other.
    Isolate(Vec<T>),
    /// From the first set to the second only.
    OneWay(Vec<T>, Vec<T>),
    /// Between each pair of sets.
    Partial(Vec<(T, T)>),
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

impl Direction {
    /// Whether messages from the earlier side to the later are cut.
    pub(super) fn is_forward(self) -> bool {
        matches!(self, Direction::Both | Direction::Forward)
    }

    /// Whether messages from the later side to the earlier are cut.
    pub(super) fn is_backward(self) -> bool {
        matches!(self, Direction::Both | Direction::Backward)
    }

    fn words(self) -> &'static str {
        match self {
            Direction::Both => "",
            Direction::Forward => ", forward only",
            Direction::Backward => ", backward only",
        }
    }
}

impl<T> Partition<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Partition<U>> {
        Some(Partition { shape: self.shape.aim(at)?, direction: self.direction, mode: self.mode })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        match &self.shape {
            Shape::Split(sides) => sides.iter().map(Vec::as_slice).collect(),
            Shape::Isolate(targets) => vec![targets],
            Shape::OneWay(from, to) => vec![from, to],
            Shape::Partial(pairs) => {
                pairs.iter().flat_map(|(a, b)| [std::slice::from_ref(a), std::slice::from_ref(b)]).collect()
            }
        }
    }
}

impl<T> Shape<T> {
    fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Shape<U>> {
        Some(match self {
            Shape::Split(sides) => {
                let sides: Vec<_> = sides.into_iter().map(&mut *at).collect();
                Shape::Split(sides.into_iter().collect::<Option<_>>()?)
            }
            Shape::Isolate(targets) => Shape::Isolate(at(targets)?),
            Shape::OneWay(from, to) => {
                let (from, to) = (at(from), at(to));
                Shape::OneWay(from?, to?)
            }
            Shape::Partial(pairs) => {
                let mut one = |target: T| at(vec![target])?.pop();
                let pairs: Vec<_> = pairs.into_iter().map(|(a, b)| (one(a), one(b))).collect();
                Shape::Partial(pairs.into_iter().map(|(a, b)| Some((a?, b?))).collect::<Option<_>>()?)
            }
        })
    }
}

impl<T> Nature for Partition<T> {
    fn grip(&self) -> Grip {
        Grip::Apart
    }
}

impl Partition {
    /// `partition: zone:b | rest, blackhole`.
    pub fn words(&self, names: &dyn Names) -> String {
        let shape = match &self.shape {
            Shape::Split(sides) => {
                sides.iter().map(|side| names.targets(side)).collect::<Vec<_>>().join(" | ")
            }
            Shape::Isolate(nodes) => format!("{} | everyone else", names.targets(nodes)),
            Shape::OneWay(from, to) => format!("{} -> {}", names.targets(from), names.targets(to)),
            Shape::Partial(pairs) => {
                let pair = |(a, b): &(Target, Target)| format!("{} | {}", names.target(a), names.target(b));
                pairs.iter().map(pair).collect::<Vec<_>>().join(" and ")
            }
        };
        let mode = match self.mode {
            Mode::Blackhole => "blackhole",
            Mode::Reject => "reject",
        };
        format!("partition: {shape}{}, {mode}", self.direction.words())
    }
}

impl Strike for Partition {
    fn begin(&self, hand: &mut Hand<'_>) {
        let (id, feel) = (hand.id(), self.feel());
        let pairs = hand.finding(|finder| self.pairs(finder));
        for (a, b) in &pairs {
            if self.direction.is_forward() {
                hand.cut(Cut {
                    id,
                    from: a.clone(),
                    to: b.clone(),
                    feel,
                    classes: Classes::ALL,
                    flows: Flows::All,
                });
            }
            if self.direction.is_backward() {
                hand.cut(Cut {
                    id,
                    from: b.clone(),
                    to: a.clone(),
                    feel,
                    classes: Classes::ALL,
                    flows: Flows::All,
                });
            }
        }
        let islands = hand.scene().network().islands();
        hand.strikes(Struck::Parted { sides: named(&pairs), islands });
    }
}

impl Partition {
    fn feel(&self) -> Feel {
        match self.mode {
            Mode::Blackhole => Feel::Silent,
            Mode::Reject => Feel::Refused,
        }
    }

    /// Each two sets of nodes between which it cuts, the earlier named first.
    fn pairs(&self, finder: &mut Finder<'_>) -> Vec<(NodeSet, NodeSet)> {
        let mut pairs = match &self.shape {
            Shape::Split(sides) => every_two(&finder.find_sides(sides)),
            Shape::Isolate(targets) => {
                let inside = finder.find_all(targets);
                let outside = finder.all().filter(|&node| !inside.contains(node)).collect();
                vec![(inside, outside)]
            }
            Shape::OneWay(from, to) => every_two(&finder.find_sides(&[from.clone(), to.clone()])),
            Shape::Partial(edges) => edges
                .iter()
                .flat_map(|(a, b)| every_two(&finder.find_sides(&[vec![a.clone()], vec![b.clone()]])))
                .collect(),
        };
        pairs.retain(|(a, b)| !a.is_empty() && !b.is_empty());
        pairs
    }
}

/// The sides of some pairs, each once, in the order in which they come.
pub(super) fn named(pairs: &[(NodeSet, NodeSet)]) -> Vec<Vec<NodeId>> {
    let mut sides: Vec<Vec<NodeId>> = Vec::new();
    for side in pairs.iter().flat_map(|(a, b)| [a, b]).map(|side| side.iter().collect()) {
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    sides
}

/// Every two sides, the earlier first.
pub(super) fn every_two(sides: &[NodeSet]) -> Vec<(NodeSet, NodeSet)> {
    let mut pairs = Vec::new();
    for (at, earlier) in sides.iter().enumerate() {
        pairs.extend(sides[at + 1..].iter().map(|later| (earlier.clone(), later.clone())));
    }
    pairs
}
