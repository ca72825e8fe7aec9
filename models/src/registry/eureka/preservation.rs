//! Self-preservation: a server that hears too few renewals believes in a broken network, and evicts nobody.

use schism_core::{Duration, Ratio};

use super::Version;

/// How many renewals a server expects, and how many it has heard (AbstractInstanceRegistry.java,
/// PeerAwareInstanceRegistryImpl.java and MeasuredRate.java of eureka-core, 1.10).
#[derive(Clone, Debug)]
pub struct Preservation {
    rules: Rules,
    /// How many instances should be renewing (`expectedNumberOfClientsSendingRenews`).
    expected: u32,
    /// Renewals in the minute that is over, and in the one that is not.
    renewals: (u32, u32),
}

/// The constants of the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Whether there is self-preservation (`enableSelfPreservation`).
    pub preserves: bool,
    /// Which share of the renewals must come (`renewalPercentThreshold`).
    pub share: Ratio,
    /// How often an instance is expected to renew (`expectedClientRenewalIntervalSeconds`).
    pub interval: Duration,
    /// The release line.
    pub version: Version,
}

impl Preservation {
    /// A server that opens for traffic with so many instances.
    pub fn new(rules: Rules, expected: u32) -> Preservation {
        Preservation { rules, expected, renewals: (0, 0) }
    }

    /// A server that has been running: this many renewals came in the minute before.
    pub fn running(rules: Rules, expected: u32, renewals: u32) -> Preservation {
        Preservation { rules, expected, renewals: (renewals, 0) }
    }

    /// How many instances should be renewing.
    pub fn expected(&self) -> u32 {
        self.expected
    }

    /// More renewals than this must come in a minute: `(int) (expected * (60.0 / interval) * share)`.
    pub fn threshold(&self) -> u32 {
        let Rules { share, interval, .. } = self.rules;
        let product =
            u128::from(self.expected) * u128::from(MINUTE.as_nanos()) * u128::from(share.numerator());
        let parts = u128::from(interval.as_nanos()) * u128::from(share.denominator());
        u32::try_from(product / parts).unwrap_or(u32::MAX)
    }

    /// How many renewals came in the minute that is over.
    pub fn renewals_last_minute(&self) -> u32 {
        self.renewals.0
    }

    /// Whether leases may expire: there is no self-preservation, or more came than the threshold, which is not zero
    /// (`isLeaseExpirationEnabled`). A server that opened with no instance has a threshold of zero, and evicts nobody.
    pub fn lets_expire(&self) -> bool {
        !self.rules.preserves || (self.threshold() > 0 && self.renewals_last_minute() > self.threshold())
    }

    /// A lease was renewed, here or at a peer that has told of it.
    pub fn on_renewal(&mut self) {
        self.renewals.1 = self.renewals.1.saturating_add(1);
    }

    /// A minute is over.
    pub fn on_minute(&mut self) {
        self.renewals = (self.renewals.1, 0);
    }

    /// An instance has registered that was not there. A server that expects nobody goes on expecting nobody
    /// (Netflix/eureka#1459).
    pub fn on_registered(&mut self) {
        if self.expected > 0 {
            self.expected += 1;
        }
    }

    /// An instance was taken off. Before 1.10 an eviction changed nothing, so that the threshold crept up with every
    /// instance that died and came back (Netflix/eureka#1266, pull request #1271).
    pub fn on_gone(&mut self, how: Gone) {
        let counts = match how {
            Gone::Cancelled => true,
            Gone::Evicted => self.rules.version >= Version::V1_10,
        };
        if counts {
            self.expected = self.expected.saturating_sub(1);
        }
    }

    /// The update of every 15 minutes: so many instances are there. It is taken only if that is more than the share of
    /// what was expected, or without self-preservation (`updateRenewalThreshold`, as pull request #1071 has left it).
    pub fn recount(&mut self, count: u32) {
        let Rules { preserves, share, .. } = self.rules;
        let enough = u64::from(count) * share.denominator() > u64::from(self.expected) * share.numerator();
        if enough || !preserves {
            self.expected = count;
        }
    }
}

/// How an instance was taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gone {
    /// Somebody asked for that.
    Cancelled,
    /// Its lease had run out.
    Evicted,
}

/// How many may be evicted at once of a registry of this size: `size - (int) (size * share)`.
pub fn eviction_limit(size: usize, share: Ratio) -> usize {
    let kept = size as u128 * u128::from(share.numerator()) / u128::from(share.denominator());
    size - kept as usize
}

