//! Rates that vary over time: the intensity of a Poisson process, in pieces that are linear.
//!
//! Arrivals come by inversion of the integrated rate (Çinlar, "Introduction to Stochastic Processes", 1975, section
//! 4.7): the next one is where the integral has grown by a unit exponential. That exponential is the request's own
//! luck, so two rates that are compared have the same requests, only earlier or later. All of it is done in integers.

use schism_core::{Duration, Time};

/// A rate that varies; rates are given as the time between two requests at that rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intensity {
    /// One rate, then evenly to another, which stays.
    Ramp {
        /// The gap before.
        from: Duration,
        /// The gap from then on.
        to: Duration,
        /// When, since the start of the run, the rate begins to move.
        after: Duration,
        /// How long it moves.
        over: Duration,
    },
    /// A low rate, and again and again a high one.
    Burst {
        /// The gap between bursts.
        base: Duration,
        /// The gap within a burst.
        peak: Duration,
        /// The time from one burst's end to the next one's.
        every: Duration,
        /// How long a burst lasts, at the end of that.
        lasts: Duration,
    },
    /// The waves of days: a raised cosine that starts at its lowest, by a chord for each hour.
    Diurnal {
        /// The gap at night.
        low: Duration,
        /// The gap at noon.
        high: Duration,
        /// How long a day is.
        period: Duration,
    },
}

/// A rate in thousand-millionths of a request per second; so an integral over nanoseconds counts in 1e-18 requests.
type Rate = u64;

/// One request, in the unit of an integrated rate.
pub(super) const ONE_REQUEST: u128 = 1_000_000_000_000_000_000;

/// The hours of a day.
const HOURS: u64 = 24;

/// How high the wave is at each hour: (1 - cos(2 pi h / 24)) / 2, in millionths.
const WAVE: [u64; HOURS as usize + 1] = [
    0, 17_037, 66_987, 146_447, 250_000, 370_590, 500_000, 629_410, 750_000, 853_553, 933_013, 982_963,
    1_000_000, 982_963, 933_013, 853_553, 750_000, 629_410, 500_000, 370_590, 250_000, 146_447, 66_987,
    17_037, 0,
];

/// A time over which the rate is linear.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    lasts: Duration,
    from: Rate,
    to: Rate,
}

impl Intensity {
    /// How many requests one client offers, on average, within this time from the start; rounded down.
    pub fn offered(&self, within: Duration) -> u128 {
        let (mut sum, mut at) = self.cycles(within);
        while at < within {
            let stretch = self.stretch(Time::START + at).cut(within.saturating_sub(at));
            sum += stretch.area();
            at += stretch.lasts;
        }
        sum / ONE_REQUEST
    }

    /// How long after `at` the integrated rate has grown by `need`.
    pub(super) fn time_of(&self, at: Time, need: u128) -> Duration {
        let (mut waited, mut need) = match self.cycle() {
            Some((period, area)) => (period * u64::try_from(need / area).unwrap_or(u64::MAX), need % area),
            None => (Duration::ZERO, need),
        };
        loop {
            let stretch = self.stretch(at + waited);
            let area = stretch.area();
            if need <= area {
                return waited + stretch.time_of(need);
            }
            need -= area;
            waited += stretch.lasts;
        }
    }

    /// What the whole cycles within a time offer, and how long those last.
    fn cycles(&self, within: Duration) -> (u128, Duration) {
        self.cycle().map_or((0, Duration::ZERO), |(period, area)| {
            let whole = within.as_nanos() / period.as_nanos();
            (area * u128::from(whole), period * whole)
        })
    }

    /// After how long the rate repeats itself, and its integral over that.
    fn cycle(&self) -> Option<(Duration, u128)> {
        match *self {
            Intensity::Ramp { .. } => None,
            Intensity::Burst { base, peak, every, lasts } => {
                let calm = u128::from(rate(base)) * nanos(every.saturating_sub(lasts));
                Some((every, calm + u128::from(rate(peak)) * nanos(lasts)))
            }
            // The mean of the wave is one half.
            Intensity::Diurnal { low, high, period } => {
                Some((period, (u128::from(rate(low)) + u128::from(rate(high))) * nanos(period) / 2))
            }
        }
    }

    /// The linear piece from `at` to its end.
    fn stretch(&self, at: Time) -> Stretch {
        let at = at.since(Time::START);
        match *self {
            Intensity::Ramp { from, to, after, over } => {
                let (from, to) = (rate(from), rate(to));
                if at < after {
                    return Stretch { lasts: after.saturating_sub(at), from, to: from };
                }
                let moved = at.saturating_sub(after);
                if moved >= over {
                    return Stretch { lasts: Duration::from_nanos(u64::MAX), from: to, to };
                }
                Stretch { lasts: over, from, to }.since(moved)
            }
            Intensity::Burst { base, peak, every, lasts } => {
                let at = Duration::from_nanos(at.as_nanos() % every.as_nanos());
                let calm = every.saturating_sub(lasts);
                if at < calm {
                    Stretch { lasts: calm, from: rate(base), to: rate(base) }.since(at)
                } else {
                    Stretch { lasts, from: rate(peak), to: rate(peak) }.since(at.saturating_sub(calm))
                }
            }
            Intensity::Diurnal { low, high, period } => {
                let at = at.as_nanos() % period.as_nanos();
                let begins =
                    |hour: u64| (nanos(period) * u128::from(hour)).div_ceil(u128::from(HOURS)) as u64;
                let hour = (u128::from(at) * u128::from(HOURS) / nanos(period)) as u64;
                let lasts = Duration::from_nanos(begins(hour + 1) - begins(hour));
                let height = |hour: u64| between(rate(low), rate(high), WAVE[hour as usize], 1_000_000);
                Stretch { lasts, from: height(hour), to: height(hour + 1) }
                    .since(Duration::from_nanos(at - begins(hour)))
            }
        }
    }
}

