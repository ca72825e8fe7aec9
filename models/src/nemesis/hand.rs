//! The nemesis's hand: what a fault can do to the world. It remembers what it has done, so that healing undoes exactly
//! that, whatever other faults have done to the same nodes meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{
    Cut, Death, Draw, Duration, Event, Farewell, Fault as Primitive, FaultId, Impairment, Luck, NodeId,
    NodeSet, Rate, Scene, Seed, Setting, Skew, Status, Time, Toll, World, queue::Queue,
};

use super::aim::Target;
use super::ears::Ears;
use super::find::Finder;
use super::strike::{Act, Agenda, Audience, Struck};
use super::{End, Planned};
use crate::node::Node;
use crate::plight::{Ail, Ailment, Plight};

/// What a fault's luck is asked for when it looks for its victims.
pub(super) const TARGETS: &str = "targets";

/// What a kind of fault does: when it begins, at the reminders that it sets itself, and when its time is over.
pub(crate) trait Strike {
    /// It begins.
    fn begin(&self, hand: &mut Hand<'_>);

    /// A reminder that it has set is due.
    fn step(&self, _hand: &mut Hand<'_>, step: Step) {
        unreachable!("a fault without reminders is reminded of {step:?}")
    }

    /// Its time is over: what only it knows how to undo. All that its hand still holds is let go afterwards.
    fn heal(&self, _hand: &mut Hand<'_>) -> Healing {
        Healing::Done
    }

    /// A process has died by its own hand because of the fault: by default it stays dead until the fault heals.
    fn on_exit(&self, hand: &mut Hand<'_>, node: NodeId) {
        hand.bury(node);
    }
}

/// Whether a fault is over once it has been told to heal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Healing {
    /// It is.
    Done,
    /// It goes on healing, by reminders, and says so when it has [finished](Hand::finish).
    Underway,
}

/// What a fault reminds itself of: the how-manieth thing to do to the how-manieth of its victims.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Step {
    /// The victim's place among [`Course::victims`], or whatever else the fault counts.
    pub(crate) victim: u32,
    /// Which turn it is.
    pub(crate) turn: u32,
}

/// The world as the nemesis sees it, whoever watches and whatever its queue.
pub(crate) trait Ground {
    fn inflict(&mut self, fault: Primitive);
    fn afflict(&mut self, node: NodeId, plight: Option<Arc<Plight>>);
    fn scene(&self) -> Scene<'_>;
    fn actor(&self, node: NodeId) -> Option<&Node>;
    fn nodes(&self) -> u32;
    /// How much a fault has touched so far.
    fn touched(&self, by: FaultId) -> u64;
    fn tell_began(&mut self, fault: usize, struck: &Struck);
    fn tell_healed(&mut self, fault: usize, touched: u64);
    fn tell_lasts(&mut self, fault: usize, touched: u64);
}

impl<W: Audience, Q: Queue<Event<Node>>> Ground for World<Node, Ears<W>, Q> {
    fn inflict(&mut self, fault: Primitive) {
        World::inflict(self, fault);
    }

    fn afflict(&mut self, node: NodeId, plight: Option<Arc<Plight>>) {
        World::afflict(self, node, plight);
    }

    fn scene(&self) -> Scene<'_> {
        World::scene(self)
    }

    fn actor(&self, node: NodeId) -> Option<&Node> {
        World::actor(self, node)
    }

    fn nodes(&self) -> u32 {
        World::nodes(self) as u32
    }

    fn touched(&self, by: FaultId) -> u64 {
        World::touched(self, by)
    }

    fn tell_began(&mut self, fault: usize, struck: &Struck) {
        let (ears, scene) = self.witness_mut();
        ears.fault_began(&scene, fault, struck);
    }

    fn tell_healed(&mut self, fault: usize, touched: u64) {
        let (ears, scene) = self.witness_mut();
        ears.fault_healed(&scene, fault, touched);
    }

    fn tell_lasts(&mut self, fault: usize, touched: u64) {
        self.witness_mut().0.fault_lasts(fault, touched);
    }
}

/// What one fault has done and not yet undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// Whom it has struck, in the order in which it found them.
    pub(crate) victims: Vec<NodeId>,
    /// What is told of that.
    pub(super) struck: Struck,
    /// The ways that a partition closes and opens, as it found them.
    ways: Vec<(NodeSet, NodeSet)>,
    /// How many processes it has struck.
    strikes: u64,
    holds: BTreeSet<(Hold, NodeId)>,
    ailing: BTreeSet<NodeId>,
    bent: BTreeSet<NodeId>,
    cuts: bool,
    impairs: bool,
    finished: bool,
}

