//! Ways: which links between nodes a fault of the network is on, in which direction, and for which traffic.

use schism_core::{Class, Classes, Harm, Impairment, NodeSet};

use super::Struck;
use super::aim::{Aim, Names, Target};
use super::find::Finder;
use super::hand::Hand;
use crate::node::{PROBE, REGISTRY, REQUEST};

/// The ways that a fault is on.
#[derive(Clone, Debug, PartialEq)]
pub struct Ways<T = Target> {
    /// Between whom.
    pub ends: Ends<T>,
    /// Which of the two ways.
    pub direction: Direction,
    /// Which traffic on them.
    pub traffic: Classes,
}

/// The two ends of some ways.
#[derive(Clone, Debug, PartialEq)]
pub enum Ends<T = Target> {
    /// The ways from each node of the first to each node of the second, and back. They are one link: what has a memory
    /// or a capacity has one for all of them, in each direction.
    Between(Vec<T>, Vec<T>),
    /// All ways of these nodes. Each has a link of its own: what has a memory or a capacity has one for each node, in
    /// each direction. A message between two of them meets the link of its sender only.
    Of(Vec<T>),
}

/// Which ways between two sides are concerned; "forward" is from an earlier named side to a later one, and from a node
/// that is named alone to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// From the earlier side to the later.
    Forward,
    /// From the later side to the earlier.
    Backward,
}

/// The kinds of traffic that a scenario may name.
pub const TRAFFIC: &[(&str, Class)] = &[("registry", REGISTRY), ("request", REQUEST), ("probe", PROBE)];

impl Direction {
    /// The ways from one side to another that are concerned, of two that are named in this order. Among the nodes of one
    /// side there is but one way, which is both.
    pub(super) fn of<S: Clone + PartialEq>(self, earlier: &S, later: &S) -> Vec<(S, S)> {
        let forward = || (earlier.clone(), later.clone());
        let backward = || (later.clone(), earlier.clone());
        match self {
            Direction::Both if earlier == later => vec![forward()],
            Direction::Both => vec![forward(), backward()],
            Direction::Forward => vec![forward()],
            Direction::Backward => vec![backward()],
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Direction::Both => "",
            Direction::Forward => ", forward only",
            Direction::Backward => ", backward only",
        }
    }
}

impl<T> Ends<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Ends<U>> {
        Some(match self {
            Ends::Between(a, b) => {
                let (a, b) = (at(a), at(b));
                Ends::Between(a?, b?)
            }
            Ends::Of(nodes) => Ends::Of(at(nodes)?),
        })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        match self {
            Ends::Between(a, b) => vec![a, b],
            Ends::Of(nodes) => vec![nodes],
        }
    }
}

impl Ends {
    /// `between zone:a and zone:b`, or `of orders:one`.
    pub(super) fn words(&self, names: &dyn Names) -> String {
        match self {
            Ends::Between(a, b) => format!("between {} and {}", names.targets(a), names.targets(b)),
            Ends::Of(nodes) => format!("of {}", names.targets(nodes)),
        }
    }

    /// The nodes of each side; of ways that are all those of some nodes, those nodes alone.
    pub(super) fn find(&self, finder: &mut Finder<'_>) -> Vec<NodeSet> {
        match self {
            Ends::Between(a, b) => finder.find_sides(&[a.clone(), b.clone()]),
            Ends::Of(nodes) => vec![finder.find_side(nodes)],
        }
    }
}

/// All ways between two sets of nodes, in each direction; a message meets one of the two at most.
#[derive(Clone, Debug)]
pub(super) struct Link {
    out: (NodeSet, NodeSet),
    back: (NodeSet, NodeSet),
}

impl Link {
    /// The ways of some sides, taken together.
    pub(super) fn whole(sides: &[NodeSet], finder: &Finder<'_>) -> Link {
        match sides {
            [a, b] => Link { out: (a.clone(), b.clone()), back: (b.clone(), a.clone()) },
            [nodes] => Link::of(nodes.clone(), nodes, finder),
            _ => unreachable!("ways have one side or two"),
        }
    }

    /// The ways of some sides, link by link.
    fn each(sides: &[NodeSet], finder: &Finder<'_>) -> Vec<Link> {
        match sides {
            [nodes] => {
                nodes.iter().map(|node| Link::of([node].into_iter().collect(), nodes, finder)).collect()
            }
            _ => vec![Link::whole(sides, finder)],
        }
    }

    /// The ways of some of these nodes: those that leave them, and those that come from anyone but these.
    fn of(own: NodeSet, these: &NodeSet, finder: &Finder<'_>) -> Link {
        let others = finder.all().filter(|&node| !these.contains(node)).collect();
        Link { out: (own.clone(), finder.all().collect()), back: (others, own) }
    }

    /// The ways on it, in a direction.
    pub(super) fn ways(self, direction: Direction) -> Vec<(NodeSet, NodeSet)> {
        match direction {
            Direction::Both => vec![self.out, self.back],
            Direction::Forward => vec![self.out],
            Direction::Backward => vec![self.back],
        }
    }
}

impl<T> Ways<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Ways<U>> {
        Some(Ways { ends: self.ends.aim(at)?, direction: self.direction, traffic: self.traffic })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ends.sides()
    }
}

impl Ways {
    /// `between zone:a and zone:b, forward only, registry only`.
    pub(super) fn words(&self, names: &dyn Names) -> String {
        let traffic: Vec<&str> = TRAFFIC
            .iter()
            .filter(|(_, class)| self.traffic.contains(*class))
            .map(|(name, _)| *name)
            .collect();
        let traffic = match self.traffic {
            Classes::ALL => String::new(),
            _ => format!(", {} only", traffic.join(" and ")),
        };
        format!("{}{}{traffic}", self.ends.words(names), self.direction.words())
    }

    /// The links get worse in each of these respects.
    pub(super) fn worsen(&self, hand: &mut Hand<'_>, harms: &[Harm]) {
        let (sides, links) = hand.finding(|finder| {
            let sides = self.ends.find(finder);
            let links = Link::each(&sides, finder);
            (sides, links)
        });
        let ways = links.into_iter().flat_map(|link| link.ways(self.direction));
        let ways: Vec<_> = ways.flat_map(|way| harms.iter().map(move |harm| (way.clone(), harm))).collect();
        for (number, ((from, to), harm)) in (0..).zip(ways) {
            let salt = hand.luck(LINK, number).draw();
            let (id, classes, harm) = (hand.id(), self.traffic, harm.clone());
            hand.impair(Impairment { id, salt, from, to, classes, harm });
        }
        let sides = hand.named(sides.iter().map(NodeSet::iter));
        hand.strikes(Struck::Ways { sides });
    }
}

/// What a fault's luck is asked for on each link.
pub(super) const LINK: &str = "link";
