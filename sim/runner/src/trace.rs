//! Traces: a flight recorder around another witness. It keeps the newest of what happened, each with what it came of,
//! and counts what it had to drop.
//!
//! What is kept are the messages, timers and observations themselves: they become text when somebody reads them.

mod entry;
mod lines;
mod perfetto;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use schism_core::{
    Cause, Deed, Doing, Effect, Fault, FaultId, Happening, NodeId, Scene, Swallowed, Time, Traced, Witness,
};
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Process;
use schism_models::observation::Observation;

pub use entry::{Act, Doing as Done, Event, Note, Noted, What};
pub use lines::lines;
pub(crate) use lines::{Entry, in_order};
pub use perfetto::perfetto;

/// A witness, and the trace of what it is told and of how that came about.
#[derive(Clone, Debug)]
pub struct Trace<W> {
    /// Whoever else watches.
    pub audience: W,
    /// How many entries are kept at most.
    most: usize,
    /// What is under way.
    now: Cause,
    /// The fault of the plan that acts, if one does.
    acts_for: Option<usize>,
    /// Those kept, by number; the first has this number.
    events: VecDeque<Event>,
    first_event: u64,
    acts: VecDeque<Act>,
    first_act: u64,
    notes: VecDeque<Note>,
    dropped: u64,
}

/// How many entries a trace keeps unless it is told otherwise: about 100 MB of them.
pub const MOST_ENTRIES: usize = 1_000_000;

impl<W> Trace<W> {
    /// A trace of at most so many entries, around whoever else watches.
    pub fn new(most: usize, audience: W) -> Trace<W> {
        Trace {
            audience,
            most,
            now: Cause::Start,
            acts_for: None,
            events: VecDeque::new(),
            first_event: 1,
            acts: VecDeque::new(),
            first_act: 1,
            notes: VecDeque::new(),
            dropped: 0,
        }
    }

    /// Whoever else has watched, and the trace without them.
    pub fn part(self) -> (W, Trace<()>) {
        let Trace { audience, most, now, acts_for, events, first_event, acts, first_act, notes, dropped } =
            self;
        let alone =
            Trace { audience: (), most, now, acts_for, events, first_event, acts, first_act, notes, dropped };
        (audience, alone)
    }

    /// The event of this number, if it is kept.
    pub fn event(&self, number: u64) -> Option<&Event> {
        self.events.get(usize::try_from(number.checked_sub(self.first_event)?).ok()?)
    }

    /// The driver's deed of this number, if it is kept.
    pub fn act(&self, number: u64) -> Option<&Act> {
        self.acts.get(usize::try_from(number.checked_sub(self.first_act)?).ok()?)
    }

    /// All events that are kept, with their numbers.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = (u64, &Event)> {
        self.events.iter().enumerate().map(|(index, event)| (self.first_event + index as u64, event))
    }

    /// All deeds that are kept, with their numbers.
    pub fn acts(&self) -> impl DoubleEndedIterator<Item = (u64, &Act)> {
        self.acts.iter().enumerate().map(|(index, act)| (self.first_act + index as u64, act))
    }

    /// All notes that are kept: what was observed, what never arrived, which faults began and healed.
    pub fn notes(&self) -> impl DoubleEndedIterator<Item = &Note> {
        self.notes.iter()
    }

    /// What was noted during an event, a deed or the start.
    pub fn during(&self, cause: Cause) -> impl Iterator<Item = &Note> {
        let after = match cause {
            Cause::Start => Some(0),
            Cause::Event(number) => Some(number),
            Cause::Deed(number) => self.act(number).map(|act| act.after),
        };
        let from = after.map_or(self.notes.len(), |after| self.notes.partition_point(|n| n.after < after));
        let of_then = move |note: &&Note| after.is_some_and(|after| note.after == after);
        self.notes.range(from..).take_while(of_then).filter(move |note| note.during == cause)
    }

    /// When something happened, if it is kept.
    pub fn at(&self, cause: Cause) -> Option<Time> {
        match cause {
            Cause::Start => Some(Time::START),
            Cause::Event(number) => self.event(number).map(|event| event.at),
            Cause::Deed(number) => self.act(number).map(|act| act.at),
        }
    }

    /// How many entries are kept: events, deeds and notes.
    pub fn len(&self) -> usize {
        self.events.len() + self.acts.len() + self.notes.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many entries there was no room for: always the oldest.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// What is under way, or was last.
    pub(crate) fn under_way(&self) -> Cause {
        self.now
    }

    /// How many events there have been, kept or not.
    fn happened(&self) -> u64 {
        self.first_event - 1 + self.events.len() as u64
    }

    fn note(&mut self, at: Time, noted: Noted) {
        self.notes.push_back(Note { at, during: self.now, after: self.happened(), noted });
        self.make_room();
    }

    /// Drops the oldest for as long as there are too many. An event goes after all that is older.
    fn make_room(&mut self) {
        while self.len() > self.most {
            let oldest = self.first_event;
            if self.notes.front().is_some_and(|note| note.after < oldest || self.events.is_empty()) {
                self.notes.pop_front();
            } else if self.acts.front().is_some_and(|act| act.after < oldest || self.events.is_empty()) {
                self.acts.pop_front();
                self.first_act += 1;
            } else {
                self.events.pop_front();
                self.first_event += 1;
            }
            self.dropped += 1;
        }
    }
}

