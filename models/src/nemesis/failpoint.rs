//! At a named point of the models things fail, come late, or end the process.

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Strike};
use super::{Condition, Nature};
use crate::failpoint::{self, Action, Hits};
use crate::plight::Ail;

/// At a named point of the models things fail, come late, or end the process.
#[derive(Clone, Debug, PartialEq)]
pub struct Failpoint<T = Target> {
    /// Which processes.
    pub targets: Vec<T>,
    /// Where, what and when.
    pub failpoint: failpoint::Failpoint,
}

impl<T> Failpoint<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Failpoint<U>> {
        Some(Failpoint { targets: at(self.targets)?, failpoint: self.failpoint })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Failpoint<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        self.failpoint.point.wants()
    }

    fn is_nothing(&self) -> bool {
        let never = matches!(self.failpoint.hits, Hits::Share(share) if share.is_zero());
        never || self.failpoint.action == Action::Delay(schism_core::Duration::ZERO)
    }
}

impl Failpoint {
    /// `failure at registry.revoke of registry`.
    pub fn words(&self, names: &dyn Names) -> String {
        let what = match self.failpoint.action {
            Action::Fail => "failure",
            Action::Delay(_) => "delay",
            Action::Panic => "panic",
        };
        format!("{what} at {} of {}", self.failpoint.point.name(), names.targets(&self.targets))
    }
}

impl Strike for Failpoint {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::Failpoint(self.failpoint));
        }
    }
}
