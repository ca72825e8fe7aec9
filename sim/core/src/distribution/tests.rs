//! Each distribution against its theory, and to the nanosecond against its past.

use super::*;
use crate::Seed;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// One of each, all with times of some milliseconds.
fn every_shape() -> Vec<(&'static str, Distribution)> {
    [
        ("constant", Distribution::constant(ms(10))),
        ("uniform", Distribution::uniform(ms(5), ms(20))),
        ("exponential", Distribution::exponential(ms(10))),
        ("normal", Distribution::normal(ms(10), ms(8))),
        ("lognormal", Distribution::lognormal(ms(5), ms(50))),
        ("lognormal by mean", Distribution::lognormal_by_mean(ms(10), ms(5))),
        ("pareto", Distribution::pareto(ms(5), 2.5)),
        ("empirical", Distribution::empirical([7, 3, 3, 11].map(ms))),
    ]
    .into_iter()
    .map(|(name, made)| (name, made.expect("a good distribution")))
    .collect()
}

fn draws(count: usize) -> impl Iterator<Item = Draw> {
    let mut luck = Seed(11).luck("anyone", "distribution", 0);
    (0..count).map(move |_| luck.draw())
}

/// The portability contract: these nanoseconds come out on every machine. A change needs a new engine version.
#[test]
fn the_golden_times_have_not_moved() {
    let words = [0, 1 << 50, 0x0123_4567_89ab_cdef, 1 << 63, 0xfedc_ba98_7654_3210, u64::MAX];
    let actual: Vec<String> = every_shape()
        .into_iter()
        .map(|(name, d)| {
            let times = words.map(|word| d.sample(Draw::new(word)).as_nanos());
            format!("{name} {times:?}")
        })
        .collect();
    let expected = [
        "constant [10000000, 10000000, 10000000, 10000000, 10000000, 10000000]",
        "uniform [5000000, 5000916, 5066667, 12500000, 19933333, 20000000]",
        "exponential [0, 610, 44544, 6931472, 54161004, 367368006]",
        "normal [0, 0, 0, 10000000, 30930386, 75676289]",
        "lognormal [1479, 111554, 375260, 5000000, 66620451, 16900807755]",
        "lognormal by mean [185071, 1456679, 2598994, 8944272, 30781140, 432265496]",
        "pareto [5000000, 5000122, 5008917, 6597540, 43635807, 12044975262894]",
        "empirical [3000000, 3000000, 3000000, 7000000, 11000000, 11000000]",
    ];
    assert_eq!(actual, expected);
}

#[test]
fn samples_follow_the_theory() {
    check_fit(Distribution::uniform(ms(5), ms(20)), |x| (x - 5.0) / 15.0);
    check_fit(Distribution::exponential(ms(10)), |x| -libm::expm1(-x / 10.0));
    check_fit(Distribution::normal(ms(10), ms(2)), |x| normal_cdf((x - 10.0) / 2.0));
    let sigma = libm::log(10.0) / 2.326_347_874_040_841;
    check_fit(Distribution::lognormal(ms(5), ms(50)), |x| normal_cdf(libm::log(x / 5.0) / sigma));
    let sigma2 = libm::log(1.25);
    check_fit(Distribution::lognormal_by_mean(ms(10), ms(5)), |x| {
        normal_cdf((libm::log(x / 10.0) + sigma2 / 2.0) / libm::sqrt(sigma2))
    });
    check_fit(Distribution::pareto(ms(5), 2.5), |x| 1.0 - libm::pow(5.0 / x, 2.5));
}