impl<P: Process, W: Witness<P>> Witness<P> for Trace<W> {
    const TRACES: bool = true;

    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        // What a process holds is looked at from outside: it comes of no event.
        if !matches!(seen, Observation::Holds { .. }) {
            self.note(scene.now(), Noted::Observed { by, seen: seen.clone() });
        }
        self.audience.observe(scene, by, seen);
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        // What the driver inflicts is its deed. What comes of an event is told here alone.
        if let Cause::Event(_) = self.now {
            self.note(scene.now(), Noted::Struck(Arc::new(fault.clone())));
        }
        self.audience.on_fault(scene, fault);
    }

    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        self.note(scene.now(), Noted::Exited { node, by });
        self.audience.on_exit(scene, node, by);
    }

    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, P>) {
        let what = what_of::<P>(&event.what);
        let Traced { number, cause, via, to, finds, .. } = *event;
        debug_assert_eq!(number, self.happened() + 1, "events are told one by one");
        self.now = Cause::Event(number);
        self.events.push_back(Event { at: scene.now(), to, cause, via, finds, what });
        self.make_room();
        self.audience.on_event(scene, event);
    }

    fn on_deed(&mut self, scene: &Scene<'_>, deed: &Deed<'_, P>) {
        let doing = match deed.what {
            Doing::Fault(fault) => entry::Doing::Inflicts(Arc::new(fault.clone())),
            Doing::Plight(node, plight) => entry::Doing::Ails(node, plight.map(|p| Arc::new(p.clone()))),
        };
        self.now = Cause::Deed(deed.number);
        let (at, after) = (scene.now(), self.happened());
        self.acts.push_back(Act { at, after, of: self.acts_for, doing });
        self.make_room();
        self.audience.on_deed(scene, deed);
    }

    fn on_swallowed(&mut self, scene: &Scene<'_>, swallowed: &Swallowed<'_, P>) {
        let Swallowed { cause, from, to, msg, by, then } = *swallowed;
        let msg = msg.cloned();
        self.note(scene.now(), Noted::Swallowed { cause, from, to, msg, by, then });
        self.audience.on_swallowed(scene, swallowed);
    }

    fn on_effects(&mut self, scene: &Scene<'_>, by: NodeId, effects: &[Effect<P>]) {
        self.audience.on_effects(scene, by, effects);
    }

    fn wants_attention(&self) -> bool {
        self.audience.wants_attention()
    }
}

fn what_of<P: Process>(what: &Happening<'_, P>) -> What {
    match *what {
        Happening::Message { from, over, msg } => What::Message { from, over, msg: msg.clone() },
        Happening::Timer(timer) => What::Timer(timer.clone()),
        Happening::Plight => What::Plight,
        Happening::Reset { peer } => What::Reset { peer },
        Happening::Retransmit { peer } => What::Retransmit { peer },
        Happening::Boot => What::Boot,
        Happening::Open { peer } => What::Open { peer },
        Happening::Accepted { peer } => What::Accepted { peer },
    }
}

impl<W: Audience> Audience for Trace<W> {
    fn fault_acts(&mut self, fault: usize) {
        self.acts_for = Some(fault);
        self.audience.fault_acts(fault);
    }

    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        self.note(scene.now(), Noted::Began { fault, struck: Arc::new(struck.clone()) });
        self.audience.fault_began(scene, fault, struck);
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        self.note(scene.now(), Noted::Healed { fault });
        self.audience.fault_healed(scene, fault, touched);
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.audience.fault_lasts(fault, touched);
    }
}
