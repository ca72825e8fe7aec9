//! The nemesis at work: it strikes when the plan says so, and heals exactly what it struck.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{
    CutId, Death, Event, Fault as Primitive, NodeId, NodeSet, Scene, Seed, Time, Witness, World, queue::Queue,
};

use super::target::Moment;
use super::{Fault, Planned};
use crate::node::Node;

/// A witness that is also told of whole faults, not of their primitives alone.
pub trait Audience: Witness<Node> {
    /// A fault of the plan has begun.
    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck);
    /// It has been healed, having stopped so many messages or struck so many processes.
    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64);
    /// The run ends while it lasts.
    fn fault_lasts(&mut self, fault: usize, touched: u64);
}

/// Whom a fault has struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Struck {
    /// These processes.
    Nodes(Vec<NodeId>),
    /// Nobody's process, but the ways between nodes.
    Parted {
        /// Each two sides in turn between which there is a cut, the earlier named first; of a split, the sides.
        sides: Vec<Vec<NodeId>>,
        /// The islands that are left, with all other cuts of the moment.
        islands: Vec<Vec<NodeId>>,
    },
}

impl Struck {
    /// The processes that it has struck: none, if it has parted nodes.
    fn nodes(&self) -> &[NodeId] {
        match self {
            Struck::Nodes(nodes) => nodes,
            Struck::Parted { .. } => &[],
        }
    }
}

/// Nobody is told.
impl Audience for () {
    fn fault_began(&mut self, _: &Scene<'_>, _: usize, _: &Struck) {}
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
    struck: BTreeMap<usize, Struck>,
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
        let mut moment = Moment::of(world, planned.luck(self.seed, "targets"));
        let struck = match &planned.fault {
            Fault::Partition(partition) => {
                let (sides, cuts) = moment.part(partition, CutId(fault as u32));
                cuts.into_iter().for_each(|cut| world.inflict(Primitive::Cut(cut)));
                Struck::Parted { sides, islands: world.scene().network().islands() }
            }
            Fault::Crash(targets) => {
                let nodes = moment.find_all(targets);
                Struck::Nodes(self.take(world, &nodes, Hold::Dead))
            }
            Fault::Pause(targets) => {
                let nodes = moment.find_all(targets);
                Struck::Nodes(self.take(world, &nodes, Hold::Still))
            }
        };
        let (audience, scene) = world.witness_mut();
        audience.fault_began(&scene, fault, &struck);
        self.struck.insert(fault, struck);
    }

    fn heal<W: Audience, Q: Queue<Event<Node>>>(&mut self, world: &mut World<Node, W, Q>, fault: usize) {
        let struck = self.struck.remove(&fault).expect("what heals has begun");
        let touched = self.touched(world, fault, &struck);
        match &self.plan.clone()[fault].fault {
            Fault::Partition(_) => world.inflict(Primitive::Mend(CutId(fault as u32))),
            Fault::Crash(_) => self.let_go(world, struck.nodes(), Hold::Dead),
            Fault::Pause(_) => self.let_go(world, struck.nodes(), Hold::Still),
        }
        let (audience, scene) = world.witness_mut();
        audience.fault_healed(&scene, fault, touched);
    }

    fn touched<W: Audience, Q: Queue<Event<Node>>>(
        &self,
        world: &World<Node, W, Q>,
        fault: usize,
        struck: &Struck,
    ) -> u64 {
        match struck {
            Struck::Parted { .. } => world.scene().network().lost_to(CutId(fault as u32)),
            Struck::Nodes(nodes) => nodes.len() as u64,
        }
    }

    /// Strikes these processes; those that another fault holds already are held by this one too.
    fn take<W: Audience, Q: Queue<Event<Node>>>(
        &mut self,
        world: &mut World<Node, W, Q>,
        nodes: &NodeSet,
        hold: Hold,
    ) -> Vec<NodeId> {
        for node in nodes.iter() {
            *self.held.entry((hold, node)).or_default() += 1;
            world.inflict(match hold {
                Hold::Dead => Primitive::Crash(node, Death::KILLED),
                Hold::Still => Primitive::Pause(node),
            });
        }
        nodes.iter().collect()
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
