//! Disks of registry members go bad.

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Strike};
use super::{Condition, Grip, Nature};
use crate::plight::{Ail, BadDisk, Factor};

/// The disks of some registry members go bad.
#[derive(Clone, Debug, PartialEq)]
pub struct Disk<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// What is bad about them.
    pub bad: Bad,
}

/// How a disk is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    /// No sync ends before the heal.
    Stall,
    /// Syncs take so many times as long.
    Slow(Factor),
    /// No write succeeds, and who has to write dies of it.
    Full,
    /// Syncs are claimed and not made: a loss of power takes all that was written.
    LostFsync,
}

impl<T> Disk<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Disk<U>> {
        let Disk { targets, bad } = self;
        Some(Disk { targets: at(targets)?, bad })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Disk<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn grip(&self) -> Grip {
        match self.bad {
            Bad::Stall | Bad::Full | Bad::LostFsync => Grip::Disk(self.bad),
            // Each makes it slower still.
            Bad::Slow(_) => Grip::Loose,
        }
    }

    fn wants(&self) -> Wants {
        Wants::Members
    }

    fn is_nothing(&self) -> bool {
        match self.bad {
            Bad::Slow(factor) => factor.is_one(),
            Bad::Stall | Bad::Full | Bad::LostFsync => false,
        }
    }
}

impl Disk {
    /// `disk of registry:leader: stalled`.
    pub fn words(&self, names: &dyn Names) -> String {
        let bad = match self.bad {
            Bad::Stall => "stalled".to_owned(),
            Bad::Slow(factor) => format!("{factor} times as slow"),
            Bad::Full => "full".to_owned(),
            Bad::LostFsync => "loses syncs".to_owned(),
        };
        format!("disk of {}: {bad}", names.targets(&self.targets))
    }
}

impl Strike for Disk {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            match self.bad {
                Bad::Stall => hand.ail(node, Ail::Disk(BadDisk::Stalled)),
                Bad::Slow(factor) => hand.ail(node, Ail::Disk(BadDisk::Slow(factor))),
                Bad::Full => hand.ail(node, Ail::Disk(BadDisk::Full)),
                Bad::LostFsync => hand.fake_syncs(node),
            }
        }
    }
}
