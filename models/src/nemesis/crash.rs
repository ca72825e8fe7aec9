//! Processes die.

use schism_core::{Death, Farewell, Toll};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::{Condition, Grip, Nature};

/// Processes die: all that is not on disk is lost. Healing starts them anew.
#[derive(Clone, Debug, PartialEq)]
pub struct Crash<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// What their peers notice, and what their disks lose.
    pub death: Death,
}

impl<T> Crash<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Crash<U>> {
        let Crash { targets, death } = self;
        Some(Crash { targets: at(targets)?, death })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Crash<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn grip(&self) -> Grip {
        Grip::Dead(self.death)
    }
}

impl Crash {
    /// `crash of orders:one, host dies, loses what is not synced`.
    pub fn words(&self, names: &dyn Names) -> String {
        let host = match self.death.farewell {
            Farewell::Reset => "",
            Farewell::Silence => ", host dies",
        };
        let disk = match self.death.disk {
            Toll::Nothing => "",
            Toll::Unsynced => ", loses what is not synced",
            Toll::Everything => ", loses the disk",
        };
        format!("crash of {}{host}{disk}", names.targets(&self.targets))
    }
}

impl Strike for Crash {
    fn begin(&self, hand: &mut Hand<'_>) {
        hand.kill_all(&self.targets, self.death);
    }
}
