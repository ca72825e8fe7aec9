//! Wheels of 4,096 buckets, each turning once while the next moves by one bucket; only the bucket that is due is sorted.
//!
//! The hierarchical timing wheels of Varghese and Lauck (1987), with the sorted bottom of the ladder queue (Tang, Goh and
//! Thng 2005) in place of ticks, so that time stays exact. The width of the finest bucket follows the rate of events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use self::wheel::{BITS, BUCKETS, NONE, Wheel};
use super::{Queue, key::Key};
use crate::Time;

mod wheel;

/// Wheels of unsorted buckets above a sorted bottom; amortised constant time.
#[derive(Clone)]
pub struct Ladder<E> {
    /// The events of the buckets up to `cursor`, last to leave first.
    bottom: Vec<Key>,
    /// Those scheduled after their bucket had been sorted.
    late: BinaryHeap<Reverse<Key>>,
    /// All others, the finest wheel first.
    wheels: Vec<Wheel>,
    /// Where the events rest, in the wheels linked into lists.
    nodes: Vec<Node<E>>,
    /// The first vacated node.
    free: u32,
    /// The last bucket sorted, counted in finest buckets since the start.
    cursor: u64,
    /// A finest bucket is `1 << shift` nanoseconds wide.
    shift: u32,
    len: usize,
    pushed: u64,
    now: Time,
    tuning: Tuning,
}

/// When the width was last considered, and after how many operations it will be again.
#[derive(Clone, Copy)]
struct Tuning {
    now: Time,
    popped: u64,
    due: u64,
}

/// An event at rest, or a vacancy. Aligned to a cache line, so that one that fits costs one miss.
#[derive(Clone)]
#[repr(align(64))]
struct Node<E> {
    at: Time,
    order: u64,
    next: u32,
    event: Option<E>,
}

/// Up to so many keys are sorted by insertion.
const SHORT: usize = 16;
/// More late events than that are a reason to consider the width again.
const LATE: usize = 64;
/// Fewer events than that say nothing about their rate.
const FEW: u64 = 64;

impl<E: Clone> Queue<E> for Ladder<E> {
    #[inline]
    fn push(&mut self, at: Time, event: E) -> u64 {
        assert!(at >= self.now, "an event is scheduled before the last one left");
        let order = self.pushed;
        self.pushed += 1;
        self.len += 1;
        let node = Node { at, order, next: NONE, event: Some(event) };
        let slot = self.free;
        if slot == NONE {
            self.nodes.push(node);
            self.place(self.nodes.len() as u32 - 1, at, order);
        } else {
            let vacant = &mut self.nodes[slot as usize];
            self.free = vacant.next;
            *vacant = node;
            self.place(slot, at, order);
        }
        // After a look far ahead everything is late, until the cursor is called back.
        if self.late.len() > LATE && self.operations() >= self.tuning.due {
            self.tune();
        }
        order
    }

    fn pop_until(&mut self, end: Time) -> Option<(Time, E)> {
        let first = self.first_until(end)?;
        if first.at() >= end {
            return None;
        }
        if self.bottom.last() == Some(&first) {
            self.bottom.pop();
        } else {
            self.late.pop();
        }
        let slot = first.slot();
        let node = &mut self.nodes[slot as usize];
        let event = node.event.take().expect("a key's node holds its event");
        node.next = self.free;
        self.free = slot;
        self.len -= 1;
        self.now = first.at();
        Some((first.at(), event))
    }

    fn next_at(&mut self) -> Option<Time> {
        self.first_until(Time::END).map(|first| first.at())
    }

    fn next_number(&mut self, end: Time) -> Option<u64> {
        self.first_until(end).filter(|first| first.at() < end).map(Key::order)
    }

