//! The nemesis at work: it strikes when the plan says so, or when what it waits for is heard, and heals what it struck.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Event, NodeId, Scene, Seed, Time, Witness, World, queue::Queue};

use super::ears::{Ears, Heard, Listening};
use super::hand::{Course, Deeds, Ground, Hand, Healing, Step, Strike};
use super::{Lasting, Nature, Planned, Start, Trigger};
use crate::node::Process;

/// Who is told of whole faults, not of their primitives alone.
pub trait Audience {
    /// What the driver does from now on, it does for this fault of the plan: to begin it, to go on with it or to heal it.
    fn fault_acts(&mut self, fault: usize) {
        let _ = fault;
    }
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
    /// Nobody's process, but the ways between nodes, which do harm from now on.
    Ways {
        /// Each two sides in turn, the earlier named first.
        sides: Vec<Vec<NodeId>>,
    },
    /// Nobody's process, but the ways between nodes, which are closed.
    Parted {
        /// Each two sides in turn between which there is a cut, the earlier named first; of a split, the sides.
        sides: Vec<Vec<NodeId>>,
        /// The islands that are left, with all other cuts of the moment.
        islands: Vec<Vec<NodeId>>,
    },
}

impl Default for Struck {
    fn default() -> Self {
        Struck::Nodes(Vec::new())
    }
}

/// Nobody is told.
impl Audience for () {
    fn fault_began(&mut self, _: &Scene<'_>, _: usize, _: &Struck) {}
    fn fault_healed(&mut self, _: &Scene<'_>, _: usize, _: u64) {}
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}

/// Something to do with a fault of the plan. Of one instant, what heals comes first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Act {
    Heal(usize),
    Begin(usize),
    Step(usize, Step),
}

/// What is to be done, and when.
pub(super) type Agenda = BTreeSet<(Time, Act)>;

/// A plan of faults, how far it has come, and what must be undone.
#[derive(Clone, Debug)]
pub struct Nemesis {
    plan: Arc<[Planned]>,
    seed: Seed,
    agenda: Agenda,
    /// Faults that wait for something to happen, in the order of the plan.
    waiting: BTreeMap<Trigger, Vec<usize>>,
    /// The faults that last.
    courses: BTreeMap<usize, Course>,
    deeds: Deeds,
    left_out: Arc<[usize]>,
}

impl Nemesis {
    /// A nemesis with its whole plan ahead of it.
    pub fn new(plan: Arc<[Planned]>, seed: Seed) -> Nemesis {
        let mut nemesis = Nemesis {
            plan: plan.clone(),
            seed,
            agenda: Agenda::new(),
            waiting: BTreeMap::new(),
            courses: BTreeMap::new(),
            left_out: Arc::new([]),
            deeds: Deeds::holding(plan.iter().flat_map(|planned| planned.fault.spares()).copied()),
        };
        for (fault, planned) in plan.iter().enumerate() {
            match (planned.starts(seed), planned.start) {
                (Some(at), _) => nemesis.plan_to(at, Act::Begin(fault)),
                (None, Start::When(trigger, _)) => nemesis.waiting.entry(trigger).or_default().push(fault),
                (None, Start::At(_) | Start::Between(..)) => unreachable!("its start is known"),
            }
        }
        nemesis
    }

    /// The same plan, of which these faults do nothing when their time comes. Nothing else of it is another: they keep
    /// their numbers and their moments, so what waits for one of them begins as it would have.
    #[must_use]
    pub fn leaving_out(self, faults: impl IntoIterator<Item = usize>) -> Nemesis {
        Nemesis { left_out: faults.into_iter().collect(), ..self }
    }

    /// Ears for this plan, around whoever else watches.
    pub fn ears<W>(&self, audience: W) -> Ears<W> {
        let heard = |trigger: &Trigger| match trigger {
            Trigger::LeaderChanges | Trigger::LeaseExpires => true,
            Trigger::Begins(_) | Trigger::Heals(_) | Trigger::Crosses(_) => false,
        };
        let listens = self.waiting.keys().any(heard);
        Ears::new(audience, if listens { Listening::Yes } else { Listening::No })
    }

    /// A fault that has not begun yet never will, and whatever waits for it waits in vain. The answer is whether that was
    /// still to be had.
    pub fn forgo(&mut self, fault: usize) -> bool {
        let planned = self.agenda.len();
        self.agenda.retain(|&(_, act)| act != Act::Begin(fault));
        let waited: usize = self.waiting.values().map(Vec::len).sum();
        self.waiting.values_mut().for_each(|faults| faults.retain(|&waiting| waiting != fault));
        self.agenda.len() < planned || self.waiting.values().map(Vec::len).sum::<usize>() < waited
    }

    /// A fault that has not begun yet will be another, from the same moment on. The plan may not need other nodes for it.
    ///
    /// # Panics
    ///
    /// If it would begin at another moment.
    pub fn amend(&mut self, fault: usize, amended: Planned) {
        let mut plan = self.plan.to_vec();
        assert_eq!(plan[fault].start, amended.start, "an amended fault begins when it would have");
        plan[fault] = amended;
        self.plan = plan.into();
    }

