//! Instances have lost a part of their capacity.

use schism_core::Ratio;

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Strike};
use super::{Condition, Nature};
use crate::plight::{Ail, Gray};

/// Instances serve fewer requests at once than they could: threads hang, or processors are gone.
#[derive(Clone, Debug, PartialEq)]
pub struct PartialCapacity<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// What is left: of the slots, rounded down and one at least; of the speed, where slots have no bound.
    pub share: Ratio,
}

impl<T> PartialCapacity<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<PartialCapacity<U>> {
        Some(PartialCapacity { targets: at(self.targets)?, share: self.share })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for PartialCapacity<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    fn is_nothing(&self) -> bool {
        self.share == Ratio::ONE
    }
}

impl PartialCapacity {
    /// `50% of the capacity of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("{} of the capacity of {}", self.share, names.targets(&self.targets))
    }
}

impl Strike for PartialCapacity {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::Gray(Gray::Capacity(self.share)));
        }
    }
}