impl Stretch {
    /// What is left of it after this long.
    fn since(self, past: Duration) -> Stretch {
        let from = between(self.from, self.to, past.as_nanos(), self.lasts.as_nanos());
        Stretch { lasts: self.lasts.saturating_sub(past), from, ..self }
    }

    /// No more of it than this.
    fn cut(self, most: Duration) -> Stretch {
        if self.lasts <= most {
            return self;
        }
        Stretch {
            lasts: most,
            to: between(self.from, self.to, most.as_nanos(), self.lasts.as_nanos()),
            ..self
        }
    }

    /// The integral of the rate over it.
    fn area(self) -> u128 {
        (u128::from(self.from) + u128::from(self.to)) * nanos(self.lasts) / 2
    }

    /// How long it takes the integral to grow by `need`, which is no more than its area: the root of a quadratic in the
    /// form that subtracts nothing, 2 a / (r + sqrt(r^2 + 2 a s)) for a rate r that grows by s in a nanosecond.
    fn time_of(self, need: u128) -> Duration {
        let (from, to) = (i128::from(self.from), i128::from(self.to));
        let grown = 2 * need as i128 * (to - from) / nanos(self.lasts) as i128;
        let root = u128::try_from(from * from + grown).unwrap_or(0).isqrt();
        let taken = (2 * need).checked_div(from.unsigned_abs() + root).unwrap_or(0);
        Duration::from_nanos(u64::try_from(taken).unwrap_or(u64::MAX)).min(self.lasts)
    }
}

/// The rate whose requests are this far apart. The language allows gaps from a microsecond to a day.
fn rate(gap: Duration) -> Rate {
    (ONE_REQUEST / nanos(gap).max(1)) as u64
}

fn nanos(of: Duration) -> u128 {
    u128::from(of.as_nanos())
}

/// The rate `past / whole` of the way from one to another.
fn between(from: Rate, to: Rate, past: u64, whole: u64) -> Rate {
    let (from, to) = (u128::from(from), u128::from(to));
    ((from * u128::from(whole - past) + to * u128::from(past)) / u128::from(whole)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// So many a second.
    fn every(per_second: u64) -> Duration {
        Duration::from_nanos(1_000_000_000 / per_second)
    }

    fn all() -> [Intensity; 4] {
        [
            Intensity::Ramp { from: every(10), to: every(200), after: SECOND * 5, over: SECOND * 30 },
            Intensity::Ramp { from: every(200), to: every(1), after: Duration::ZERO, over: SECOND * 30 },
            Intensity::Burst { base: every(10), peak: every(500), every: SECOND * 10, lasts: SECOND },
            Intensity::Diurnal { low: every(2), high: every(50), period: SECOND * 60 },
        ]
    }

    #[test]
    fn what_is_offered_is_the_area_under_the_rate() {
        let offered = all().map(|intensity| intensity.offered(SECOND * 60));
        // 10 x 5 + 105 x 30 + 200 x 25; 100.5 x 30 + 1 x 30; 6 x (90 + 500); 26 x 60.
        assert_eq!(offered, [8_200, 3_045, 3_540, 1_560]);
    }

    #[test]
    fn half_a_burst_counts_half() {
        let burst = Intensity::Burst { base: every(10), peak: every(500), every: SECOND * 10, lasts: SECOND };
        assert_eq!(burst.offered(Duration::from_millis(9_500)), 90 + 250);
    }

    /// Each time is a whole number of nanoseconds, so a thousand of them are some microseconds off.
    #[test]
    fn the_next_request_comes_where_the_integral_has_grown_by_one() {
        for intensity in all() {
            let mut at = Time::START;
            for number in 1..=1_500 {
                at += intensity.time_of(at, ONE_REQUEST);
                let offered = intensity.offered(at.since(Time::START) + Duration::from_nanos(10_000));
                assert_eq!(offered, number, "{intensity:?} at {at:?}");
            }
        }
    }

    #[test]
    fn many_requests_take_as_long_as_each_after_the_other() {
        for intensity in all() {
            let once = intensity.time_of(Time::START, 1_000 * ONE_REQUEST).as_nanos();
            let steps =
                (0..1_000).fold(Time::START, |at, _| at + intensity.time_of(at, ONE_REQUEST)).as_nanos();
            assert!(once.abs_diff(steps) <= 10_000, "{intensity:?}: {once} {steps}");
        }
    }

    #[test]
    fn a_flat_ramp_is_a_constant_rate() {
        let flat = Intensity::Ramp { from: every(4), to: every(4), after: SECOND, over: SECOND };
        for at in [0, 500_000_001, 1_000_000_000, 1_999_999_999, 2_000_000_000] {
            assert_eq!(flat.time_of(Time::from_nanos(at), ONE_REQUEST), every(4));
        }
    }
}