    /// When there is something to do next.
    pub fn next_at(&self) -> Option<Time> {
        self.agenda.first().map(|&(at, _)| at)
    }

    /// Does it. The world must have come to that moment.
    pub fn act<P, W, Q>(&mut self, world: &mut World<P, Ears<W>, Q>)
    where
        P: Process,
        W: Witness<P> + Audience,
        Q: Queue<Event<P>>,
    {
        match self.agenda.pop_first() {
            Some((_, Act::Begin(fault))) => self.begin(world, fault),
            Some((_, Act::Heal(fault))) => self.heal(world, fault),
            Some((_, Act::Step(fault, step))) => self.step(world, fault, step),
            None => {}
        }
    }

    /// The world has called: something has happened that a fault may have waited for.
    pub fn listen<P, W, Q>(&mut self, world: &mut World<P, Ears<W>, Q>)
    where
        P: Process,
        W: Witness<P> + Audience,
        Q: Queue<Event<P>>,
    {
        for heard in world.witness_mut().0.take() {
            match heard {
                Heard::Trigger(trigger) => self.hear(trigger, world.now()),
                Heard::Exit(node, by) => {
                    let fault = by.0 as usize;
                    self.with_hand(world, fault, |planned, hand| planned.fault.on_exit(hand, node));
                }
            }
        }
    }

    /// Something has happened: the faults that waited for it will begin.
    pub fn hear(&mut self, trigger: Trigger, now: Time) {
        let plan = self.plan.clone();
        for fault in self.waiting.remove(&trigger).unwrap_or_default() {
            let Start::When(_, after) = plan[fault].start else { unreachable!("it waits for something") };
            self.plan_to(now + plan[fault].wait(self.seed, after), Act::Begin(fault));
        }
    }

    /// The run is over: says what the faults that last have touched.
    pub fn close<P, W, Q>(&mut self, world: &mut World<P, Ears<W>, Q>)
    where
        P: Process,
        W: Witness<P> + Audience,
        Q: Queue<Event<P>>,
    {
        for fault in self.courses.keys().copied().collect::<Vec<_>>() {
            let touched = self.with_hand(world, fault, |_, hand| hand.touched());
            world.tell_lasts(fault, touched);
        }
    }

    fn plan_to(&mut self, at: Time, act: Act) {
        self.agenda.insert((at, act));
    }

    fn begin(&mut self, world: &mut dyn Ground, fault: usize) {
        let planned = &self.plan.clone()[fault];
        let now = world.scene().now();
        let ends = planned.ends(now);
        // A fault that lasts no time at all is none: it would heal before it began. Those that wait for it go on.
        let no_time = planned.fault.lasting() == Lasting::Span && ends == Some(now);
        let passes = no_time || self.left_out.contains(&fault);
        if !passes && !planned.fault.is_nothing() {
            self.courses.insert(fault, Course::default());
            self.with_hand(world, fault, |planned, hand| planned.fault.begin(hand));
            world.tell_began(fault, &self.courses[&fault].struck);
        }
        self.hear(Trigger::Begins(fault), now);
        match ends {
            Some(at) if at == now => self.heal(world, fault),
            Some(at) => self.plan_to(at, Act::Heal(fault)),
            None => {}
        }
    }

    fn step(&mut self, world: &mut dyn Ground, fault: usize, step: Step) {
        if !self.courses.contains_key(&fault) {
            return;
        }
        let finished = self.with_hand(world, fault, |planned, hand| {
            planned.fault.step(hand, step);
            hand.is_finished()
        });
        if finished {
            self.end(world, fault);
        }
    }

    fn heal(&mut self, world: &mut dyn Ground, fault: usize) {
        if !self.courses.contains_key(&fault) {
            return self.hear(Trigger::Heals(fault), world.scene().now());
        }
        match self.with_hand(world, fault, |planned, hand| planned.fault.heal(hand)) {
            Healing::Done => self.end(world, fault),
            Healing::Underway => {}
        }
    }

    /// The fault is over: what it still holds is let go.
    fn end(&mut self, world: &mut dyn Ground, fault: usize) {
        let touched = self.with_hand(world, fault, |_, hand| {
            let touched = hand.touched();
            hand.let_all_go();
            touched
        });
        self.courses.remove(&fault);
        world.tell_healed(fault, touched);
        self.hear(Trigger::Heals(fault), world.scene().now());
    }

    fn with_hand<T>(
        &mut self,
        world: &mut dyn Ground,
        fault: usize,
        act: impl FnOnce(&Planned, &mut Hand<'_>) -> T,
    ) -> T {
        world.tell_acts(fault);
        let planned = &self.plan[fault];
        let mut hand = Hand {
            ground: world,
            deeds: &mut self.deeds,
            agenda: &mut self.agenda,
            course: self.courses.get_mut(&fault).expect("a fault that acts has begun"),
            planned,
            fault,
            seed: self.seed,
        };
        act(planned, &mut hand)
    }
}
