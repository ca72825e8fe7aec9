//! How the Go client library keeps a lease alive, and when it gives one up: by its own clock and the answers it has had.

use schism_core::{Duration, Time};

use super::store::LeaseId;

/// The keepalive loop wakes this often: 500 ms (client/v3/lease.go, `sendKeepAliveLoop`).
pub const WAKE: Duration = Duration::from_millis(500);
/// It looks for leases that have run out every second wake-up (client/v3/lease.go, `deadlineLoop`).
const WAKES_PER_CHECK: u32 = 2;
/// The first answer to a keepalive may take this long: 5 s (client/v3/lease.go, `defaultTTL`).
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// A lease that is kept alive.
#[derive(Clone, Copy, Debug)]
pub struct Kept {
    /// The lease.
    pub lease: LeaseId,
    /// When the next keepalive is due.
    next: Time,
    /// When the lease counts as lost unless an answer comes.
    pub deadline: Time,
    wakes: u32,
}

/// What the loop does when it wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beat {
    /// Nothing is due.
    Rest,
    /// It asks to keep the lease alive.
    Renew,
    /// It closes the channel of answers: nothing was heard for as long as the lease lasts.
    Lost,
}

impl Kept {
    /// A lease that was granted just now.
    pub fn new(lease: LeaseId, now: Time) -> Kept {
        Kept { lease, next: now, deadline: now + FIRST_ANSWER, wakes: 0 }
    }

    /// The loop wakes.
    pub fn beat(&mut self, now: Time) -> Beat {
        self.wakes += 1;
        if self.wakes.is_multiple_of(WAKES_PER_CHECK) && self.is_overdue(now) {
            Beat::Lost
        } else if self.next <= now {
            Beat::Renew
        } else {
            Beat::Rest
        }
    }

    /// The lease lives on for so long.
    pub fn on_kept(&mut self, ttl: Duration, now: Time) {
        (self.next, self.deadline) = (now + ttl / 3, now + ttl);
    }

    /// Whether no answer has come for as long as the lease lasts.
    pub fn is_overdue(&self, now: Time) -> bool {
        self.deadline < now
    }
}
