//! The lessor: when leases end. Only the leader knows; it is not in the log.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Time};

use super::store::LeaseId;

/// How often the leader looks for expired leases: 500 ms (lease/lessor.go, `runLoop`).
pub const SWEEP: Duration = Duration::from_millis(500);
/// How many it revokes a second: 1,000, so half of that per sweep (lease/lessor.go, `defaultLeaseRevokeRate`).
const REVOKE_RATE: usize = 1000;
/// After what time it tries again to revoke one whose revocation has not come through: the request time-out, 7 s
/// (etcdserver/server.go, v3.4.23, line 562).
const REVOKE_AGAIN: Duration = Duration::from_secs(7);
/// How many expirations a second it spreads leases to when it takes over: three quarters of the revoke rate
/// (lease/lessor.go, `Promote`).
const SPREAD_RATE: u64 = 3 * REVOKE_RATE as u64 / 4;

/// How often the leader writes down how much is left of a lease: every 5 min, so shorter leases never are
/// (lease/lessor.go, `defaultLeaseCheckpointInterval`).
const CHECKPOINT: Duration = Duration::from_secs(300);
/// How many it writes down in one sweep: half of 1,000 a second (lease/lessor.go, `leaseCheckpointRate`).
const CHECKPOINTS_A_SWEEP: usize = 500;

/// When each lease ends, as far as this member is the one to say so.
#[derive(Clone, Debug)]
pub enum Lessor {
    /// Not the leader: leases end when the log says so.
    Secondary,
    /// The leader.
    Primary(Primary),
}

/// The leader's clockwork.
#[derive(Clone, Debug, Default)]
pub struct Primary {
    leases: BTreeMap<LeaseId, Clockwork>,
    /// When each is looked at next.
    due: BTreeSet<(Time, LeaseId)>,
    /// When it is to be written down how much is left of each, if that is done.
    checkpoints: BTreeSet<(Time, LeaseId)>,
}

#[derive(Clone, Copy, Debug)]
struct Clockwork {
    ends: Time,
    /// When it ends, or later if a revocation is under way.
    due: Time,
    /// When it is to be written down how much is left of it.
    checkpoint: Option<Time>,
}

/// What a keepalive finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// The lease lives on.
    Extended,
    /// Its time was up, but its revocation has not come through: the answer waits for that.
    Expiring,
    /// There is no such lease.
    NotFound,
}

impl Primary {
    /// A new leader knows no lease's past, so every lease starts anew, and an election time-out more. Many that would
    /// end together are spread out (lease/lessor.go, `Promote`).
    pub fn promote(
        leases: impl Iterator<Item = (LeaseId, Duration)>,
        now: Time,
        extend: Duration,
    ) -> Primary {
        let mut all: Vec<(Duration, LeaseId)> = leases.map(|(id, ttl)| (ttl + extend, id)).collect();
        all.sort_unstable();
        if all.len() >= REVOKE_RATE {
            spread(&mut all);
        }
        let mut primary = Primary::default();
        all.into_iter().for_each(|(left, id)| primary.end_at(id, now + left));
        primary
    }

    /// A lease has been granted, or extended, until `ends`.
    pub fn end_at(&mut self, id: LeaseId, ends: Time) {
        let lease = self.leases.entry(id).or_insert(Clockwork { ends, due: ends, checkpoint: None });
        self.due.remove(&(lease.due, id));
        (lease.ends, lease.due) = (ends, ends);
        self.due.insert((ends, id));
    }

    /// How much is left of a lease is to be written down after a while, if it lasts for so long.
    pub fn plan_checkpoint(&mut self, id: LeaseId, now: Time) {
        let Some(lease) = self.leases.get_mut(&id) else { return };
        let next = (lease.ends.since(now) > CHECKPOINT).then(|| now + CHECKPOINT);
        if let Some(before) = std::mem::replace(&mut lease.checkpoint, next) {
            self.checkpoints.remove(&(before, id));
        }
        self.checkpoints.extend(next.map(|next| (next, id)));
    }

    /// The leases of which it is to be written down now how much is left, and that.
    pub fn checkpoint(&mut self, now: Time) -> Vec<(LeaseId, Duration)> {
        let due = self.checkpoints.range(..=(now, LeaseId(u64::MAX))).take(CHECKPOINTS_A_SWEEP).copied();
        let due: Vec<(Time, LeaseId)> = due.collect();
        let mut left = |(at, id): (Time, LeaseId)| {
            self.checkpoints.remove(&(at, id));
            let lease = self.leases.get_mut(&id).expect("what is to be written down is of a lease");
            lease.checkpoint = None;
            (id, lease.ends.since(now))
        };
        due.into_iter().map(&mut left).filter(|(_, left)| *left > Duration::ZERO).collect()
    }