/// Kolmogorov and Smirnov: the greatest distance between the distribution of 20,000 samples and the theory.
fn check_fit(made: Result<Distribution, DistributionError>, cdf: impl Fn(f64) -> f64) {
    let d = made.expect("a good distribution");
    let mut samples: Vec<Duration> = draws(20_000).map(|draw| d.sample(draw)).collect();
    samples.sort_unstable();
    let n = samples.len() as f64;
    let distance = samples
        .iter()
        .enumerate()
        .map(|(i, x)| {
            let p = cdf(x.as_millis_f64());
            (p - i as f64 / n).abs().max((p - (i + 1) as f64 / n).abs())
        })
        .fold(0.0, f64::max);
    // One set of samples in a thousand would be further.
    assert!(distance * libm::sqrt(n) < 1.95, "{d:?} is {distance} away");
}

#[test]
fn a_lognormal_meets_the_percentiles_it_was_given() {
    for (p50, p99) in [(5, 50), (1, 2), (20, 21), (1, 86_400_000)] {
        let d = Distribution::lognormal(ms(p50), ms(p99)).expect("a good distribution");
        assert_eq!(d.median(), ms(p50));
        let missed = d.quantile(0.99).as_nanos().abs_diff(ms(p99).as_nanos());
        // A rounding of one part in 10^14 is one nanosecond in a day.
        assert!(missed <= 1 + ms(p99).as_nanos() / 100_000_000_000_000, "{missed} ns");
    }
}

#[test]
fn a_lognormal_meets_the_mean_and_deviation_it_was_given() {
    let d = Distribution::lognormal_by_mean(ms(10), ms(5)).expect("a good distribution");
    assert_eq!(d.mean(), ms(10));
    let (mean, sd) = moments(&d);
    assert!((mean - 10.0).abs() < 0.001, "{mean}");
    assert!((sd - 5.0).abs() < 0.005, "{sd}");
}

#[test]
fn a_normal_far_from_zero_meets_its_mean_and_deviation() {
    let d = Distribution::normal(ms(10), ms(1)).expect("a good distribution");
    assert_eq!(d.mean(), ms(10));
    let (mean, sd) = moments(&d);
    assert!((mean - 10.0).abs() < 0.001 && (sd - 1.0).abs() < 0.001, "{mean} {sd}");
}

/// The mean and standard deviation, in milliseconds, of a million equal slices of the luck.
fn moments(d: &Distribution) -> (f64, f64) {
    let slices = 1_000_000;
    let values = || (0..slices).map(|i| d.quantile((f64::from(i) + 0.5) / f64::from(slices)).as_millis_f64());
    let mean = values().sum::<f64>() / f64::from(slices);
    let variance = values().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(slices);
    (mean, libm::sqrt(variance))
}

#[test]
fn the_mean_is_that_of_what_is_drawn() {
    for (name, d) in every_shape() {
        for cap in [ms(0), ms(2), ms(6), ms(12), ms(100), ms(1_000_000)] {
            let d = d.clone().capped(cap);
            let (drawn, told) = (moments(&d).0, d.mean().as_millis_f64());
            assert!((drawn - told).abs() < 0.002, "{name} capped at {cap}: drawn {drawn}, told {told}");
        }
    }
}

/// The mean of a Pareto distribution passes through its singular shape without a step.
#[test]
fn the_mean_of_a_pareto_is_smooth_at_one() {
    let mean = |shape| {
        Distribution::pareto(ms(1), shape).expect("a good shape").capped(ms(1000)).mean().as_millis_f64()
    };
    for shape in [1.0, 1.0 - 1e-11, 1.0 + 1e-11, 1.0 - 1e-7, 1.0 + 1e-7] {
        assert!((mean(shape) - (1.0 + libm::log(1000.0))).abs() < 1e-5, "{shape}");
    }
}

#[test]
fn a_greater_draw_is_never_a_shorter_time() {
    for (name, d) in every_shape() {
        let mut last = d.minimum();
        for word in (0..=u64::MAX).step_by(1 << 49) {
            let next = d.sample(Draw::new(word));
            assert!(next >= last, "{name} fell at {word:#x}");
            last = next;
        }
        assert!(d.maximum() >= last, "{name}");
    }
}

