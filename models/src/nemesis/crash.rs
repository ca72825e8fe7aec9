//! Processes die.

use schism_core::Death;

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::{Grip, Nature};

/// Processes die: all that is not on disk is lost, and peers see a reset. Healing starts them anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
}

impl<T> Crash<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Crash<U>> {
        Some(Crash { targets: at(self.targets)? })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Crash<T> {
    fn grip(&self) -> Grip {
        Grip::Dead
    }
}

impl Crash {
    /// `crash of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("crash of {}", names.targets(&self.targets))
    }
}

impl Strike for Crash {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.kill(node, Death::KILLED);
        }
    }
}
