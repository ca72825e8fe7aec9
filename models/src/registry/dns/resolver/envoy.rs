//! An Envoy cluster's resolution: again and again, whatever comes of it.

use schism_core::{Duration, Time};

/// A cluster of type STRICT_DNS or LOGICAL_DNS (source/extensions/clusters/dns). A failure is tried again after the same
/// time, unless `dns_failure_refresh_rate` is set, and the records' own time is not looked at, unless `respect_dns_ttl` is.
#[derive(Clone, Debug)]
pub struct Cluster {
    refresh: Duration,
}

impl Cluster {
    pub(super) fn new(refresh: Duration) -> Cluster {
        Cluster { refresh }
    }

    pub(super) fn next(&self, now: Time) -> Time {
        now + self.refresh
    }
}
