//! Instances get slower the longer they run.

use schism_core::{Duration, NodeId};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Nature, Turns};
use crate::plight::{Ail, Gray, Leak as Leaking, LeakEnd};

/// Instances leak something, and get slower the longer they run. A process that starts anew starts fresh.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak<T = Target> {
    /// Who leaks.
    pub targets: Vec<T>,
    /// How fast, how far, and what then.
    pub leaking: Leaking,
    /// How long a process that died of it stays dead.
    pub restart_after: Duration,
}

impl<T> Leak<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Leak<U>> {
        let Leak { targets, leaking, restart_after } = self;
        Some(Leak { targets: at(targets)?, leaking, restart_after })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Leak<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    /// Half a turn ends in a death, and half in a start.
    fn turns(&self) -> Option<Turns> {
        match self.leaking.end {
            LeakEnd::Dies => Some(Turns::OfEach(self.leaking.reaches() / 2 + self.restart_after / 2)),
            LeakEnd::Stays => None,
        }
    }

    fn is_nothing(&self) -> bool {
        self.leaking.factor.is_one() || self.leaking.limit.is_one()
    }
}

impl Leak {
    /// `leak of orders:one, 1.5 times per 10s up to 20 times, then dies`.
    pub fn words(&self, names: &dyn Names) -> String {
        let Leaking { per, factor, limit, end } = self.leaking;
        let end = match end {
            LeakEnd::Stays => "",
            LeakEnd::Dies => ", then dies",
        };
        format!("leak of {}, {factor} times per {per} up to {limit} times{end}", names.targets(&self.targets))
    }
}

impl Strike for Leak {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::Gray(Gray::Leak(self.leaking)));
        }
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        let node = hand.victim(step.victim);
        hand.revive(node);
    }

    fn on_exit(&self, hand: &mut Hand<'_>, node: NodeId) {
        hand.bury_for(node, self.restart_after);
    }
}
