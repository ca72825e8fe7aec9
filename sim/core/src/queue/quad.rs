//! A heap of four children to a parent: half the levels of a binary heap, and the four keys share a cache line.

use super::{Queue, key::Key, slab::Slab};
use crate::Time;

const CHILDREN: usize = 4;

/// A 4-ary heap of sixteen-byte keys; the events themselves rest in a slab.
#[derive(Clone)]
pub struct Quad<E> {
    heap: Vec<Key>,
    events: Slab<E>,
    pushed: u64,
    now: Time,
}

impl<E: Clone> Queue<E> for Quad<E> {
    fn push(&mut self, at: Time, event: E) {
        assert!(at >= self.now, "an event is scheduled before the last one left");
        let slot = self.events.put(event);
        let key = Key::new(at, self.pushed, slot);
        self.pushed += 1;
        self.heap.push(key);
        self.rise(self.heap.len() - 1, key);
    }

    fn pop_until(&mut self, end: Time) -> Option<(Time, E)> {
        let first = *self.heap.first()?;
        if first.at() >= end {
            return None;
        }
        let last = self.heap.pop().expect("a heap with a first has a last");
        if !self.heap.is_empty() {
            self.sink(last);
        }
        self.now = first.at();
        Some((first.at(), self.events.take(first.slot())))
    }

    fn next_at(&mut self) -> Option<Time> {
        self.heap.first().map(|key| key.at())
    }

    fn len(&self) -> usize {
        self.heap.len()
    }
}

impl<E> Quad<E> {
    /// Puts `key` where the hole at `hole` ends up after letting larger parents fall into it.
    fn rise(&mut self, mut hole: usize, key: Key) {
        while hole > 0 {
            let parent = (hole - 1) / CHILDREN;
            if self.heap[parent] <= key {
                break;
            }
            self.heap[hole] = self.heap[parent];
            hole = parent;
        }
        self.heap[hole] = key;
    }

    /// Replaces the first key by `key`: the hole goes all the way down, then `key`, which came from there, rises.
    fn sink(&mut self, key: Key) {
        let mut hole = 0;
        loop {
            let child = hole * CHILDREN + 1;
            let least = match self.heap.get(child..child + CHILDREN) {
                Some(&[a, b, c, d]) => {
                    let (left, ab) = if b < a { (child + 1, b) } else { (child, a) };
                    let (right, cd) = if d < c { (child + 3, d) } else { (child + 2, c) };
                    if cd < ab { right } else { left }
                }
                _ => match (child..self.heap.len()).min_by_key(|&i| self.heap[i]) {
                    Some(least) => least,
                    None => break,
                },
            };
            self.heap[hole] = self.heap[least];
            hole = least;
        }
        self.rise(hole, key);
    }
}

impl<E> Default for Quad<E> {
    fn default() -> Self {
        Quad { heap: Vec::new(), events: Slab::default(), pushed: 0, now: Time::START }
    }
}
