//! Tasks that are put off and merged: what Nacos does a while after the first of several changes, once for all of them.

use std::collections::BTreeMap;

use schism_core::{Duration, Time};

/// How often the engine looks for tasks that are due: 100 ms (common/task/engine/NacosDelayTaskExecuteEngine.java,
/// 3.0.3, line 48).
pub const TURN: Duration = Duration::from_millis(100);

/// Moments that follow each other at equal distances.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    phase: Time,
    every: Duration,
}

impl Grid {
    /// A grid with a moment at `phase`.
    pub fn new(phase: Time, every: Duration) -> Grid {
        assert!(every > Duration::ZERO, "a grid goes on");
        Grid { phase, every }
    }

    /// Its first moment that is not before `at`.
    pub fn upto(self, at: Time) -> Time {
        let past = at.since(self.phase).as_nanos();
        self.phase + Duration::from_nanos(past.div_ceil(self.every.as_nanos()) * self.every.as_nanos())
    }
}

/// One task per key.
#[derive(Clone, Debug)]
pub struct Delays<K, T> {
    turns: Grid,
    tasks: BTreeMap<K, Task<T>>,
    /// When the engine next looks, if there is a timer for that.
    wakes: Option<Time>,
}

#[derive(Clone, Debug)]
struct Task<T> {
    /// When it was first asked for: the time that counts for all that are merged.
    since: Time,
    due: Time,
    what: T,
}

impl<K: Ord + Clone, T> Delays<K, T> {
    /// An engine that has a turn at `phase`.
    pub fn new(phase: Time) -> Delays<K, T> {
        Delays { turns: Grid::new(phase, TURN), tasks: BTreeMap::new(), wakes: None }
    }

    /// Adds a task that is due so long after it was first asked for. One with the same key is merged into it: `merge`
    /// says what is left of the earlier and the later (naming/push/v2/task/PushDelayTask.java, core/distributed/distro/
    /// task/delay/DistroDelayTask.java, 3.0.3, `merge`). When to be woken, if there is no timer for that yet.
    #[must_use]
    pub fn add(
        &mut self,
        now: Time,
        key: K,
        delay: Duration,
        what: T,
        merge: impl FnOnce(T, T) -> T,
    ) -> Option<Time> {
        let task = match self.tasks.remove(&key) {
            Some(earlier) => {
                Task { since: earlier.since, due: earlier.since + delay, what: merge(earlier.what, what) }
            }
            None => Task { since: now, due: now + delay, what },
        };
        let due = task.due;
        self.tasks.insert(key, task);
        self.wake_at(due.max(now))
    }

    /// When to be woken for what is left, if there is no timer for that yet.
    #[must_use]
    pub fn wake(&mut self, now: Time) -> Option<Time> {
        let first = self.tasks.values().map(|task| task.due).min()?;
        self.wake_at(first.max(now))
    }

    fn wake_at(&mut self, due: Time) -> Option<Time> {
        let turn = self.turns.upto(due);
        if self.wakes.is_some_and(|wakes| wakes <= turn) {
            return None;
        }
        self.wakes = Some(turn);
        Some(turn)
    }

    /// Whether nothing is put off.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The tasks that are due, by key.
    pub fn take(&mut self, now: Time) -> Vec<(K, T)> {
        if self.wakes.is_some_and(|wakes| wakes <= now) {
            self.wakes = None;
        }
        let due: Vec<K> =
            self.tasks.iter().filter(|(_, task)| task.due <= now).map(|(key, _)| key.clone()).collect();
        due.into_iter()
            .map(|key| {
                let task = self.tasks.remove(&key).expect("what is due is there");
                (key, task.what)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn delay(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn delays() -> Delays<u8, u32> {
        Delays::new(at(30))
    }

    #[test]
    fn a_task_is_done_on_the_first_turn_that_is_not_before_it_is_due() {
        let mut delays = delays();
        assert_eq!(delays.add(at(30), 1, delay(500), 7, |_, later| later), Some(at(530)));
        let mut delays = self::delays();
        assert_eq!(delays.add(at(31), 1, delay(500), 7, |_, later| later), Some(at(630)));
        assert_eq!(delays.take(at(530)), []);
        assert_eq!(delays.take(at(630)), [(1, 7)]);
    }

    #[test]
    fn what_is_merged_counts_from_the_first() {
        let mut delays = delays();
        assert_eq!(delays.add(at(30), 1, delay(500), 7, |_, later| later), Some(at(530)));
        assert_eq!(delays.add(at(429), 1, delay(500), 8, |earlier, later| earlier + later), None);
        assert_eq!(delays.take(at(530)), [(1, 15)]);
    }

    #[test]
    fn nobody_is_woken_twice_for_the_same_turn_nor_too_late_for_another() {
        let mut delays = delays();
        assert_eq!(delays.add(at(30), 1, delay(500), 7, |_, later| later), Some(at(530)));
        assert_eq!(delays.add(at(30), 2, delay(500), 8, |_, later| later), None);
        assert_eq!(delays.add(at(30), 3, delay(0), 9, |_, later| later), Some(at(30)));
        assert_eq!(delays.take(at(30)), [(3, 9)]);
        assert_eq!(delays.wake(at(30)), Some(at(530)));
        assert_eq!(delays.wake(at(30)), None);
    }
}
