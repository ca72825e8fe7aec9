//! Shapes: who is parted from whom.

use std::collections::BTreeMap;

use schism_core::{Classes, NodeId, NodeSet};

use crate::nemesis::Standing;
use crate::nemesis::aim::{Aim, Names, Target};
use crate::nemesis::find::Finder;
use crate::node::{PROBE, REGISTRY, REQUEST};

/// Who is parted from whom. Whoever a shape does not name is not touched, unless it says so.
///
/// The studies of real partitions tell complete ones (a split), partial ones and one-way ("simplex") ones apart:
/// Alquraan et al., "An Analysis of Network-Partitioning Failures in Cloud Systems", OSDI 2018. Those that are drawn are
/// Jepsen's (`jepsen.nemesis`: `bisect`, `partition-halves`, `bridge`, `majorities-ring`).
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
    /// These nodes, drawn into two halves; of an odd number the smaller is named first.
    Halves(Vec<T>),
    /// Each of these nodes on a side of its own luck; neither side is empty.
    Random(Vec<T>),
    /// A minority of these nodes, drawn, and the majority.
    MajorityMinority {
        /// Of whom.
        of: Vec<T>,
        /// Where their leader is.
        leader: LeaderOn,
        /// Where everyone else is.
        rest: RestOn,
    },
    /// Two halves, drawn, that reach each other only through these nodes, which both halves reach.
    Bridge {
        /// The bridge.
        over: Vec<T>,
        /// Whose halves; those of the bridge are left out.
        of: Vec<T>,
    },
    /// Each of these nodes hears a majority of them, and no two hear the same.
    MajoritiesRing(Vec<T>),
    /// The spokes reach the hub and not each other.
    Star {
        /// The hub.
        hub: Vec<T>,
        /// The spokes; those of the hub are left out.
        of: Vec<T>,
    },
    /// Of all nodes named, only the two of each pair reach each other, and the nodes of one target.
    Mesh(Vec<(T, T)>),
    /// One plane is cut and the other is not.
    Plane(Plane<T>),
}

/// On which side of a drawn minority and majority a leader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaderOn {
    /// With the few.
    Minority,
    /// With the many.
    Majority,
    /// Wherever the luck puts it.
    Any,
}

/// On which side of a minority and a majority those stand who belong to neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestOn {
    /// With the few.
    Minority,
    /// With the many.
    Majority,
    /// They reach both.
    Both,
}

/// Which traffic a plane carries, and between whom it is cut.
#[derive(Clone, Debug, PartialEq)]
pub enum Plane<T = Target> {
    /// What goes between these nodes and the registry's members; requests get through.
    Control {
        /// Who loses the registry.
        of: Vec<T>,
        /// The registry.
        registry: Vec<T>,
    },
    /// Requests and health checks of these nodes, or of all; what goes to and from the registry gets through.
    Data(Option<Vec<T>>),
}

/// Pairs of sets of nodes that are parted, the earlier named first.
pub(super) type Pairs = Vec<(NodeSet, NodeSet)>;

impl<T> Plane<T> {
    /// Which traffic it carries.
    pub(super) fn traffic(&self) -> Classes {
        match self {
            Plane::Control { .. } => Classes::NONE.with(REGISTRY),
            Plane::Data(_) => Classes::NONE.with(REQUEST).with(PROBE),
        }
    }
}

