//! Arrivals: when a client's requests come.

use schism_core::{Distribution, Draw, Duration, Luck};

use crate::observation::Outcome;

/// When requests arrive, per client.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent arrivals: exponential gaps with this mean.
    Poisson(Duration),
    /// One every so long, from a random phase.
    Constant(Duration),
    /// The next request a think time after the last has ended.
    Closed(Distribution),
}

/// When one client's next request comes.
#[derive(Clone, Debug)]
pub(super) enum Pace {
    /// So long after the last came.
    AfterLast(Distribution),
    /// So long after the last was over.
    AfterEnd(Distribution),
}

/// A closed loop whose requests and think time take no time at all would never let time pass.
const LEAST_CYCLE: Duration = Duration::from_nanos(1_000);
/// After a request that failed at once, a closed loop waits at least this long.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

impl Pace {
    /// The pace of a client that starts, and how long its first request is away.
    pub(super) fn start(arrivals: &Arrivals, luck: &mut Luck) -> (Pace, Duration) {
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
            Arrivals::Closed(think) => (Pace::AfterEnd(think.clone()), luck.sample(think)),
        }
    }

    /// How long after a request that has just come the next one comes, if that is certain by now.
    #[inline]
    pub(super) fn on_arrival(&self, luck: Draw) -> Option<Duration> {
        match self {
            Pace::AfterLast(gap) => Some(gap.sample(luck)),
            Pace::AfterEnd(_) => None,
        }
    }

    /// How long after a request that is over, having lasted so long, the next one comes, if it waited for that.
    #[inline]
    pub(super) fn on_end(&self, luck: Draw, lasted: Duration, outcome: Outcome) -> Option<Duration> {
        match self {
            Pace::AfterLast(_) => None,
            Pace::AfterEnd(think) => {
                let least = if outcome == Outcome::Success { LEAST_CYCLE } else { LEAST_PAUSE };
                Some(think.sample(luck).max(least.saturating_sub(lasted)))
            }
        }
    }
}
