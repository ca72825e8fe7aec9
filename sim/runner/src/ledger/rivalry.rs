//! Rivalry: for how long, in all, more than one believed in what only one can have.

use schism_core::{Duration, Time};

/// A sum of times, and since when there is one more.
#[derive(Clone, Default)]
pub(super) struct Rivalry {
    since: Option<Time>,
    total: Duration,
}

impl Rivalry {
    /// From now on there are rivals, or none.
    pub(super) fn follow(&mut self, now: Time, are_there: bool) {
        match (are_there, self.since) {
            (true, None) => self.since = Some(now),
            (false, Some(since)) => {
                self.total += now.since(since);
                self.since = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }

    /// For how long there were, if the run ends then.
    pub(super) fn until(&self, end: Time) -> Duration {
        self.total + self.since.map_or(Duration::ZERO, |since| end.since(since))
    }
}
