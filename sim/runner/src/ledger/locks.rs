//! Locks: who believed to hold them, and for how long two did at once.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{NodeId, Time};
use schism_models::observation::Observation;

use super::rivalry::Rivalry;
use crate::report;

/// What clients believe of the locks that they use.
#[derive(Clone, Default)]
pub(crate) struct Locks {
    holders: BTreeMap<u32, BTreeSet<NodeId>>,
    acquired: u64,
    released: u64,
    lost: u64,
    doubly: Rivalry,
}

impl Locks {
    pub(crate) fn observe(&mut self, now: Time, by: NodeId, seen: &Observation) {
        if let Observation::Acquired { lock, .. } = seen {
            self.acquired += 1;
            self.holders.entry(*lock).or_default().insert(by);
        } else if let Observation::Released { lock } = seen {
            self.released += 1;
            self.holders.entry(*lock).or_default().remove(&by);
        } else if let Observation::LockLost { lock } = seen {
            self.lost += 1;
            self.holders.entry(*lock).or_default().remove(&by);
        }
        self.follow(now);
    }

    /// A client's process has died: it believes nothing.
    pub(crate) fn on_crash(&mut self, now: Time, node: NodeId) {
        self.holders.values_mut().for_each(|holders| {
            holders.remove(&node);
        });
        self.follow(now);
    }

    /// Nothing where nobody ever held one.
    pub(crate) fn report(&self, end: Time) -> Option<report::Locks> {
        (self.acquired > 0).then(|| report::Locks {
            acquired: self.acquired,
            released: self.released,
            lost: self.lost,
            two_holders_s: self.doubly.until(end).as_secs_f64(),
        })
    }

    fn follow(&mut self, now: Time) {
        self.doubly.follow(now, self.holders.values().any(|holders| holders.len() > 1));
    }
}

#[cfg(test)]
mod tests {
    use schism_core::Duration;

    use super::*;

    #[test]
    fn two_holders_of_one_lock_count_and_those_of_two_do_not() {
        let mut locks = Locks::default();
        let at = |secs| Time::START + Duration::from_secs(secs);
        assert_eq!(locks.report(at(1)), None);
        let acquired = |lock| Observation::Acquired { lock, token: 1 };
        locks.observe(at(1), NodeId(0), &acquired(0));
        locks.observe(at(2), NodeId(1), &acquired(1));
        locks.observe(at(5), NodeId(2), &acquired(0));
        locks.observe(at(7), NodeId(0), &Observation::LockLost { lock: 0 });
        locks.observe(at(8), NodeId(0), &acquired(1));
        locks.on_crash(at(11), NodeId(1));
        locks.observe(at(12), NodeId(0), &Observation::Released { lock: 1 });
        let report = locks.report(at(20)).expect("some were held");
        assert_eq!((report.acquired, report.released, report.lost), (4, 1, 1));
        assert!((report.two_holders_s - 5.0).abs() < 1e-9, "from 5 s to 7 s, and from 8 s to 11 s");
    }
}
