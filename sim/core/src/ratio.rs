//! A probability as a fraction, so that no float decides.

use std::fmt;

/// A probability: a fraction from zero to one, in lowest terms.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: u64,
    denominator: u64,
}

/// The probability of `numerator` in `denominator`.
///
/// # Panics
///
/// As [`Ratio::new`].
pub const fn ratio(numerator: u64, denominator: u64) -> Ratio {
    Ratio::new(numerator, denominator)
}

const BILLION: u64 = 1_000_000_000;

impl Ratio {
    /// Never.
    pub const ZERO: Ratio = Ratio { numerator: 0, denominator: 1 };
    /// Always.
    pub const ONE: Ratio = Ratio { numerator: 1, denominator: 1 };

    /// The probability of `numerator` in `denominator`.
    ///
    /// # Panics
    ///
    /// If the denominator is zero or the fraction exceeds one; what a user wrote goes through [`Ratio::checked`].
    pub const fn new(numerator: u64, denominator: u64) -> Ratio {
        Ratio::checked(numerator, denominator).expect("a probability is from zero to one")
    }

    /// The probability of `numerator` in `denominator`; none if that is no probability.
    pub const fn checked(numerator: u64, denominator: u64) -> Option<Ratio> {
        if denominator == 0 || numerator > denominator {
            return None;
        }
        let common = greatest_common_divisor(numerator, denominator);
        Some(Ratio { numerator: numerator / common, denominator: denominator / common })
    }

    /// The probability of `parts` in a billion: seven decimals of a percent.
    ///
    /// # Panics
    ///
    /// If `parts` exceeds a billion.
    pub const fn parts_per_billion(parts: u64) -> Ratio {
        Ratio::new(parts, BILLION)
    }

    /// The upper half of the fraction in lowest terms.
    pub const fn numerator(self) -> u64 {
        self.numerator
    }

    /// The lower half of the fraction in lowest terms; never zero.
    pub const fn denominator(self) -> u64 {
        self.denominator
    }

    /// Whether it never happens.
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// The probability that it does not happen.
    pub const fn complement(self) -> Ratio {
        Ratio { numerator: self.denominator - self.numerator, denominator: self.denominator }
    }

    /// Whether a uniform word falls below the fraction: exactly `word / 2^64 < numerator / denominator`.
    ///
    /// The words admitted are the least ones, so a greater ratio admits every word that a smaller one does: raising
    /// the probability of a fault adds cases to those that were there, and never trades one for another.
    pub const fn admits(self, word: u64) -> bool {
        // floor(w * d / 2^64) < n if and only if w * d < n * 2^64, because n is whole.
        (word as u128 * self.denominator as u128) >> 64 < self.numerator as u128
    }

    /// The nearest float, for reports.
    pub fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

const fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

impl fmt::Display for Ratio {
    /// In percent, to seven decimals: `2.5%`. What is neither never nor always, but rounds to it, stays a fraction.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (numerator, denominator) = (u128::from(self.numerator), u128::from(self.denominator));
        let parts = (numerator * u128::from(BILLION) + denominator / 2) / denominator;
        let rounds_away = parts % u128::from(BILLION) == 0 && self.denominator != 1;
        if rounds_away {
            return write!(f, "{numerator}/{denominator}");
        }
        let (whole, rest) = (parts / 10_000_000, parts % 10_000_000);
        if rest == 0 {
            return write!(f, "{whole}%");
        }
        let decimals = format!("{rest:07}");
        write!(f, "{whole}.{}%", decimals.trim_end_matches('0'))
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_admits_nothing_and_one_everything() {
        for word in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(!Ratio::ZERO.admits(word));
            assert!(Ratio::ONE.admits(word));
            assert!(ratio(u64::MAX, u64::MAX).admits(word));
        }
    }

    #[test]
    fn the_edge_is_exact_to_the_word() {
        let half = 1 << 63;
        assert!(ratio(1, 2).admits(half - 1));
        assert!(!ratio(1, 2).admits(half));
        // A third of 2^64 is not whole; the word below it is admitted and the word above is not.
        let third = u64::MAX / 3;
        assert!(ratio(1, 3).admits(third));
        assert!(!ratio(1, 3).admits(third + 1));
        assert!(ratio(1, u64::MAX).admits(1));
        assert!(!ratio(1, u64::MAX).admits(2));
    }

    #[test]
    fn a_ratio_and_its_complement_share_out_every_word() {
        let third = ratio(1, 3);
        assert_eq!(third.complement(), ratio(2, 3));
        assert_eq!(third.complement().complement(), third);
        assert_eq!(Ratio::ZERO.complement(), Ratio::ONE);
    }

    #[test]
    fn equal_fractions_are_equal() {
        assert_eq!(ratio(2, 200), ratio(1, 100));
        assert_eq!(ratio(0, 7), Ratio::ZERO);
        assert_eq!(ratio(7, 7), Ratio::ONE);
        assert_eq!(Ratio::parts_per_billion(10_000_000), ratio(1, 100));
    }

    #[test]
    fn it_is_shown_in_percent() {
        let shown = [(0, 1), (1, 1), (1, 100), (1, 40), (1, 3), (1, 1_000_000_000), (1, u64::MAX)]
            .map(|(n, d)| ratio(n, d).to_string());
        assert_eq!(
            shown,
            ["0%", "100%", "1%", "2.5%", "33.3333333%", "0.0000001%", "1/18446744073709551615"]
        );
        assert_eq!(ratio(1, u64::MAX).complement().to_string(), "18446744073709551614/18446744073709551615");
    }

    #[test]
    fn what_is_no_probability_is_refused() {
        assert_eq!(Ratio::checked(1, 0), None);
        assert_eq!(Ratio::checked(0, 0), None);
        assert_eq!(Ratio::checked(3, 2), None);
    }

    #[test]
    #[should_panic(expected = "a probability is from zero to one")]
    fn a_ratio_above_one_panics() {
        let _ = ratio(101, 100);
    }
}