    /// A lease is gone.
    pub fn forget(&mut self, id: LeaseId) {
        if let Some(gone) = self.leases.remove(&id) {
            self.due.remove(&(gone.due, id));
            if let Some(planned) = gone.checkpoint {
                self.checkpoints.remove(&(planned, id));
            }
        }
    }

    /// A keepalive for a lease of this time to live has come.
    pub fn keep(&mut self, id: LeaseId, ttl: Duration, now: Time) -> Keep {
        match self.leases.get(&id) {
            None => Keep::NotFound,
            Some(lease) if lease.ends <= now => Keep::Expiring,
            Some(_) => {
                self.end_at(id, now + ttl);
                Keep::Extended
            }
        }
    }

    /// The time of these leases is up now, whenever they were extended last: the next sweeps find them, as many at a
    /// time as they revoke. Returns how many there were.
    pub fn expire(&mut self, now: Time, chosen: impl Fn(LeaseId) -> bool) -> u64 {
        let chosen: Vec<LeaseId> = self
            .leases
            .iter()
            .filter(|(id, lease)| lease.ends > now && chosen(**id))
            .map(|(&id, _)| id)
            .collect();
        chosen.iter().for_each(|&id| self.end_at(id, now));
        chosen.len() as u64
    }

    /// The leases whose time is up, soonest first, as many as one sweep revokes.
    pub fn sweep(&mut self, now: Time) -> Vec<LeaseId> {
        let batch: Vec<(Time, LeaseId)> =
            self.due.range(..=(now, LeaseId(u64::MAX))).take(REVOKE_RATE / 2).copied().collect();
        for &(at, id) in &batch {
            let again = now + REVOKE_AGAIN;
            self.due.remove(&(at, id));
            self.due.insert((again, id));
            self.leases.get_mut(&id).expect("what is due is a lease").due = again;
        }
        batch.into_iter().map(|(_, id)| id).collect()
    }
}

/// Pushes leases that would end in the same second later, so that no more than [`SPREAD_RATE`] end in one.
fn spread(all: &mut [(Duration, LeaseId)]) {
    let second = Duration::from_secs(1);
    let mut base = all[0].0;
    let mut next = base + second;
    let mut ends = 0_u64;
    for (left, _) in all.iter_mut() {
        if *left > next {
            base = *left;
            next = base + second;
            ends = 1;
            continue;
        }
        ends += 1;
        if ends <= SPREAD_RATE {
            continue;
        }
        let delay = Duration::from_nanos(second.as_nanos() * ends / SPREAD_RATE)
            .saturating_sub(left.saturating_sub(base));
        next = base + delay;
        // The lease's own time to live starts anew, later by the delay.
        *left += delay;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn primary(leases: u64) -> Primary {
        let ttl = Duration::from_secs(10);
        Primary::promote((0..leases).map(|id| (LeaseId(id), ttl)), Time::START, Duration::ZERO)
    }

    #[test]
    fn leases_that_expire_now_go_at_the_rate_of_the_sweep() {
        let mut primary = primary(900);
        let now = Time::START + Duration::from_secs(1);
        assert_eq!(primary.expire(now, |lease| lease.0 != 7), 899);
        assert_eq!(primary.keep(LeaseId(3), Duration::from_secs(10), now), Keep::Expiring);
        assert_eq!(primary.keep(LeaseId(7), Duration::from_secs(10), now), Keep::Extended);
        assert_eq!(
            (primary.sweep(now).len(), primary.sweep(now).len(), primary.sweep(now).len()),
            (500, 399, 0)
        );
    }

    #[test]
    fn a_checkpoint_is_of_leases_that_last_longer_than_the_time_between_two() {
        let at = |secs| Time::START + Duration::from_secs(secs);
        let mut primary = Primary::default();
        for (id, ttl) in [(1, 300), (2, 301), (3, 1000)] {
            primary.end_at(LeaseId(id), at(ttl));
            primary.plan_checkpoint(LeaseId(id), at(0));
        }
        assert_eq!(primary.checkpoint(at(299)), []);
        let due = [(LeaseId(2), Duration::from_secs(1)), (LeaseId(3), Duration::from_secs(700))];
        assert_eq!(primary.checkpoint(at(300)), due);
        assert_eq!(primary.checkpoint(at(300)), []);
    }

    #[test]
    fn a_renewal_puts_the_checkpoint_off() {
        let at = |secs| Time::START + Duration::from_secs(secs);
        let mut primary = Primary::default();
        primary.end_at(LeaseId(1), at(400));
        primary.plan_checkpoint(LeaseId(1), at(0));
        assert_eq!(primary.keep(LeaseId(1), Duration::from_secs(400), at(200)), Keep::Extended);
        primary.plan_checkpoint(LeaseId(1), at(200));
        assert_eq!(primary.checkpoint(at(499)), []);
        assert_eq!(primary.checkpoint(at(500)), [(LeaseId(1), Duration::from_secs(100))]);
        primary.forget(LeaseId(1));
        assert_eq!(primary.checkpoint(at(9000)), []);
    }
}
