//! Jitter: a time drawn from nothing up to a given one.

use schism_core::{Draw, Duration};

/// A time drawn uniformly from nothing up to this one (lib/cluster.go, `RandomStagger`).
pub fn stagger(of: Duration, luck: Draw) -> Duration {
    Duration::from_nanos(((u128::from(of.as_nanos()) * u128::from(luck.word())) >> 64) as u64)
}
