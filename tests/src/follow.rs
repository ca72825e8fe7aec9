//! A witness that writes down every event of a toy world with what it came of, and all that never arrived.

use schism_core::{
    Cause, Deed, Doing, Fault, Finds, Happening, NodeId, Over, Scene, Swallowed, Taker, Then, Time, Traced,
    Witness,
};

use crate::toy::{Arrival, Toy};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: Time,
    /// To whom.
    pub to: NodeId,
    /// During what it was asked for.
    pub cause: Cause,
    /// What set it going at last.
    pub via: Cause,
    /// How it found the node.
    pub finds: Finds,
    /// What it was.
    pub what: What,
}

/// What an event was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A letter of this number arrived.
    Letter(u32),
    /// It was time to send the letter of this number.
    Due(u32),
    /// A connection was asked for, accepted, reset, or might send again.
    Connection,
    /// What ails a node had changed, or its process was started.
    Process,
}

/// A letter, or a segment without one, that did not come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// When.
    pub at: Time,
    /// During what it was asked for.
    pub cause: Cause,
    /// From whom to whom.
    pub ends: (NodeId, NodeId),
    /// The letter.
    pub letter: Option<u32>,
    /// What has taken it, and what becomes of it.
    pub fate: (Taker, Then),
}

/// All that was told.
#[derive(Clone, Debug, Default)]
pub struct Follow {
    /// The events: the first has number 1.
    pub steps: Vec<Step>,
    /// The deeds: the first has number 1.
    pub deeds: Vec<Time>,
    /// What did not come through.
    pub losses: Vec<Loss>,
    /// What came, as the plain witness has it.
    pub came: Vec<(Time, NodeId, Arrival)>,
}

impl Follow {
    /// The event of this number.
    pub fn step(&self, number: u64) -> &Step {
        &self.steps[number as usize - 1]
    }

    /// The event at which a letter arrived and was told to its receiver.
    pub fn arrival(&self, letter: u32) -> &Step {
        let arrives = |step: &&Step| step.what == What::Letter(letter) && step.finds == Finds::Running;
        self.steps.iter().rfind(arrives).expect("the letter has arrived")
    }

    /// The number of the event at which a letter was sent.
    pub fn sent(&self, letter: u32) -> Cause {
        let sends = |step: &Step| step.what == What::Due(letter) && step.finds == Finds::Running;
        let at = self.steps.iter().position(sends).expect("it was sent");
        Cause::Event(at as u64 + 1)
    }
}

impl Witness<Toy> for Follow {
    const TRACES: bool = true;

    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Arrival) {
        self.came.push((scene.now(), by, *seen));
    }

    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}

    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, Toy>) {
        let what = match event.what {
            Happening::Message { over: Over::Exchange | Over::Connection, msg, .. } => What::Letter(*msg),
            Happening::Timer(letter) => What::Due(letter.number),
            Happening::Reset { .. }
            | Happening::Retransmit { .. }
            | Happening::Open { .. }
            | Happening::Accepted { .. } => What::Connection,
            Happening::Plight | Happening::Boot => What::Process,
        };
        let Traced { number, cause, via, to, finds, .. } = *event;
        self.steps.push(Step { at: scene.now(), to, cause, via, finds, what });
        assert_eq!(number, self.steps.len() as u64, "events are told one by one, and none is left out");
    }

    fn on_deed(&mut self, scene: &Scene<'_>, deed: &Deed<'_, Toy>) {
        assert!(matches!(deed.what, Doing::Fault(_)), "nothing ails a toy");
        self.deeds.push(scene.now());
        assert_eq!(deed.number, self.deeds.len() as u64, "deeds are told one by one, and none is left out");
    }

    fn on_swallowed(&mut self, scene: &Scene<'_>, swallowed: &Swallowed<'_, Toy>) {
        let Swallowed { cause, from, to, msg, by, then } = *swallowed;
        let (ends, letter) = ((from, to), msg.copied());
        self.losses.push(Loss { at: scene.now(), cause, ends, letter, fate: (by, then) });
    }
}
