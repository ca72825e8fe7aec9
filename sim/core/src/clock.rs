//! Clocks: what a node takes the time to be. Each is a line through true time, and bends when it is set.
//!
//! Every node has two, as Linux has them (clock_gettime(2)): a monotonic one, which its timers go by and which never goes
//! back, and a wall clock, which may be stepped. Both are true until a fault says otherwise.

use crate::{Duration, Time};

/// How far a clock comes in a second of true time, in millionths of a second.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rate(u32);

/// One in millionths.
const MILLION: u32 = 1_000_000;

impl Rate {
    /// As fast as true time.
    pub const TRUE: Rate = Rate(MILLION);
    /// Not at all: the clock reads the same until it is set again.
    pub const STOPPED: Rate = Rate(0);

    /// Faster than true time by so many parts per million; slower, if negative. NTP corrects up to 500 in either
    /// direction (RFC 5905, appendix A.1, `MAXFREQ`); a clock that has lost its oscillator may be off by any number.
    ///
    /// # Panics
    /// If `ppm` is not above -1,000,000: such a clock would stop or run backward.
    pub const fn drift(ppm: i32) -> Rate {
        assert!(ppm > -(MILLION as i32), "a drifting clock runs forward");
        Rate(MILLION.wrapping_add_signed(ppm))
    }

    /// How far the clock comes while this much true time passes, in whole nanoseconds, rounded down.
    fn advance(self, elapsed: Duration) -> Duration {
        elapsed.part(self.0.into(), MILLION.into())
    }

    /// How much true time passes until the clock has come this far at least; it never does if it is stopped.
    fn takes(self, distance: Duration) -> Option<Duration> {
        (self != Rate::STOPPED || distance == Duration::ZERO)
            .then(|| part_rounded_up(distance, MILLION.into(), u64::from(self.0).max(1)))
    }
}

