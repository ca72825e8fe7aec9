//! A token bucket: so many requests at once, and one more every so often.

use schism_core::{Duration, Time};

/// A bucket, as the moment at which it will be full (the "virtual scheduling" form of the leaky bucket, ITU-T I.371): it
/// needs no refilling and no fractions of tokens.
#[derive(Clone, Copy, Debug)]
pub struct Bucket {
    /// One token comes every so often.
    gap: Duration,
    /// How many there are at most: at least one.
    burst: u32,
    full: Time,
}

impl Bucket {
    /// A full bucket.
    pub fn new(gap: Duration, burst: u32) -> Bucket {
        Bucket { gap, burst, full: Time::START }
    }

    /// Takes a token, if there is one.
    pub fn take(&mut self, now: Time) -> bool {
        let full = self.full.max(now);
        let there_is = full.since(now) + self.gap <= self.gap * u64::from(self.burst);
        if there_is {
            self.full = full + self.gap;
        }
        there_is
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_every_gap() {
        let mut bucket = Bucket::new(Duration::from_millis(100), 3);
        let mut at = |millis: u64| bucket.take(Time::START + Duration::from_millis(millis));
        assert_eq!([at(0), at(0), at(0), at(0)], [true, true, true, false]);
        assert_eq!([at(99), at(100), at(150), at(200)], [false, true, false, true]);
        // Idle, it fills up again, and no further.
        assert_eq!([at(10_000), at(10_000), at(10_000), at(10_000)], [true, true, true, false]);
    }
}
