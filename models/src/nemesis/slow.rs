//! Instances are slow.

use super::aim::{Aim, Names, Target, Wants, aim_maybe, sides_maybe};
use super::hand::{Hand, Strike};
use super::{Condition, Nature};
use crate::plight::{Ail, Factor, Probes};

/// Instances work more slowly than they did: a gray failure, of which those who check health may see nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Slow<T = Target> {
    /// Whose work.
    pub targets: Vec<T>,
    /// How many times as long it takes.
    pub factor: Factor,
    /// Whether what checks their health notices.
    pub probes: Probes,
    /// The clients whose requests suffer; everybody's, if none.
    pub selective: Option<Vec<T>>,
}

impl<T> Slow<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Slow<U>> {
        let Slow { targets, factor, probes, selective } = self;
        Some(Slow { targets: at(targets)?, factor, probes, selective: aim_maybe(selective, at)? })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        sides_maybe(&self.targets, self.selective.as_deref())
    }
}

impl<T> Nature for Slow<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    fn wants_beside(&self) -> Wants {
        Wants::Clients
    }

    fn is_nothing(&self) -> bool {
        self.factor.is_one() && self.probes == Probes::Pass
    }
}

impl Slow {
    /// `slow orders:one, 12 times, for web:20% only`.
    pub fn words(&self, names: &dyn Names) -> String {
        let probes = self.probes.words();
        let only = names.only(self.selective.as_deref());
        format!("slow {}, {} times{only}{probes}", names.targets(&self.targets), self.factor)
    }
}

impl Strike for Slow {
    fn begin(&self, hand: &mut Hand<'_>) {
        let only = hand.find_clients(self.selective.as_deref());
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::Slow { factor: self.factor, probes: self.probes, only: only.clone() });
        }
    }
}

impl Probes {
    /// `, probes fail`, where they do.
    pub(super) fn words(self) -> &'static str {
        match self {
            Probes::Pass => "",
            Probes::Fail => ", probes fail",
        }
    }
}
