//! Statistics: Kolmogorov-Smirnov tests, quantiles, and confidence intervals by batch means.

/// A Kolmogorov-Smirnov test: how far two distributions lie apart, and how likely chance alone parts them that far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ks {
    /// The greatest distance between the two distribution functions.
    pub d: f64,
    /// The probability of such a distance or a greater one if both are the same.
    pub p: f64,
}

/// One sample against a continuous distribution function.
pub fn ks(sample: &[f64], cdf: impl Fn(f64) -> f64) -> Ks {
    assert!(!sample.is_empty(), "nothing can be said of no sample");
    let sorted = sorted(sample);
    let n = sorted.len() as f64;
    let apart = |(rank, &x): (usize, &f64)| {
        let expected = cdf(x);
        (expected - rank as f64 / n).abs().max(((rank + 1) as f64 / n - expected).abs())
    };
    let d = sorted.iter().enumerate().map(apart).fold(0.0, f64::max);
    Ks { d, p: kolmogorov(d, n) }
}

/// Two samples against each other.
pub fn ks_two(a: &[f64], b: &[f64]) -> Ks {
    assert!(!a.is_empty() && !b.is_empty(), "nothing can be said of no sample");
    let (a, b) = (sorted(a), sorted(b));
    let share = |of: &[f64], x: f64| of.partition_point(|&y| y <= x) as f64 / of.len() as f64;
    let d = a.iter().chain(&b).map(|&x| (share(&a, x) - share(&b, x)).abs()).fold(0.0, f64::max);
    let (n, m) = (a.len() as f64, b.len() as f64);
    Ks { d, p: kolmogorov(d, n * m / (n + m)) }
}

/// The tail of Kolmogorov's distribution, 2 sum (-1)^(k-1) exp(-2 k^2 x^2), at x = (sqrt n + 0.12 + 0.11 / sqrt n) d:
/// Stephens' approximation, good from n = 4 on (J. R. Stat. Soc. B 32, 1970).
fn kolmogorov(d: f64, n: f64) -> f64 {
    let root = libm::sqrt(n);
    let x = (root + 0.12 + 0.11 / root) * d;
    // Below this the series converges slowly, and to one.
    if x < 0.2 {
        return 1.0;
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * libm::exp(-2.0 * f64::from(k * k) * x * x);
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// The distribution function of the uniform distribution between two numbers.
pub fn uniform(from: f64, to: f64) -> impl Fn(f64) -> f64 {
    move |x| ((x - from) / (to - from)).clamp(0.0, 1.0)
}

/// The quantile of a sample, by the nearest rank.
pub fn quantile(sample: &[f64], share: f64) -> f64 {
    assert!(!sample.is_empty(), "no sample has no quantiles");
    let sorted = sorted(sample);
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

/// The least, the tenth, the median, the ninetieth percentile and the greatest, for messages.
pub fn summary(sample: &[f64]) -> String {
    let [min, p10, p50, p90, max] = [0.0, 0.1, 0.5, 0.9, 1.0].map(|share| quantile(sample, share));
    format!("n {} min {min:.3} p10 {p10:.3} p50 {p50:.3} p90 {p90:.3} max {max:.3}", sample.len())
}

/// That all of a sample lies between two numbers, or is one of them.
///
/// # Panics
/// If it does not, or there is no sample.
pub fn within(what: &str, sample: &[f64], least: f64, most: f64) {
    assert!(!sample.is_empty(), "{what}: there is nothing to look at");
    assert!(
        sample.iter().all(|x| (least..=most).contains(x)),
        "{what}: {} in {least}..{most}",
        summary(sample)
    );
}

/// The arithmetic mean.
pub fn mean(sample: &[f64]) -> f64 {
    assert!(!sample.is_empty(), "no sample has no mean");
    sample.iter().sum::<f64>() / sample.len() as f64
}

/// A mean and how far off it may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// Half the width of the confidence interval.
    pub half: f64,
}

impl Interval {
    /// Whether a value lies within it.
    pub fn contains(&self, value: f64) -> bool {
        (value - self.mean).abs() <= self.half
    }
}

/// The two-sided 99% point of Student's distribution with 30 degrees of freedom; with more, the interval is a little
/// too wide.
const T_99: f64 = 2.750;

/// The 99% confidence interval of a mean from the means of independent batches, of which there must be more than 30:
/// so many that Student's distribution is nearly normal.
pub fn batch_means(batches: &[f64]) -> Interval {
    assert!(batches.len() > 30, "fewer batches would need another quantile");
    let mean = mean(batches);
    let n = batches.len() as f64;
    let variance = batches.iter().map(|batch| (batch - mean) * (batch - mean)).sum::<f64>() / (n - 1.0);
    Interval { mean, half: T_99 * libm::sqrt(variance / n) }
}

fn sorted(sample: &[f64]) -> Vec<f64> {
    let mut sorted = sample.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evenly spread over [0, 1): the most uniform sample there is.
    fn even(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 + 0.5) / n as f64).collect()
    }

    #[test]
    fn kolmogorovs_tail_has_its_tabulated_points() {
        // The asymptotic critical values: 1.2238, 1.3581 and 1.6276 for 10%, 5% and 1%.
        for (x, p) in [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01)] {
            let n = 1e8;
            assert!((kolmogorov(x / libm::sqrt(n), n) - p).abs() < 1e-3, "{x}");
        }
    }

    #[test]
    fn a_sample_agrees_with_its_own_distribution() {
        let Ks { d, p } = ks(&even(500), uniform(0.0, 1.0));
        assert!((d - 0.001).abs() < 1e-9 && p > 0.999, "{d} {p}");
        assert!(ks_two(&even(500), &even(300)).p > 0.999);
    }

    #[test]
    fn a_shifted_sample_is_rejected() {
        let shifted: Vec<f64> = even(500).iter().map(|x| x + 0.12).collect();
        assert!(ks(&shifted, uniform(0.0, 1.0)).p < 1e-5);
        assert!(ks_two(&shifted, &even(500)).p < 1e-2);
        assert!((ks_two(&shifted, &even(500)).d - 0.12).abs() < 0.003);
    }

    #[test]
    fn a_narrower_sample_of_the_same_mean_is_rejected() {
        let narrow: Vec<f64> = even(500).iter().map(|x| 0.25 + x / 2.0).collect();
        assert!(ks(&narrow, uniform(0.0, 1.0)).p < 1e-9);
        assert!(ks_two(&narrow, &even(500)).p < 1e-9);
    }

    #[test]
    fn a_small_difference_shows_only_in_a_large_sample() {
        let shifted = |n| even(n).iter().map(|x| x + 0.05).collect::<Vec<f64>>();
        assert!(ks(&shifted(50), uniform(0.0, 1.0)).p > 0.5);
        assert!(ks(&shifted(5_000), uniform(0.0, 1.0)).p < 1e-9);
    }

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let sample = [4.0, 1.0, 3.0, 2.0];
        let at = |share| quantile(&sample, share);
        assert_eq!([at(0.0), at(0.25), at(0.26), at(0.5), at(1.0)].map(|x| x as u32), [1, 1, 2, 2, 4]);
    }

    #[test]
    fn an_interval_holds_the_mean_and_not_what_is_far_from_it() {
        let interval = batch_means(&even(100));
        assert!(
            interval.contains(0.5) && interval.contains(0.43) && !interval.contains(0.41),
            "{interval:?}"
        );
    }
}
