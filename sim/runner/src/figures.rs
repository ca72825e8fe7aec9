//! Figures: whole nanoseconds and counts as the numbers of a report, the same bytes on every machine.

use schism_core::{Duration, Time};

/// Seconds since the start. The nearest float to a whole number of nanoseconds, so it prints as at most nine decimals.
pub(crate) fn secs(at: Time) -> f64 {
    at.as_secs_f64()
}

/// A length in seconds.
pub(crate) fn length(of: Duration) -> f64 {
    of.as_secs_f64()
}

/// A latency in milliseconds.
pub(crate) fn millis(of: Duration) -> f64 {
    of.as_millis_f64()
}

/// `part / whole` to nine decimals; `None` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<f64> {
    const BILLION: u128 = 1_000_000_000;
    let billionths = |whole: u128| (u128::from(part) * BILLION + whole / 2) / whole;
    (whole > 0).then(|| billionths(u128::from(whole)) as f64 / BILLION as f64)
}
