//! One lease, with the bug that everybody lives with: a renewal adds the duration twice.

use schism_core::{Duration, Time};

/// A lease, by the server's wall clock (eureka-core, lease/Lease.java, 1.10: `System.currentTimeMillis`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// When it was registered; or, once it was renewed, its last renewal and the duration added to that.
    last_update: Time,
    duration: Duration,
    fate: Fate,
}

/// Whether somebody has ended it before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// `evictionTimestamp` is set.
    Ended,
}

impl Lease {
    /// A lease of an instance that registers now: it ends one duration after that unless it is renewed.
    pub fn new(now: Time, duration: Duration) -> Lease {
        Lease { last_update: now, duration, fate: Fate::Open }
    }

    /// Its holder has renewed it: it ends two durations after that. `renew` adds one and [`is_expired`] another;
    /// the javadoc of `isExpired` calls that a minor bug which will not be fixed.
    ///
    /// [`is_expired`]: Lease::is_expired
    pub fn renew(&mut self, now: Time) {
        self.last_update = now + self.duration;
    }

    /// Its time is up, whatever the clock says.
    pub fn end(&mut self) {
        self.fate = Fate::Ended;
    }

    /// Whether its time is up, if it is given so much more.
    pub fn is_expired(&self, now: Time, additional: Duration) -> bool {
        self.fate == Fate::Ended || now > self.last_update + self.duration + additional
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(90);

    fn at(seconds: u64) -> Time {
        Time::START + Duration::from_secs(seconds)
    }

    const INSTANT: Duration = Duration::from_nanos(1);

    #[test]
    fn a_lease_that_was_never_renewed_ends_just_after_one_duration() {
        let lease = Lease::new(at(100), TTL);
        assert!(!lease.is_expired(at(190), Duration::ZERO));
        assert!(lease.is_expired(at(190) + INSTANT, Duration::ZERO));
    }

    #[test]
    fn a_renewed_lease_ends_just_after_two_durations() {
        let mut lease = Lease::new(at(100), TTL);
        lease.renew(at(130));
        assert!(!lease.is_expired(at(310), Duration::ZERO));
        assert!(lease.is_expired(at(310) + INSTANT, Duration::ZERO));
    }

    #[test]
    fn compensation_gives_it_more() {
        let lease = Lease::new(at(100), TTL);
        assert!(!lease.is_expired(at(195), Duration::from_secs(5)));
        assert!(lease.is_expired(at(195) + INSTANT, Duration::from_secs(5)));
    }

    #[test]
    fn a_wall_clock_that_steps_forward_ends_it_and_one_that_steps_back_keeps_it() {
        let mut lease = Lease::new(at(1000), TTL);
        lease.renew(at(1000));
        assert!(lease.is_expired(at(1000 + 600), Duration::ZERO));
        assert!(!lease.is_expired(at(1000 - 600 + 400), Duration::ZERO));
    }
}
