//! Factors: how many times as long something takes, as a fraction, so that no float decides.

use std::fmt;

use schism_core::Duration;

/// How many times as long something takes: one, or more. Not in lowest terms: a factor is kept as it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Factor {
    numerator: u64,
    denominator: u64,
}

impl Factor {
    /// As long as ever.
    pub const ONE: Factor = Factor { numerator: 1, denominator: 1 };

    /// `numerator` in `denominator`; none if that is less than one.
    pub const fn checked(numerator: u64, denominator: u64) -> Option<Factor> {
        if denominator == 0 || numerator < denominator {
            return None;
        }
        Some(Factor { numerator, denominator })
    }

    /// Whether nothing takes longer by it.
    pub const fn is_one(self) -> bool {
        self.numerator == self.denominator
    }

    /// By how much something takes longer that takes this long: the factor less one, times that, rounded down. What
    /// several factors add is the sum of this.
    pub fn extra(self, takes: Duration) -> Duration {
        takes.part(self.numerator - self.denominator, self.denominator)
    }
}

/// As a decimal of at most nine places: `12`, `1.5`.
impl fmt::Display for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BILLION: u128 = 1_000_000_000;
        let parts = u128::from(self.numerator) * BILLION / u128::from(self.denominator);
        let (whole, rest) = (parts / BILLION, parts % BILLION);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{rest:09}").trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_factor_adds_what_it_exceeds_one_by() {
        let half_as_long_again = Factor::checked(15, 10).unwrap();
        assert_eq!(half_as_long_again.extra(Duration::from_millis(10)), Duration::from_millis(5));
        assert_eq!(Factor::ONE.extra(Duration::from_millis(10)), Duration::ZERO);
    }

    #[test]
    fn no_factor_makes_anything_quicker() {
        assert_eq!(Factor::checked(9, 10), None);
        assert_eq!(Factor::checked(1, 0), None);
    }

    #[test]
    fn a_factor_is_told_as_a_decimal() {
        let told = |numerator, denominator| Factor::checked(numerator, denominator).unwrap().to_string();
        assert_eq!([told(12, 1), told(15, 10), told(1001, 1000)], ["12", "1.5", "1.001"]);
    }
}
