//! A quantity that can be drawn between two: a time, a share, a rate, a count or a number.

use schism_core::{Draw, Duration};

use crate::tree::{Node, Tree};
use crate::units::{self, Decimal};

/// So much of something, in parts so small that all that is written is a whole number of them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Quantity {
    pub(crate) unit: Unit,
    pub(crate) parts: u64,
}

/// What it is so much of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Unit {
    /// In nanoseconds.
    Time,
    /// In billionths of a percent.
    Share,
    /// In millionths of one a second.
    Rate,
    /// In ones.
    Count,
    /// In millionths.
    Number,
}

/// Millionths.
const MILLION: f64 = 1e6;
/// Nanoseconds of a million seconds: what a rate in millionths is the inverse of.
const RATE: u64 = 1_000_000_000_000_000;
/// The decimals of a share in percent.
const SHARE: u32 = 9;
/// The decimals of a rate and of a number.
const SIX: u32 = 6;
/// From how many times as much on a range of times or rates is wide.
const WIDE: u64 = 10;
/// The largest number that can be drawn: its millionths are exact as a float.
const LARGEST: f64 = 1e9;

impl Quantity {
    /// What is written, if it is one.
    pub(crate) fn of(tree: &Tree) -> Option<Quantity> {
        let (unit, parts) = match &tree.node {
            Node::Text(text) => return Quantity::of_text(text),
            Node::Integer(number) => (Unit::Count, u64::try_from((*number)?).ok()?),
            Node::Float(number) if (0.0..=LARGEST).contains(number) => {
                (Unit::Number, (number * MILLION).round() as u64)
            }
            Node::Float(_) | Node::Flag(_) | Node::Datetime | Node::List(_) | Node::Table(_) => return None,
        };
        Some(Quantity { unit, parts })
    }

    fn of_text(text: &str) -> Option<Quantity> {
        let time = || Some((Unit::Time, units::duration(text).ok()?.as_nanos()));
        let share = || Some((Unit::Share, units::share_parts(text, SHARE)?));
        let rate = || {
            let gap = units::rate(text).ok()?.gap.as_nanos();
            Some((Unit::Rate, (RATE + gap / 2) / gap))
        };
        let (unit, parts) = time().or_else(share).or_else(rate)?;
        Some(Quantity { unit, parts })
    }

    /// The same in another unit, where a count may stand for a number.
    pub(crate) fn as_number(self) -> Quantity {
        match self.unit {
            Unit::Count => Quantity { unit: Unit::Number, parts: self.parts.saturating_mul(MILLION as u64) },
            Unit::Time | Unit::Share | Unit::Rate | Unit::Number => self,
        }
    }

    /// How it is written.
    pub(crate) fn node(self) -> Node {
        let text = |decimals, unit: &str| format!("{}{unit}", Decimal::of_parts(self.parts, decimals));
        match self.unit {
            Unit::Time => Node::Text(Duration::from_nanos(self.parts).to_string()),
            Unit::Share => Node::Text(text(SHARE, "%")),
            Unit::Rate => Node::Text(text(SIX, "/s")),
            Unit::Count => Node::Integer(Some(self.parts.into())),
            Unit::Number => Node::Float(self.parts as f64 / MILLION),
        }
    }
}

/// A quantity between two of one unit, both of which can be drawn.
///
/// Of times and rates of which one end is at least ten times the other, every order of magnitude is as likely; of all
/// else, every value is. All but counts are drawn to three digits, which is what a person would write.
pub(crate) fn between(from: Quantity, to: Quantity, draw: Draw) -> Quantity {
    assert!(from.unit == to.unit && from.parts <= to.parts, "a range has a unit and goes up");
    let wide = from.parts > 0 && to.parts / from.parts >= WIDE;
    let parts = match from.unit {
        Unit::Count => evenly(from.parts, to.parts, draw),
        Unit::Time | Unit::Rate if wide => short(by_magnitude(from.parts, to.parts, draw)),
        Unit::Time | Unit::Rate | Unit::Share | Unit::Number => short(evenly(from.parts, to.parts, draw)),
    };
    Quantity { unit: from.unit, parts: parts.clamp(from.parts, to.parts) }
}

/// A whole number between two, each as likely; see [`Draw::below`] for why one word is enough.
fn evenly(from: u64, to: u64, draw: Draw) -> u64 {
    let count = u128::from(to - from) + 1;
    // A 64-bit word times a 64-bit count fits in 128 bits; only the whole range of words has a larger count.
    let product = u128::from(draw.word()).checked_mul(count);
    from + product.map_or(draw.word(), |product| (product >> 64) as u64)
}

/// A number between two whose logarithm is as likely anywhere. The logarithms are those of the libm crate, which are the
/// same on every machine.
fn by_magnitude(from: u64, to: u64, draw: Draw) -> u64 {
    let (low, high) = (libm::log(from as f64), libm::log(to as f64));
    libm::exp(low + draw.unit() * (high - low)) as u64
}

/// To three digits.
fn short(parts: u64) -> u64 {
    let mut step = 1;
    while parts / step >= 1_000 {
        step *= 10;
    }
    parts.saturating_add(step / 2) / step * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree;

    fn quantity(text: &str) -> Quantity {
        Quantity::of(&tree::parse_value(0, 0, text).expect("TOML")).expect("a quantity")
    }

    #[test]
    fn what_is_read_is_written_again() {
        for text in ["\"250ms\"", "\"1m30s\"", "\"15%\"", "\"0.01%\"", "\"100/s\"", "\"0.1/s\"", "3", "1.5"] {
            let tree = tree::parse_value(0, 0, text).expect("TOML");
            let one = Quantity::of(&tree).expect("a quantity");
            let again = Tree { node: one.node(), ..tree };
            assert_eq!(Quantity::of(&again), Some(one), "{text}");
        }
        assert_eq!(Quantity::of(&tree::parse_value(0, 0, "\"p2c\"").unwrap()), None);
        assert_eq!(Quantity::of(&tree::parse_value(0, 0, "-3").unwrap()), None);
    }

    #[test]
    fn a_range_is_reached_to_both_its_ends_and_no_further() {
        for (from, to) in [("\"1s\"", "\"90s\""), ("\"0%\"", "\"100%\""), ("3", "5"), ("\"1/s\"", "\"5/s\"")]
        {
            let (from, to) = (quantity(from), quantity(to));
            assert_eq!(between(from, to, Draw::new(0)).parts, from.parts);
            let most = between(from, to, Draw::new(u64::MAX)).parts;
            assert!(most <= to.parts && most > to.parts / 100 * 99, "{most} of {}", to.parts);
        }
    }

    #[test]
    fn half_of_a_wide_range_of_times_is_below_its_geometric_mean() {
        let (from, to) = (quantity("\"100ms\""), quantity("\"100s\""));
        let middle = between(from, to, Draw::new(u64::MAX / 2)).parts;
        assert_eq!(
            middle, 3_160_000_000,
            "the square root of a thousand tenths of a second, to three digits"
        );
        let counts = between(quantity("1"), quantity("1001"), Draw::new(u64::MAX / 2)).parts;
        assert_eq!(counts, 501);
    }

    #[test]
    fn the_whole_range_of_counts_can_be_drawn() {
        let (from, to) =
            (Quantity { unit: Unit::Count, parts: 0 }, Quantity { unit: Unit::Count, parts: u64::MAX });
        assert_eq!(between(from, to, Draw::new(u64::MAX)).parts, u64::MAX);
    }
}
