//! Whom a fault is meant for: targets are found when it begins, among the nodes and by the leader of that moment.

use schism_core::{
    Classes, Cut, Event, FaultId, Feel, Flows, Luck, NodeId, NodeSet, Scene, Status, Witness, World,
    queue::Queue,
};

use super::{Base, Direction, Mode, Partition, Select, Shape, Target};
use crate::node::Node;

/// The moment at which a fault begins, and its luck.
pub(super) struct Moment<'w> {
    scene: Scene<'w>,
    nodes: u32,
    /// The live member that leads, by the latest term.
    leader: Option<NodeId>,
    luck: Luck,
}

impl<'w> Moment<'w> {
    pub(super) fn of<W: Witness<Node>, Q: Queue<Event<Node>>>(
        world: &'w World<Node, W, Q>,
        luck: Luck,
    ) -> Self {
        let scene = world.scene();
        let nodes = world.nodes() as u32;
        let term = |node| match world.actor(node)? {
            Node::Member(member) if member.leads() => Some((member.term(), node)),
            Node::Member(_) | Node::Instance(_) | Node::Client(_) => None,
        };
        let leader =
            (0..nodes).map(NodeId).filter(|&node| scene.status(node) != Status::Down).filter_map(term).max();
        Moment { scene, nodes, leader: leader.map(|(_, node)| node), luck }
    }

    /// The nodes that the targets mean, by number.
    pub(super) fn find_all(&mut self, targets: &[Target]) -> NodeSet {
        let named: NodeSet = targets.iter().flat_map(|target| self.find(target)).collect();
        if targets.iter().any(|target| target.base == Base::Rest) {
            return self.all().filter(|&node| !named.contains(node)).collect();
        }
        named
    }

    /// The sides that are parted, and the cuts that part them.
    pub(super) fn part(&mut self, partition: &Partition, id: FaultId) -> (Vec<Vec<NodeId>>, Vec<Cut>) {
        let Partition { shape, direction, mode } = partition;
        let feel = match mode {
            Mode::Blackhole => Feel::Silent,
            Mode::Reject => Feel::Refused,
        };
        let direction = match shape {
            Shape::OneWay(..) => Direction::Forward,
            Shape::Split(_) | Shape::Isolate(_) | Shape::Partial(_) => *direction,
        };
        let forward = matches!(direction, Direction::Both | Direction::Forward);
        let backward = matches!(direction, Direction::Both | Direction::Backward);
        let stop = |from, to| Cut { id, from, to, feel, classes: Classes::ALL, flows: Flows::All };
        let mut cuts = Vec::new();
        let mut pairs = self.sides(shape);
        pairs.retain(|(a, b)| !a.is_empty() && !b.is_empty());
        for (a, b) in pairs.iter().cloned() {
            if forward {
                cuts.push(stop(a.clone(), b.clone()));
            }
            if backward {
                cuts.push(stop(b, a));
            }
        }
        (named(&pairs), cuts)
    }

    /// Each two sets of nodes between which a shape cuts, the earlier named first.
    fn sides(&mut self, shape: &Shape) -> Vec<(NodeSet, NodeSet)> {
        match shape {
            Shape::Split(sides) => pairs(&self.find_sides(sides)),
            Shape::Isolate(targets) => {
                let inside = self.find_all(targets);
                let outside = self.all().filter(|&node| !inside.contains(node)).collect();
                vec![(inside, outside)]
            }
            Shape::OneWay(from, to) => pairs(&self.find_sides(&[from.clone(), to.clone()])),
            Shape::Partial(edges) => edges
                .iter()
                .flat_map(|(a, b)| pairs(&self.find_sides(&[vec![a.clone()], vec![b.clone()]])))
                .collect(),
        }
    }

    /// The nodes of each side; a node that two sides name stands on the first, and the rest on the side that says so.
    fn find_sides(&mut self, sides: &[Vec<Target>]) -> Vec<NodeSet> {
        let mut taken = NodeSet::default();
        let mut take = |nodes: &mut dyn Iterator<Item = NodeId>| -> NodeSet {
            let fresh: NodeSet = nodes.filter(|&node| !taken.contains(node)).collect();
            fresh.iter().for_each(|node| taken.insert(node));
            fresh
        };
        let named: Vec<Vec<NodeId>> =
            sides.iter().map(|side| side.iter().flat_map(|target| self.find(target)).collect()).collect();
        let mut found: Vec<NodeSet> = named.into_iter().map(|nodes| take(&mut nodes.into_iter())).collect();
        for (side, targets) in found.iter_mut().zip(sides) {
            if targets.iter().any(|target| target.base == Base::Rest) {
                take(&mut self.all()).iter().for_each(|node| side.insert(node));
            }
        }
        found
    }

    /// The nodes that a target means; none, if it means the rest.
    fn find(&mut self, target: &Target) -> Vec<NodeId> {
        let from: Vec<NodeId> = match &target.base {
            Base::Node(node) => vec![*node],
            Base::Group(nodes) => nodes.clone(),
            Base::Zone(zone) => self.all().filter(|&node| self.scene.zone(node) == *zone).collect(),
            Base::Rest => Vec::new(),
        };
        match &target.select {
            Some(select) => self.select(select, from),
            None => from,
        }
    }

    fn select(&mut self, select: &Select, mut from: Vec<NodeId>) -> Vec<NodeId> {
        let (size, leader) = (from.len(), self.leader);
        match select {
            Select::Leader => from.retain(|&node| Some(node) == leader),
            Select::Followers => from.retain(|&node| Some(node) != leader),
            Select::Minority => {
                from.retain(|&node| Some(node) != leader);
                self.draw((size - 1) / 2, &mut from);
            }
            Select::Majority => self.draw(size / 2 + 1, &mut from),
            Select::Pick(count) => self.draw(*count as usize, &mut from),
            Select::Share(share) => {
                // Rounded to the nearest, and at least one.
                let (part, whole) = (u128::from(share.numerator()), u128::from(share.denominator()));
                let count = (part * size as u128 * 2 + whole) / (whole * 2);
                self.draw((count as usize).max(1), &mut from);
            }
            Select::In(zone) => from.retain(|&node| self.scene.zone(node) == *zone),
        }
        from
    }

    fn draw(&mut self, count: usize, from: &mut Vec<NodeId>) {
        self.luck.shuffle(from);
        from.truncate(count);
    }

    fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes).map(NodeId)
    }
}

/// The sides of some pairs, each once, in the order in which they come.
fn named(pairs: &[(NodeSet, NodeSet)]) -> Vec<Vec<NodeId>> {
    let mut sides: Vec<Vec<NodeId>> = Vec::new();
    for side in pairs.iter().flat_map(|(a, b)| [a, b]).map(|side| side.iter().collect()) {
        if !sides.contains(&side) {
            sides.push(side);
        }
    }
    sides
}

/// Every two sides, the earlier first.
fn pairs(sides: &[NodeSet]) -> Vec<(NodeSet, NodeSet)> {
    let mut pairs = Vec::new();
    for (at, earlier) in sides.iter().enumerate() {
        pairs.extend(sides[at + 1..].iter().map(|later| (earlier.clone(), later.clone())));
    }
    pairs
}
