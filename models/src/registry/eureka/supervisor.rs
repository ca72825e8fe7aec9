//! A task of a client's that is done again and again, and less often while it takes too long.

use schism_core::Duration;

/// A supervised task (eureka-client, discovery/TimedSupervisorTask.java, 1.10). The next run begins one interval after
/// the last has ended; one that takes a whole interval is given up, and the wait for the next doubles.
#[derive(Clone, Copy, Debug)]
pub struct Supervisor {
    interval: Duration,
    /// The longest wait.
    longest: Duration,
    delay: Duration,
    round: u32,
    work: Work,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Waiting,
    Running,
}

impl Supervisor {
    /// A task that is done every `interval`, or up to `bound` times as seldom.
    pub fn new(interval: Duration, bound: u32) -> Supervisor {
        let longest = interval * u64::from(bound);
        Supervisor { interval, longest, delay: interval, round: 0, work: Work::Waiting }
    }

    /// How often it is done if all is well, and how long one run may take.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// A run begins: its number.
    pub fn begin(&mut self) -> u32 {
        self.round += 1;
        self.work = Work::Running;
        self.round
    }

    /// Whether this run is under way.
    pub fn is_running(&self, round: u32) -> bool {
        self.work == Work::Running && self.round == round
    }

    /// The run is over, if there was one: how long it takes until the next.
    pub fn finish(&mut self) -> Option<Duration> {
        if self.work == Work::Waiting {
            return None;
        }
        self.work = Work::Waiting;
        self.delay = self.interval;
        Some(self.delay)
    }

    /// An interval has passed since a run began. If it is not over it is given up: how long it takes until the next.
    pub fn overdue(&mut self, round: u32) -> Option<Duration> {
        if !self.is_running(round) {
            return None;
        }
        self.work = Work::Waiting;
        self.delay = (self.delay * 2).min(self.longest);
        Some(self.delay)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);

    #[test]
    fn what_takes_too_long_is_done_half_as_often_up_to_a_bound_and_then_as_before() {
        let mut supervisor = Supervisor::new(INTERVAL, 10);
        let mut late = || {
            let round = supervisor.begin();
            supervisor.overdue(round).expect("it is not over").as_nanos() / 1_000_000_000
        };
        assert_eq!([late(), late(), late(), late(), late()], [60, 120, 240, 300, 300]);
        supervisor.begin();
        assert_eq!(supervisor.finish(), Some(INTERVAL));
    }

    #[test]
    fn what_is_over_is_not_overdue() {
        let mut supervisor = Supervisor::new(INTERVAL, 10);
        let round = supervisor.begin();
        assert!(supervisor.is_running(round));
        assert!(supervisor.finish().is_some());
        assert_eq!(supervisor.overdue(round), None);
        assert_eq!(supervisor.finish(), None);
        // Nor is the next run for the time of the last.
        supervisor.begin();
        assert_eq!(supervisor.overdue(round), None);
    }
}
