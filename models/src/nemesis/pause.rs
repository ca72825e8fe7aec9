//! Processes stand still.

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::{Condition, Grip, Nature};

/// Processes stand still and keep their state (SIGSTOP). Healing lets them go on.
#[derive(Clone, Debug, PartialEq)]
pub struct Pause<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
}

impl<T> Pause<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Pause<U>> {
        Some(Pause { targets: at(self.targets)? })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Pause<T> {
    fn wants_them(&self) -> Condition {
        Condition::Running
    }

    fn grip(&self) -> Grip {
        Grip::Still
    }
}

impl Pause {
    /// `pause of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("pause of {}", names.targets(&self.targets))
    }
}

impl Strike for Pause {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.pause(node);
        }
    }
}
