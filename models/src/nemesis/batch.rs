//! Batches: so many of a group at a time.

use std::fmt;

use schism_core::Ratio;

/// How many at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// This many.
    Count(u32),
    /// This share of all.
    Share(Ratio),
}

impl Batch {
    /// How many that is out of so many: a share is rounded up, and in any case it is one at least.
    pub fn of(self, all: usize) -> usize {
        let count = match self {
            Batch::Count(count) => count as usize,
            Batch::Share(share) => {
                let (part, whole) = (u128::from(share.numerator()), u128::from(share.denominator()));
                (part * all as u128).div_ceil(whole) as usize
            }
        };
        count.max(1)
    }
}

/// `3`, `25%`.
impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Batch::Count(count) => write!(f, "{count}"),
            Batch::Share(share) => write!(f, "{share}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use schism_core::ratio;

    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_nobody() {
        let quarter = Batch::Share(ratio(1, 4));
        assert_eq!([1, 4, 5, 8].map(|all| quarter.of(all)), [1, 1, 2, 2]);
        assert_eq!(Batch::Share(Ratio::ZERO).of(10), 1);
        assert_eq!(Batch::Count(3).of(10), 3);
    }
}