/// How a process is kept from running, its disk from syncing, or its host from answering.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Hold {
    Dead,
    Still,
    Faking,
    Dark,
}

/// What all faults together have done to the nodes, so that each can be undone by itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Deeds {
    /// How many faults hold each node: it is let go by the last of them.
    holds: BTreeMap<(Hold, NodeId), u32>,
    /// What ails each node, by fault.
    ailing: BTreeMap<NodeId, BTreeMap<usize, Vec<Ailment>>>,
    /// Which of that stays, though its fault is over.
    abiding: BTreeSet<(NodeId, usize)>,
    /// How each node's clocks are wrong, by fault.
    bent: BTreeMap<NodeId, BTreeMap<usize, Bend>>,
}

/// What one fault does to the clocks of a node. Of several, drifts and skews add up, and one that stops a clock wins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Bend {
    /// The monotonic clock.
    pub(crate) monotonic: Pace,
    /// The wall clock.
    pub(crate) wall: Pace,
    /// By how much the wall clock is wrong beside that.
    pub(crate) skew: Skew,
}

/// How a clock goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// Faster than true time by so many parts per million; slower, if negative.
    Drifts(i32),
    /// Not at all.
    Stops,
}

impl Pace {
    /// As true time does.
    pub(crate) const TRUE: Pace = Pace::Drifts(0);

    fn with(self, other: Pace) -> Pace {
        match (self, other) {
            (Pace::Drifts(one), Pace::Drifts(more)) => Pace::Drifts(one.saturating_add(more)),
            (Pace::Stops, _) | (_, Pace::Stops) => Pace::Stops,
        }
    }

    fn rate(self) -> Rate {
        match self {
            // Drifts that would turn time back together leave it all but standing.
            Pace::Drifts(ppm) => Rate::drift(ppm.max(-999_999)),
            Pace::Stops => Rate::STOPPED,
        }
    }
}

impl Deeds {
    /// Nobody's hold on the nodes that wait for a fault to boot them, so that none else does.
    pub(super) fn holding(spares: impl Iterator<Item = NodeId>) -> Deeds {
        Deeds { holds: spares.map(|node| ((Hold::Dead, node), 1)).collect(), ..Deeds::default() }
    }
}

impl Bend {
    /// Nothing is wrong.
    pub(crate) const NONE: Bend = Bend { monotonic: Pace::TRUE, wall: Pace::TRUE, skew: Skew::NONE };

    fn with(self, other: &Bend) -> Bend {
        Bend {
            monotonic: self.monotonic.with(other.monotonic),
            wall: self.wall.with(other.wall),
            skew: self.skew.plus(other.skew),
        }
    }
}

/// The hand of one fault at one moment.
pub(crate) struct Hand<'a> {
    pub(super) ground: &'a mut dyn Ground,
    pub(super) deeds: &'a mut Deeds,
    pub(super) agenda: &'a mut Agenda,
    pub(super) course: &'a mut Course,
    pub(super) planned: &'a Planned,
    pub(super) fault: usize,
    pub(super) seed: Seed,
}