impl<T> Shape<T> {
    pub(super) fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Shape<U>> {
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
            Shape::Partial(pairs) => Shape::Partial(aim_pairs(pairs, at)?),
            Shape::Halves(of) => Shape::Halves(at(of)?),
            Shape::Random(of) => Shape::Random(at(of)?),
            Shape::MajorityMinority { of, leader, rest } => {
                Shape::MajorityMinority { of: at(of)?, leader, rest }
            }
            Shape::Bridge { over, of } => {
                let (over, of) = (at(over), at(of));
                Shape::Bridge { over: over?, of: of? }
            }
            Shape::MajoritiesRing(of) => Shape::MajoritiesRing(at(of)?),
            Shape::Star { hub, of } => {
                let (hub, of) = (at(hub), at(of));
                Shape::Star { hub: hub?, of: of? }
            }
            Shape::Mesh(pairs) => Shape::Mesh(aim_pairs(pairs, at)?),
            Shape::Plane(Plane::Control { of, registry }) => {
                let (of, registry) = (at(of), at(registry));
                Shape::Plane(Plane::Control { of: of?, registry: registry? })
            }
            Shape::Plane(Plane::Data(Some(of))) => Shape::Plane(Plane::Data(Some(at(of)?))),
            Shape::Plane(Plane::Data(None)) => Shape::Plane(Plane::Data(None)),
        })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        match self {
            Shape::Split(sides) => sides.iter().map(Vec::as_slice).collect(),
            Shape::OneWay(from, to) => vec![from, to],
            Shape::Partial(pairs) | Shape::Mesh(pairs) => {
                pairs.iter().flat_map(|(a, b)| [std::slice::from_ref(a), std::slice::from_ref(b)]).collect()
            }
            Shape::Bridge { over: middle, of } | Shape::Star { hub: middle, of } => vec![middle, of],
            Shape::Plane(Plane::Control { of, registry }) => vec![of, registry],
            Shape::Plane(Plane::Data(None)) => Vec::new(),
            Shape::Isolate(of)
            | Shape::Halves(of)
            | Shape::Random(of)
            | Shape::MajorityMinority { of, .. }
            | Shape::MajoritiesRing(of)
            | Shape::Plane(Plane::Data(Some(of))) => vec![of],
        }
    }

    /// Whether a node may stand on several of its sides.
    pub(super) fn standing(&self) -> Standing {
        match self {
            Shape::Partial(_) | Shape::Mesh(_) | Shape::Bridge { .. } | Shape::Star { .. } => {
                Standing::Anywhere
            }
            Shape::Split(_)
            | Shape::Isolate(_)
            | Shape::OneWay(..)
            | Shape::Halves(_)
            | Shape::Random(_)
            | Shape::MajorityMinority { .. }
            | Shape::MajoritiesRing(_)
            | Shape::Plane(_) => Standing::OnOneSide,
        }
    }

    /// How many nodes its targets must mean together, so that anyone is parted from anyone.
    pub(super) fn needs(&self) -> usize {
        match self {
            Shape::Halves(_) | Shape::Random(_) => 2,
            Shape::MajorityMinority { .. }
            | Shape::Bridge { .. }
            | Shape::MajoritiesRing(_)
            | Shape::Star { .. } => 3,
            Shape::Split(_)
            | Shape::Isolate(_)
            | Shape::OneWay(..)
            | Shape::Partial(_)
            | Shape::Mesh(_)
            | Shape::Plane(_) => 0,
        }
    }

    /// Whether it says itself which ways are cut.
    pub fn is_directed(&self) -> bool {
        match self {
            Shape::OneWay(..) | Shape::MajoritiesRing(_) => true,
            Shape::Split(_)
            | Shape::Isolate(_)
            | Shape::Partial(_)
            | Shape::Halves(_)
            | Shape::Random(_)
            | Shape::MajorityMinority { .. }
            | Shape::Bridge { .. }
            | Shape::Star { .. }
            | Shape::Mesh(_)
            | Shape::Plane(_) => false,
        }
    }

    /// Whether its own luck decides who stands where.
    pub(in crate::nemesis) fn is_drawn(&self) -> bool {
        match self {
            Shape::Halves(_)
            | Shape::Random(_)
            | Shape::MajorityMinority { .. }
            | Shape::Bridge { .. }
            | Shape::MajoritiesRing(_) => true,
            Shape::Split(_)
            | Shape::Isolate(_)
            | Shape::OneWay(..)
            | Shape::Partial(_)
            | Shape::Star { .. }
            | Shape::Mesh(_)
            | Shape::Plane(_) => false,
        }
    }

    /// Which traffic is cut: all, or that of one plane.
    pub(super) fn traffic(&self) -> Classes {
        if let Shape::Plane(plane) = self { plane.traffic() } else { Classes::ALL }
    }
}

fn aim_pairs<T, U>(pairs: Vec<(T, T)>, at: &mut Aim<'_, T, U>) -> Option<Vec<(U, U)>> {
    let mut one = |target: T| at(vec![target])?.pop();
    let pairs: Vec<_> = pairs.into_iter().map(|(a, b)| (one(a), one(b))).collect();
    pairs.into_iter().map(|(a, b)| Some((a?, b?))).collect()
}

