//! Ranks: whole numbers of unequal chances, drawn from a table of whole numbers.

use std::sync::Arc;

use crate::Draw;

/// Ranks 0, 1, 2, ... by Zipf's law: the chance of the `k`-th falls with `k` to the power of an exponent.
///
/// A table says from which word of luck on each rank begins, so a draw compares whole numbers. The table is made with
/// `libm`, which gives the same on every machine; a rank has its chance to within 2^-40 of that of the first. Clones
/// share the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranks {
    exponent: f64,
    /// Where the ranks after the first begin, in order.
    begins: Arc<[u64]>,
}

/// The chance of the first rank, in the table's unit: sums over a million ranks, times 2^64, fit in 128 bits.
const FIRST: f64 = (1_u64 << 40) as f64;

impl Ranks {
    /// So many ranks; the chance of the `k`-th, counted from one, is in proportion to `1 / k^exponent` (Zipf, "Human
    /// Behavior and the Principle of Least Effort", 1949). An exponent of zero makes all alike.
    ///
    /// # Panics
    /// If there are none, or the exponent is negative or not finite.
    pub fn zipf(count: u32, exponent: f64) -> Ranks {
        assert!(count > 0, "there is a rank to draw");
        assert!(exponent >= 0.0 && exponent.is_finite(), "chances fall with the rank");
        let weight = |rank: u32| (FIRST * libm::pow(f64::from(rank), -exponent) + 0.5) as u128;
        let total: u128 = (1..=count).map(weight).sum();
        let begin = |before: &mut u128, rank| {
            *before += weight(rank);
            Some(((*before << 64) / total) as u64)
        };
        Ranks { exponent, begins: (1..count).scan(0, begin).collect() }
    }

    /// How many ranks there are.
    pub fn count(&self) -> u32 {
        self.begins.len() as u32 + 1
    }

    /// The exponent of the law.
    pub fn exponent(&self) -> f64 {
        self.exponent
    }

    /// The rank that a draw stands for, from zero. It takes the whole word.
    #[inline]
    pub fn of(&self, draw: Draw) -> u32 {
        self.begins.partition_point(|&begin| begin <= draw.word()) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Seed;

    #[test]
    fn the_first_of_three_is_thrice_as_likely_as_the_last() {
        let ranks = Ranks::zipf(3, 1.0);
        // 6/11, 3/11 and 2/11 of all words.
        let at = |sixty_sixths: u64| ranks.of(Draw::new(u64::MAX / 66 * sixty_sixths));
        assert_eq!([0, 35, 37, 53, 55, 66].map(at), [0, 0, 1, 1, 2, 2]);
        assert_eq!(ranks.of(Draw::new(u64::MAX)), 2);
    }

    #[test]
    fn an_exponent_of_zero_makes_all_alike() {
        let ranks = Ranks::zipf(1_000, 0.0);
        let mut luck = Seed(1).luck("ranks", "test", 0);
        for _ in 0..10_000 {
            let draw = luck.draw();
            assert_eq!(ranks.of(draw), draw.below(1_000));
        }
    }

    #[test]
    fn one_rank_is_the_only_one() {
        assert_eq!(Ranks::zipf(1, 1.1).of(Draw::new(u64::MAX)), 0);
    }

    #[test]
    fn a_million_ranks_are_drawn_by_their_law() {
        let ranks = Ranks::zipf(1_000_000, 1.1);
        let total: f64 = (1..=1_000_000).map(|rank| libm::pow(f64::from(rank), -1.1)).sum();
        let mut luck = Seed(2).luck("ranks", "test", 0);
        let draws = 200_000;
        let firsts = (0..draws).filter(|_| ranks.of(luck.draw()) == 0).count() as f64;
        let expected = f64::from(draws) / total;
        assert!((firsts - expected).abs() < 4.0 * expected.sqrt(), "{firsts}, not {expected}");
    }
}
