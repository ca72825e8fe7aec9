//! A timer thread of the server's: Java's `java.util.Timer`, which goes by the wall clock.

use schism_core::{Duration, Time};

/// One task that is done again and again, each time one period after it was done (`Timer.schedule`, with a fixed delay).
///
/// The thread sleeps for as long as the wall clock lacks to the time of the task, and looks at the clock when it wakes
/// (java.util.Timer, `TimerThread.mainLoop`: `System.currentTimeMillis` and `queue.wait`). So a step forward does not
/// wake it, and after a step back it sleeps again, for as long as the step was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clockwork {
    due: Time,
    period: Duration,
}

impl Clockwork {
    /// A task that is done at this time, by the wall clock, and then every period.
    pub fn new(due: Time, period: Duration) -> Clockwork {
        Clockwork { due, period }
    }

    /// A task that is done at the next whole multiple of its period since the epoch, and then every period.
    pub fn aligned(wall: Time, period: Duration) -> Clockwork {
        let done = wall.as_nanos() / period.as_nanos();
        Clockwork { due: Time::from_nanos((done + 1) * period.as_nanos()), period }
    }

    /// As if it had been started so much earlier, and nothing had gone wrong since.
    pub fn backdate(&mut self, up: Duration) {
        self.due = self.due - Duration::from_nanos(up.as_nanos() % self.period.as_nanos());
    }

    /// For how long the thread sleeps now.
    pub fn sleep(&self, wall: Time) -> Duration {
        self.due.since(wall)
    }

    /// The thread wakes: whether the task is to be done now.
    pub fn strike(&mut self, wall: Time) -> bool {
        let strikes = self.due <= wall;
        if strikes {
            self.due = wall + self.period;
        }
        strikes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::START + Duration::from_secs(seconds)
    }

    const PERIOD: Duration = Duration::from_secs(60);

    #[test]
    fn it_strikes_every_period() {
        let mut clockwork = Clockwork::new(at(60), PERIOD);
        assert!(!clockwork.strike(at(59)));
        assert!(clockwork.strike(at(60)));
        assert_eq!(clockwork.sleep(at(60)), PERIOD);
        assert!(!clockwork.strike(at(119)));
        assert!(clockwork.strike(at(120)));
    }

    #[test]
    fn a_step_back_puts_it_to_sleep_for_as_long() {
        let mut clockwork = Clockwork::new(at(1000), PERIOD);
        assert!(clockwork.strike(at(1000)));
        // The clock was stepped back by 600 s; the thread wakes when its 60 s are over.
        assert!(!clockwork.strike(at(460)));
        assert_eq!(clockwork.sleep(at(460)), Duration::from_secs(600));
    }

    #[test]
    fn a_step_forward_is_made_up_for_by_nothing() {
        let mut clockwork = Clockwork::new(at(60), PERIOD);
        assert!(clockwork.strike(at(660)));
        assert_eq!(clockwork.sleep(at(660)), PERIOD);
    }

    #[test]
    fn one_that_has_been_running_is_somewhere_in_its_period() {
        let mut clockwork = Clockwork::new(at(60), PERIOD);
        clockwork.backdate(Duration::from_secs(3600 + 59));
        assert_eq!(clockwork.sleep(at(0)), Duration::from_secs(1));
    }

    #[test]
    fn an_aligned_one_strikes_on_the_boundaries_of_the_wall_clock() {
        let period = Duration::from_secs(30);
        assert_eq!(Clockwork::aligned(at(0), period).sleep(at(0)), period);
        assert_eq!(Clockwork::aligned(at(59), period).sleep(at(59)), Duration::from_secs(1));
        assert_eq!(Clockwork::aligned(at(60), period).sleep(at(60)), period);
    }
}
