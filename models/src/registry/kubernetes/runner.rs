//! kube-proxy's runner: the rules are written at once, and no more often than every so often after that.

use schism_core::{Duration, Time};

/// How many changes in short succession are written at once (pkg/proxy/iptables/proxier.go, v1.28, `burstSyncs`).
const BURST: u32 = 2;

/// When kube-proxy writes its rules (pkg/util/async/bounded_frequency_runner.go, v1.28): a token bucket of one run for
/// each least interval and two at once; who finds no token waits for the interval since the last run to be over.
#[derive(Clone, Copy, Debug)]
pub struct Runner {
    least: Duration,
    /// When the bucket is full.
    full: Time,
    last: Option<Time>,
}

/// What comes of a wish to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Now.
    Run,
    /// Ask again after this.
    Wait(Duration),
}

impl Runner {
    /// One that has never run. Without a least interval it runs whenever it is asked.
    pub fn new(least: Duration) -> Runner {
        Runner { least, full: Time::START, last: None }
    }

    /// There is something to write now.
    pub fn ask(&mut self, now: Time) -> Answer {
        let full = self.full.max(now);
        if full.since(now) + self.least <= self.least * u64::from(BURST) {
            self.full = full + self.least;
            self.last = Some(now);
            return Answer::Run;
        }
        let since = self.last.map_or(Duration::ZERO, |last| now.since(last));
        // A token comes at the latest one interval from now, and may come later than the interval since the last run:
        // the runner then finds none once more, and a wait that is over is none.
        let wait = self.least.saturating_sub(since);
        let token = (full.since(now) + self.least).saturating_sub(self.least * u64::from(BURST));
        Answer::Wait(wait.max(token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    #[test]
    fn the_first_two_run_at_once_and_the_third_waits_for_the_rest_of_a_second() {
        let mut runner = Runner::new(Duration::from_secs(1));
        assert_eq!([runner.ask(at(0)), runner.ask(at(10))], [Answer::Run, Answer::Run]);
        assert_eq!(runner.ask(at(20)), Answer::Wait(Duration::from_millis(990)));
        assert_eq!(runner.ask(at(1010)), Answer::Run);
    }

    #[test]
    fn after_that_it_runs_every_second_and_a_nanosecond_earlier_is_too_early() {
        let mut runner = Runner::new(Duration::from_secs(1));
        assert_eq!([0, 0, 1000].map(|millis| runner.ask(at(millis))), [Answer::Run; 3]);
        let nearly = Time::from_nanos(1_999_999_999);
        assert_eq!(runner.ask(nearly), Answer::Wait(Duration::from_nanos(1)));
        assert_eq!(runner.ask(at(2000)), Answer::Run);
    }

    #[test]
    fn who_may_run_at_any_time_does() {
        let mut runner = Runner::new(Duration::ZERO);
        assert_eq!([0, 0, 0, 0].map(|millis| runner.ask(at(millis))), [Answer::Run; 4]);
    }

    #[test]
    fn a_pause_lets_two_run_at_once_again() {
        let mut runner = Runner::new(Duration::from_secs(1));
        assert_eq!([0, 0].map(|millis| runner.ask(at(millis))), [Answer::Run; 2]);
        assert_eq!([5000, 5001].map(|millis| runner.ask(at(millis))), [Answer::Run; 2]);
    }
}
