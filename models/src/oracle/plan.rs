//! The plan as it went: when its first fault began, and since when nothing has been wrong.

use schism_core::Time;

/// How the plan of faults has gone so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// When the warm-up ends.
    pub warmup: Time,
    /// When the first fault began.
    pub first: Option<Time>,
    /// How many last.
    pub open: u32,
    /// When the last of those that have healed did.
    pub healed: Option<Time>,
}

impl Plan {
    /// Nothing has gone wrong yet.
    pub fn new(warmup: Time) -> Plan {
        Plan { warmup, ..Plan::default() }
    }

    /// Whether there is a before: the warm-up is over, and no fault has begun.
    pub fn is_before(&self, now: Time) -> bool {
        self.first.is_none() && now >= self.warmup
    }

    /// Since when all that went wrong has been over, if something did and it is.
    pub fn over_since(&self) -> Option<Time> {
        self.healed.filter(|_| self.open == 0)
    }

    /// A fault begins.
    pub(super) fn on_begin(&mut self, now: Time) {
        self.first.get_or_insert(now);
        self.open += 1;
    }

    /// One that lasted has healed.
    pub(super) fn on_heal(&mut self, now: Time) {
        self.open -= 1;
        self.healed = Some(now);
    }
}
