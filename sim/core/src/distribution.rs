//! How long things take: distributions of time, each sampled by the inverse of its distribution function.
//!
//! One draw gives one value, and a greater draw never a shorter time. That is what couples runs to each other: when
//! two strategies, or two settings of one distribution, meet the same draw, both meet its luck. A slow request is slow
//! for both, their difference has less variance than two independent runs would give it, and no rejection loop can
//! make them consume different amounts of luck. (Common random numbers with inversion: Law, *Simulation Modeling and
//! Analysis*, 5th edition, section 11.2.)

mod law;
mod real;

pub use law::Law;

use crate::{Draw, Duration};
use real::{exp, ln, normal_cdf, normal_density, normal_quantile};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A distribution of time, from zero to ten years, ready to be sampled.
#[derive(Clone, PartialEq, Debug)]
pub struct Distribution {
    shape: Shape,
    cap: Duration,
}

/// Times in nanoseconds, as floats, where they are to be computed with.
#[derive(Clone, PartialEq, Debug)]
enum Shape {
    Constant(Duration),
    Uniform { from: f64, to: f64 },
    Exponential { mean: f64 },
    Normal { mean: f64, sd: f64 },
    Lognormal { median: f64, sigma: f64 },
    Pareto { scale: f64, shape: f64 },
    Empirical(Arc<[Duration]>),
}

/// By the bits of each number: the same parameters give the same digest on every machine.
impl Hash for Distribution {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.cap.hash(state);
        match &self.shape {
            Shape::Constant(value) => (0_u64, value).hash(state),
            Shape::Uniform { from, to } => (1_u64, from.to_bits(), to.to_bits()).hash(state),
            Shape::Exponential { mean } => (2_u64, mean.to_bits()).hash(state),
            Shape::Normal { mean, sd } => (3_u64, mean.to_bits(), sd.to_bits()).hash(state),
            Shape::Lognormal { median, sigma } => (4_u64, median.to_bits(), sigma.to_bits()).hash(state),
            Shape::Pareto { scale, shape } => (5_u64, scale.to_bits(), shape.to_bits()).hash(state),
            Shape::Empirical(sorted) => (6_u64, sorted).hash(state),
        }
    }
}

/// The longest time that can be drawn: ten years of 365.25 days.
const TEN_YEARS: Duration = Duration::from_secs(315_576_000);

/// Making them, from parameters that somebody wrote.
impl Distribution {
    /// Always no time at all.
    pub const ZERO: Distribution = Distribution::of(Shape::Constant(Duration::ZERO));

    const fn of(shape: Shape) -> Distribution {
        Distribution { shape, cap: TEN_YEARS }
    }

    /// Always `value`.
    ///
    /// # Errors
    ///
    /// If `value` is more than ten years, as for every time below.
    pub fn constant(value: Duration) -> Result<Distribution, DistributionError> {
        check_length("value", value)?;
        Ok(Distribution::of(Shape::Constant(value)))
    }

    /// Any time between the two, none likelier than another.
    ///
    /// # Errors
    ///
    /// If `to` is less than `from`.
    pub fn uniform(from: Duration, to: Duration) -> Result<Distribution, DistributionError> {
        check_length("to", to)?;
        if to < from {
            return Err(DistributionError::Order { lesser: "from", greater: "to" });
        }
        if from == to {
            return Distribution::constant(from);
        }
        Ok(Distribution::of(Shape::Uniform { from: nanos(from), to: nanos(to) }))
    }

    /// The time between events that do not remember each other: `-mean * ln(1 - u)`.
    ///
    /// # Errors
    ///
    /// If `mean` is zero or too long.
    pub fn exponential(mean: Duration) -> Result<Distribution, DistributionError> {
        check_positive("mean", mean)?;
        Ok(Distribution::of(Shape::Exponential { mean: nanos(mean) }))
    }

