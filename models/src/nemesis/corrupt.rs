//! Messages are damaged.

use schism_core::{Harm, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// A share of the messages is damaged on the way: a checksum finds it, and they are dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct Corrupt<T = Target> {
    /// On which ways.
    pub ways: Ways<T>,
    /// The share.
    pub rate: Ratio,
}

impl<T> Corrupt<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Corrupt<U>> {
        Some(Corrupt { ways: self.ways.aim(at)?, rate: self.rate })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    fn harm(&self) -> Harm {
        Harm::Corrupt { rate: self.rate }
    }
}

impl<T> Nature for Corrupt<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harm().is_nothing()
    }
}

impl Corrupt {
    /// `corruption between zone:a and zone:b, 5%`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("corruption {}, {}", self.ways.words(names), self.rate)
    }
}

impl Strike for Corrupt {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &[self.harm()]);
    }
}
