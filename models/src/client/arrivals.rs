//! Arrivals: when a client's requests come.

mod intensity;

use schism_core::{Distribution, Draw, Duration, Luck, Time};

pub use self::intensity::Intensity;

use self::intensity::ONE_REQUEST;
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
pub(super) enum Pace {
    /// So long after the last came.
    AfterLast(Distribution),
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
    pub(super) fn start(arrivals: &Arrivals, now: Time, luck: &mut Luck) -> (Pace, Duration) {
        match arrivals {
            Arrivals::Poisson(mean) => {
                let gap = Distribution::exponential(*mean).expect("a checked scenario has a positive rate");
                let first = luck.sample(&gap);
                (Pace::AfterLast(gap), first)
            }
            Arrivals::Constant(every) => {
                let phase = Duration::from_secs_f64(every.as_secs_f64() * luck.draw().unit());
                let gap = Distribution::constant(*every).expect("a checked scenario's gap is in range");
                (Pace::AfterLast(gap), phase)
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
    pub(super) fn on_arrival(&self, now: Time, luck: Draw) -> Option<Duration> {
        match self {
            Pace::AfterLast(gap) => Some(gap.sample(luck)),
            Pace::Varying(intensity, unit) => Some(vary(intensity, unit, now, luck)),
            Pace::AfterEnd(_) => None,
        }
    }

    /// How long after a request that is over, having lasted so long, the next one comes, if it waited for that.
    #[inline]
    pub(super) fn on_end(&self, luck: Draw, lasted: Duration, outcome: Outcome) -> Option<Duration> {
        match self {
            Pace::AfterLast(_) | Pace::Varying(..) => None,
            Pace::AfterEnd(think) => {
                let least = if outcome == Outcome::Success { LEAST_CYCLE } else { LEAST_PAUSE };
                Some(think.sample(luck).max(least.saturating_sub(lasted)))
            }
        }
    }
}

/// How long after `now` the next request of a rate that varies comes.
fn vary(intensity: &Intensity, unit: &Distribution, now: Time, luck: Draw) -> Duration {
    let need = u128::from(unit.sample(luck).as_nanos()) * ONE_REQUEST / u128::from(A_REQUEST.as_nanos());
    intensity.time_of(now, need)
}