    /// The bell, with what would be less than zero put at zero.
    ///
    /// It is cut at zero by moving, not by drawing again: the median stays `mean`, while [`mean`](Distribution::mean)
    /// grows as `sd` comes near the mean. By 0.01% of it at three standard deviations, by 8% at one.
    ///
    /// # Errors
    ///
    /// If either is too long.
    pub fn normal(mean: Duration, sd: Duration) -> Result<Distribution, DistributionError> {
        check_length("mean", mean)?;
        check_length("sd", sd)?;
        if sd == Duration::ZERO {
            return Distribution::constant(mean);
        }
        Ok(Distribution::of(Shape::Normal { mean: nanos(mean), sd: nanos(sd) }))
    }

    /// The long-tailed time of a healthy service, by what its dashboard shows: its median and 99th percentile.
    ///
    /// `sigma` is `ln(p99 / p50)` divided by the 99% quantile of the standard normal distribution.
    ///
    /// # Errors
    ///
    /// If `p50` is zero, or `p99` is less than `p50` or too long.
    pub fn lognormal(p50: Duration, p99: Duration) -> Result<Distribution, DistributionError> {
        check_positive("p50", p50)?;
        check_length("p99", p99)?;
        if p99 < p50 {
            return Err(DistributionError::Order { lesser: "p50", greater: "p99" });
        }
        if p99 == p50 {
            return Distribution::constant(p50);
        }
        let sigma = ln(nanos(p99) / nanos(p50)) / normal_quantile(0.99);
        Ok(Distribution::of(Shape::Lognormal { median: nanos(p50), sigma }))
    }

    /// The same long-tailed time, by its mean and standard deviation.
    ///
    /// `sigma^2` is `ln(1 + (sd / mean)^2)`, and the median is the mean divided by `sqrt(1 + (sd / mean)^2)`.
    ///
    /// # Errors
    ///
    /// If `mean` is zero, or either is too long.
    pub fn lognormal_by_mean(mean: Duration, sd: Duration) -> Result<Distribution, DistributionError> {
        check_positive("mean", mean)?;
        check_length("sd", sd)?;
        if sd == Duration::ZERO {
            return Distribution::constant(mean);
        }
        let variation = nanos(sd) / nanos(mean);
        let square = variation * variation;
        let median = nanos(mean) / libm::sqrt(1.0 + square);
        Ok(Distribution::of(Shape::Lognormal { median, sigma: libm::sqrt(libm::log1p(square)) }))
    }

    /// At least `scale`, and beyond any `x` above it with probability `(scale / x)^shape`.
    ///
    /// With a `shape` of one or less the mean is finite only because nothing exceeds ten years: give a
    /// [cap](Distribution::capped).
    ///
    /// # Errors
    ///
    /// If `scale` is zero or too long, or `shape` is not a positive, finite number.
    pub fn pareto(scale: Duration, shape: f64) -> Result<Distribution, DistributionError> {
        check_positive("scale", scale)?;
        if !(shape > 0.0 && shape.is_finite()) {
            return Err(DistributionError::Shape { given: shape });
        }
        Ok(Distribution::of(Shape::Pareto { scale: nanos(scale), shape }))
    }

    /// One of the times observed, each as likely as it was seen.
    ///
    /// Quantiles are by nearest rank (the `ceil(p n)`-th of `n`), not interpolated: only what was observed is drawn.
    ///
    /// # Errors
    ///
    /// If there are none, or one is more than ten years.
    pub fn empirical(observed: impl Into<Vec<Duration>>) -> Result<Distribution, DistributionError> {
        let mut sorted: Vec<Duration> = observed.into();
        sorted.sort_unstable();
        let longest = *sorted.last().ok_or(DistributionError::Empty)?;
        check_length("values", longest)?;
        Ok(Distribution::of(Shape::Empirical(sorted.into())))
    }

