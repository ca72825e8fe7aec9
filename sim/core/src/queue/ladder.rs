//! Wheels of 4,096 buckets, each turning once while the next moves by one bucket; only the bucket that is due is sorted.
//!
//! The hierarchical timing wheels of Varghese and Lauck (1987), with the sorted bottom of the ladder queue (Tang, Goh and
//! Thng 2005) in place of ticks, so that time stays exact. The width of the finest bucket follows the rate of events.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Queue, key::Key};
use crate::Time;

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

/// An event at rest, or a vacancy.
#[derive(Clone)]
struct Node<E> {
    at: Time,
    order: u64,
    next: u32,
    event: Option<E>,
}

/// The first node of each bucket's list, and a tree of bits that finds the first bucket with a list.
#[derive(Clone)]
struct Wheel {
    words: u64,
    buckets: [u64; 64],
    heads: [u32; BUCKETS],
}

const BITS: u32 = 12;
const BUCKETS: usize = 1 << BITS;
const NONE: u32 = u32::MAX;

impl<E: Clone> Queue<E> for Ladder<E> {
    fn push(&mut self, at: Time, event: E) {
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

    fn len(&self) -> usize {
        self.len
    }
}

impl<E> Ladder<E> {
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

    /// Moves the cursor to the first bucket with events, unless that starts at `end` or later, and sorts them.
    fn advance(&mut self, end: Time) {
        if 2 * self.pushed - self.len as u64 >= self.tuning.due {
            self.tune();
        }
        while self.bottom.is_empty() {
            let Some(level) = self.wheels.iter().position(|wheel| wheel.words != 0) else { return };
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
                    self.bottom.push(Key::new(at, order, slot));
                } else {
                    self.place(slot, at, order);
                }
                slot = next;
            }
        }
        self.bottom.sort_unstable_by(|a, b| b.cmp(a));
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, levels: usize) {
        self.wheels.resize_with(levels, Wheel::default);
    }

    /// Makes a bucket as wide as four events are apart on average, if it is far from that.
    fn tune(&mut self) {
        let popped = self.pushed - self.len as u64;
        let gap = self.now.since(self.tuning.now).as_nanos() / (popped - self.tuning.popped).max(1);
        let shift = (4 * gap.min(1 << 40)).max(1).ilog2();
        self.tuning = Tuning {
            now: self.now,
            popped,
            due: 2 * self.pushed - self.len as u64 + 1024 + 2 * self.nodes.len() as u64,
        };
        if shift.abs_diff(self.shift) >= 2 || self.late.len() > 64 {
            self.shift = shift;
            self.cursor = self.now.as_nanos() >> shift;
            self.bottom.clear();
            self.late.clear();
            self.wheels.clear();
            for slot in 0..self.nodes.len() {
                let Node { at, order, ref event, .. } = self.nodes[slot];
                if event.is_some() {
                    self.place(slot as u32, at, order);
                }
            }
        }
    }
}

impl Wheel {
    /// Makes `slot` the head of a bucket's list; returns the former head.
    fn put(&mut self, bucket: usize, slot: u32) -> u32 {
        self.buckets[bucket / 64] |= 1 << (bucket % 64);
        self.words |= 1 << (bucket / 64);
        std::mem::replace(&mut self.heads[bucket], slot)
    }

    fn first(&self) -> usize {
        let word = self.words.trailing_zeros() as usize;
        word * 64 + self.buckets[word].trailing_zeros() as usize
    }

    fn take(&mut self, bucket: usize) -> u32 {
        self.buckets[bucket / 64] &= !(1 << (bucket % 64));
        if self.buckets[bucket / 64] == 0 {
            self.words &= !(1 << (bucket / 64));
        }
        std::mem::replace(&mut self.heads[bucket], NONE)
    }
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel { words: 0, buckets: [0; 64], heads: [NONE; BUCKETS] }
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