impl Shape {
    /// `zone:b | rest`.
    pub(super) fn words(&self, names: &dyn Names) -> String {
        let all = |targets: &[Target]| names.targets(targets);
        let each = |pairs: &[(Target, Target)], between: &str| {
            let pair = |(a, b): &(Target, Target)| format!("{}{between}{}", names.target(a), names.target(b));
            pairs.iter().map(pair).collect::<Vec<_>>().join(" and ")
        };
        match self {
            Shape::Split(sides) => sides.iter().map(|side| all(side)).collect::<Vec<_>>().join(" | "),
            Shape::Isolate(nodes) => format!("{} | everyone else", all(nodes)),
            Shape::OneWay(from, to) => format!("{} -> {}", all(from), all(to)),
            Shape::Partial(pairs) => each(pairs, " | "),
            Shape::Halves(of) => format!("halves of {}", all(of)),
            Shape::Random(of) => format!("two random sides of {}", all(of)),
            Shape::MajorityMinority { of, leader, .. } => {
                let leader = match leader {
                    LeaderOn::Minority => ", the leader in the minority",
                    LeaderOn::Majority => ", the leader in the majority",
                    LeaderOn::Any => "",
                };
                format!("a minority of {} | the majority{leader}", all(of))
            }
            Shape::Bridge { over, of } => format!("halves of {}, {} between them", all(of), all(over)),
            Shape::MajoritiesRing(of) => format!("a ring of majorities of {}", all(of)),
            Shape::Star { hub, of } => format!("a star of {} around {}", all(of), all(hub)),
            Shape::Mesh(pairs) => format!("a mesh of {} only", each(pairs, " - ")),
            Shape::Plane(Plane::Control { of, .. }) => format!("control plane of {}", all(of)),
            Shape::Plane(Plane::Data(Some(of))) => format!("data plane of {}", all(of)),
            Shape::Plane(Plane::Data(None)) => "data plane".to_owned(),
        }
    }

    /// Each two sets of nodes between which it cuts, the earlier named first; of a shape that is directed, from whom to
    /// whom.
    pub(super) fn pairs(&self, finder: &mut Finder<'_>) -> Pairs {
        let mut pairs = match self {
            Shape::Split(sides) => every_two(&finder.find_sides(sides)),
            Shape::Isolate(targets) => {
                let inside = finder.find_side(targets);
                let outside = finder.all().filter(|&node| !inside.contains(node)).collect();
                vec![(inside, outside)]
            }
            Shape::OneWay(from, to) => every_two(&finder.find_sides(&[from.clone(), to.clone()])),
            Shape::Partial(edges) => edges
                .iter()
                .flat_map(|(a, b)| every_two(&finder.find_sides(&[vec![a.clone()], vec![b.clone()]])))
                .collect(),
            Shape::Halves(of) => {
                let nodes = finder.find_all(of);
                vec![halves(nodes.iter().collect(), finder)]
            }
            Shape::Random(of) => {
                let nodes = finder.find_all(of);
                vec![random(&nodes, finder)]
            }
            Shape::MajorityMinority { of, leader, rest } => {
                let nodes = finder.find_all(of);
                vec![majority_minority(&nodes, *leader, *rest, finder)]
            }
            Shape::Bridge { over, of } => {
                let (over, nodes) = (finder.find_all(over), finder.find_all(of));
                vec![halves(nodes.iter().filter(|&node| !over.contains(node)).collect(), finder)]
            }
            Shape::MajoritiesRing(of) => {
                let nodes = finder.find_all(of);
                ring(nodes.iter().collect(), finder)
            }
            Shape::Star { hub, of } => {
                let (hub, nodes) = (finder.find_side(hub), finder.find_side(of));
                let spokes = nodes.iter().filter(|&node| !hub.contains(node));
                every_two(&spokes.map(|spoke| [spoke].into_iter().collect()).collect::<Vec<_>>())
            }
            Shape::Mesh(open) => mesh(open, finder),
            Shape::Plane(Plane::Control { of, registry }) => {
                every_two(&finder.find_sides(&[of.clone(), registry.clone()]))
            }
            Shape::Plane(Plane::Data(of)) => {
                let everyone: NodeSet = finder.all().collect();
                let nodes = of.as_ref().map_or_else(|| everyone.clone(), |of| finder.find_side(of));
                vec![(nodes.clone(), everyone.without(&nodes)), (nodes.clone(), nodes)]
            }
        };
        pairs.retain(|(a, b)| !a.is_empty() && !b.is_empty());
        pairs
    }
}

/// Every two sides, the earlier first.
fn every_two(sides: &[NodeSet]) -> Pairs {
    let mut pairs = Pairs::new();
    for (at, earlier) in sides.iter().enumerate() {
        pairs.extend(sides[at + 1..].iter().map(|later| (earlier.clone(), later.clone())));
    }
    pairs
}

