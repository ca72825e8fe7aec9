//! Processes that come back from the dead, and do not know that they were.

use schism_core::Duration;

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Healing, Step, Strike};
use super::{Condition, Grip, Nature};
use crate::plight::Ail;

/// Instances stand still, for longer than their leases last if it is to show, and go on in the belief that they still
/// hold them: for a while they do not look.
///
/// That is the process that was paused between the check of its lease and what it did by it (Kleppmann, "How to do
/// distributed locking", 2016), which only a fencing token guards against.
#[derive(Clone, Debug, PartialEq)]
pub struct Zombie<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// How long they do not look at their lease once they go on.
    pub believes: Duration,
}

impl<T> Zombie<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Zombie<U>> {
        let Zombie { targets, believes } = self;
        Some(Zombie { targets: at(targets)?, believes })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Zombie<T> {
    fn wants_them(&self) -> Condition {
        Condition::Running
    }

    fn grip(&self) -> Grip {
        Grip::Still
    }

    fn lingers(&self) -> Option<Duration> {
        Some(self.believes)
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    /// It goes on until nobody believes any more.
    fn heal_takes(&self, _: usize) -> Duration {
        self.believes
    }
}

impl Zombie {
    /// `zombie of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("zombie of {}, believes for {}", names.targets(&self.targets), self.believes)
    }
}

impl Strike for Zombie {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.pause(node);
        }
    }

    /// They go on, and believe.
    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        for node in hand.victims().to_vec() {
            // Before it goes on, so that nothing that waited for it is looked at with open eyes.
            hand.ail(node, Ail::Zombie);
            hand.resume(node);
        }
        hand.remind(self.believes, Step { victim: 0, turn: 0 });
        Healing::Underway
    }

    fn step(&self, hand: &mut Hand<'_>, _: Step) {
        hand.finish();
    }
}
