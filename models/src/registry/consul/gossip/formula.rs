//! The formulas by which gossip grows with the cluster, and a suspicion shrinks with what confirms it.

use schism_core::Duration;

/// How long a suspicion lasts at least: `mult * max(1, log10 n)` times the probe interval (`suspicionTimeout`, util.go),
/// the logarithm cut off after three digits as there.
pub fn suspicion_timeout(mult: u32, n: u32, interval: Duration) -> Duration {
    let scale = libm::log10(f64::from(n.max(1))).max(1.0);
    let thousandths = (scale * 1_000.0) as u64;
    interval * (u64::from(mult) * thousandths) / 1_000
}

/// How long a suspicion lasts in all, with so many of `k` wanted confirmations (`remainingSuspicionTime`, suspicion.go,
/// less what has passed): `max - ln (confirmed + 1) / ln (k + 1) * (max - min)`, whole milliseconds, at least `min`.
pub fn suspicion_length(confirmed: u32, k: u32, min: Duration, max: Duration) -> Duration {
    assert!(k > 0, "who wants no confirmations waits for the least time from the start");
    let share = libm::log(f64::from(confirmed) + 1.0) / libm::log(f64::from(k) + 1.0);
    let seconds = max.as_secs_f64() - share * (max.as_secs_f64() - min.as_secs_f64());
    Duration::from_millis((1_000.0 * seconds).floor() as u64).max(min)
}

/// How often one piece of news is sent: `mult * ceil(log10 (n + 1))` times (`retransmitLimit`, util.go).
pub fn retransmit_limit(mult: u32, n: u32) -> u32 {
    let digits = (0..).find(|&digits| 10_u64.pow(digits) > u64::from(n)).expect("a power of ten is greater");
    mult * digits
}

/// How often everything is exchanged: more rarely by one interval with each doubling beyond 32 (`pushPullScale`, util.go).
pub fn push_pull_interval(interval: Duration, n: u32) -> Duration {
    let doublings =
        (0..).find(|&doublings| u64::from(n) <= 32 << doublings).expect("a power of two is greater");
    interval * (doublings + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// memberlist 0.2.2, util_test.go, `TestSuspicionTimeout`.
    #[test]
    fn the_suspicion_timeout_grows_with_the_cluster() {
        for (n, millis) in [(5, 1_000), (10, 1_000), (50, 1_698), (100, 2_000), (500, 2_698), (1_000, 3_000)]
        {
            assert_eq!(suspicion_timeout(3, n, SECOND) / 3, Duration::from_millis(millis), "{n}");
        }
    }

    /// memberlist 0.2.2, suspicion_test.go, `TestSuspicion_remainingSuspicionTime`: what remains, and what has passed.
    #[test]
    fn each_confirmation_shortens_a_suspicion() {
        let (min, max) = (Duration::from_secs(2), Duration::from_secs(30));
        let cases =
            [(0, 0, 30_000), (1, 2, 14_000), (2, 3, 4_810), (3, 4, -2_000), (4, 5, -3_000), (5, 10, -8_000)];
        for (confirmed, elapsed, remaining) in cases {
            let length = suspicion_length(confirmed, 3, min, max).as_nanos() as i64 / 1_000_000;
            assert_eq!(length - elapsed * 1_000, remaining, "{confirmed} confirmations");
        }
    }

    /// The same file, `TestSuspicion_Timer`, which allows 25 ms more than 810.
    #[test]
    fn two_of_three_confirmations_leave_811_milliseconds() {
        let length = |confirmed| suspicion_length(confirmed, 3, Duration::from_millis(500), SECOND * 2);
        assert_eq!([1, 2, 3].map(length), [1_250, 811, 500].map(Duration::from_millis));
    }

    /// memberlist 0.2.2, util_test.go, `TestRetransmitLimit`.
    #[test]
    fn news_are_sent_more_often_by_the_digits_of_the_cluster() {
        assert_eq!([0, 1, 99].map(|n| retransmit_limit(3, n)), [0, 3, 6]);
        assert_eq!([8, 9, 10, 100].map(|n| retransmit_limit(4, n)), [4, 4, 8, 12]);
    }

    /// memberlist 0.2.2, util_test.go, `TestPushPullScale`.
    #[test]
    fn exchanges_are_rarer_beyond_32_and_with_each_doubling() {
        for (ns, times) in [(0..=32, 1), (33..=64, 2), (65..=128, 3)] {
            assert!(ns.clone().all(|n| push_pull_interval(SECOND, n) == SECOND * times), "{ns:?}");
        }
        assert_eq!(push_pull_interval(SECOND * 30, 5_000), SECOND * 270);
    }
}
