//! Whom a fault is meant for: targets are found when it begins, among the nodes and by the leader of that moment.

use schism_core::{Luck, NodeId, NodeSet, Status, ZoneId};

use super::aim::{Base, Select, Target};
use super::hand::Ground;
use crate::node::Node;

/// The moment at which a fault begins, and its luck.
pub(super) struct Finder<'w> {
    land: Land<'w>,
    /// The live member that leads, by the latest term.
    leader: Option<NodeId>,
    luck: Luck,
}

/// Where the nodes are.
enum Land<'w> {
    Run(&'w dyn Ground),
    Plan(&'w [ZoneId]),
}

impl Land<'_> {
    fn nodes(&self) -> u32 {
        match self {
            Land::Run(ground) => ground.nodes(),
            Land::Plan(zones) => zones.len() as u32,
        }
    }

    fn zone(&self, node: NodeId) -> ZoneId {
        match self {
            Land::Run(ground) => ground.scene().zone(node),
            Land::Plan(zones) => zones[node.index()],
        }
    }
}

impl<'w> Finder<'w> {
    pub(super) fn new(ground: &'w dyn Ground, luck: Luck) -> Self {
        Finder { land: Land::Run(ground), leader: leader(ground), luck }
    }

    /// A finder before the run, when nobody leads: the zone of every node, by number, is all that is known.
    pub(super) fn before(zones: &'w [ZoneId], luck: Luck) -> Self {
        Finder { land: Land::Plan(zones), leader: None, luck }
    }

    /// The nodes that the targets mean, by number.
    pub(super) fn find_all(&mut self, targets: &[Target]) -> NodeSet {
        let named: NodeSet = targets.iter().flat_map(|target| self.find(target)).collect();
        if targets.iter().any(|target| target.base == Base::Rest) {
            return self.all().filter(|&node| !named.contains(node)).collect();
        }
        named
    }

    /// The nodes of each side; a node that two sides name stands on the first, and the rest on the side that says so.
    pub(super) fn find_sides(&mut self, sides: &[Vec<Target>]) -> Vec<NodeSet> {
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

    /// Every node.
    pub(super) fn all(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.land.nodes()).map(NodeId)
    }

    /// The registry member that leads, if one does.
    pub(super) fn leader(&self) -> Option<NodeId> {
        self.leader
    }

    /// The fault's luck for the choice of whom it strikes.
    pub(super) fn luck(&mut self) -> &mut Luck {
        &mut self.luck
    }

    /// The nodes that a target means; none, if it means the rest.
    fn find(&mut self, target: &Target) -> Vec<NodeId> {
        let from: Vec<NodeId> = match &target.base {
            Base::Node(node) => vec![*node],
            Base::Group(nodes) => nodes.clone(),
            Base::Zone(zone) => self.all().filter(|&node| self.land.zone(node) == *zone).collect(),
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
            Select::In(zone) => from.retain(|&node| self.land.zone(node) == *zone),
        }
        from
    }

    fn draw(&mut self, count: usize, from: &mut Vec<NodeId>) {
        self.luck.shuffle(from);
        from.truncate(count);
    }
}

/// The live member that leads, by the latest term.
fn leader(ground: &dyn Ground) -> Option<NodeId> {
    let scene = ground.scene();
    let term = |node| match ground.actor(node)? {
        Node::Member(member) => Some((member.leads()?, node)),
        Node::Instance(_) | Node::Client(_) | Node::Aide(_) => None,
    };
    let alive = (0..ground.nodes()).map(NodeId).filter(|&node| scene.status(node) != Status::Down);
    alive.filter_map(term).max().map(|(_, node)| node)
}
