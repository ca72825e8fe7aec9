//! The nemesis at work: it finds whom a fault is meant for, strikes, and heals exactly what it struck.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{
    Cut, CutId, Event, Fault as Primitive, Feel, Luck, NodeId, NodeSet, Scene, Seed, Status, Time, Witness,
    World, queue::Queue,
};

use super::{Base, Direction, Fault, Mode, Partition, Planned, Select, Shape, Target};
use crate::node::Node;

/// A witness that is also told of whole faults, not of their primitives alone.
pub trait Audience: Witness<Node> {
    /// A fault of the plan has begun and struck these nodes; a partition has made these islands.
    fn fault_began(
        &mut self,
        scene: &Scene<'_>,
        fault: usize,
        on: &[NodeId],
        islands: Option<&[Vec<NodeId>]>,
    );
    /// It has been healed, having stopped so many messages or struck so many processes.
    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64);
    /// The run ends while it lasts.
    fn fault_lasts(&mut self, fault: usize, touched: u64);
}

/// Nobody is told.
impl Audience for () {
    fn fault_began(&mut self, _: &Scene<'_>, _: usize, _: &[NodeId], _: Option<&[Vec<NodeId>]>) {}
    fn fault_healed(&mut self, _: &Scene<'_>, _: usize, _: u64) {}
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}

/// A plan of faults, how far it has come, and what must be undone.
#[derive(Clone, Debug)]
pub struct Nemesis {
    plan: Arc<[Planned]>,
    seed: Seed,
    /// What is still to do, latest first.
    agenda: Vec<(Time, Act)>,
    /// What each fault has struck, while it lasts.
    struck: BTreeMap<usize, Vec<NodeId>>,
    /// How many faults hold each node down, or still: it is let go by the last of them.
    held: BTreeMap<(Hold, NodeId), u32>,
}

/// Begin or heal a fault of the plan. Of one instant, what heals comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Act {
    Heal(usize),
    Begin(usize),
}

/// How a process is kept from running.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Hold {
    Dead,
    Still,
}

impl Nemesis {
    /// A nemesis with its whole plan ahead of it.
    pub fn new(plan: Arc<[Planned]>, seed: Seed) -> Nemesis {
        let mut agenda: Vec<(Time, Act)> = Vec::new();
        for (fault, planned) in plan.iter().enumerate() {
            let (start, end) = planned.span(seed);
            agenda.push((start, Act::Begin(fault)));
            agenda.extend(end.map(|end| (end, Act::Heal(fault))));
        }
        agenda.sort_unstable_by(|a, b| b.cmp(a));
        Nemesis { plan, seed, agenda, struck: BTreeMap::new(), held: BTreeMap::new() }
    }

    /// When there is something to do next.
    pub fn next_at(&self) -> Option<Time> {
        self.agenda.last().map(|&(at, _)| at)
    }

    /// Does it. The world must have come to that moment.
    pub fn act<W: Audience, Q: Queue<Event<Node>>>(&mut self, world: &mut World<Node, W, Q>) {
        match self.agenda.pop() {
            Some((_, Act::Begin(fault))) => self.begin(world, fault),
            // A fault that lasts no time at all is none: it would heal before it began.
            Some((_, Act::Heal(fault))) if self.struck.contains_key(&fault) => self.heal(world, fault),
            Some((_, Act::Heal(fault))) => self.agenda.retain(|&(_, act)| act != Act::Begin(fault)),
            None => {}
        }
    }

    /// The run is over: says what the faults that last have touched.
    pub fn close<W: Audience, Q: Queue<Event<Node>>>(&self, world: &mut World<Node, W, Q>) {
        for (&fault, struck) in &self.struck {
            let touched = self.touched(world, fault, struck);
            world.witness_mut().0.fault_lasts(fault, touched);
        }
    }

    fn begin<W: Audience, Q: Queue<Event<Node>>>(&mut self, world: &mut World<Node, W, Q>, fault: usize) {
        let plan = self.plan.clone();
        let planned = &plan[fault];
        let mut luck = planned.luck(self.seed, "targets");
        let (on, islands) = match &planned.fault {
            Fault::Partition(partition) => {
                let (on, cuts) = part(world, partition, CutId(fault as u32), &mut luck);
                cuts.into_iter().for_each(|cut| world.inflict(Primitive::Cut(cut)));
                (on, Some(world.name_islands()))
            }
            Fault::Crash(targets) => (self.take(world, targets, Hold::Dead, &mut luck), None),
            Fault::Pause(targets) => (self.take(world, targets, Hold::Still, &mut luck), None),
        };
        let (audience, scene) = world.witness_mut();
        audience.fault_began(&scene, fault, &on, islands.as_deref());
        self.struck.insert(fault, on);
    }

