//! Averages of round trips that peaks raise at once: tower's, which is also Linkerd's, and Finagle's; and Envoy's.

use schism_core::{Duration, Time};

/// What Finagle adds to the requests in flight to an endpoint that it knows nothing of: `Long.MaxValue >> 16`.
pub(crate) const FINAGLE_PENALTY: f64 = ((1_u64 << 47) - 1) as f64;

/// An average that a longer round trip replaces, and that decays towards shorter ones.
///
/// `RttEstimate` of tower-rs/tower at 8358ee7, `tower/src/load/peak_ewma.rs`; `Metric` of twitter/finagle at 4feb34c,
/// `loadbalancer/PeakEwma.scala`. Their arithmetic is one, in one order; they begin with different values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Peak {
    /// The average, in nanoseconds.
    rtt: f64,
    /// When it was last computed.
    at: Time,
}

impl Peak {
    /// What is taken for the round trip to an endpoint that has come at this moment.
    pub(crate) fn new(rtt: Duration, at: Time) -> Peak {
        Peak { rtt: rtt.as_nanos() as f64, at }
    }

    /// Takes a round trip into the average.
    pub(crate) fn observe(&mut self, now: Time, rtt: Duration, decay: Duration) {
        let rtt = rtt.as_nanos() as f64;
        self.rtt = if self.rtt < rtt {
            rtt
        } else {
            let kept = libm::exp(-(now.since(self.at).as_nanos() as f64) / decay.as_nanos() as f64);
            self.rtt * kept + rtt * (1.0 - kept)
        };
        self.at = now;
    }

    /// The average now, in nanoseconds. Looking at it decays it towards nothing and is remembered, so that the next
    /// round trip meets a lower one.
    pub(crate) fn read(&mut self, now: Time, decay: Duration) -> f64 {
        self.observe(now, Duration::ZERO, decay);
        self.rtt
    }

    /// Tower's load: the average times the requests in flight with this one.
    pub(crate) fn tower_load(&mut self, now: Time, decay: Duration, in_flight: u32) -> f64 {
        self.read(now, decay) * (f64::from(in_flight) + 1.0)
    }

    /// Finagle's load: the same, but who has not answered once is asked by one request at a time.
    pub(crate) fn finagle_load(&mut self, now: Time, decay: Duration, in_flight: u32) -> f64 {
        let rtt = self.read(now, decay);
        if rtt == 0.0 && in_flight != 0 {
            FINAGLE_PENALTY + f64::from(in_flight)
        } else {
            rtt * (f64::from(in_flight) + 1.0)
        }
    }
}

/// Envoy's average, which is no peak: it moves towards each round trip by how long the one before it is ago. What comes in
/// is seen from the next aggregation on.
///
/// `processHostSamples` of envoyproxy/envoy at a5cf989, `load_balancing_policies/peak_ewma/peak_ewma_lb.cc`. The real one
/// keeps the samples, 1,000 of each host at most, and computes at the aggregation; the result is the same, but for hosts
/// that answer more often than that within one interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sampled {
    /// The average that picks see, in milliseconds; nothing known is 0.
    seen: f64,
    /// The average with the samples that came since.
    next: f64,
    /// When the last sample came.
    at: Option<Time>,
    /// After how many aggregations the last sample came.
    round: u64,
}

impl Sampled {
    /// Takes a round trip, after so many aggregations. It counts in whole milliseconds, and none is no sample, as in
    /// `PeakEwmaRttFilter::encodeHeaders`: an endpoint that answers within one seems never to have answered.
    pub(crate) fn observe(&mut self, now: Time, round: u64, rtt: Duration, decay: Duration) {
        let millis = (rtt.as_nanos() / 1_000_000) as f64;
        if millis <= 0.0 {
            return;
        }
        self.aggregate(round);
        let alpha = self.at.map_or(1.0, |at| Sampled::alpha(now.since(at), decay));
        self.next = if self.next == 0.0 { millis } else { alpha * millis + (1.0 - alpha) * self.next };
        self.at = Some(now);
    }

    /// The average that picks see after so many aggregations, in milliseconds; 0 if nothing is known.
    pub(crate) fn read(&mut self, round: u64) -> f64 {
        self.aggregate(round);
        self.seen
    }

    /// `Cost::compute` of `cost.cc`, in milliseconds.
    pub(crate) fn cost(rtt: f64, in_flight: u32, default_rtt: f64, penalty: f64) -> f64 {
        let active = f64::from(in_flight);
        if rtt > 0.0 {
            rtt * (active + 1.0)
        } else if active > 0.0 {
            penalty + active
        } else {
            default_rtt * (active + 1.0)
        }
    }

    fn aggregate(&mut self, round: u64) {
        if self.round < round {
            self.seen = self.next;
            self.round = round;
        }
    }

