//! The nemesis's hand: what a fault can do to the world. It remembers what it has done, so that healing undoes exactly
//! that, whatever other faults have done to the same nodes meanwhile.

mod ailments;
mod bend;
mod deeds;
mod ground;
mod processes;

use std::collections::BTreeSet;
use std::sync::Arc;

use schism_core::{
    Cut, Draw, Duration, Fault as Primitive, FaultId, Impairment, Luck, NodeId, NodeSet, Scene, Seed, Time,
};

pub(crate) use self::bend::{Bend, Pace};
pub(super) use self::deeds::{Deeds, Hold};
pub use self::ground::Ground;
use super::aim::{Target, service};
use super::deploy::Rollout;
use super::find::Finder;
use super::strike::{Act, Agenda, Struck};
use super::{End, Planned};
use crate::node::Node;
use crate::plight::Ail;

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

/// What one fault has done and not yet undone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Course {
    /// Whom it has struck, in the order in which it found them.
    pub(crate) victims: Vec<NodeId>,
    /// What is told of that.
    pub(super) struck: Struck,
    /// The ways that a partition closes and opens, as it found them.
    ways: Vec<(NodeSet, NodeSet)>,
    /// How far a deploy has come.
    pub(super) rollout: Rollout,
    /// Whom it has launched.
    launched: Vec<NodeId>,
    /// How many processes it has struck.
    strikes: u64,
    holds: BTreeSet<(Hold, NodeId)>,
    ailing: BTreeSet<NodeId>,
    bent: BTreeSet<NodeId>,
    cuts: bool,
    impairs: bool,
    finished: bool,
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
        find(&mut Finder::new(&*self.ground, self.deeds, self.luck(TARGETS, 0)))
    }

    /// Finds the fault's victims, and remembers them.
    pub(crate) fn find_victims(&mut self, targets: &[Target]) -> Vec<NodeId> {
        let victims: Vec<NodeId> = self.finding(|finder| finder.find_all(targets)).iter().collect();
        self.narrow(victims.clone());
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
        let find =
            |targets| Finder::new(&*self.ground, self.deeds, self.luck("clients", 0)).find_all(targets);
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

    /// Who is of a service now, in the order in which they came.
    pub(crate) fn members(&self, targets: &[Target]) -> Vec<NodeId> {
        self.deeds.group(service(targets))
    }

    /// Whether a fault has taken an instance from its service.
    pub(crate) fn is_away(&self, node: NodeId) -> bool {
        self.deeds.is_away(node)
    }

    /// Whom the fault has launched.
    pub(crate) fn launched(&self) -> &[NodeId] {
        &self.course.launched
    }

    /// How far the deploy has come that the fault is.
    pub(super) fn rollout(&self) -> &Rollout {
        &self.course.rollout
    }

    /// The same, as it goes on.
    pub(super) fn rollout_mut(&mut self) -> &mut Rollout {
        &mut self.course.rollout
    }

    /// Some sets of nodes as they are told: without those that are not there yet, and without the empty.
    pub(crate) fn named(
        &self,
        sets: impl IntoIterator<Item = impl IntoIterator<Item = NodeId>>,
    ) -> Vec<Vec<NodeId>> {
        let there = |set: Vec<NodeId>| set.into_iter().filter(|&node| !self.deeds.is_unborn(node)).collect();
        let named = sets.into_iter().map(|set| there(set.into_iter().collect()));
        named.filter(|set: &Vec<NodeId>| !set.is_empty()).collect()
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
}
