//! Messages arrive twice.

use schism_core::{Harm, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// A share of the messages of their own arrives twice; a connection drops the second.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate<T = Target> {
    /// On which ways.
    pub ways: Ways<T>,
    /// The share.
    pub rate: Ratio,
}

impl<T> Duplicate<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Duplicate<U>> {
        Some(Duplicate { ways: self.ways.aim(at)?, rate: self.rate })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    fn harm(&self) -> Harm {
        Harm::Duplicate { rate: self.rate }
    }
}

impl<T> Nature for Duplicate<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harm().is_nothing()
    }
}

impl Duplicate {
    /// `duplicates between zone:a and zone:b, 5%`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("duplicates {}, {}", self.ways.words(names), self.rate)
    }
}

impl Strike for Duplicate {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &[self.harm()]);
    }
}