    fn heal<W: Audience, Q: Queue<Event<Node>>>(&mut self, world: &mut World<Node, W, Q>, fault: usize) {
        let struck = self.struck.remove(&fault).expect("what heals has begun");
        let touched = self.touched(world, fault, &struck);
        match &self.plan.clone()[fault].fault {
            Fault::Partition(_) => {
                world.inflict(Primitive::Mend(CutId(fault as u32)));
                world.name_islands();
            }
            Fault::Crash(_) => self.let_go(world, &struck, Hold::Dead),
            Fault::Pause(_) => self.let_go(world, &struck, Hold::Still),
        }
        let (audience, scene) = world.witness_mut();
        audience.fault_healed(&scene, fault, touched);
    }

    fn touched<W: Audience, Q: Queue<Event<Node>>>(
        &self,
        world: &World<Node, W, Q>,
        fault: usize,
        struck: &[NodeId],
    ) -> u64 {
        match &self.plan[fault].fault {
            Fault::Partition(_) => world.scene().network().lost_to(CutId(fault as u32)),
            Fault::Crash(_) | Fault::Pause(_) => struck.len() as u64,
        }
    }

    /// Strikes the targets' processes; those that another fault holds already are held by this one too.
    fn take<W: Audience, Q: Queue<Event<Node>>>(
        &mut self,
        world: &mut World<Node, W, Q>,
        targets: &[Target],
        hold: Hold,
        luck: &mut Luck,
    ) -> Vec<NodeId> {
        let nodes = find_all(world, targets, luck);
        for &node in &nodes {
            *self.held.entry((hold, node)).or_default() += 1;
            world.inflict(match hold {
                Hold::Dead => Primitive::Crash(node),
                Hold::Still => Primitive::Pause(node),
            });
        }
        nodes
    }

    fn let_go<W: Audience, Q: Queue<Event<Node>>>(
        &mut self,
        world: &mut World<Node, W, Q>,
        nodes: &[NodeId],
        hold: Hold,
    ) {
        for &node in nodes {
            let holders = self.held.get_mut(&(hold, node)).expect("what is let go was held");
            *holders -= 1;
            if *holders == 0 {
                self.held.remove(&(hold, node));
                world.inflict(match hold {
                    Hold::Dead => Primitive::Restart(node),
                    Hold::Still => Primitive::Resume(node),
                });
                // A pause that began while the process was dead, and lasts, holds its next life too.
                if hold == Hold::Dead && self.held.contains_key(&(Hold::Still, node)) {
                    world.inflict(Primitive::Pause(node));
                }
            }
        }
    }
}

/// Who stands where, and the cuts between them.
fn part<W: Audience, Q: Queue<Event<Node>>>(
    world: &World<Node, W, Q>,
    Partition { shape, direction, mode }: &Partition,
    id: CutId,
    luck: &mut Luck,
) -> (Vec<NodeId>, Vec<Cut>) {
    let feel = match mode {
        Mode::Blackhole => Feel::Silent,
        Mode::Reject => Feel::Refused,
    };
    let pairs: Vec<(NodeSet, NodeSet)> = match shape {
        Shape::Split(sides) => pairs(&find_sides(world, sides, luck)),
        Shape::Isolate(targets) => {
            let inside = find_set(world, targets, luck);
            let outside = all(world).filter(|&node| !inside.contains(node)).collect();
            vec![(inside, outside)]
        }
        Shape::OneWay(from, to) => pairs(&find_sides(world, &[from.clone(), to.clone()], luck)),
        Shape::Partial(edges) => edges
            .iter()
            .flat_map(|(a, b)| pairs(&find_sides(world, &[vec![a.clone()], vec![b.clone()]], luck)))
            .collect(),
    };
    let direction = match shape {
        Shape::OneWay(..) => Direction::Forward,
        Shape::Split(_) | Shape::Isolate(_) | Shape::Partial(_) => *direction,
    };
    let forward = matches!(direction, Direction::Both | Direction::Forward);
    let backward = matches!(direction, Direction::Both | Direction::Backward);
    let mut cuts = Vec::new();
    let mut on = NodeSet::default();
    for (a, b) in pairs.into_iter().filter(|(a, b)| !a.is_empty() && !b.is_empty()) {
        a.iter().for_each(|node| on.insert(node));
        if forward {
            cuts.push(Cut { id, from: a.clone(), to: b.clone(), feel });
        }
        if backward {
            cuts.push(Cut { id, from: b, to: a, feel });
        }
    }
    (on.iter().collect(), cuts)
}