    /// How much the newer of two samples counts: `calculateTimeBasedAlpha`.
    fn alpha(between: Duration, decay: Duration) -> f64 {
        if between == Duration::ZERO {
            return 1.0;
        }
        let (between, decay) = (between.as_nanos() as f64 / 1e9, decay.as_nanos() as f64 / 1e9);
        (1.0 - libm::exp(-between / decay)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    #[track_caller]
    fn same(have: f64, want: f64) {
        assert!((have - want).abs() <= want.abs() * 1e-15, "{have:?} is not {want:?}");
    }

    /// `compound_decay` of tower's own tests at 8358ee7, with the values between its bounds as computed from its source.
    #[test]
    fn tower_decays_what_compounds() {
        let decay = Duration::from_secs(1);
        let mut peak = Peak::new(Duration::from_millis(20), ms(0));
        same(peak.tower_load(ms(0), decay, 0), 20_000_000.0);
        same(peak.tower_load(ms(100), decay, 1), 36_193_496.721_438_38);
        same(peak.tower_load(ms(200), decay, 2), 49_123_845.184_678_905);
        peak.observe(ms(300), Duration::from_millis(200), decay);
        same(peak.tower_load(ms(300), decay, 1), 400_000_000.0);
        peak.observe(ms(400), Duration::from_millis(200), decay);
        same(peak.tower_load(ms(400), decay, 0), 200_000_000.0);
        same(peak.tower_load(ms(1_400), decay, 0), 73_575_888.234_288_47);
        same(peak.tower_load(ms(11_400), decay, 0), 3_340.340_158_049_132_2);
    }

    /// `default_decay` of tower's own tests.
    #[test]
    fn what_tower_takes_for_unknown_decays() {
        let decay = Duration::from_secs(1);
        let mut peak = Peak::new(Duration::from_millis(10), ms(0));
        same(peak.tower_load(ms(0), decay, 0), 10_000_000.0);
        same(peak.tower_load(ms(200), decay, 0), 8_187_307.530_779_817);
    }

    #[test]
    fn finagle_takes_a_peak_at_once_and_forgets_it_with_time() {
        let decay = Duration::from_nanos(150);
        let at = |nanos| Time::from_nanos(nanos);
        let mut peak = Peak::new(Duration::ZERO, at(0));
        same(peak.finagle_load(at(0), decay, 0), 0.0);
        peak.observe(at(5), Duration::from_nanos(5), decay);
        same(peak.finagle_load(at(5), decay, 0), 5.0);
        peak.observe(at(15), Duration::from_nanos(10), decay);
        same(peak.finagle_load(at(15), decay, 0), 10.0);
        // By the time of the next request, which looks at it, the peak has decayed to less than 5.
        assert!(peak.finagle_load(at(165), decay, 0) < 5.0);
        peak.observe(at(170), Duration::from_nanos(5), decay);
        same(peak.finagle_load(at(170), decay, 0), 5.0);
    }

    #[test]
    fn finagle_shuns_who_has_never_answered_while_a_request_is_out() {
        let decay = Duration::from_secs(10);
        let mut peak = Peak::new(Duration::ZERO, ms(0));
        same(FINAGLE_PENALTY, 140_737_488_355_327.0);
        same(peak.finagle_load(ms(1), decay, 0), 0.0);
        same(peak.finagle_load(ms(1), decay, 3), 140_737_488_355_330.0);
    }

    /// `cost_test.cc` of envoyproxy/envoy at a5cf989.
    #[test]
    fn envoy_costs() {
        let cost = |rtt, in_flight, default_rtt| Sampled::cost(rtt, in_flight, default_rtt, 1e6);
        same(cost(20.0, 5, 10.0), 120.0);
        same(cost(30.0, 0, 10.0), 30.0);
        same(cost(0.0, 3, 10.0), 1_000_003.0);
        same(cost(0.0, 0, 10.0), 10.0);
        same(cost(0.0, 0, 0.0), 0.0);
        same(cost(50.0, 2, 10.0), 150.0);
        same(Sampled::cost(0.0, 2, 10.0, 500_000.0), 500_002.0);
    }

    #[test]
    fn envoy_sees_samples_after_the_next_aggregation() {
        let decay = Duration::from_secs(10);
        let mut host = Sampled::default();
        host.observe(ms(10), 1, Duration::from_millis(20), decay);
        same(host.read(1), 0.0);
        same(host.read(2), 20.0);
        host.observe(ms(10_010), 2, Duration::from_millis(40), decay);
        same(host.read(2), 20.0);
        let alpha = 1.0 - libm::exp(-1.0);
        same(host.read(3), alpha * 40.0 + (1.0 - alpha) * 20.0);
        // Two at one moment: the later counts in full.
        host.observe(ms(10_010), 3, Duration::from_millis(7), decay);
        same(host.read(4), 7.0);
    }

    #[test]
    fn envoy_counts_whole_milliseconds_and_takes_none_for_no_answer() {
        let decay = Duration::from_secs(10);
        let mut host = Sampled::default();
        host.observe(ms(10), 0, Duration::from_nanos(999_999), decay);
        same(host.read(1), 0.0);
        host.observe(ms(20), 1, Duration::from_nanos(2_999_999), decay);
        same(host.read(2), 2.0);
    }
}
