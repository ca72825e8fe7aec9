//! Slow start: how much of its weight a host has that has just become healthy.
//!
//! Source: `EdfLoadBalancerBase::applySlowStartFactor` in load_balancer_impl.cc of envoyproxy/envoy at 00cf9a0, and
//! its `slow_start.rst`.

use schism_core::{Duration, Time};

use super::PerHost;

/// How hosts warm up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStart {
    /// How long it takes.
    pub window: Duration,
    /// The shape: 1 is a straight line, more begins faster and slows down. Envoy's default is 1.
    pub aggression: f64,
    /// The share of its weight that a host has at the least. Envoy's default is a tenth.
    pub least: f64,
}

/// The aggression that is nothing but a line.
const LINE: f64 = 1.0;

impl SlowStart {
    /// Envoy's defaults, over this window.
    pub fn over(window: Duration) -> SlowStart {
        SlowStart { window, aggression: LINE, least: 0.1 }
    }

    /// The share of its weight that a host has after so long. Whole milliseconds count, and at least one of them.
    pub fn factor(&self, healthy_for: Duration) -> f64 {
        let (healthy_for, window) = (millis(healthy_for), millis(self.window));
        if healthy_for >= window {
            return 1.0;
        }
        let part = healthy_for.max(1) as f64 / window as f64;
        self.shaped(part).max(self.least)
    }

    fn shaped(&self, part: f64) -> f64 {
        let line = (self.aggression - LINE).abs() == 0.0;
        if line { part } else { libm::pow(part, 1.0 / self.aggression) }
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_nanos() / 1_000_000
}

/// The hosts of one client that may still be warming up.
#[derive(Clone, Debug)]
pub struct WarmUp {
    how: SlowStart,
    since: PerHost<Time>,
}

impl WarmUp {
    /// Nobody yet.
    pub fn new(how: SlowStart) -> WarmUp {
        WarmUp { how, since: PerHost::default() }
    }

    /// A host has been added, or has become healthy.
    pub fn begin(&mut self, now: Time, ordinal: u32) {
        *self.since.touch(ordinal, || now) = now;
    }

    /// A host is gone, or no longer healthy.
    pub fn end(&mut self, ordinal: u32) {
        self.since.forget(ordinal);
    }

    /// The share of its weight that a host has.
    #[inline]
    pub fn factor(&self, ordinal: u32, now: Time) -> f64 {
        self.since.get(ordinal).map_or(1.0, |&since| self.how.factor(now.since(since)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Envoy's tests of slow start (round_robin_lb_test.cc at 0d2acde) and rows of the formula in slow_start.rst.
    #[test]
    fn factors_are_envoys() {
        let cases = [
            (1, 60_000, 1.0, 0.1, 0.1),
            (30_000, 60_000, 1.0, 0.35, 0.5),
            (6_000, 60_000, 2.0, 0.1, 0.316_227_766_016_837_94),
            (9_000, 10_000, 1.5, 0.1, 0.932_169_751_786_157_7),
            (60_000, 60_000, 1.0, 0.1, 1.0),
        ];
        for (after, window, aggression, least, factor) in cases {
            let slow_start = SlowStart { window: Duration::from_millis(window), aggression, least };
            let found = slow_start.factor(Duration::from_millis(after));
            assert_eq!(found.to_bits(), f64::to_bits(factor), "{after} ms of {window}: {found}");
        }
    }

    /// The share of a new host among four, by per cent of the window.
    #[test]
    fn shares_of_a_new_host() {
        let shares = [
            (0, 0.032_258_064_516_129_03),
            (10, 0.032_258_064_516_129_03),
            (25, 0.076_923_076_923_076_93),
            (50, 0.142_857_142_857_142_85),
            (75, 0.2),
            (100, 0.25),
        ];
        for (per_cent, share) in shares {
            let factor = SlowStart::over(Duration::from_secs(100)).factor(Duration::from_secs(per_cent));
            assert_eq!((factor / (3.0 + factor)).to_bits(), f64::to_bits(share), "{per_cent} %");
        }
    }

    #[test]
    fn the_window_ends_where_it_ends() {
        let slow_start = SlowStart::over(Duration::from_millis(1_000));
        assert_eq!(slow_start.factor(Duration::from_millis(1_000)).to_bits(), 1.0_f64.to_bits());
        assert_eq!(slow_start.factor(Duration::from_nanos(999_999_999)).to_bits(), 0.999_f64.to_bits());
    }
}
