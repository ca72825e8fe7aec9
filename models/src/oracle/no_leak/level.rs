//! A level: how much a group of processes holds of one thing, and how low that has been.

use schism_core::{Ratio, Time};

/// How much a group of processes holds of one thing.
#[derive(Clone, Copy, Default)]
pub(super) struct Level {
    /// Now, or when it was added up last.
    pub(super) now: u64,
    /// What is being added up, and as of when.
    sum: Option<(Time, u64)>,
    /// The lowest of this second, or since all has healed; none while nothing was counted.
    pub(super) lowest: Option<u64>,
    /// The highest of the lowest of each second before the first fault.
    pub(super) usual: u64,
    /// How much is still no leak.
    pub(super) limit: u64,
    /// Since when it has been as low as before, after the last heal.
    pub(super) back: Option<Time>,
    /// Whether all has healed.
    is_healed: bool,
    /// Whether anybody has ever said how much there is.
    is_told: bool,
    /// Whether every rise and fall is known, and not only how much there is once a second.
    pub(super) is_followed: bool,
}

impl Level {
    /// Nothing, of which every rise and fall will be told.
    pub(super) fn followed() -> Level {
        Level { is_followed: true, is_told: true, lowest: Some(0), ..Level::default() }
    }

    /// One process of the group holds so much at this moment; what all hold then is their sum.
    pub(super) fn add_up(&mut self, now: Time, many: u64) {
        if self.sum.is_some_and(|(at, _)| at != now) {
            self.settle();
        }
        let (_, sum) = self.sum.get_or_insert((now, 0));
        *sum += many;
    }

    /// All have said how much they hold.
    pub(super) fn settle(&mut self) {
        if let Some((at, sum)) = self.sum.take() {
            (self.now, self.is_told) = (sum, true);
            self.is_low(at);
        }
    }

    /// One more.
    pub(super) fn rise(&mut self) {
        self.now += 1;
    }

    /// So many less.
    pub(super) fn fall(&mut self, at: Time, many: u64) {
        self.now -= many;
        self.is_low(at);
    }

    fn is_low(&mut self, at: Time) {
        self.lowest = Some(self.lowest.map_or(self.now, |lowest| lowest.min(self.now)));
        if self.is_healed && self.now <= self.limit {
            self.back.get_or_insert(at);
        }
    }

    /// A second before the first fault is over: it counts, if the warm-up is.
    pub(super) fn second_ends(&mut self, counts: bool) {
        self.settle();
        if let (true, Some(lowest)) = (counts, self.lowest) {
            self.usual = self.usual.max(lowest);
            self.limit = self.usual;
        }
        self.lowest = self.is_followed.then_some(self.now);
    }

    /// So much more than usual is no leak.
    pub(super) fn spare(&mut self, share: Ratio) {
        let more = u128::from(self.usual) * u128::from(share.numerator()) / u128::from(share.denominator());
        self.limit = self.usual + more as u64;
    }

    /// All has healed.
    pub(super) fn heal(&mut self, now: Time) {
        (self.sum, self.lowest, self.back, self.is_healed) = (None, None, None, true);
        if self.is_followed {
            self.is_low(now);
        }
    }

    /// Whether it has not been as low as before since all has healed.
    pub(super) fn is_high(&self) -> bool {
        self.is_told && self.back.is_none()
    }

    /// Whether it was never as low as before.
    pub(super) fn leaks(&self) -> bool {
        self.lowest.is_some_and(|lowest| lowest > self.limit)
    }
}
