//! A radix heap (Ahuja, Mehlhorn, Orlin, Tarjan 1990): an event waits in the bucket of the highest bit in which its time
//! differs from the present, and moves to a lower one each time the present catches up.

use std::collections::VecDeque;

use super::{Queue, key::Key, slab::Slab};
use crate::Time;

/// Sixty-five buckets of keys; the events themselves rest in a slab.
#[derive(Clone)]
pub struct Radix<E> {
    /// The present instant, first to leave in front.
    present: VecDeque<Key>,
    buckets: Vec<Vec<Key>>,
    /// Bit `b - 1` is set when bucket `b > 0` is not empty.
    filled: u64,
    events: Slab<E>,
    pushed: u64,
    len: usize,
    now: Time,
}

fn bucket(at: Time, now: Time) -> usize {
    (u64::BITS - (at.as_nanos() ^ now.as_nanos()).leading_zeros()) as usize
}

impl<E: Clone> Queue<E> for Radix<E> {
    fn push(&mut self, at: Time, event: E) {
        assert!(at >= self.now, "an event is scheduled before the last one left");
        let slot = self.events.put(event);
        self.place(Key::new(at, self.pushed, slot));
        self.pushed += 1;
        self.len += 1;
    }

    fn pop_until(&mut self, end: Time) -> Option<(Time, E)> {
        if self.present.is_empty() {
            let at = self.next_at()?;
            if at >= end {
                return None;
            }
            let b = self.filled.trailing_zeros() as usize + 1;
            self.filled &= self.filled - 1;
            self.now = at;
            let mut keys = std::mem::take(&mut self.buckets[b]);
            for &key in &keys {
                self.place(key);
            }
            keys.clear();
            self.buckets[b] = keys;
            self.present.make_contiguous().sort_unstable();
        }
        if self.now >= end {
            return None;
        }
        let key = self.present.pop_front()?;
        self.len -= 1;
        Some((self.now, self.events.take(key.slot())))
    }

    fn next_at(&mut self) -> Option<Time> {
        if !self.present.is_empty() {
            return Some(self.now);
        }
        if self.filled == 0 {
            return None;
        }
        let b = self.filled.trailing_zeros() as usize + 1;
        self.buckets[b].iter().min().map(|key| key.at())
    }

    fn len(&self) -> usize {
        self.len
    }
}

impl<E> Radix<E> {
    fn place(&mut self, key: Key) {
        let b = bucket(key.at(), self.now);
        if b > 0 {
            self.filled |= 1 << (b - 1);
            self.buckets[b].push(key);
        } else {
            self.present.push_back(key);
        }
    }
}

impl<E> Default for Radix<E> {
    fn default() -> Self {
        Radix {
            present: VecDeque::new(),
            buckets: vec![Vec::new(); 65],
            filled: 0,
            events: Slab::default(),
            pushed: 0,
            len: 0,
            now: Time::START,
        }
    }
}