#[test]
fn every_time_is_between_the_least_and_the_cap() {
    for (name, d) in every_shape() {
        let d = d.capped(ms(12));
        for time in draws(1000).map(|draw| d.sample(draw)) {
            assert!(d.minimum() <= time && time <= ms(12), "{name}");
        }
    }
    let heavy = Distribution::pareto(ms(1), 0.01).expect("a good shape");
    assert_eq!(heavy.maximum(), TEN_YEARS);
    assert_eq!(heavy.clone().capped(ms(9)).capped(ms(7)).capped(ms(8)).maximum(), ms(7));
    let extreme = Distribution::pareto(ms(1), f64::MIN_POSITIVE).expect("a good shape");
    assert_eq!((extreme.minimum(), extreme.maximum()), (TEN_YEARS, TEN_YEARS));
}

#[test]
fn observed_times_are_drawn_as_often_as_they_were_seen() {
    let d = Distribution::empirical([7, 3, 3, 11].map(ms)).expect("a good list");
    assert_eq!(d.median(), ms(3));
    let at = [0.0, 0.25, 0.5, 0.5001, 0.75, 0.7501, 1.0].map(|p| d.quantile(p));
    assert_eq!(at, [3, 3, 3, 7, 7, 11, 11].map(ms));
    assert_eq!(d.mean(), ms(6));
    let threes = draws(20_000).filter(|&draw| d.sample(draw) == ms(3)).count();
    assert!((9_717..=10_283).contains(&threes), "{threes}"); // four standard deviations
}

#[test]
fn nothing_is_zero_but_zero() {
    assert!(Distribution::ZERO.is_zero());
    assert!(Distribution::constant(Duration::ZERO).expect("zero is a time").is_zero());
    for (name, d) in every_shape() {
        assert!(!d.is_zero(), "{name}");
        assert!(d.capped(Duration::ZERO).is_zero(), "{name}");
    }
}

#[test]
fn without_spread_all_are_constant() {
    let constant = Distribution::constant(ms(5));
    assert_eq!(Distribution::uniform(ms(5), ms(5)), constant);
    assert_eq!(Distribution::normal(ms(5), ms(0)), constant);
    assert_eq!(Distribution::lognormal(ms(5), ms(5)), constant);
    assert_eq!(Distribution::lognormal_by_mean(ms(5), ms(0)), constant);
}

#[test]
fn nonsense_is_refused_with_its_name_and_a_remedy() {
    let zero = Duration::ZERO;
    let long = TEN_YEARS + Duration::from_nanos(1);
    let check = |made: Result<Distribution, DistributionError>, parameter: &str, says: &str| {
        let error = made.expect_err("nonsense");
        assert_eq!(error.parameter(), parameter);
        let text = error.to_string();
        assert!(text.contains(&format!("`{parameter}`")) && text.contains(says), "{text}");
    };
    check(Distribution::constant(long), "value", "more than ten years");
    check(Distribution::uniform(ms(2), ms(1)), "to", "raise `to` or lower `from`");
    check(Distribution::uniform(ms(2), long), "to", "make it shorter");
    check(Distribution::exponential(zero), "mean", "use a constant of 0s");
    check(Distribution::normal(ms(1), long), "sd", "make it shorter");
    check(Distribution::lognormal(zero, ms(1)), "p50", "use a constant of 0s");
    check(Distribution::lognormal(ms(2), ms(1)), "p99", "raise `p99` or lower `p50`");
    check(Distribution::lognormal_by_mean(zero, ms(1)), "mean", "use a constant of 0s");
    check(Distribution::pareto(zero, 1.5), "scale", "at least 1ns");
    for shape in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        check(Distribution::pareto(ms(1), shape), "shape", "a positive number");
    }
    check(Distribution::empirical([]), "values", "at least one");
    check(Distribution::empirical([long]), "values", "make it shorter");
}

#[test]
#[should_panic(expected = "a quantile is asked for from zero to one")]
fn a_quantile_beyond_one_panics() {
    let _ = Distribution::ZERO.quantile(f64::NAN);
}