    fn waiting(&self) -> Vec<(Time, u64, &E)> {
        let mut nodes: Vec<&Node<E>> = self.nodes.iter().filter(|node| node.event.is_some()).collect();
        nodes.sort_unstable_by_key(|node| (node.at, node.order));
        nodes.into_iter().filter_map(|node| Some((node.at, node.order, node.event.as_ref()?))).collect()
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl<E> Ladder<E> {
    /// The earliest event; there may be one that is not seen if it is due after `end`.
    fn first_until(&mut self, end: Time) -> Option<Key> {
        if self.bottom.is_empty() && self.late.is_empty() {
            self.advance(end);
        }
        match (self.bottom.last(), self.late.peek()) {
            (Some(&sorted), Some(&Reverse(late))) => Some(sorted.min(late)),
            (Some(&sorted), None) => Some(sorted),
            (None, late) => late.map(|&Reverse(late)| late),
        }
    }

    /// Lets the event in `slot` wait in the finest wheel that has not passed its bucket in this turn.
    #[inline]
    fn place(&mut self, slot: u32, at: Time, order: u64) {
        let bucket = at.as_nanos() >> self.shift;
        if bucket <= self.cursor {
            self.late.push(Reverse(Key::new(at, order, slot)));
            return;
        }
        let level = (bucket ^ self.cursor).ilog2() / BITS;
        if self.wheels.len() <= level as usize {
            self.grow(level as usize + 1);
        }
        let bucket = (bucket >> (level * BITS)) as usize % BUCKETS;
        self.nodes[slot as usize].next = self.wheels[level as usize].put(bucket, slot);
    }

    /// Moves the cursor to the first bucket with events, unless that starts after `end`, and sorts them.
    fn advance(&mut self, end: Time) {
        if self.operations() >= self.tuning.due {
            self.tune();
        }
        while self.bottom.is_empty() {
            let Some(level) = self.wheels.iter().position(|wheel| !wheel.is_empty()) else { return };
            let wheel = &mut self.wheels[level];
            let first = wheel.first();
            let unit = level as u32 * BITS;
            let cursor = ((self.cursor >> unit) & !(BUCKETS as u64 - 1) | first as u64) << unit;
            if cursor << self.shift > end.as_nanos() {
                return;
            }
            self.cursor = cursor;
            let mut slot = wheel.take(first);
            while slot != NONE {
                let node = &self.nodes[slot as usize];
                let (at, order, next) = (node.at, node.order, node.next);
                if at.as_nanos() >> self.shift == cursor {
                    let key = Key::new(at, order, slot);
                    if self.bottom.len() < SHORT {
                        self.insert(key);
                    } else {
                        self.bottom.push(key);
                    }
                } else {
                    self.place(slot, at, order);
                }
                slot = next;
            }
        }
        if self.bottom.len() > SHORT {
            self.bottom.sort_unstable_by(|a, b| b.cmp(a));
        }
    }

    /// Puts `key` where it belongs in a short bottom.
    fn insert(&mut self, key: Key) {
        let mut hole = self.bottom.len();
        self.bottom.push(key);
        while hole > 0 && self.bottom[hole - 1] < key {
            self.bottom[hole] = self.bottom[hole - 1];
            hole -= 1;
        }
        self.bottom[hole] = key;
    }

    /// Kept apart, because a wheel is large and would weigh on the stack of every push.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, levels: usize) {
        self.wheels.resize_with(levels, Wheel::default);
    }

    fn popped(&self) -> u64 {
        self.pushed - self.len as u64
    }

    /// Pushes and pops so far.
    fn operations(&self) -> u64 {
        self.pushed + self.popped()
    }

    /// Makes a bucket as wide as a few events are apart on average, if it is far from that or too many are late.
    #[cold]
    #[inline(never)]
    fn tune(&mut self) {
        let popped = self.popped() - self.tuning.popped;
        let gap = self.now.since(self.tuning.now).as_nanos() / popped.max(1);
        // With many events waiting, a longer list to sort costs less than moving each event down one wheel more.
        let events = (self.len / BUCKETS).max(2) as u64;
        let shift = if popped < FEW { self.shift } else { gap.saturating_mul(events).max(1).ilog2() };
        if shift.abs_diff(self.shift) > 1 || self.late.len() > LATE {
            self.rebuild(shift);
        }
        // Rebuilding visits every node, so it waits until as many operations have paid for it.
        let due = self.operations() + 1024 + 2 * self.nodes.len() as u64;
        self.tuning = Tuning { now: self.now, popped: self.popped(), due };
    }

    /// Places every waiting event anew, as seen from the present.
    fn rebuild(&mut self, shift: u32) {
        self.shift = shift;
        self.cursor = self.now.as_nanos() >> shift;
        self.bottom.clear();
        self.late.clear();
        self.wheels.fill(Wheel::default());
        for slot in 0..self.nodes.len() {
            let Node { at, order, ref event, .. } = self.nodes[slot];
            if event.is_some() {
                self.place(slot as u32, at, order);
            }
        }
    }
}

impl<E> Default for Ladder<E> {
    fn default() -> Self {
        Ladder {
            bottom: Vec::new(),
            late: BinaryHeap::new(),
            wheels: Vec::new(),
            nodes: Vec::new(),
            free: NONE,
            cursor: 0,
            shift: 16,
            len: 0,
            pushed: 0,
            now: Time::START,
            tuning: Tuning { now: Time::START, popped: 0, due: 1024 },
        }
    }
}