/// Two halves, drawn; the smaller is the first, as in Jepsen's `bisect`.
fn halves(mut nodes: Vec<NodeId>, finder: &mut Finder<'_>) -> (NodeSet, NodeSet) {
    finder.luck().shuffle(&mut nodes);
    let larger = nodes.split_off(nodes.len() / 2);
    (nodes.into_iter().collect(), larger.into_iter().collect())
}

/// Each node on a side of its own luck. If all have drawn the same, the last goes to the other.
fn random(nodes: &NodeSet, finder: &mut Finder<'_>) -> (NodeSet, NodeSet) {
    let (mut first, mut second): (Vec<NodeId>, Vec<NodeId>) =
        nodes.iter().partition(|_| finder.luck().below(2) == 0);
    if first.is_empty() {
        first.extend(second.pop());
    } else if second.is_empty() {
        second.extend(first.pop());
    }
    (first.into_iter().collect(), second.into_iter().collect())
}

/// The largest minority, drawn with or without the leader, and the others.
fn majority_minority(
    nodes: &NodeSet,
    leader_on: LeaderOn,
    rest: RestOn,
    finder: &mut Finder<'_>,
) -> (NodeSet, NodeSet) {
    let mut drawn: Vec<NodeId> = nodes.iter().collect();
    finder.luck().shuffle(&mut drawn);
    let leader = finder.leader();
    match leader_on {
        LeaderOn::Minority => drawn.sort_by_key(|&node| Some(node) != leader),
        LeaderOn::Majority => drawn.sort_by_key(|&node| Some(node) == leader),
        LeaderOn::Any => {}
    }
    let mut majority = drawn.split_off(drawn.len().saturating_sub(1) / 2);
    let others = finder.all().filter(|&node| !nodes.contains(node));
    match rest {
        RestOn::Minority => drawn.extend(others),
        RestOn::Majority => majority.extend(others),
        RestOn::Both => {}
    }
    (drawn.into_iter().collect(), majority.into_iter().collect())
}

/// From whom each node hears nothing: all but a majority with itself in the middle, on a ring that is drawn (Jepsen's
/// `majorities-ring-perfect`). Where a majority is even it reaches one further back than ahead, so that of three nodes
/// each hears one other.
fn ring(mut nodes: Vec<NodeId>, finder: &mut Finder<'_>) -> Pairs {
    finder.luck().shuffle(&mut nodes);
    let size = nodes.len();
    let majority = size / 2 + 1;
    let unheard = |place: usize| -> NodeSet {
        let first = place + size - majority / 2;
        (majority..size).map(|step| nodes[(first + step) % size]).collect()
    };
    (0..size).map(|place| (unheard(place), [nodes[place]].into_iter().collect())).collect()
}

/// The ways that are not open: nodes that the same targets mean are alike, so kinds of nodes are compared, not nodes.
fn mesh(open: &[(Target, Target)], finder: &mut Finder<'_>) -> Pairs {
    let mut corners: Vec<&Target> = Vec::new();
    let mut edges: Vec<(u32, u32)> = Vec::new();
    for (a, b) in open {
        let mut corner = |target| {
            let known = corners.iter().position(|&other| other == target);
            known.unwrap_or_else(|| {
                corners.push(target);
                corners.len() - 1
            }) as u32
        };
        edges.push((corner(a), corner(b)));
    }
    let mut stands: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
    for (number, corner) in (0..).zip(corners) {
        for node in finder.find_side(std::slice::from_ref(corner)).iter() {
            stands.entry(node).or_default().push(number);
        }
    }
    let mut kinds: BTreeMap<Vec<u32>, NodeSet> = BTreeMap::new();
    stands.into_iter().for_each(|(node, at)| kinds.entry(at).or_default().insert(node));
    let kinds: Vec<(Vec<u32>, NodeSet)> = kinds.into_iter().collect();
    let reach = |a: &[u32], b: &[u32]| {
        a.iter().any(|at| b.contains(at))
            || edges.iter().any(|(x, y)| (a.contains(x) && b.contains(y)) || (a.contains(y) && b.contains(x)))
    };
    let mut pairs = Pairs::new();
    for (at, (a, earlier)) in kinds.iter().enumerate() {
        let closed = kinds[at + 1..].iter().filter(|(b, _)| !reach(a, b));
        pairs.extend(closed.map(|(_, later)| (earlier.clone(), later.clone())));
    }
    pairs
}
