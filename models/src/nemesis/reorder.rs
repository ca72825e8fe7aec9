//! Messages overtake each other.

use schism_core::{Duration, Harm, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// A share of the messages of their own is held back, so that later ones overtake; a connection restores its order.
#[derive(Clone, Debug, PartialEq)]
pub struct Reorder<T = Target> {
    /// On which ways.
    pub ways: Ways<T>,
    /// The share.
    pub rate: Ratio,
    /// For how long each is held back.
    pub gap: Duration,
}

impl<T> Reorder<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Reorder<U>> {
        Some(Reorder { ways: self.ways.aim(at)?, rate: self.rate, gap: self.gap })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    fn harm(&self) -> Harm {
        Harm::Reorder { rate: self.rate, gap: self.gap }
    }
}

impl<T> Nature for Reorder<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harm().is_nothing()
    }
}

impl Reorder {
    /// `reordering between zone:a and zone:b, 5% held back by 10ms`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("reordering {}, {} held back by {}", self.ways.words(names), self.rate, self.gap)
    }
}

impl Strike for Reorder {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &[self.harm()]);
    }
}