    /// The same, with what would be longer than `cap` put at `cap`. Of two caps the lesser holds.
    pub fn capped(self, cap: Duration) -> Distribution {
        Distribution { cap: self.cap.min(cap), ..self }
    }
}

/// Asking them.
impl Distribution {
    /// The time that this draw stands for: the quantile at `draw.unit()`, to the nearest nanosecond.
    ///
    /// It never falls as the word of the draw grows (but for a nanosecond, between words that differ in their last few
    /// bits, where the computation is rounded).
    #[inline]
    pub fn sample(&self, draw: Draw) -> Duration {
        self.at(draw.unit())
    }

    /// The time that a part `p` of all draws stays within.
    ///
    /// # Panics
    ///
    /// If `p` is not from zero to one.
    pub fn quantile(&self, p: f64) -> Duration {
        assert!((0.0..=1.0).contains(&p), "a quantile is asked for from zero to one, not {p}");
        self.at(p.clamp(LEAST_DRAW.unit(), GREATEST_DRAW.unit()))
    }

    /// The time that half of all draws stay within.
    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The shortest time that can be drawn: a bound for lookahead, even where the theory knows none but zero.
    pub fn minimum(&self) -> Duration {
        self.sample(LEAST_DRAW)
    }

    /// The longest time that can be drawn.
    pub fn maximum(&self) -> Duration {
        self.sample(GREATEST_DRAW)
    }

    /// Whether it is never any time at all.
    pub fn is_zero(&self) -> bool {
        self.maximum() == Duration::ZERO
    }

    /// The mean of the times as they are drawn: with the cap, and with what lies below zero at zero.
    pub fn mean(&self) -> Duration {
        to_duration(self.shape.mean_within(nanos(self.cap)))
    }

    #[inline]
    fn at(&self, u: f64) -> Duration {
        self.shape.quantile(u).min(self.cap)
    }
}

const LEAST_DRAW: Draw = Draw::new(0);
const GREATEST_DRAW: Draw = Draw::new(u64::MAX);

impl Shape {
    /// The inverse of the distribution function, for `u` strictly between zero and one.
    #[inline]
    fn quantile(&self, u: f64) -> Duration {
        match *self {
            Shape::Constant(value) => value,
            Shape::Uniform { from, to } => to_duration(from + (to - from) * u),
            Shape::Exponential { mean } => to_duration(-mean * ln(1.0 - u)),
            Shape::Normal { mean, sd } => to_duration(mean + sd * normal_quantile(u)),
            Shape::Lognormal { median, sigma } => to_duration(median * exp(sigma * normal_quantile(u))),
            Shape::Pareto { scale, shape } => to_duration(scale * exp(-ln(1.0 - u) / shape)),
            Shape::Empirical(ref sorted) => sorted[nearest_rank(u, sorted.len())],
        }
    }

    /// The mean, in nanoseconds, of the lesser of a time and `cap`: the integral of the survival function up to `cap`.
    fn mean_within(&self, cap: f64) -> f64 {
        match *self {
            Shape::Constant(value) => nanos(value).min(cap),
            Shape::Uniform { from, .. } if cap <= from => cap,
            Shape::Uniform { from, to } => {
                let reached = cap.min(to);
                reached - (reached - from) * (reached - from) / (2.0 * (to - from))
            }
            Shape::Exponential { mean } => -mean * libm::expm1(-cap / mean),
            Shape::Normal { mean, sd } => normal_excess(mean, sd, 0.0) - normal_excess(mean, sd, cap),
            Shape::Lognormal { .. } | Shape::Pareto { .. } if cap <= 0.0 => 0.0,
            Shape::Lognormal { median, sigma } => {
                let z = libm::log(cap / median) / sigma;
                let mean = median * libm::exp(0.5 * sigma * sigma);
                mean * normal_cdf(z - sigma) + cap * normal_cdf(-z)
            }
            Shape::Pareto { scale, .. } if cap <= scale => cap,
            Shape::Pareto { scale, shape } => {
                let (beyond_one, log) = (shape - 1.0, libm::log(cap / scale));
                // The second is the limit of the first, which loses its digits there.
                let beyond_scale = if (beyond_one * log).abs() > 1e-9 {
                    -libm::expm1(-beyond_one * log) / beyond_one
                } else {
                    log
                };
                scale * (1.0 + beyond_scale)
            }
            Shape::Empirical(ref sorted) => {
                sorted.iter().map(|&value| nanos(value).min(cap)).sum::<f64>() / sorted.len() as f64
            }
        }
    }
}

