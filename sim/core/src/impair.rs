//! Impairments at work: what the faults of a way do to one message, and what each remembers of those before it.

use std::collections::BTreeMap;

use crate::network::{Segment, Touched};
use crate::{Class, Draw, Duration, FaultId, GilbertElliott, Harm, Impairment, NodeId, Ratio, Time};

/// The impairments in force.
#[derive(Clone, Debug)]
pub(crate) struct Impairments {
    /// All there ever were, by number; those undone are gone.
    all: Vec<Option<Active>>,
    /// For each node, the numbers of those that messages from it may meet, in the order in which they came.
    leaving: Vec<Vec<u32>>,
    of: BTreeMap<FaultId, Vec<u32>>,
}

#[derive(Clone, Debug)]
struct Active {
    what: Impairment,
    memory: Memory,
}

/// What an impairment remembers of the messages before.
#[derive(Clone, Copy, Debug)]
struct Memory {
    /// The word that the last delay was drawn with.
    last: Option<u64>,
    state: State,
    /// When a throttled link has sent all that waits for it.
    free_at: Time,
}

/// The states of a [`GilbertElliott`] chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Good,
    Bad,
}

/// What one impairment does to one message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    Passes,
    Waits(Duration),
    Dropped,
}

/// Labels of what is derived from a message's luck with one impairment.
const LOSS: u64 = 1;
const CHANGE: u64 = 2;
/// The part of a hop's luck that belongs to the faults of the way.
const LINK_FAULT: u64 = 3;

const NANOS_PER_SEC: u128 = 1_000_000_000;

impl Impairments {
    pub(crate) fn new(nodes: usize) -> Impairments {
        Impairments { all: Vec::new(), leaving: vec![Vec::new(); nodes], of: BTreeMap::new() }
    }

    /// The faults with an impairment in force, by number.
    pub(crate) fn faults(&self) -> impl Iterator<Item = FaultId> {
        self.of.keys().copied()
    }

    pub(crate) fn are_of(&self, fault: FaultId) -> bool {
        self.of.contains_key(&fault)
    }

    pub(crate) fn begin(&mut self, what: Impairment) {
        what.harm.check();
        let number = self.all.len() as u32;
        what.from.iter().for_each(|node| self.leaving[node.index()].push(number));
        self.of.entry(what.id).or_default().push(number);
        self.all.push(Some(Active { what, memory: Memory::NONE }));
    }

    /// Undoes those of a fault; how many there were.
    pub(crate) fn end(&mut self, fault: FaultId) -> usize {
        let numbers = self.of.remove(&fault).unwrap_or_default();
        for &number in &numbers {
            let gone = self.all[number as usize].take().expect("it is undone once");
            gone.what.from.iter().for_each(|node| remove(&mut self.leaving[node.index()], number));
        }
        numbers.len()
    }

    /// The share of messages of a kind that they leave on a way, in the long run.
    pub(crate) fn passes(&self, from: NodeId, to: NodeId, class: Class) -> f64 {
        let active = |&number: &u32| self.all[number as usize].as_ref();
        let met = self.leaving[from.index()].iter().filter_map(active).map(|active| &active.what);
        let met = met.filter(|what| what.to.contains(to) && what.classes.contains(class));
        met.map(|what| what.harm.passes()).product()
    }

    /// By how much one message is delayed in all, or which fault drops it.
    pub(crate) fn meet(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        segment: &Segment,
        luck: Draw,
        touched: &mut Touched,
    ) -> Result<Duration, FaultId> {
        let mut delay = Duration::ZERO;
        for &number in &self.leaving[from.index()] {
            let active = self.all[number as usize].as_mut().expect("who may meet it says so");
            if !active.concerns(to, segment) {
                continue;
            }
            let outcome = active.meet(now, segment, active.luck(luck));
            if outcome != Outcome::Passes {
                touched.count(active.what.id);
            }
            match outcome {
                Outcome::Passes => {}
                Outcome::Waits(by) => delay += by,
                Outcome::Dropped => return Err(active.what.id),
            }
        }
        Ok(delay)
    }