/// `whole * part / of`, rounded up, or the longest duration if that is longer.
fn part_rounded_up(whole: Duration, part: u64, of: u64) -> Duration {
    let nanos = (u128::from(whole.as_nanos()) * u128::from(part)).div_ceil(of.into());
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How far a clock is from another, in nanoseconds, in either direction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Skew(i64);

impl Skew {
    /// Not at all.
    pub const NONE: Skew = Skew(0);

    /// Ahead by this much, up to 292 years.
    pub fn ahead(by: Duration) -> Skew {
        Skew(i64::try_from(by.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Behind by this much, up to 292 years.
    pub fn behind(by: Duration) -> Skew {
        Skew(-Skew::ahead(by).0)
    }

    /// Both together.
    pub fn plus(self, other: Skew) -> Skew {
        Skew(self.0.saturating_add(other.0))
    }

    /// A reading that is off by this much; no clock reads less than [`Time::START`].
    fn of(self, reading: Time) -> Time {
        Time::from_nanos(reading.as_nanos().saturating_add_signed(self.0))
    }
}

/// How both clocks of a node go from now on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Setting {
    /// How fast the monotonic clock runs. It goes on from what it reads now.
    pub monotonic: Rate,
    /// By how much the monotonic clock jumps ahead, once, now.
    pub leap: Duration,
    /// How fast the wall clock runs. It goes on from what it reads now, unless the rate is the true one: then it is
    /// kept right, as by NTP, but for its skew.
    pub wall: Rate,
    /// By how much the wall clock is wrong beside that.
    pub skew: Skew,
}

impl Setting {
    /// Both clocks run at the true rate, and the wall clock is right. What the monotonic clock has gained or lost it
    /// keeps: it never goes back.
    pub const TRUE: Setting =
        Setting { monotonic: Rate::TRUE, leap: Duration::ZERO, wall: Rate::TRUE, skew: Skew::NONE };
}

/// The two clocks of a node.
#[derive(Clone, Debug)]
pub(crate) struct Clocks {
    pub(crate) monotonic: Clock,
    wall: Clock,
    skew: Skew,
}

impl Clocks {
    pub(crate) const TRUE: Clocks = Clocks { monotonic: Clock::TRUE, wall: Clock::TRUE, skew: Skew::NONE };

    /// What the wall clock reads at a true moment.
    pub(crate) fn wall(&self, moment: Time) -> Time {
        self.skew.of(self.wall.read(moment))
    }

    pub(crate) fn set(&mut self, now: Time, setting: Setting) {
        let Setting { monotonic, leap, wall, skew } = setting;
        self.monotonic.bend(now, monotonic);
        self.monotonic.leap(leap);
        self.wall.bend(now, wall);
        if wall == Rate::TRUE {
            self.wall = Clock::TRUE;
        }
        self.skew = skew;
    }

    /// Whether they have been set to run as true time does, whatever they have gained or lost before.
    pub(crate) fn run_true(&self) -> bool {
        self.monotonic.rate == Rate::TRUE && self.wall.is_true() && self.skew == Skew::NONE
    }

    pub(crate) fn truth(&self) -> Truth {
        let is_true = self.monotonic.is_true() && self.wall.is_true() && self.skew == Skew::NONE;
        if is_true { Truth::True } else { Truth::Apart }
    }
}

/// Whether a node's clocks read the true time: then nobody need ask them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Truth {
    True,
    Apart,
}

/// One clock: from a moment on it goes on from a reading, at a rate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Clock {
    since: Time,
    reading: Time,
    rate: Rate,
}

impl Clock {
    const TRUE: Clock = Clock { since: Time::START, reading: Time::START, rate: Rate::TRUE };

    fn is_true(&self) -> bool {
        self.since == self.reading && self.rate == Rate::TRUE
    }

    /// What it reads at a true moment, which must not be before it was set.
    pub(crate) fn read(&self, moment: Time) -> Time {
        debug_assert!(moment >= self.since, "a clock is read after it was set");
        self.reading + self.rate.advance(moment.since(self.since))
    }

    /// The first true moment from `now` on at which it reads `reading` or more; none if it stands still before that.
    pub(crate) fn reaches(&self, reading: Time, now: Time) -> Option<Time> {
        let takes = self.rate.takes(reading.since(self.reading))?;
        Some(now.max(self.since + takes))
    }

    /// Goes on from what it reads at another rate. At the same rate nothing is rounded anew.
    fn bend(&mut self, now: Time, rate: Rate) {
        if rate != self.rate {
            *self = Clock { since: now, reading: self.read(now), rate };
        }
    }

    fn leap(&mut self, by: Duration) {
        self.reading += by;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    /// A clock that has run at each of these rates in turn, for so long.
    fn bent(rates: &[(Rate, u64)]) -> (Clock, Time) {
        rates.iter().fold((Clock::TRUE, Time::START), |(mut clock, now), &(rate, nanos)| {
            clock.bend(now, rate);
            (clock, now + Duration::from_nanos(nanos))
        })
    }

    #[test]
    fn a_drift_is_gained_in_parts_per_million() {
        let (fast, now) = bent(&[(Rate::drift(500), 1_000_000_000)]);
        assert_eq!(fast.read(now), at(1_000_500_000));
        let (slow, now) = bent(&[(Rate::drift(-500), 1_000_000_000)]);
        assert_eq!(slow.read(now), at(999_500_000));
    }

    #[test]
    fn a_clock_reaches_a_reading_at_the_first_moment_at_which_it_reads_that() {
        for ppm in [-999_999, -500_000, -333, -1, 0, 1, 333, 1_000_000, 2_000_000_000] {
            let (clock, now) = bent(&[(Rate::TRUE, 77), (Rate::STOPPED, 5), (Rate::drift(ppm), 0)]);
            for reading in [78, 79, 100, 12_345, 1_000_000_007] {
                let moment = clock.reaches(at(reading), now).expect("it runs");
                assert!(clock.read(moment) >= at(reading), "{ppm} ppm, {reading}");
                assert!(clock.read(moment - Duration::from_nanos(1)) < at(reading), "{ppm} ppm, {reading}");
            }
        }
    }

    #[test]
    fn a_stopped_clock_reaches_what_it_reads_and_nothing_later() {
        let (clock, now) = bent(&[(Rate::TRUE, 100), (Rate::STOPPED, 50)]);
        assert_eq!(clock.read(now), at(100));
        assert_eq!(clock.reaches(at(100), now), Some(now));
        assert_eq!(clock.reaches(at(101), now), None);
    }

    #[test]
    fn a_heal_rights_the_wall_clock_and_lets_the_monotonic_one_go_on() {
        let mut clocks = Clocks::TRUE;
        let skew = Skew::behind(Duration::from_nanos(40));
        let wrong = Setting { leap: Duration::from_nanos(7), wall: Rate::STOPPED, skew, ..Setting::TRUE };
        clocks.set(at(100), wrong);
        assert_eq!((clocks.monotonic.read(at(150)), clocks.wall(at(150))), (at(157), at(60)));
        clocks.set(at(200), Setting::TRUE);
        assert_eq!((clocks.monotonic.read(at(200)), clocks.wall(at(200))), (at(207), at(200)));
        assert_eq!(clocks.truth(), Truth::Apart);
    }

    #[test]
    fn a_skew_that_is_taken_back_leaves_true_clocks() {
        let mut clocks = Clocks::TRUE;
        clocks.set(at(100), Setting { skew: Skew::ahead(Duration::from_secs(1)), ..Setting::TRUE });
        assert_eq!(clocks.truth(), Truth::Apart);
        clocks.set(at(200), Setting::TRUE);
        assert_eq!(clocks.truth(), Truth::True);
    }
}