impl Hand<'_> {
    /// The fault's name in the kernel.
    pub(crate) fn id(&self) -> FaultId {
        FaultId(self.fault as u32)
    }

    /// The truth of the moment.
    pub(crate) fn scene(&self) -> Scene<'_> {
        self.ground.scene()
    }

    /// The moment.
    pub(crate) fn now(&self) -> Time {
        self.scene().now()
    }

    /// A stream of luck of the fault's own: nobody else draws from it, so that taking the fault away changes nothing
    /// else. The same purpose and turn are the same stream.
    pub(crate) fn luck(&self, purpose: &'static str, turn: u32) -> Luck {
        self.planned.luck(self.seed, purpose, turn)
    }

    /// The fault's luck on one node, for one purpose: a function of both names. What comes of it derives from that.
    pub(crate) fn luck_on(&self, node: NodeId, purpose: &'static str) -> Draw {
        let name = format!("fault {} on {}", self.planned.id, self.scene().name(node));
        self.seed.luck(&name, purpose, 0).draw()
    }

    /// Finds whom the fault is meant for.
    pub(crate) fn finding<T>(&self, find: impl FnOnce(&mut Finder<'_>) -> T) -> T {
        find(&mut Finder::new(&*self.ground, self.luck(TARGETS, 0)))
    }

    /// Finds the fault's victims, and remembers them.
    pub(crate) fn find_victims(&mut self, targets: &[Target]) -> Vec<NodeId> {
        let victims: Vec<NodeId> = self.finding(|finder| finder.find_all(targets)).iter().collect();
        self.course.victims.clone_from(&victims);
        self.strikes(Struck::Nodes(victims.clone()));
        victims
    }

    /// The victims, in the order in which they were found.
    pub(crate) fn victims(&self) -> &[NodeId] {
        &self.course.victims
    }

    /// Remembers the ways that the fault closes and opens.
    pub(crate) fn keep_ways(&mut self, ways: Vec<(NodeSet, NodeSet)>) {
        self.course.ways = ways;
    }

    /// The ways that the fault closes and opens, as it found them when it began.
    pub(crate) fn ways(&self) -> &[(NodeSet, NodeSet)] {
        &self.course.ways
    }

    /// How long a fault that begins now lasts, if it ends.
    pub(crate) fn lasts(&self) -> Option<Duration> {
        match self.planned.end {
            End::After(lasts) => Some(lasts),
            End::At(at) => Some(at.since(self.now())),
            End::Never => None,
        }
    }

    /// The victim at a place among them.
    pub(crate) fn victim(&self, place: u32) -> NodeId {
        self.course.victims[place as usize]
    }

    /// The process of a node, if it lives.
    pub(crate) fn actor(&self, node: NodeId) -> Option<&Node> {
        self.ground.actor(node)
    }

    /// Of those found, only these are victims.
    pub(crate) fn narrow(&mut self, victims: Vec<NodeId>) {
        self.course.victims.clone_from(&victims);
        self.strikes(Struck::Nodes(victims));
    }

    /// The clients for which alone the fault is there, by luck of their own.
    pub(crate) fn find_clients(&self, targets: Option<&[Target]>) -> Option<Arc<NodeSet>> {
        let find = |targets| Finder::new(&*self.ground, self.luck("clients", 0)).find_all(targets);
        targets.map(|targets| Arc::new(find(targets)))
    }

    /// When the plan ends the fault.
    pub(crate) fn end(&self) -> End {
        self.planned.end
    }

    /// The nodes that this fault has told to end.
    pub(crate) fn stopping(&self) -> Vec<NodeId> {
        let told = |node: &NodeId| {
            let mine = self.deeds.ailing.get(node).and_then(|by_fault| by_fault.get(&self.fault));
            mine.into_iter().flatten().any(|ailment| matches!(ailment.ail, Ail::Stopping(_)))
        };
        self.course.ailing.iter().copied().filter(told).collect()
    }

    /// Says whom the fault has struck.
    pub(crate) fn strikes(&mut self, struck: Struck) {
        self.course.struck = struck;
    }

    /// A reminder of `step` after this long, unless the fault heals before.
    pub(crate) fn remind(&mut self, after: Duration, step: Step) {
        self.agenda.insert((self.now() + after, Act::Step(self.fault, step)));
    }

    /// A fault that was [under way](Healing::Underway) to heal has healed.
    pub(crate) fn finish(&mut self) {
        self.course.finished = true;
    }

    /// The process of a node dies, and stays dead as long as any fault holds it so.
    pub(crate) fn kill(&mut self, node: NodeId, death: Death) {
        let lived = self.scene().status(node) != Status::Down;
        if self.take(Hold::Dead, node).is_none() {
            return;
        }
        let darkens = death.farewell == Farewell::Silence && self.take(Hold::Dark, node) == Some(0);
        // Who is dead already is touched by what this death takes beside the process, or not at all.
        self.course.strikes += u64::from(lived || darkens || death.disk != Toll::Nothing);
        self.ground.inflict(Primitive::Crash(node, death));
    }

    /// This fault no longer keeps a process dead: it starts anew, unless another does.
    pub(crate) fn revive(&mut self, node: NodeId) {
        self.let_go(Hold::Dead, node);
        self.let_go(Hold::Dark, node);
    }

    /// A node that has never booted begins its first life.
    pub(crate) fn launch(&mut self, node: NodeId) {
        self.course.strikes += 1;
        // It is held as the dead are, by nobody: this fault takes that over, and lets go.
        self.course.holds.insert((Hold::Dead, node));
        self.let_go(Hold::Dead, node);
    }

    /// The process of a node dies for good: healing does not bring it back.
    pub(crate) fn retire(&mut self, node: NodeId) {
        self.kill(node, Death::KILLED);
        self.course.holds.remove(&(Hold::Dead, node));
    }

    /// All that the fault has done to processes stays when it is over.
    pub(crate) fn abide(&mut self) {
        self.course.holds.clear();
        let ailing = std::mem::take(&mut self.course.ailing);
        self.deeds.abiding.extend(ailing.into_iter().map(|node| (node, self.fault)));
    }

    /// What faults that are over have left a node with is gone: another version runs there now.
    pub(crate) fn supersede(&mut self, node: NodeId) {
        let left: Vec<usize> =
            self.deeds.abiding.range((node, 0)..=(node, usize::MAX)).map(|&(_, fault)| fault).collect();
        for fault in left {
            self.deeds.abiding.remove(&(node, fault));
            self.relieve(node, fault);
        }
    }

    /// The process of a node stands still as long as any fault holds it so.
    pub(crate) fn pause(&mut self, node: NodeId) {
        let running = self.scene().status(node) == Status::Up;
        if self.take(Hold::Still, node).is_some() {
            self.course.strikes += u64::from(running);
            self.ground.inflict(Primitive::Pause(node));
        }
    }

    /// This fault no longer keeps a process still: it goes on, unless another does.
    pub(crate) fn resume(&mut self, node: NodeId) {
        self.let_go(Hold::Still, node);
    }

    /// Messages from some nodes to others are stopped until the fault heals.
    pub(crate) fn cut(&mut self, cut: Cut) {
        debug_assert_eq!(cut.id, self.id(), "a fault's cuts bear its own name");
        self.course.cuts = true;
        self.ground.inflict(Primitive::Cut(cut));
    }

    /// All that the fault has cut is mended.
    pub(crate) fn mend(&mut self) {
        if std::mem::take(&mut self.course.cuts) {
            self.ground.inflict(Primitive::Mend(self.id()));
        }
    }

    /// The ways between some nodes get worse until the fault heals.
    pub(crate) fn impair(&mut self, impairment: Impairment) {
        debug_assert_eq!(impairment.id, self.id(), "a fault's impairments bear its own name");
        self.course.impairs = true;
        self.ground.inflict(Primitive::Impair(impairment));
    }

    /// All that the fault has impaired is repaired.
    pub(crate) fn repair(&mut self) {
        if std::mem::take(&mut self.course.impairs) {
            self.ground.inflict(Primitive::Repair(self.id()));
        }
    }

    /// The connections between some nodes and others are torn down now.
    pub(crate) fn sever(&mut self, from: NodeSet, to: NodeSet) {
        self.ground.inflict(Primitive::Sever { id: self.id(), from, to });
    }

    /// Something ails a node until the fault heals, crashes or not.
    pub(crate) fn ail(&mut self, node: NodeId, ail: Ail) {
        let ailment = Ailment { by: self.id(), luck: self.luck_on(node, "ailment"), since: self.now(), ail };
        self.course.ailing.insert(node);
        self.deeds.ailing.entry(node).or_default().entry(self.fault).or_default().push(ailment);
        self.afflict(node);
    }

    /// Something is asked of a node now, once. A process that does not run is not asked.
    pub(crate) fn order(&mut self, node: NodeId, order: Ail) {
        self.ail(node, order);
        self.cure(node);
    }

    /// What this fault makes a node ail from is over.
    pub(crate) fn cure(&mut self, node: NodeId) {
        if self.course.ailing.remove(&node) {
            self.relieve(node, self.fault);
        }
    }

    /// The clocks of a node go wrong until the fault heals; the monotonic one also jumps ahead, once, now.
    pub(crate) fn bend(&mut self, node: NodeId, bend: Bend, leap: Duration) {
        if self.course.bent.insert(node) {
            self.course.strikes += 1;
        }
        self.deeds.bent.entry(node).or_default().insert(self.fault, bend);
        self.set_clocks(node, leap);
    }

    /// What this fault does to the clocks of a node is over.
    pub(crate) fn straighten(&mut self, node: NodeId) {
        if self.course.bent.remove(&node)
            && let Some(bent) = self.deeds.bent.get_mut(&node)
        {
            bent.remove(&self.fault);
            self.set_clocks(node, Duration::ZERO);
        }
    }

    /// The disk of a node claims syncs that it does not make, until the fault heals.
    pub(crate) fn fake_syncs(&mut self, node: NodeId) {
        if let Some(others) = self.take(Hold::Faking, node) {
            self.course.strikes += u64::from(others == 0);
            self.ground.inflict(Primitive::FakeSyncs(node));
        }
    }

    /// A process that has died by its own hand stays dead until the fault heals, or [revives](Hand::revive) it.
    pub(crate) fn bury(&mut self, node: NodeId) {
        self.take(Hold::Dead, node);
    }

    /// Such a process starts anew after a while.
    pub(crate) fn bury_for(&mut self, node: NodeId, lasts: Duration) {
        self.bury(node);
        let place = self.course.victims.iter().position(|&victim| victim == node);
        let victim = place.expect("who dies of a fault is a victim of it") as u32;
        self.remind(lasts, Step { victim, turn: 0 });
    }

    /// Undoes all that is still done.
    pub(super) fn let_all_go(&mut self) {
        self.mend();
        self.repair();
        for node in self.course.ailing.clone() {
            self.cure(node);
        }
        for node in self.course.bent.clone() {
            self.straighten(node);
        }
        for (hold, node) in self.course.holds.clone() {
            self.let_go(hold, node);
        }
    }

    /// How much the fault has touched: what it has stopped, changed or struck.
    pub(super) fn touched(&self) -> u64 {
        self.course.strikes + self.ground.touched(self.id())
    }

    pub(super) fn is_finished(&self) -> bool {
        self.course.finished
    }

    /// What a fault makes a node ail from is over.
    fn relieve(&mut self, node: NodeId, fault: usize) {
        if let Some(ailing) = self.deeds.ailing.get_mut(&node) {
            ailing.remove(&fault);
            if ailing.is_empty() {
                self.deeds.ailing.remove(&node);
            }
            self.afflict(node);
        }
    }

    fn afflict(&mut self, node: NodeId) {
        let plight =
            self.deeds.ailing.get(&node).map(|by_fault| {
                Arc::new(Plight { ailments: by_fault.values().flatten().cloned().collect() })
            });
        self.ground.afflict(node, plight);
    }

    fn set_clocks(&mut self, node: NodeId, leap: Duration) {
        let bent = self.deeds.bent.get(&node).into_iter().flat_map(BTreeMap::values);
        let Bend { monotonic, wall, skew } = bent.fold(Bend::NONE, Bend::with);
        let setting = Setting { monotonic: monotonic.rate(), leap, wall: wall.rate(), skew };
        self.ground.inflict(Primitive::SetClock(node, setting));
    }

    /// Takes hold of a node, unless this fault has it already: how many others hold it so.
    fn take(&mut self, hold: Hold, node: NodeId) -> Option<u32> {
        if !self.course.holds.insert((hold, node)) {
            return None;
        }
        let holders = self.deeds.holds.entry((hold, node)).or_default();
        *holders += 1;
        Some(*holders - 1)
    }

    fn let_go(&mut self, hold: Hold, node: NodeId) {
        if !self.course.holds.remove(&(hold, node)) {
            return;
        }
        let holders = self.deeds.holds.get_mut(&(hold, node)).expect("what is let go was held");
        *holders -= 1;
        if *holders > 0 {
            return;
        }
        self.deeds.holds.remove(&(hold, node));
        match hold {
            Hold::Dead => self.ground.inflict(Primitive::Restart(node)),
            Hold::Still => self.ground.inflict(Primitive::Resume(node)),
            Hold::Faking => self.ground.inflict(Primitive::MakeSyncs(node)),
            // A process that has started has a host that answers.
            Hold::Dark if self.ground.scene().status(node) == Status::Down => {
                self.ground.inflict(Primitive::PowerOn(node));
            }
            Hold::Dark => {}
        }
        // A pause that began while the process was dead, and lasts, holds its next life too.
        if hold == Hold::Dead && self.deeds.holds.contains_key(&(Hold::Still, node)) {
            self.ground.inflict(Primitive::Pause(node));
        }
    }
}