/// The sample interval of `renewsLastMin`: 60 s (AbstractInstanceRegistry.java, 1.10).
pub const MINUTE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use schism_core::ratio;

    use super::*;

    const SHARE: Ratio = ratio(85, 100);

    fn rules(version: Version) -> Rules {
        Rules { preserves: true, share: SHARE, interval: Duration::from_secs(30), version }
    }

    /// A server of so many instances, of which so many have renewed twice in the last minute.
    fn heard(expected: u32, alive: u32) -> Preservation {
        Preservation::running(rules(Version::V1_10), expected, 2 * alive)
    }

    #[test]
    fn the_threshold_is_rounded_down() {
        let thresholds = [0, 1, 2, 3, 6, 7, 10, 20, 100].map(|expected| heard(expected, 0).threshold());
        assert_eq!(thresholds, [0, 1, 3, 5, 10, 11, 17, 34, 170]);
    }

    #[test]
    fn one_dead_of_six_is_never_evicted_and_one_of_seven_is() {
        for expected in 1..=6 {
            assert!(!heard(expected, expected - 1).lets_expire(), "one dead of {expected}");
        }
        for expected in 7..=100 {
            assert!(heard(expected, expected - 1).lets_expire(), "one dead of {expected}");
        }
    }

    #[test]
    fn as_many_renewals_as_the_threshold_are_too_few() {
        assert!(!Preservation::running(rules(Version::V1_10), 20, 34).lets_expire());
        assert!(Preservation::running(rules(Version::V1_10), 20, 35).lets_expire());
    }

    #[test]
    fn fifteen_percent_of_a_large_registry_are_too_many() {
        assert!(heard(100, 86).lets_expire());
        assert!(!heard(100, 85).lets_expire());
    }

    #[test]
    fn only_the_minute_that_is_over_counts() {
        let mut preservation = heard(7, 7);
        (0..14).for_each(|_| preservation.on_renewal());
        assert_eq!(preservation.renewals_last_minute(), 14);
        preservation.on_minute();
        assert_eq!(preservation.renewals_last_minute(), 14);
        preservation.on_minute();
        assert_eq!(preservation.renewals_last_minute(), 0);
        assert!(!preservation.lets_expire());
    }

    #[test]
    fn who_expects_nobody_never_lets_anybody_expire() {
        let mut preservation = Preservation::new(rules(Version::V1_10), 0);
        (0..10).for_each(|_| preservation.on_registered());
        assert_eq!((preservation.expected(), preservation.threshold()), (0, 0));
        (0..1000).for_each(|_| preservation.on_renewal());
        preservation.on_minute();
        assert!(!preservation.lets_expire());
        preservation.recount(0);
        assert_eq!(preservation.expected(), 0);
    }

    #[test]
    fn without_self_preservation_everybody_expires() {
        let rules = Rules { preserves: false, ..rules(Version::V1_10) };
        assert!(Preservation::new(rules, 0).lets_expire());
    }

    #[test]
    fn an_eviction_lowers_what_is_expected_since_1_10() {
        for (version, evicted, cancelled) in
            [(Version::V1_9, 10, 9), (Version::V1_10, 9, 8), (Version::V2_0, 9, 8)]
        {
            let mut preservation = Preservation::new(rules(version), 10);
            preservation.on_gone(Gone::Evicted);
            assert_eq!(preservation.expected(), evicted, "{version:?}");
            preservation.on_gone(Gone::Cancelled);
            assert_eq!(preservation.expected(), cancelled, "{version:?}");
        }
    }

    #[test]
    fn a_recount_is_taken_only_above_the_share_of_what_was_expected() {
        let recounted = |count| {
            let mut preservation = heard(100, 100);
            preservation.recount(count);
            preservation.expected()
        };
        assert_eq!([recounted(86), recounted(85), recounted(120)], [86, 100, 120]);
    }

    #[test]
    fn other_intervals_expect_other_numbers() {
        let rules = Rules { interval: Duration::from_secs(10), ..rules(Version::V1_10) };
        assert_eq!(Preservation::new(rules, 10).threshold(), 51);
    }

    #[test]
    fn the_eviction_limit_is_what_is_left_of_the_share_rounded_down() {
        let limits = [0, 1, 6, 7, 13, 14, 20, 100].map(|size| eviction_limit(size, SHARE));
        assert_eq!(limits, [0, 1, 1, 2, 2, 3, 3, 15]);
    }

    #[test]
    fn a_mass_crash_drains_geometrically() {
        let mut size = 100;
        let mut left = Vec::new();
        while size > 50 {
            size -= eviction_limit(size, SHARE).min(size - 50);
            left.push(size);
        }
        assert_eq!(left, [85, 72, 61, 51, 50]);
    }
}
