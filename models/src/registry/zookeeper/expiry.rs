//! The leader's buckets of sessions: each ends with the bucket that its time falls into, all of a bucket at once.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Time};

use super::tree::SessionId;

/// Sessions by the tick at which they end (server/ExpiryQueue.java, 3.8.0). A session's end is the beginning of the tick
/// after the one that its time falls into, `(now + timeout) / tick + 1`, so it comes up to one tick late and never early.
///
/// The grid of ticks is that of `System.nanoTime`, whose origin is the host's own (common/Time.java,
/// `currentElapsedTime`): members do not share it, and nothing else in the run is aligned with it.
#[derive(Clone, Debug)]
pub struct ExpiryQueue {
    tick: Duration,
    /// What the host's clock reads when the model's reads zero, less whole ticks.
    phase: Duration,
    /// Buckets before this one are over.
    next: u64,
    buckets: BTreeMap<u64, BTreeSet<SessionId>>,
    sessions: BTreeMap<SessionId, u64>,
}

impl ExpiryQueue {
    /// An empty queue.
    pub fn new(tick: Duration, phase: Duration, now: Time) -> ExpiryQueue {
        assert!(tick > Duration::ZERO && phase < tick, "a phase is less than one tick");
        let mut queue =
            ExpiryQueue { tick, phase, next: 0, buckets: BTreeMap::new(), sessions: BTreeMap::new() };
        queue.next = queue.bucket(now);
        queue
    }

    /// The session ends no sooner than `timeout` from now.
    pub fn touch(&mut self, session: SessionId, timeout: Duration, now: Time) {
        let bucket = self.bucket(now + timeout).max(self.next);
        self.put(session, bucket);
    }

    /// The session ends with the next bucket.
    pub fn hasten(&mut self, session: SessionId) {
        self.put(session, self.next);
    }

    /// The session is no more.
    pub fn remove(&mut self, session: SessionId) {
        if let Some(bucket) = self.sessions.remove(&session) {
            self.leave(session, bucket);
        }
    }

    /// Whether a session is in it.
    pub fn holds(&self, session: SessionId) -> bool {
        self.sessions.contains_key(&session)
    }

    /// Takes out all sessions of the buckets that are over.
    pub fn poll(&mut self, now: Time) -> Vec<SessionId> {
        let current = self.bucket(now);
        self.next = self.next.max(current);
        let later = self.buckets.split_off(&current);
        let over = std::mem::replace(&mut self.buckets, later);
        let due: Vec<SessionId> = over.into_values().flatten().collect();
        due.iter().for_each(|session| {
            self.sessions.remove(session);
        });
        due
    }

    /// How long it is to the end of the bucket under way.
    pub fn wait(&self, now: Time) -> Duration {
        let elapsed = (now.since(Time::START) + self.phase).as_nanos();
        Duration::from_nanos(self.tick.as_nanos() - elapsed % self.tick.as_nanos())
    }

    /// The bucket of what ends at a moment: it is over when the tick of this number begins.
    fn bucket(&self, at: Time) -> u64 {
        (at.since(Time::START) + self.phase).as_nanos() / self.tick.as_nanos() + 1
    }

    fn put(&mut self, session: SessionId, bucket: u64) {
        match self.sessions.insert(session, bucket) {
            Some(before) if before == bucket => return,
            Some(before) => self.leave(session, before),
            None => {}
        }
        self.buckets.entry(bucket).or_default().insert(session);
    }

    fn leave(&mut self, session: SessionId, bucket: u64) {
        if let Some(sessions) = self.buckets.get_mut(&bucket) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.buckets.remove(&bucket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TICK: Duration = Duration::from_secs(2);
    const ONE: SessionId = SessionId(1);
    const TWO: SessionId = SessionId(2);

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn queue(phase: u64) -> ExpiryQueue {
        ExpiryQueue::new(TICK, Duration::from_millis(phase), at(0))
    }

    fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_session_ends_at_the_first_tick_after_its_time_and_never_at_it() {
        let mut queue = queue(0);
        queue.touch(ONE, secs(4), at(0));
        // The time is up at 4 s, which is a tick; it ends with the next.
        assert!(queue.poll(at(5_999)).is_empty());
        assert_eq!(queue.poll(at(6_000)), [ONE]);
        assert!(!queue.holds(ONE));
    }

    #[test]
    fn a_session_touched_just_before_a_tick_ends_just_after_its_time() {
        let mut queue = queue(0);
        queue.touch(ONE, secs(4), at(1_999));
        assert!(queue.poll(at(5_999)).is_empty());
        assert_eq!(queue.poll(at(6_000)), [ONE]);
    }

    #[test]
    fn a_whole_bucket_ends_together() {
        let mut queue = queue(0);
        queue.touch(ONE, secs(4), at(0));
        queue.touch(TWO, secs(4), at(1_500));
        assert_eq!(queue.poll(at(6_000)), [ONE, TWO]);
    }

    #[test]
    fn the_grid_is_the_hosts_own() {
        let mut queue = queue(700);
        queue.touch(ONE, secs(4), at(0));
        assert_eq!(queue.wait(at(0)), Duration::from_millis(1_300));
        assert!(queue.poll(at(5_299)).is_empty());
        assert_eq!(queue.poll(at(5_300)), [ONE]);
    }

    #[test]
    fn a_touch_moves_a_session_and_a_removal_takes_it_out() {
        let mut queue = queue(0);
        queue.touch(ONE, secs(4), at(0));
        queue.touch(TWO, secs(4), at(0));
        queue.touch(ONE, secs(4), at(3_000));
        queue.remove(TWO);
        assert!(queue.poll(at(7_999)).is_empty());
        assert_eq!(queue.poll(at(8_000)), [ONE]);
    }

    #[test]
    fn who_is_hastened_ends_with_the_bucket_under_way() {
        let mut queue = queue(0);
        queue.touch(ONE, secs(40), at(0));
        queue.poll(at(2_500));
        queue.hasten(ONE);
        assert!(queue.poll(at(3_999)).is_empty());
        assert_eq!(queue.poll(at(4_000)), [ONE]);
    }
}
