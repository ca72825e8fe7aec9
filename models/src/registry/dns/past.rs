//! The past of a list: what it was at each second of the last minutes.

use std::collections::VecDeque;
use std::sync::Arc;

use schism_core::{Duration, Time};

use crate::listing::Listing;

/// A list as it was: the last state of each second in which it changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Past {
    states: VecDeque<(Time, Arc<Listing>)>,
}

/// For how long the past is kept: 10 minutes (ours; a fault's `age` is no more).
pub const KEPT: Duration = Duration::from_secs(600);

impl Past {
    /// It is this from now on.
    pub(super) fn note(&mut self, now: Time, listing: Arc<Listing>) {
        let second = |time: Time| time.as_nanos() / 1_000_000_000;
        if self.states.back().is_some_and(|&(last, _)| second(last) == second(now)) {
            self.states.pop_back();
        }
        self.states.push_back((now, listing));
        // The first that is left is what it was when the time kept begins.
        while self.states.get(1).is_some_and(|&(next, _)| next + KEPT <= now) {
            self.states.pop_front();
        }
    }

    /// What it was so long ago; the oldest that is known, if that is longer than anyone knows.
    pub(super) fn ago(&self, now: Time, age: Duration) -> Option<&Arc<Listing>> {
        let then = now - age;
        let after = self.states.partition_point(|&(since, _)| since <= then);
        self.states.get(after.saturating_sub(1)).map(|(_, listing)| listing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listing::ServiceId;

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn noted(past: &mut Past, millis: u64, revision: u64) {
        let listing = Listing { service: ServiceId(0), revision, endpoints: Vec::new() };
        past.note(at(millis), Arc::new(listing));
    }

    fn seen(past: &Past, millis: u64, age: u64) -> Option<u64> {
        past.ago(at(millis), Duration::from_millis(age)).map(|listing| listing.revision)
    }

    #[test]
    fn what_was_is_found_from_both_sides_of_its_beginning() {
        let mut past = Past::default();
        assert_eq!(seen(&past, 5000, 0), None);
        noted(&mut past, 1000, 1);
        noted(&mut past, 3000, 2);
        assert_eq!(seen(&past, 5000, 0), Some(2));
        assert_eq!(seen(&past, 5000, 2000), Some(2));
        assert_eq!(seen(&past, 5001, 2002), Some(1));
        assert_eq!(seen(&past, 5000, 5000), Some(1), "nothing older is known");
    }

    #[test]
    fn of_one_second_the_last_is_kept_and_of_long_ago_one() {
        let mut past = Past::default();
        noted(&mut past, 1100, 1);
        noted(&mut past, 1900, 2);
        assert_eq!(past.states.len(), 1);
        noted(&mut past, 3000, 3);
        noted(&mut past, 602_999, 4);
        assert_eq!(past.states.len(), 3);
        noted(&mut past, 603_000, 5);
        assert_eq!(seen(&past, 603_000, 600_000), Some(3));
        assert_eq!(past.states.len(), 3, "what ended before the time kept began is forgotten");
    }
}
