//! A list is good for so long after it was fetched, and for nothing after that.

use std::sync::Arc;

use schism_core::{Duration, Time};

use super::Cache;
use crate::listing::Listing;

/// The last list, and until when it is good. With a time to live of nothing there is no cache.
#[derive(Clone, Debug)]
pub struct Ttl {
    ttl: Duration,
    last: Option<(Arc<Listing>, Time)>,
}

impl Ttl {
    pub(super) fn new(ttl: Duration) -> Ttl {
        Ttl { ttl, last: None }
    }
}

impl Cache for Ttl {
    fn view(&self, now: Time) -> Option<&Arc<Listing>> {
        self.last.as_ref().filter(|(_, until)| now < *until).map(|(listing, _)| listing)
    }

    fn on_listing(&mut self, now: Time, listing: Arc<Listing>) {
        self.last = Some((listing, now + self.ttl));
    }

    fn forget(&mut self) {
        self.last = None;
    }
}
