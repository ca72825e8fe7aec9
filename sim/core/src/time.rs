//! Time: whole nanoseconds since the start of the run, and the distance between two of them.

use std::fmt;
use std::ops::{Add, AddAssign, Div, Mul, Sub};

/// An instant, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// A length of time, in nanoseconds; never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Duration(u64);

const NANOS_PER_SEC: u64 = 1_000_000_000;

impl Time {
    /// The start of the run.
    pub const START: Time = Time(0);
    /// Later than everything.
    pub const END: Time = Time(u64::MAX);

    /// The instant `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for reports.
    pub fn as_secs_f64(self) -> f64 {
        Duration(self.0).as_secs_f64()
    }

    /// How long ago `earlier` was; nothing if it is still to come.
    pub fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration(0);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Duration {
        Duration(nanos)
    }

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Duration {
        Duration(millis * 1_000_000)
    }

    /// `secs` seconds.
    pub const fn from_secs(secs: u64) -> Duration {
        Duration(secs * NANOS_PER_SEC)
    }

    /// The whole nanoseconds nearest to `secs` seconds; zero if negative or not a number.
    pub fn from_secs_f64(secs: f64) -> Duration {
        Duration((secs * NANOS_PER_SEC as f64 + 0.5) as u64)
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The length in seconds, for reports.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// The length in milliseconds, for reports.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// `self * part / of`, rounded down, or the longest duration if that is longer or `of` is zero.
    pub fn part(self, part: u64, of: u64) -> Duration {
        let nanos = (u128::from(self.0) * u128::from(part)).checked_div(of.into());
        Duration(nanos.and_then(|nanos| u64::try_from(nanos).ok()).unwrap_or(u64::MAX))
    }

    /// The longer of the two less the shorter; zero if `shorter` is not shorter.
    pub fn saturating_sub(self, shorter: Duration) -> Duration {
        Duration(self.0.saturating_sub(shorter.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, by: Duration) -> Time {
        Time(self.0.saturating_add(by.0))
    }
}

impl AddAssign<Duration> for Time {
    fn add_assign(&mut self, by: Duration) {
        *self = *self + by;
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, by: Duration) -> Time {
        Time(self.0.saturating_sub(by.0))
    }
}

impl Add for Duration {
    type Output = Duration;
    fn add(self, other: Duration) -> Duration {
        Duration(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Duration) {
        *self = *self + other;
    }
}

impl Mul<u64> for Duration {
    type Output = Duration;
    fn mul(self, times: u64) -> Duration {
        Duration(self.0.saturating_mul(times))
    }
}

impl Div<u64> for Duration {
    type Output = Duration;
    fn div(self, parts: u64) -> Duration {
        Duration(self.0 / parts)
    }
}

impl fmt::Display for Duration {
    /// In the largest unit that keeps it readable: `250ms`, `1.5s`, `40s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, per) = match self.0 {
            n if n >= NANOS_PER_SEC => ("s", NANOS_PER_SEC),
            n if n >= 1_000_000 => ("ms", 1_000_000),
            n if n >= 1_000 => ("us", 1_000),
            0 => ("s", NANOS_PER_SEC),
            _ => ("ns", 1),
        };
        let (whole, rest) = (self.0 / per, self.0 % per);
        if rest == 0 {
            return write!(f, "{whole}{unit}");
        }
        let digits = per.ilog10() as usize;
        let fraction = format!("{rest:0digits$}");
        write!(f, "{whole}.{}{unit}", fraction.trim_end_matches('0'))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Duration(self.0).fmt(f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{self}")
    }
}

impl fmt::Debug for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_rounded_down_and_never_too_long() {
        let ten = Duration(10);
        assert_eq!([(1, 3), (2, 3), (3, 3), (4, 3)].map(|(part, of)| ten.part(part, of).0), [3, 6, 10, 13]);
        let longest = Duration(u64::MAX);
        assert_eq!([longest.part(3, 3), longest.part(2, 1), ten.part(0, 0), ten.part(1, 0)], [longest; 4]);
    }

    #[test]
    fn a_duration_is_shown_in_its_own_unit() {
        let shown: Vec<String> = [0, 7, 1_500, 250_000_000, 1_500_000_000, 40_000_000_000]
            .map(|n| Duration::from_nanos(n).to_string())
            .into();
        assert_eq!(shown, ["0s", "7ns", "1.5us", "250ms", "1.5s", "40s"]);
    }
}
