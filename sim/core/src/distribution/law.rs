//! A distribution in the parameters it was made of, so that it can be written down again.

use super::{Distribution, Duration, Shape, TEN_YEARS};

/// The parameters of a distribution. Making one of them anew gives the same distribution, except that a lognormal one
/// that was made by its mean is given by its quantiles to the nanosecond.
#[derive(Clone, PartialEq, Debug)]
pub enum Law {
    /// Always this time.
    Constant(Duration),
    /// Any time between the two.
    Uniform {
        /// The shortest.
        from: Duration,
        /// The longest.
        to: Duration,
    },
    /// Memoryless.
    Exponential {
        /// The mean.
        mean: Duration,
    },
    /// The bell, cut at zero.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        sd: Duration,
    },
    /// Long-tailed.
    Lognormal {
        /// The median.
        p50: Duration,
        /// The 99th percentile.
        p99: Duration,
    },
    /// Heavy-tailed.
    Pareto {
        /// The shortest.
        scale: Duration,
        /// The exponent of the tail.
        shape: f64,
    },
    /// One of these, sorted.
    Empirical(Vec<Duration>),
}

impl Distribution {
    /// What it was made of, without its cap.
    pub fn law(&self) -> Law {
        let nanos = |time: f64| Duration::from_nanos((time + 0.5) as u64);
        match self.shape {
            Shape::Constant(value) => Law::Constant(value),
            Shape::Uniform { from, to } => Law::Uniform { from: nanos(from), to: nanos(to) },
            Shape::Exponential { mean } => Law::Exponential { mean: nanos(mean) },
            Shape::Normal { mean, sd } => Law::Normal { mean: nanos(mean), sd: nanos(sd) },
            Shape::Lognormal { median, .. } => {
                let uncapped = Distribution { shape: self.shape.clone(), cap: TEN_YEARS };
                Law::Lognormal { p50: nanos(median), p99: uncapped.quantile(0.99) }
            }
            Shape::Pareto { scale, shape } => Law::Pareto { scale: nanos(scale), shape },
            Shape::Empirical(ref sorted) => Law::Empirical(sorted.to_vec()),
        }
    }

    /// The cap it was given, if any.
    pub fn cap(&self) -> Option<Duration> {
        (self.cap < TEN_YEARS).then_some(self.cap)
    }
}
