//! Latency: of requests that succeeded, in a histogram of whole nanoseconds with three significant digits.

use hdrhistogram::Histogram;
use schism_core::Duration;

use crate::figures::millis;
use crate::report;

/// Latencies. The mean and the longest are exact; quantiles are at most a thousandth too high.
#[derive(Clone, Default)]
pub(crate) struct Latencies {
    /// Made when there is something to count; grows with the longest.
    histogram: Option<Histogram<u32>>,
    sum: u128,
    longest: u64,
}

/// A thousandth: HdrHistogram's "three significant figures".
const DIGITS: u8 = 3;

impl Latencies {
    /// One request took so long.
    #[inline]
    pub(crate) fn record(&mut self, took: Duration) {
        let nanos = took.as_nanos();
        self.sum += u128::from(nanos);
        self.longest = self.longest.max(nanos);
        self.histogram.get_or_insert_with(empty).record(nanos).expect("the histogram grows");
    }

    /// All of another's too.
    pub(crate) fn add(&mut self, other: &Latencies) {
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
        if let Some(theirs) = &other.histogram {
            self.histogram.get_or_insert_with(empty).add(theirs).expect("the histogram grows");
        }
    }

    /// The latency that so many thousandths of the requests stayed within; `None` of none.
    pub(crate) fn quantile(&self, thousandths: u32) -> Option<Duration> {
        let histogram = self.histogram.as_ref()?;
        let upper = histogram.value_at_quantile(f64::from(thousandths) / 1000.0);
        Some(Duration::from_nanos(upper.min(self.longest)))
    }

    /// To the nearest nanosecond below.
    pub(crate) fn mean(&self) -> Option<Duration> {
        let count = u128::from(self.histogram.as_ref()?.len());
        Some(Duration::from_nanos((self.sum / count) as u64))
    }

    /// For the report: zeros if there were none.
    pub(crate) fn report(&self) -> report::Latency {
        let quantile = |thousandths| self.quantile(thousandths).map_or(0.0, millis);
        report::Latency {
            mean: self.mean().map_or(0.0, millis),
            p50: quantile(500),
            p90: quantile(900),
            p99: quantile(990),
            p999: quantile(999),
            max: millis(Duration::from_nanos(self.longest)),
        }
    }
}

fn empty() -> Histogram<u32> {
    Histogram::new(DIGITS).expect("three digits are allowed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_and_the_longest_are_exact_and_no_quantile_is_longer() {
        let mut latencies = Latencies::default();
        for millis in [1, 2, 6] {
            latencies.record(Duration::from_millis(millis));
        }
        let told = latencies.report();
        assert_eq!((told.mean, told.max, told.p999), (3.0, 6.0, 6.0));
        assert!((told.p50 - 2.0).abs() < 0.002);
    }

    #[test]
    fn two_halves_add_up_to_the_whole() {
        let mut halves = [Latencies::default(), Latencies::default()];
        let mut whole = Latencies::default();
        for nanos in (0..4000u64).map(|n| n * n * 7) {
            halves[nanos as usize % 2].record(Duration::from_nanos(nanos));
            whole.record(Duration::from_nanos(nanos));
        }
        let [mut sum, other] = halves;
        sum.add(&other);
        assert_eq!(sum.report(), whole.report());
    }

    #[test]
    fn of_no_request_there_is_no_latency() {
        assert_eq!(Latencies::default().quantile(990), None);
        assert_eq!(Latencies::default().report(), report::Latency::default());
    }
}
