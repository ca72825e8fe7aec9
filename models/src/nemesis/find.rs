//! Whom a fault is meant for: targets are found when it begins, among the nodes and by the leader of that moment.

use schism_core::{Luck, NodeId, NodeSet, Status, ZoneId};

use super::aim::{Base, Select, Target};
use super::hand::{Deeds, Ground};
use crate::node::Node;
use crate::registry::AnyMember;

/// The moment at which a fault begins, and its luck.
pub(super) struct Finder<'w> {
    land: Land<'w>,
    luck: Luck,
}

/// Where the nodes are, and who of them is there.
enum Land<'w> {
    Run(&'w dyn Ground, &'w Deeds),
    Plan(&'w [ZoneId], &'w NodeSet),
}

/// Who is meant by a zone, or by the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    /// Those who are there.
    Present,
    /// And those who are not yet, or no longer: their place is there.
    All,
}

impl Land<'_> {
    fn nodes(&self) -> u32 {
        match self {
            Land::Run(ground, _) => ground.nodes(),
            Land::Plan(zones, _) => zones.len() as u32,
        }
    }

    fn zone(&self, node: NodeId) -> ZoneId {
        match self {
            Land::Run(ground, _) => ground.scene().zone(node),
            Land::Plan(zones, _) => zones[node.index()],
        }
    }

    fn has_own_host(&self, node: NodeId) -> bool {
        match self {
            Land::Run(ground, _) => ground.scene().network().hosts().of(node) == node,
            Land::Plan(..) => true,
        }
    }

    /// Whether anything runs on a node, or would if no fault kept it dead.
    fn is_there(&self, node: NodeId) -> bool {
        match self {
            Land::Run(ground, deeds) => {
                let ended = || deeds.is_away(node) && ground.scene().status(node) == Status::Down;
                !deeds.is_unborn(node) && !ended()
            }
            Land::Plan(_, unborn) => !unborn.contains(node),
        }
    }

    /// Who is of a group, by its own nodes.
    fn group(&self, own: &[NodeId]) -> Vec<NodeId> {
        match self {
            Land::Run(_, deeds) => deeds.group(own),
            Land::Plan(..) => own.to_vec(),
        }
    }
}

impl<'w> Finder<'w> {
    pub(super) fn new(ground: &'w dyn Ground, deeds: &'w Deeds, luck: Luck) -> Self {
        Finder { land: Land::Run(ground, deeds), luck }
    }

    /// A finder before the run, when nobody leads: the zone of every node, by number, is all that is known, and who waits
    /// for a fault to launch them.
    pub(super) fn before(zones: &'w [ZoneId], unborn: &'w NodeSet, luck: Luck) -> Self {
        Finder { land: Land::Plan(zones, unborn), luck }
    }

    /// The nodes that the targets mean and that are there, by number.
    pub(super) fn find_all(&mut self, targets: &[Target]) -> NodeSet {
        self.find_these(targets, Meant::Present)
    }

    /// The nodes that stand on a side, by number: of a zone and of the rest also those that may come there.
    pub(super) fn find_side(&mut self, targets: &[Target]) -> NodeSet {
        self.find_these(targets, Meant::All)
    }

    fn find_these(&mut self, targets: &[Target], meant: Meant) -> NodeSet {
        let named: NodeSet = targets.iter().flat_map(|target| self.find(target, meant)).collect();
        if targets.iter().any(|target| target.base == Base::Rest) {
            return self.meant(meant).filter(|&node| !named.contains(node)).collect();
        }
        named
    }