/// Every two sides, the earlier first.
fn pairs(sides: &[NodeSet]) -> Vec<(NodeSet, NodeSet)> {
    let ahead = |(at, side): (usize, &NodeSet)| {
        let side = side.clone();
        sides[at + 1..].iter().map(move |other| (side.clone(), other.clone())).collect::<Vec<_>>()
    };
    sides.iter().enumerate().flat_map(ahead).collect()
}

/// The nodes of each side; a node that two sides name stands on the first.
fn find_sides<W: Audience, Q: Queue<Event<Node>>>(
    world: &World<Node, W, Q>,
    sides: &[Vec<Target>],
    luck: &mut Luck,
) -> Vec<NodeSet> {
    let mut taken = NodeSet::default();
    let mut found: Vec<NodeSet> = Vec::new();
    for side in sides {
        let named = side.iter().filter(|target| target.base != Base::Rest).cloned().collect::<Vec<_>>();
        let fresh: NodeSet =
            find_set(world, &named, luck).iter().filter(|&node| !taken.contains(node)).collect();
        fresh.iter().for_each(|node| taken.insert(node));
        found.push(fresh);
    }
    for (side, targets) in found.iter_mut().zip(sides) {
        if targets.iter().any(|target| target.base == Base::Rest) {
            let rest: Vec<NodeId> = all(world).filter(|&node| !taken.contains(node)).collect();
            rest.iter().for_each(|&node| {
                side.insert(node);
                taken.insert(node);
            });
        }
    }
    found
}

fn find_set<W: Audience, Q: Queue<Event<Node>>>(
    world: &World<Node, W, Q>,
    targets: &[Target],
    luck: &mut Luck,
) -> NodeSet {
    find_all(world, targets, luck).into_iter().collect()
}

fn find_all<W: Audience, Q: Queue<Event<Node>>>(
    world: &World<Node, W, Q>,
    targets: &[Target],
    luck: &mut Luck,
) -> Vec<NodeId> {
    let named: NodeSet = targets
        .iter()
        .filter(|target| target.base != Base::Rest)
        .flat_map(|target| find(world, target, luck))
        .collect();
    if targets.iter().any(|target| target.base == Base::Rest) {
        return all(world).filter(|&node| !named.contains(node)).collect();
    }
    named.iter().collect()
}

/// The nodes that a target means, at this moment.
fn find<W: Audience, Q: Queue<Event<Node>>>(
    world: &World<Node, W, Q>,
    target: &Target,
    luck: &mut Luck,
) -> Vec<NodeId> {
    let mut from: Vec<NodeId> = match &target.base {
        Base::Node(node) => vec![*node],
        Base::Group(nodes) => nodes.clone(),
        Base::Zone(zone) => all(world).filter(|&node| world.scene().zone(node) == *zone).collect(),
        Base::Rest => Vec::new(),
    };
    let Some(select) = &target.select else { return from };
    let leader = leader(world, &from);
    let mut draw = |count: usize| {
        luck.shuffle(&mut from);
        from.truncate(count);
        std::mem::take(&mut from)
    };
    let size = match &target.base {
        Base::Group(nodes) => nodes.len(),
        Base::Node(_) | Base::Zone(_) | Base::Rest => 1,
    };
    match select {
        Select::Leader => leader.into_iter().collect(),
        Select::Followers => from.into_iter().filter(|&node| Some(node) != leader).collect(),
        Select::Minority => {
            from.retain(|&node| Some(node) != leader);
            luck.shuffle(&mut from);
            from.truncate((size - 1) / 2);
            from
        }
        Select::Majority => draw(size / 2 + 1),
        Select::Pick(count) => draw(*count as usize),
        Select::Share(share) => {
            let exact = share.numerator() as u128 * size as u128 * 2 + share.denominator() as u128;
            draw(((exact / (share.denominator() as u128 * 2)) as usize).max(1))
        }
        Select::In(zone) => from.into_iter().filter(|&node| world.scene().zone(node) == *zone).collect(),
    }
}

fn all<W: Audience, Q: Queue<Event<Node>>>(
    world: &World<Node, W, Q>,
) -> impl Iterator<Item = NodeId> + use<W, Q> {
    (0..world.nodes() as u32).map(NodeId)
}

/// The live member among these that leads, by the latest term.
fn leader<W: Audience, Q: Queue<Event<Node>>>(world: &World<Node, W, Q>, among: &[NodeId]) -> Option<NodeId> {
    among
        .iter()
        .copied()
        .filter(|&node| world.scene().status(node) != Status::Down)
        .filter_map(|node| match world.actor(node)? {
            Node::Member(member) if member.leads() => Some((member.term(), node)),
            Node::Member(_) | Node::Instance(_) | Node::Client(_) => None,
        })
        .max()
        .map(|(_, node)| node)
}
