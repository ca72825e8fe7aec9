//! gRPC's exponential back-off.

use schism_core::{Draw, Duration};

/// The first: 1 s (grpc-go, internal/backoff/backoff.go, `baseDelay`; doc/connection-backoff.md).
const BASE: Duration = Duration::from_secs(1);
/// The longest, before jitter: 120 s (`maxDelay`).
const MOST: Duration = Duration::from_secs(120);

/// How long to wait after so many failures in a row: 1.6 times as long each time (`factor`), and up to a fifth more or
/// less (`jitter`).
pub(super) fn wait(failures: u32, luck: Draw) -> Duration {
    let mut wait = BASE.as_nanos();
    for _ in 0..failures {
        if wait >= MOST.as_nanos() {
            break;
        }
        wait = wait / 5 * 8;
    }
    let wait = wait.min(MOST.as_nanos());
    // From four fifths of it on, up to two fifths more.
    let more = (u128::from(luck.word()) * u128::from(wait / 5 * 2)) >> 64;
    Duration::from_nanos(wait / 5 * 4 + more as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(failures: u32) -> (u64, u64) {
        let millis = |luck| wait(failures, luck).as_nanos() / 1_000_000;
        (millis(Draw::new(0)), millis(Draw::new(u64::MAX)))
    }

    #[test]
    fn the_first_wait_is_longer_than_a_second() {
        assert_eq!(bounds(1), (1280, 1919));
        assert_eq!(bounds(2), (2048, 3071));
    }

    #[test]
    fn no_wait_is_longer_than_two_minutes_and_a_fifth() {
        // 1.6^11 is above 120, and 1.6^10 below.
        assert_eq!(bounds(10), (87_960, 131_941));
        assert_eq!(bounds(11), (96_000, 143_999));
        assert_eq!(bounds(1000), (96_000, 143_999));
    }
}
