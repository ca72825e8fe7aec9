//! Arrivals: when a client's requests come.

mod intensity;

use schism_core::{Distribution, Draw, Duration, Luck, Time};

pub use self::intensity::Intensity;

use self::intensity::ONE_REQUEST;
use crate::factor::Factor;
use crate::observation::Outcome;

/// When requests arrive, per client.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent arrivals: exponential gaps with this mean.
    Poisson(Duration),
    /// One every so long, from a random phase.
    Constant(Duration),
    /// Independent arrivals at a rate that varies.
    Varying(Intensity),
    /// The next request a think time after the last has ended.
    Closed(Distribution),
}

/// When one client's next request comes.
#[derive(Clone, Debug)]
pub enum Pace {
    /// So long after the last came, by a draw.
    Poisson(Distribution),
    /// So long after the last came.
    Constant(Duration),
    /// Where the integral of a rate has grown by a draw from this, which counts a request as a second.
    Varying(Intensity, Distribution),
    /// So long after the last was over.
    AfterEnd(Distribution),
}

/// A closed loop whose requests and think time take no time at all would never let time pass.
const LEAST_CYCLE: Duration = Duration::from_nanos(1_000);
/// After a request that failed at once, a closed loop waits at least this long.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

/// What a unit exponential counts as one request.
const A_REQUEST: Duration = Duration::from_secs(1);

impl Pace {
    /// The pace of a client that starts now, and how long its first request is away.
    pub fn start(arrivals: &Arrivals, now: Time, luck: &mut Luck) -> (Pace, Duration) {
        match arrivals {
            Arrivals::Poisson(mean) => {
                let gap = Distribution::exponential(*mean).expect("a checked scenario has a positive rate");
                let first = luck.sample(&gap);
                (Pace::Poisson(gap), first)
            }
            Arrivals::Constant(every) => {
                let phase = Duration::from_secs_f64(every.as_secs_f64() * luck.draw().unit());
                (Pace::Constant(*every), phase)
            }
            Arrivals::Varying(intensity) => {
                let unit = Distribution::exponential(A_REQUEST).expect("a second is in range");
                let first = vary(intensity, &unit, now, luck.draw());
                (Pace::Varying(*intensity, unit), first)
            }
            Arrivals::Closed(think) => (Pace::AfterEnd(think.clone()), luck.sample(think)),
        }
    }

    /// How long after a request that comes now the next one comes, if that is certain by now.
    #[inline]
    pub fn on_arrival(&self, now: Time, luck: Draw) -> Option<Duration> {
        match self {
            Pace::Poisson(gap) => Some(gap.sample(luck)),
            Pace::Constant(every) => Some(*every),
            Pace::Varying(intensity, unit) => Some(vary(intensity, unit, now, luck)),
            Pace::AfterEnd(_) => None,
        }
    }

    /// How long after a request that is over, having lasted so long, the next one comes, if it waited for that.
    #[inline]
    pub fn on_end(&self, luck: Draw, lasted: Duration, outcome: Outcome) -> Option<Duration> {
        match self {
            Pace::Poisson(_) | Pace::Constant(_) | Pace::Varying(..) => None,
            Pace::AfterEnd(think) => {
                let least = if outcome == Outcome::Success { LEAST_CYCLE } else { LEAST_PAUSE };
                Some(think.sample(luck).max(least.saturating_sub(lasted)))
            }
        }
    }

    /// When the first of the requests comes that a factor adds from now on.
    pub(super) fn first_added(&self, now: Time, by: Factor, luck: Draw) -> Added {
        match self {
            Pace::Constant(every) => Added::After(share(added_gap(*every, by), luck)),
            Pace::Poisson(_) | Pace::Varying(..) | Pace::AfterEnd(_) => self.next_added(now, by, luck),
        }
    }

    /// When the next of the requests comes that a factor adds, one of which has come now.
    pub(super) fn next_added(&self, now: Time, by: Factor, luck: Draw) -> Added {
        match self {
            Pace::Poisson(gap) => Added::After(added_gap(gap.sample(luck), by)),
            Pace::Constant(every) => Added::After(added_gap(*every, by)),
            Pace::Varying(intensity, unit) => {
                Added::After(intensity.time_of(now, need(added_gap(unit.sample(luck), by))))
            }
            Pace::AfterEnd(think) => Added::Loops(think.clone()),
        }
    }
}

/// What a factor adds to a client's requests.
#[derive(Clone, Debug)]
pub(super) enum Added {
    /// The next one comes so long after.
    After(Duration),
    /// It adds closed loops, with this think time.
    Loops(Distribution),
}

/// The gap between requests that a factor adds to those of a gap: so many times shorter as it exceeds one.
fn added_gap(gap: Duration, by: Factor) -> Duration {
    let excess = u128::from(by.extra(A_REQUEST).as_nanos().max(1));
    let nanos = u128::from(gap.as_nanos()) * u128::from(A_REQUEST.as_nanos()) / excess;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// How long after `now` the next request of a rate that varies comes.
fn vary(intensity: &Intensity, unit: &Distribution, now: Time, luck: Draw) -> Duration {
    intensity.time_of(now, need(unit.sample(luck)))
}

/// A unit exponential as part of an integrated rate.
fn need(unit: Duration) -> u128 {
    u128::from(unit.as_nanos()) * ONE_REQUEST / u128::from(A_REQUEST.as_nanos())
}

/// A time drawn uniformly from nothing up to this one.
pub(super) fn share(of: Duration, luck: Draw) -> Duration {
    Duration::from_nanos(((u128::from(of.as_nanos()) * u128::from(luck.word())) >> 64) as u64)
}
