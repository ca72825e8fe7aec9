//! A controller's work queue: each key once, none twice at a time, and failures again after a while.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use schism_core::Duration;

/// A queue as client-go's util/workqueue has it, with so many workers; who runs them calls [`Queue::take`] and
/// [`Queue::done`].
#[derive(Clone, Debug)]
pub struct Queue<K> {
    workers: usize,
    /// What wants to be worked on.
    dirty: BTreeSet<K>,
    /// What is.
    processing: BTreeSet<K>,
    waiting: VecDeque<K>,
    /// How often in a row each has failed.
    failures: BTreeMap<K, u32>,
    /// What a failure waits at first, and at most.
    backoff: (Duration, Duration),
}

impl<K: Copy + Ord> Queue<K> {
    /// An empty queue for so many workers.
    pub fn new(workers: usize, backoff: (Duration, Duration)) -> Queue<K> {
        Queue {
            workers,
            dirty: BTreeSet::new(),
            processing: BTreeSet::new(),
            waiting: VecDeque::new(),
            failures: BTreeMap::new(),
            backoff,
        }
    }

    /// Something is to be worked on; if it is being worked on, then once more after that.
    pub fn add(&mut self, key: K) {
        if self.dirty.insert(key) && !self.processing.contains(&key) {
            self.waiting.push_back(key);
        }
    }

    /// The next to work on, if there is one and a worker is free.
    pub fn take(&mut self) -> Option<K> {
        if self.processing.len() >= self.workers {
            return None;
        }
        let key = self.waiting.pop_front()?;
        self.dirty.remove(&key);
        self.processing.insert(key);
        Some(key)
    }

    /// A worker has done with it.
    pub fn done(&mut self, key: K) {
        self.processing.remove(&key);
        if self.dirty.contains(&key) {
            self.waiting.push_back(key);
        }
    }

    /// It has succeeded: its failures are forgotten.
    pub fn forget(&mut self, key: K) {
        self.failures.remove(&key);
    }

    /// It has failed: after how long it is to be added again (`ItemExponentialFailureRateLimiter`).
    pub fn fail(&mut self, key: K) -> Duration {
        let (initial, most) = self.backoff;
        let failures = self.failures.entry(key).or_default();
        let wait = (0..*failures).fold(initial, |wait, _| (wait * 2).min(most));
        *failures += 1;
        wait
    }

    /// Whether it is being worked on.
    pub fn is_processing(&self, key: K) -> bool {
        self.processing.contains(&key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(workers: usize) -> Queue<u8> {
        Queue::new(workers, (Duration::from_secs(1), Duration::from_secs(1000)))
    }

    #[test]
    fn what_is_added_twice_is_done_once() {
        let mut queue = queue(5);
        [1, 2, 1].into_iter().for_each(|key| queue.add(key));
        assert_eq!([queue.take(), queue.take(), queue.take()], [Some(1), Some(2), None]);
    }

    #[test]
    fn what_is_added_meanwhile_is_done_again_after_and_not_at_the_same_time() {
        let mut queue = queue(5);
        queue.add(1);
        assert_eq!(queue.take(), Some(1));
        queue.add(1);
        assert_eq!(queue.take(), None);
        queue.done(1);
        assert_eq!(queue.take(), Some(1));
        queue.done(1);
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn a_worker_does_one_thing_at_a_time() {
        let mut queue = queue(1);
        [1, 2].into_iter().for_each(|key| queue.add(key));
        assert_eq!([queue.take(), queue.take()], [Some(1), None]);
        queue.done(1);
        assert_eq!(queue.take(), Some(2));
    }

    #[test]
    fn failures_wait_twice_as_long_each_time_until_one_success() {
        let mut queue = queue(1);
        let waits: Vec<u64> = (0..12).map(|_| queue.fail(1).as_nanos() / 1_000_000_000).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000, 1000]);
        queue.forget(1);
        assert_eq!(queue.fail(1), Duration::from_secs(1));
    }
}
