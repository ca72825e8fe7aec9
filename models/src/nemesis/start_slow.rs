//! Processes that have just started are slow for a while.

use schism_core::{Death, Duration};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Strike};
use super::{Condition, Nature};
use crate::plight::{Ail, Factor};

/// While it lasts, an instance that boots serves slower at first: its code is not compiled and its caches are cold. What
/// is running already is as fast as ever.
#[derive(Clone, Debug, PartialEq)]
pub struct StartSlow<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// How many times as long a request takes at the moment of the boot.
    pub factor: Factor,
    /// How long it takes until the instance is as fast as ever, ever faster on the way.
    pub lasts: Duration,
    /// Who starts them.
    pub restart: Restart,
}

/// Who starts the processes that are slow after a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// The fault itself, as it begins: each is killed and starts anew at once.
    AsItBegins,
    /// Other faults: a crash that ends, a deploy.
    Others,
}

impl<T> StartSlow<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<StartSlow<U>> {
        let StartSlow { targets, factor, lasts, restart } = self;
        Some(StartSlow { targets: at(targets)?, factor, lasts, restart })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for StartSlow<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    fn is_nothing(&self) -> bool {
        let slows = !self.factor.is_one() && self.lasts > Duration::ZERO;
        !slows && self.restart == Restart::Others
    }
}

impl StartSlow {
    /// `slow start of orders, 5 times for 30s`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("slow start of {}, {} times for {}", names.targets(&self.targets), self.factor, self.lasts)
    }
}

impl Strike for StartSlow {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::SlowStart { factor: self.factor, lasts: self.lasts });
            if self.restart == Restart::AsItBegins {
                hand.kill(node, Death::KILLED);
                hand.revive(node);
            }
        }
    }
}