    /// Whether a message of its own is sent twice.
    pub(crate) fn duplicate(
        &self,
        (from, to): (NodeId, NodeId),
        segment: &Segment,
        luck: Draw,
        touched: &mut Touched,
    ) -> bool {
        let active = |&number: &u32| self.all[number as usize].as_ref();
        let doubling = self.leaving[from.index()].iter().filter_map(active).find(|active| {
            matches!(active.what.harm, Harm::Duplicate { rate } if active.luck(luck).chance(rate))
                && active.concerns(to, segment)
        });
        doubling.inspect(|active| touched.count(active.what.id)).is_some()
    }
}

/// Takes a number out of a sorted list.
pub(crate) fn remove(sorted: &mut Vec<u32>, number: u32) {
    if let Ok(at) = sorted.binary_search(&number) {
        sorted.remove(at);
    }
}

impl Memory {
    const NONE: Memory = Memory { last: None, state: State::Good, free_at: Time::START };
}

impl Active {
    fn concerns(&self, to: NodeId, segment: &Segment) -> bool {
        self.what.to.contains(to) && segment.is_of(self.what.classes)
    }

    /// Its own luck with a message: whatever else the message meets, this stays.
    fn luck(&self, of_message: Draw) -> Draw {
        of_message.derive(LINK_FAULT).derive(self.what.salt.word())
    }

    fn meet(&mut self, now: Time, segment: &Segment, luck: Draw) -> Outcome {
        let memory = &mut self.memory;
        match &self.what.harm {
            Harm::Delay { extra, correlation } => waits(extra.sample(memory.correlate(luck, *correlation))),
            Harm::Lose { rate } | Harm::Corrupt { rate } => drops(luck.chance(*rate)),
            Harm::Burst(chain) => drops(memory.step(chain, luck)),
            Harm::Duplicate { .. } => Outcome::Passes,
            Harm::Reorder { rate, gap } if luck.chance(*rate) => waits(*gap),
            Harm::Reorder { .. } => Outcome::Passes,
            Harm::Throttle { bytes_per_second, buffer } => {
                memory.queue(now, segment, *bytes_per_second, *buffer)
            }
        }
    }
}

fn waits(by: Duration) -> Outcome {
    if by == Duration::ZERO { Outcome::Passes } else { Outcome::Waits(by) }
}

fn drops(lost: bool) -> Outcome {
    if lost { Outcome::Dropped } else { Outcome::Passes }
}

impl Memory {
    /// The draw mixed with the one before, as netem does (`get_crandom`, net/sched/sch_netem.c, Linux 6.1): the mean of
    /// the two words, weighted by the correlation.
    fn correlate(&mut self, luck: Draw, correlation: Ratio) -> Draw {
        let last = self.last.unwrap_or(luck.word());
        let (new, old) = (correlation.complement().numerator(), correlation.numerator());
        let sum = u128::from(luck.word()) * u128::from(new) + u128::from(last) * u128::from(old);
        let word = (sum / u128::from(correlation.denominator())) as u64;
        self.last = Some(word);
        Draw::new(word)
    }

    /// Whether the chain loses this message; then it goes on to its next state.
    fn step(&mut self, chain: &GilbertElliott, luck: Draw) -> bool {
        let (loss, change, other) = match self.state {
            State::Good => (chain.loss_good, chain.to_bad, State::Bad),
            State::Bad => (chain.loss_bad, chain.to_good, State::Good),
        };
        if luck.derive(CHANGE).chance(change) {
            self.state = other;
        }
        luck.derive(LOSS).chance(loss)
    }

    /// Queues a segment: it leaves when all before it have, and it has been sent itself.
    fn queue(&mut self, now: Time, segment: &Segment, bytes_per_second: u64, buffer: u64) -> Outcome {
        let start = self.free_at.max(now);
        let waiting = u128::from(start.since(now).as_nanos()) * u128::from(bytes_per_second);
        if waiting.div_ceil(NANOS_PER_SEC) + u128::from(segment.at_once) > u128::from(buffer) {
            return Outcome::Dropped;
        }
        let takes = (u128::from(segment.bytes) * NANOS_PER_SEC).div_ceil(u128::from(bytes_per_second));
        self.free_at = start + Duration::from_nanos(u64::try_from(takes).unwrap_or(u64::MAX));
        waits(self.free_at.since(now))
    }
}

impl Harm {
    /// # Panics
    /// If nothing could ever pass.
    fn check(&self) {
        if let Harm::Throttle { bytes_per_second, .. } = self {
            assert!(*bytes_per_second > 0, "a link without capacity is a cut");
        }
    }
}
