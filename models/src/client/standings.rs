//! Standings: how a client sees its endpoints, where several sources see them, and when its picker is told.
//!
//! This is the one place where sources combine: the worst that any of them sees counts, as any of Envoy's health flags
//! makes a host unhealthy (`HostImplBase::coarseHealth`, upstream_impl.h of envoyproxy/envoy).

use schism_core::{Duration, Time};

use crate::balancer::PerHost;
use crate::locality::Standing;

/// Who sees how endpoints are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Active health checks.
    HealthCheck,
}

/// How many sources there are.
const SOURCES: usize = 1;

/// How endpoints are, and what of it the picker has not been told yet.
#[derive(Clone, Debug)]
pub(super) struct Standings {
    /// What each source sees, of those that are not simply well.
    seen: PerHost<[Standing; SOURCES]>,
    /// What the picker does not know, by ordinal.
    untold: PerHost<Standing>,
    /// Changes that come within so long of the last are told together: Envoy's `update_merge_window`.
    window: Duration,
    /// When the picker was last told.
    told: Option<Time>,
}

impl Standings {
    /// Everybody is well.
    pub(super) fn new(window: Duration) -> Standings {
        Standings { seen: PerHost::default(), untold: PerHost::default(), window, told: None }
    }

    /// A source sees an endpoint so.
    pub(super) fn hear(&mut self, source: Source, ordinal: u32, standing: Standing) {
        let seen = self.seen.touch(ordinal, || [Standing::Healthy; SOURCES]);
        let before = worst(seen);
        seen[source as usize] = standing;
        let after = worst(seen);
        if after == Standing::Healthy {
            self.seen.forget(ordinal);
        }
        if after != before {
            *self.untold.touch(ordinal, || after) = after;
        }
    }

    /// An endpoint is gone: no source sees it.
    pub(super) fn forget(&mut self, ordinal: u32) {
        if self.seen.forget(ordinal).is_some() {
            *self.untold.touch(ordinal, || Standing::Healthy) = Standing::Healthy;
        }
    }

    /// When the picker is to be told of what it does not know; `None` if it knows everything.
    pub(super) fn due(&self, now: Time) -> Option<Time> {
        let open = self.told.map_or(now, |told| told + self.window);
        (!self.untold.is_empty()).then_some(open.max(now))
    }

    /// What the picker does not know: it is told now.
    pub(super) fn tell(&mut self, now: Time) -> Vec<(u32, Standing)> {
        self.told = Some(now);
        let untold = std::mem::take(&mut self.untold);
        untold.iter().map(|(ordinal, standing)| (ordinal, *standing)).collect()
    }
}

fn worst(seen: &[Standing; SOURCES]) -> Standing {
    seen.iter().copied().max().unwrap_or(Standing::Healthy)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::START;
    const WINDOW: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_change_is_told_at_once_and_the_next_ones_together() {
        let mut standings = Standings::new(WINDOW);
        assert_eq!(standings.due(NOW), None);
        standings.hear(Source::HealthCheck, 3, Standing::Unhealthy);
        assert_eq!(standings.due(NOW), Some(NOW));
        assert_eq!(standings.tell(NOW), [(3, Standing::Unhealthy)]);
        let soon = NOW + Duration::from_millis(1);
        standings.hear(Source::HealthCheck, 3, Standing::Healthy);
        standings.hear(Source::HealthCheck, 1, Standing::Unhealthy);
        assert_eq!(standings.due(soon), Some(NOW + WINDOW));
        assert_eq!(standings.tell(NOW + WINDOW), [(1, Standing::Unhealthy), (3, Standing::Healthy)]);
        assert_eq!(standings.due(NOW + WINDOW), None);
    }

    #[test]
    fn what_has_not_changed_is_not_told() {
        let mut standings = Standings::new(WINDOW);
        standings.hear(Source::HealthCheck, 3, Standing::Healthy);
        assert_eq!(standings.due(NOW), None);
        standings.forget(3);
        assert_eq!(standings.due(NOW), None);
    }
}