/// The mean of what a normal variable has beyond `bound`, counting nothing where it stays below.
fn normal_excess(mean: f64, sd: f64, bound: f64) -> f64 {
    let z = (mean - bound) / sd;
    (mean - bound) * normal_cdf(z) + sd * normal_density(z)
}

/// Which of `n` sorted values is the `u`-quantile: the `ceil(u n)`-th, counted here from zero.
#[inline]
fn nearest_rank(u: f64, n: usize) -> usize {
    (libm::ceil(u * n as f64) as usize).clamp(1, n) - 1
}

fn nanos(of: Duration) -> f64 {
    of.as_nanos() as f64
}

/// The nearest nanosecond. The conversion saturates: less than zero is zero, and too long is left to the cap.
#[inline]
fn to_duration(nanos: f64) -> Duration {
    Duration::from_nanos((nanos + 0.5) as u64)
}

/// Why parameters make no distribution.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum DistributionError {
    /// A time that must be positive is zero.
    Zero {
        /// The name of the parameter.
        parameter: &'static str,
    },
    /// A time is more than ten years.
    TooLong {
        /// The name of the parameter.
        parameter: &'static str,
        /// The time given.
        given: Duration,
    },
    /// Two times are the wrong way around.
    Order {
        /// The name of the parameter that should be the lesser.
        lesser: &'static str,
        /// The name of the parameter that should be the greater.
        greater: &'static str,
    },
    /// The shape is not a positive, finite number.
    Shape {
        /// The number given.
        given: f64,
    },
    /// No times were observed.
    Empty,
}

impl DistributionError {
    /// The name of the parameter to be changed.
    pub fn parameter(&self) -> &'static str {
        match *self {
            DistributionError::Zero { parameter } | DistributionError::TooLong { parameter, .. } => parameter,
            DistributionError::Order { greater, .. } => greater,
            DistributionError::Shape { .. } => "shape",
            DistributionError::Empty => "values",
        }
    }
}

impl fmt::Display for DistributionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DistributionError::Zero { parameter } => {
                write!(f, "`{parameter}` is zero; make it at least 1ns, or use a constant of 0s")
            }
            DistributionError::TooLong { parameter, given } => {
                write!(f, "`{parameter}` is {given}, which is more than ten years; make it shorter")
            }
            DistributionError::Order { lesser, greater } => {
                write!(f, "`{greater}` is less than `{lesser}`; raise `{greater}` or lower `{lesser}`")
            }
            DistributionError::Shape { given } => {
                write!(
                    f,
                    "`shape` is {given}; make it a positive number, such as 1.5 (less is a heavier tail)"
                )
            }
            DistributionError::Empty => {
                write!(f, "`values` is empty; give at least one time, or use a constant")
            }
        }
    }
}

impl std::error::Error for DistributionError {}

fn check_length(parameter: &'static str, given: Duration) -> Result<(), DistributionError> {
    if given > TEN_YEARS {
        return Err(DistributionError::TooLong { parameter, given });
    }
    Ok(())
}

fn check_positive(parameter: &'static str, given: Duration) -> Result<(), DistributionError> {
    if given == Duration::ZERO {
        return Err(DistributionError::Zero { parameter });
    }
    check_length(parameter, given)
}

#[cfg(test)]
mod tests;
