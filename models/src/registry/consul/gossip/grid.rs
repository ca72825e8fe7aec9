//! The moments at which a node's tickers tick: every so often since it started.

use schism_core::{Duration, Luck, Time};

/// When the tickers of one life tick. memberlist waits for a random time before it first looks at a ticker, but the
/// ticker runs by then, so it ticks by when the process started and by nothing else (`schedule` and `triggerFunc`,
/// state.go): processes that start together probe together.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    started: Time,
    /// How long after that ticks of every ticker come.
    phase: Duration,
}

impl Grid {
    /// A life that starts now.
    pub fn new(now: Time) -> Grid {
        Grid { started: now, phase: Duration::ZERO }
    }

    /// A life that started at any time before.
    pub fn standing(now: Time, longest: Duration, luck: &mut Luck) -> Grid {
        Grid { started: now, phase: any_time(longest, luck) }
    }

    /// The next tick after `now` of a ticker that ticks this often.
    pub fn next(&self, now: Time, every: Duration) -> Time {
        assert!(every > Duration::ZERO, "a ticker needs some time between its ticks");
        let (every, phase) = (every.as_nanos(), self.phase.as_nanos() % every.as_nanos());
        let ticks = (now.since(self.started).as_nanos() + every - phase) / every;
        self.started + Duration::from_nanos(phase + ticks * every)
    }
}

/// Any time shorter than this, each as likely.
pub fn any_time(longest: Duration, luck: &mut Luck) -> Duration {
    let word = u128::from(luck.word()) * u128::from(longest.as_nanos());
    Duration::from_nanos((word >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    #[test]
    fn a_tick_now_is_not_the_next() {
        let grid = Grid { started: at(1_000), phase: Duration::from_millis(300) };
        let next = |now| grid.next(at(now), Duration::from_millis(200));
        assert_eq!(
            [1_000, 1_099, 1_100, 1_299, 1_300].map(next),
            [1_100, 1_100, 1_300, 1_300, 1_500].map(at)
        );
    }

    #[test]
    fn a_new_life_ticks_an_interval_after_its_start() {
        assert_eq!(Grid::new(at(5)).next(at(5), Duration::from_secs(1)), at(1_005));
    }
}
