//! What go-zero's balancer remembers of an endpoint: how slow it has been, and how well it has answered.
//!
//! `subConn` of zeromicro/go-zero at 11f2109, `zrpc/internal/balancer/p2c/p2c.go`.

use schism_core::{Duration, Time};

/// How fast the past is forgotten: `decayTime`, 10 s, "default value from finagle".
const DECAY_NS: f64 = 10e9;
/// What a success counts, and a failure nothing: `initSuccess`. New endpoints begin with it.
const SUCCESS: u64 = 1_000;
/// Above this an endpoint is healthy: `throttleSuccess`.
const HEALTHY_ABOVE: u64 = SUCCESS / 2;
/// The load of what would otherwise have none: `penalty`, which nothing reaches now that the lag is rounded up.
const PENALTY: i64 = i32::MAX as i64;

/// How the last attempts at an endpoint went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Node {
    /// The average of how long answers took, in whole nanoseconds; 0 before the first.
    pub(super) lag: u64,
    /// The average of successes, 0 to 1,000.
    pub(super) success: u64,
    /// When the last attempt ended.
    last: Time,
    /// When it was last picked.
    picked: Option<Time>,
    /// Attempts still out that began before the picker was last rebuilt, and that it knows nothing of.
    pub(super) before: u32,
}

impl Node {
    /// An endpoint as a new picker has it.
    pub(super) const NEW: Node =
        Node { lag: 0, success: SUCCESS, last: Time::START, picked: None, before: 0 };

    /// The same, with attempts out that an older picker counts.
    pub(super) fn with_before(before: u32) -> Node {
        Node { before, ..Node::NEW }
    }

    /// An attempt has ended: `buildDoneFunc`.
    pub(super) fn on_done(&mut self, now: Time, latency: Duration, ok: bool) {
        let since = now.since(self.last).as_nanos();
        self.last = now;
        let kept = if self.lag == 0 { 0.0 } else { libm::exp(-(since as f64) / DECAY_NS) };
        let mix = |old: u64, new: u64| (old as f64 * kept + new as f64 * (1.0 - kept)) as u64;
        self.lag = mix(self.lag, latency.as_nanos());
        self.success = mix(self.success, if ok { SUCCESS } else { 0 });
    }

    /// Whether most of the last attempts went well: `healthy`.
    pub(super) fn is_healthy(&self) -> bool {
        self.success > HEALTHY_ABOVE
    }

    /// How much it has to do: `load`, the root of the lag times the requests in flight with this one.
    pub(super) fn load(&self, in_flight: u32) -> i64 {
        let lag = ((self.lag + 1) as f64).sqrt() as i64;
        match lag * (i64::from(in_flight) + 1) {
            0 => PENALTY,
            load => load,
        }
    }

    /// The requests in flight that the picker knows of.
    pub(super) fn in_flight(&self, all: u32) -> u32 {
        all.saturating_sub(self.before)
    }

    /// It is picked now.
    pub(super) fn pick(&mut self, now: Time) {
        self.picked = Some(now);
    }

    /// Whether it was not picked for longer than this; one that never was has waited long enough. The real clock begins a
    /// year and a month before the process does, so that there, too, a new endpoint is forced.
    pub(super) fn is_overdue(&self, now: Time, after: Duration) -> bool {
        self.picked.is_none_or(|picked| now.since(picked) > after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    #[test]
    fn loads_are_the_root_of_the_lag_by_the_requests_in_flight() {
        for (lag, in_flight, load) in [(0, 0, 1), (1_000_000, 3, 4_000), (100_000_000, 9, 100_000)] {
            assert_eq!(Node { lag, ..Node::NEW }.load(in_flight), load);
        }
    }

    #[test]
    fn the_first_answer_counts_in_full_and_later_ones_by_the_time_between() {
        let mut node = Node::NEW;
        node.on_done(ms(5), Duration::from_millis(5), true);
        assert_eq!((node.lag, node.success), (5_000_000, 1_000));
        node.on_done(ms(10_005), Duration::from_millis(1), false);
        // e^-1 of the old, and the rest of the new, both cut to whole numbers.
        assert_eq!((node.lag, node.success), (2_471_517, 367));
        assert!(!node.is_healthy());
    }

    #[test]
    fn a_first_failure_makes_an_endpoint_unhealthy_at_once() {
        let mut node = Node::NEW;
        assert!(node.is_healthy());
        node.on_done(ms(5), Duration::from_millis(5), false);
        assert!(!node.is_healthy());
    }

    #[test]
    fn one_is_overdue_after_more_than_the_time_not_at_it() {
        let (mut node, second) = (Node::NEW, Duration::from_secs(1));
        assert!(node.is_overdue(Time::START, second));
        node.pick(ms(0));
        assert!(!node.is_overdue(ms(1_000), second));
        assert!(node.is_overdue(Time::from_nanos(1_000_000_001), second));
    }
}
