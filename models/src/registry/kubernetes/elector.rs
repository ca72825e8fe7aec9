//! Leader election by a lease object: which of several controller managers is active.

use schism_core::{Duration, Time};

/// Who does not see a lease change for so long may take it: 15 s (`--leader-elect-lease-duration`; client-go,
/// tools/leaderelection, v1.28).
pub const LEASE: Duration = Duration::from_secs(15);
/// Who leads and cannot renew for so long gives up: 10 s (`--leader-elect-renew-deadline`).
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How often it is tried: every 2 s (`--leader-elect-retry-period`).
pub const RETRY: Duration = Duration::from_secs(2);

/// The holder of a lease that was given up: an empty `HolderIdentity`. Nobody has to wait for that.
pub const NOBODY: u64 = 0;

/// The lease as it is in the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Who holds it: no process has the identity of another, nor of its own earlier life.
    pub holder: u64,
    /// How often it has been written: whoever writes must have seen the last (`resourceVersion`).
    pub version: u64,
    /// How often it has gone from one to another (`leaseTransitions`).
    pub transitions: u64,
}

/// One candidate.
#[derive(Clone, Copy, Debug)]
pub struct Elector {
    me: u64,
    /// For how long it must have seen no change before it may take the lease.
    lease: Duration,
    /// The lease, and when by its own clock it was first seen to be so: no clock of another's matters.
    seen: Option<(Record, Time)>,
    /// When it last held the lease for sure.
    renewed: Option<Time>,
}

impl Elector {
    /// One that has seen nothing yet.
    pub fn new(me: u64) -> Elector {
        Elector::lasting(me, LEASE)
    }

    /// The same, of a lease that lasts so long.
    pub fn lasting(me: u64, lease: Duration) -> Elector {
        Elector { me, lease, seen: None, renewed: None }
    }

    /// The lease as it was seen last.
    pub fn seen(&self) -> Option<Record> {
        self.seen.map(|(record, _)| record)
    }

    /// Who it is.
    pub fn identity(&self) -> u64 {
        self.me
    }

    /// Whether it leads, as far as it knows.
    pub fn leads(&self) -> bool {
        self.renewed.is_some()
    }

    /// Looks at the lease: what to write now, if it may (`tryAcquireOrRenew`). The version is the one that must not have
    /// changed.
    pub fn try_lease(&mut self, now: Time, record: Option<Record>) -> Option<u64> {
        let Some(record) = record else { return Some(0) };
        if self.seen.is_none_or(|(seen, _)| seen != record) {
            self.seen = Some((record, now));
        }
        let since = self.seen.map_or(now, |(_, since)| since);
        let taken = record.holder != self.me && record.holder != NOBODY && now < since + self.lease;
        (!taken).then_some(record.version)
    }

    /// Its write is in the API: whether it leads only since then.
    pub fn on_written(&mut self, now: Time, record: Record) -> bool {
        self.seen = Some((record, now));
        self.renewed.replace(now).is_none()
    }

    /// Whether it must give up: it has not renewed in time.
    pub fn is_late(&self, now: Time) -> bool {
        self.renewed.is_some_and(|renewed| now > renewed + DEADLINE)
    }

    /// It leads no more.
    pub fn give_up(&mut self) {
        self.renewed = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::START + Duration::from_secs(secs)
    }

    fn record(holder: u64, version: u64) -> Record {
        Record { holder, version, transitions: 0 }
    }

    #[test]
    fn a_lease_is_taken_when_it_has_not_changed_for_its_length_and_not_before() {
        let mut elector = Elector::new(1);
        assert_eq!(elector.try_lease(at(0), Some(record(2, 7))), None);
        let nearly = Time::from_nanos(14_999_999_999);
        assert_eq!(elector.try_lease(nearly, Some(record(2, 7))), None);
        assert_eq!(elector.try_lease(at(15), Some(record(2, 7))), Some(7));
    }

    #[test]
    fn a_renewal_seen_begins_the_wait_anew() {
        let mut elector = Elector::new(1);
        elector.try_lease(at(0), Some(record(2, 7)));
        assert_eq!(elector.try_lease(at(14), Some(record(2, 8))), None);
        assert_eq!(elector.try_lease(at(28), Some(record(2, 8))), None);
        assert_eq!(elector.try_lease(at(29), Some(record(2, 8))), Some(8));
    }

    #[test]
    fn who_cannot_renew_gives_up_before_another_may_take_over() {
        let mut elector = Elector::new(2);
        assert!(elector.on_written(at(0), record(2, 1)));
        assert!(!elector.on_written(at(2), record(2, 2)));
        assert!(!elector.is_late(at(12)));
        assert!(elector.is_late(at(13)));
        elector.give_up();
        assert!(!elector.leads());
    }
}
