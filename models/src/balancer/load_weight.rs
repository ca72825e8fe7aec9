//! What an endpoint weighs by its own load reports: gRPC's `weighted_round_robin`.
//!
//! Sources: gRFC A58 (grpc/proposal at 1fd061a); `EndpointWeight` in weighted_round_robin.cc of grpc/grpc and
//! `endpointWeight` in balancer/weightedroundrobin/balancer.go of grpc/grpc-go, which agree.

use schism_core::{Duration, Time};

/// The weight that one report stands for: queries per second by utilization, in which errors count as much as the
/// penalty says. Zero of an endpoint that reports no queries or no utilization: such a report says nothing.
pub(crate) fn reported(qps: f64, eps: f64, utilization: f64, penalty: f64) -> f64 {
    if qps > 0.0 && utilization > 0.0 { qps / (utilization + eps / qps * penalty) } else { 0.0 }
}

/// What is known of one endpoint.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LoadWeight {
    weight: f64,
    /// Since when there have been reports without a gap; `None` before the first and after a reset.
    since: Option<Time>,
    /// When the last report came.
    updated: Option<Time>,
}

impl LoadWeight {
    /// A report has come. One that says nothing is ignored.
    pub(crate) fn on_report(&mut self, now: Time, weight: f64) {
        if weight > 0.0 {
            self.weight = weight;
            self.since = self.since.or(Some(now));
            self.updated = Some(now);
        }
    }

    /// The connection is a new one: what was reported over the last counts, if at all, after another blackout.
    pub(crate) fn on_ready(&mut self) {
        self.since = None;
        self.updated = None;
    }

    /// The weight now; zero, which is to say unknown, in the blackout after the first report, and when the last has
    /// expired. After that, the next report begins another blackout.
    pub(crate) fn now(&mut self, now: Time, blackout: Duration, expiration: Duration) -> f64 {
        let Some(updated) = self.updated else { return 0.0 };
        if now.since(updated) >= expiration {
            self.since = None;
            return 0.0;
        }
        let dark = self.since.is_none_or(|since| now.since(since) < blackout);
        if dark { 0.0 } else { self.weight }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of balancer/weightedroundrobin/balancer_test.go (grpc-go at 4793ad0) and of the formula in A58.
    #[test]
    fn weights_are_those_of_the_reference() {
        let rows = [
            (10.0, 1.0, 0.0, 0.0, 10.0),
            (10.0, 0.1, 10.0, 0.0, 100.0),
            (10.0, 0.1, 10.0, 0.9, 10.0),
            (20.0, 1.0, 0.0, 1.0, 20.0),
            (20.0, 0.1, 0.0, 1.0, 200.0),
            (100.0, 0.5, 10.0, 1.0, 166.666_666_666_666_69),
            (100.0, 0.5, 0.0, 1.0, 200.0),
            (0.0, 0.5, 0.0, 1.0, 0.0),
            (10.0, 0.0, 0.0, 1.0, 0.0),
        ];
        for (qps, utilization, eps, penalty, weight) in rows {
            let found = reported(qps, eps, utilization, penalty);
            assert_eq!(found.to_bits(), f64::to_bits(weight), "{qps} at {utilization}: {found}");
        }
    }

    const SECOND: u64 = 1_000_000_000;
    const BLACKOUT: Duration = Duration::from_secs(10);
    const EXPIRATION: Duration = Duration::from_secs(180);

    fn at(nanos: u64) -> Time {
        Time::from_nanos(nanos)
    }

    fn weighs(known: &mut LoadWeight, now: u64) -> bool {
        known.now(at(now), BLACKOUT, EXPIRATION) > 0.0
    }

    #[test]
    fn a_weight_counts_from_the_end_of_the_blackout_to_its_expiration() {
        let mut known = LoadWeight::default();
        assert!(!weighs(&mut known, 0), "nothing is known");
        known.on_report(at(5 * SECOND), 7.0);
        assert!(!weighs(&mut known, 15 * SECOND - 1));
        assert!(weighs(&mut known, 15 * SECOND));
        assert!(weighs(&mut known, 185 * SECOND - 1));
        assert!(!weighs(&mut known, 185 * SECOND));
    }

    #[test]
    fn after_expiration_there_is_another_blackout() {
        let mut known = LoadWeight::default();
        known.on_report(at(0), 7.0);
        assert!(!weighs(&mut known, 180 * SECOND));
        known.on_report(at(181 * SECOND), 7.0);
        assert!(!weighs(&mut known, 191 * SECOND - 1));
        assert!(weighs(&mut known, 191 * SECOND));
    }

    #[test]
    fn a_new_connection_begins_another_blackout() {
        let mut known = LoadWeight::default();
        known.on_report(at(0), 7.0);
        assert!(weighs(&mut known, 20 * SECOND));
        known.on_ready();
        assert!(!weighs(&mut known, 20 * SECOND));
        known.on_report(at(20 * SECOND), 7.0);
        assert!(!weighs(&mut known, 30 * SECOND - 1));
        assert!(weighs(&mut known, 30 * SECOND));
    }

    #[test]
    fn a_report_that_says_nothing_renews_nothing() {
        let mut known = LoadWeight::default();
        known.on_report(at(0), 7.0);
        known.on_report(at(100 * SECOND), 0.0);
        assert!(!weighs(&mut known, 180 * SECOND));
    }
}
