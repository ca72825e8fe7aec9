//! Gray failures: an instance that is up and does less, worse or wrong.

use std::sync::Arc;

use schism_core::{Duration, NodeId, NodeSet, Ratio, Time};

use super::Probes;
use crate::factor::Factor;

/// How an instance is less than well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Gray {
    /// It has only this share of its slots, one at least; without a bound on slots, of its speed.
    Capacity(Ratio),
    /// Some requests fail.
    Errors(Errors),
    /// It gets slower the longer it runs.
    Leak(Leak),
    /// A neighbour has this share of its processor.
    Stolen(Ratio),
}

/// Requests that fail, how, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Errors {
    /// How many.
    pub rate: Ratio,
    /// How long it takes until the error is answered. It occupies no slot.
    pub latency: Duration,
    /// What it does to the process.
    pub harm: Harm,
    /// Whether what checks its health notices.
    pub probes: Probes,
    /// Whose requests fail; everybody's, if none.
    pub only: Option<Arc<NodeSet>>,
}

/// What an error does to the process in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Harm {
    /// Nothing: only the request fails.
    ToRequest,
    /// The process dies of it, with all that it serves.
    Fatal,
}

/// Something that is not given back: memory, file descriptors, threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Leak {
    /// In this time ...
    pub per: Duration,
    /// ... it gets slower by the excess of this over one, and evenly in between.
    pub factor: Factor,
    /// It gets no slower than this.
    pub limit: Factor,
    /// What happens at the limit.
    pub end: LeakEnd,
}

/// What happens when a leak has reached its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeakEnd {
    /// The process stays as slow as that.
    Stays,
    /// It is killed for want of memory.
    Dies,
}

impl Gray {
    /// By how much longer an instance works on something that takes this long, having been ailing for so long.
    pub(super) fn delay(&self, takes: Duration, ailing: Duration) -> Duration {
        match self {
            Gray::Leak(leak) => leak.delay(takes, ailing),
            // What takes as long as ever gets only the rest of the processor.
            Gray::Stolen(share) => takes.part(share.numerator(), share.complement().numerator()),
            Gray::Capacity(_) | Gray::Errors(_) => Duration::ZERO,
        }
    }
}

impl Errors {
    /// Whether a client's requests may be hit.
    pub fn hits(&self, client: NodeId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(client))
    }
}

impl Leak {
    /// By how much longer something takes that would take this long, after the leak has gone on for so long.
    fn delay(self, takes: Duration, leaking: Duration) -> Duration {
        let (passed, per) = (leaking.as_nanos(), self.per.as_nanos().max(1));
        self.factor.extra(takes).part(passed, per).min(self.limit.extra(takes))
    }

    /// How long it takes to reach the limit.
    pub fn reaches(self) -> Duration {
        // One nanosecond stands for the excess over one, of which only the ratio matters.
        const UNIT: Duration = Duration::from_secs(1_000_000);
        let (step, all) = (self.factor.extra(UNIT), self.limit.extra(UNIT));
        self.per.part(all.as_nanos(), step.as_nanos().max(1))
    }

    /// Since when it has leaked in a life that began at `booted`, if the fault began at `since`.
    pub fn began(booted: Time, since: Time) -> Time {
        booted.max(since)
    }
}

/// By how much longer something takes with this share of the speed.
pub(super) fn starved(takes: Duration, share: Ratio) -> Duration {
    takes.part(share.complement().numerator(), share.numerator())
}

#[cfg(test)]
mod tests {
    use schism_core::ratio;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn leak(limit: u64) -> Leak {
        Leak {
            per: Duration::from_secs(10),
            factor: Factor::checked(3, 2).unwrap(),
            limit: Factor::checked(limit, 1).unwrap(),
            end: LeakEnd::Stays,
        }
    }

    #[test]
    fn a_leak_grows_evenly_to_its_limit() {
        let after = |secs| leak(3).delay(MS * 4, Duration::from_secs(secs));
        assert_eq!([after(0), after(5), after(10), after(40), after(400)], [0, 1, 2, 8, 8].map(|ms| MS * ms));
        assert_eq!(leak(3).reaches(), Duration::from_secs(40));
    }

    #[test]
    fn with_a_quarter_left_all_takes_four_times_as_long() {
        let three_quarters = Gray::Stolen(ratio(3, 4));
        assert_eq!(three_quarters.delay(MS, Duration::ZERO), MS * 3);
        assert_eq!(starved(MS, ratio(1, 4)), MS * 3);
    }
}