    /// The nodes of each side; a node that two sides name stands on the first, and the rest on the side that says so. Of a
    /// zone and of the rest also those that may come there stand on it.
    pub(super) fn find_sides(&mut self, sides: &[Vec<Target>]) -> Vec<NodeSet> {
        let mut taken = NodeSet::default();
        let mut take = |nodes: &mut dyn Iterator<Item = NodeId>| -> NodeSet {
            let fresh: NodeSet = nodes.filter(|&node| !taken.contains(node)).collect();
            fresh.iter().for_each(|node| taken.insert(node));
            fresh
        };
        let named: Vec<Vec<NodeId>> = sides
            .iter()
            .map(|side| side.iter().flat_map(|target| self.find(target, Meant::All)).collect())
            .collect();
        let mut found: Vec<NodeSet> = named.into_iter().map(|nodes| take(&mut nodes.into_iter())).collect();
        for (side, targets) in found.iter_mut().zip(sides) {
            if targets.iter().any(|target| target.base == Base::Rest) {
                take(&mut self.all()).iter().for_each(|node| side.insert(node));
            }
        }
        found
    }

    /// Every node that has a host of its own, whether it is there or not. Who shares a host goes with it.
    pub(super) fn all(&self) -> impl Iterator<Item = NodeId> {
        (0..self.land.nodes()).map(NodeId).filter(|&node| self.land.has_own_host(node))
    }

    /// The registry member that leads, if one does.
    pub(super) fn leader(&self) -> Option<NodeId> {
        match self.land {
            Land::Run(ground, _) => leader(ground),
            Land::Plan(..) => None,
        }
    }

    /// Who acts for the registry: the member that leads, if one does; where none ever leads the others, each that lives.
    pub(super) fn in_charge(&self) -> Vec<NodeId> {
        match self.land {
            Land::Run(ground, _) => leader(ground).map_or_else(|| peers(ground), |leader| vec![leader]),
            Land::Plan(..) => Vec::new(),
        }
    }

    /// The fault's luck for the choice of whom it strikes.
    pub(super) fn luck(&mut self) -> &mut Luck {
        &mut self.luck
    }

    fn meant(&self, meant: Meant) -> impl Iterator<Item = NodeId> {
        self.all().filter(move |&node| meant == Meant::All || self.land.is_there(node))
    }

    /// The nodes that a target means; none, if it means the rest.
    fn find(&mut self, target: &Target, meant: Meant) -> Vec<NodeId> {
        let from: Vec<NodeId> = match &target.base {
            Base::Node(node) => vec![*node],
            Base::Group(own) => self.land.group(own),
            Base::Zone(zone) => self.meant(meant).filter(|&node| self.land.zone(node) == *zone).collect(),
            Base::Rest => Vec::new(),
        };
        match &target.select {
            Some(select) => self.select(select, from),
            None => from,
        }
    }

    fn select(&mut self, select: &Select, mut from: Vec<NodeId>) -> Vec<NodeId> {
        let size = from.len();
        // The leader is looked for among all nodes, and only where it matters.
        let leader = if select.depends_on_the_leader() { self.leader() } else { None };
        match select {
            Select::Leader => from.retain(|&node| Some(node) == leader),
            Select::Followers => from.retain(|&node| Some(node) != leader),
            Select::Minority => {
                from.retain(|&node| Some(node) != leader);
                self.draw(size.saturating_sub(1) / 2, &mut from);
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
    members(ground).filter_map(|(node, member)| Some((member.leads()?, node))).max().map(|(_, node)| node)
}

/// The live members, if none of them ever leads the others.
fn peers(ground: &dyn Ground) -> Vec<NodeId> {
    members(ground).filter(|(_, member)| member.is_peer()).map(|(node, _)| node).collect()
}

/// The live members.
fn members(ground: &dyn Ground) -> impl Iterator<Item = (NodeId, &AnyMember)> {
    let scene = ground.scene();
    let alive = (0..ground.nodes()).map(NodeId).filter(move |&node| scene.status(node) != Status::Down);
    alive.filter_map(|node| match ground.actor(node)? {
        Node::Member(member) => Some((node, &**member)),
        Node::Instance(_) | Node::Client(_) | Node::Aide(_) => None,
    })
}
