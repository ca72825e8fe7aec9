//! A list that every change is applied to as it happens; it stays in use while the registry is silent.

use std::sync::Arc;

use schism_core::{Duration, Time};

use super::{Cache, OnEmpty};
use crate::listing::Listing;

/// The list, and when the registry was last heard of.
#[derive(Clone, Debug)]
pub struct Watch {
    on_empty: OnEmpty,
    max_stale: Option<Duration>,
    last: Option<Arc<Listing>>,
    heard: Time,
}

impl Watch {
    pub(super) fn new(on_empty: OnEmpty, max_stale: Option<Duration>) -> Watch {
        Watch { on_empty, max_stale, last: None, heard: Time::START }
    }
}

impl Cache for Watch {
    fn view(&self, now: Time) -> Option<&Arc<Listing>> {
        let fresh = self.max_stale.is_none_or(|most| now.since(self.heard) <= most);
        self.last.as_ref().filter(|_| fresh)
    }

    fn on_listing(&mut self, now: Time, listing: Arc<Listing>) {
        self.heard = now;
        let keep = self.on_empty == OnEmpty::Keep && listing.endpoints.is_empty();
        if !keep || self.last.is_none() {
            self.last = Some(listing);
        }
    }

    fn forget(&mut self) {
        self.last = None;
    }
}
