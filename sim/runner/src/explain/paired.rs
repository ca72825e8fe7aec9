//! Pairs: two measures of the same futures, with a change and without it.

use super::Chance;

/// Of the same futures in the same order, whether each fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fates(pub(super) Vec<bool>);

/// How likely a difference like this is at most to be chance, if it is to be believed.
const BELIEVED: f64 = 0.05;

impl Fates {
    /// How often it fails.
    pub(super) fn chance(&self) -> Chance {
        Chance::of(self.0.iter().copied())
    }

    /// The first so many.
    pub(super) fn first(&self, count: usize) -> Fates {
        Fates(self.0[..count.min(self.0.len())].to_vec())
    }

    /// Whether these fail at most half as often as those, which are of the same futures.
    pub(super) fn halves(&self, those: &Fates) -> bool {
        self.chance().share <= those.first(self.0.len()).chance().share / 2.0
    }

    /// Whether these fail less often than those, and it is unlikely that this is chance: of the futures that came out
    /// otherwise, so many were saved and so few lost that a fair coin seldom falls so (the sign test).
    pub(super) fn is_better_than(&self, those: &Fates) -> bool {
        let pairs = || self.0.iter().zip(&those.0);
        let saved = pairs().filter(|(this, that)| !**this && **that).count();
        let lost = pairs().filter(|(this, that)| **this && !**that).count();
        saved > lost && by_chance(saved, saved + lost) <= BELIEVED
    }
}

/// How likely a fair coin falls on one side at least so often of so many throws.
fn by_chance(at_least: usize, of: usize) -> f64 {
    let mut likely = (0..of).fold(1.0, |likely, _| likely / 2.0);
    let mut sum = 0.0;
    for fallen in 0..=of {
        if fallen >= at_least {
            sum += likely;
        }
        likely = likely * (of - fallen) as f64 / (fallen + 1) as f64;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(text: &str) -> Fates {
        Fates(text.chars().map(|one| one == 'x').collect())
    }

    #[test]
    fn a_coin_falls_as_it_does() {
        assert!((by_chance(5, 5) - 1.0 / 32.0).abs() < 1e-12);
        assert!((by_chance(1, 2) - 0.75).abs() < 1e-12);
        assert!((by_chance(0, 7) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn what_helps_saves_more_futures_than_chance_would() {
        let before = fates("xxxxxxxx........");
        assert!(fates("................").is_better_than(&before));
        assert!(fates("xxx.............").is_better_than(&before));
        assert!(!fates("xxxxxx..........").is_better_than(&before), "two may be chance");
        assert!(!fates("........xxxx....").is_better_than(&before), "others fail instead");
        assert!(fates("xxxx............").halves(&before) && !fates("xxxxx...........").halves(&before));
    }
}
