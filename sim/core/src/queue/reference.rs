//! The standard library's binary heap: too simple to be wrong, and the measure of the others.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Queue;
use crate::Time;

/// A binary heap of whole events.
#[derive(Clone)]
pub struct Reference<E> {
    heap: BinaryHeap<Entry<E>>,
    pushed: u64,
    now: Time,
}

#[derive(Clone)]
struct Entry<E> {
    key: Reverse<(Time, u64)>,
    event: E,
}

impl<E: Clone> Queue<E> for Reference<E> {
    fn push(&mut self, at: Time, event: E) -> u64 {
        assert!(at >= self.now, "an event is scheduled before the last one left");
        self.heap.push(Entry { key: Reverse((at, self.pushed)), event });
        self.pushed += 1;
        self.pushed - 1
    }

    fn pop_until(&mut self, end: Time) -> Option<(Time, E)> {
        let Reverse((at, _)) = self.heap.peek()?.key;
        if at >= end {
            return None;
        }
        self.now = at;
        self.heap.pop().map(|entry| (at, entry.event))
    }

    fn next_at(&mut self) -> Option<Time> {
        self.heap.peek().map(|entry| entry.key.0.0)
    }

    fn next_number(&mut self, end: Time) -> Option<u64> {
        let Reverse((at, number)) = self.heap.peek()?.key;
        (at < end).then_some(number)
    }

    fn waiting(&self) -> Vec<(Time, u64, &E)> {
        let mut all: Vec<&Entry<E>> = self.heap.iter().collect();
        all.sort_unstable_by_key(|entry| entry.key.0);
        all.into_iter().map(|entry| (entry.key.0.0, entry.key.0.1, &entry.event)).collect()
    }

    fn len(&self) -> usize {
        self.heap.len()
    }
}

impl<E> Default for Reference<E> {
    fn default() -> Self {
        Reference { heap: BinaryHeap::new(), pushed: 0, now: Time::START }
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}
