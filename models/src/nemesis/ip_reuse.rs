//! Addresses of dead instances are given to others.

use schism_core::{Death, NodeId};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Healing, Strike};
use super::{Condition, Nature};
use crate::plight::{Ail, Answers};

/// Instances die, and another process gets the address of each at once. It answers what is not meant for it, and does not
/// register. Healing ends it, and starts the instance anew.
#[derive(Clone, Debug, PartialEq)]
pub struct IpReuse<T = Target> {
    /// Who dies.
    pub targets: Vec<T>,
    /// What the other process answers.
    pub answers: Answers,
}

impl<T> IpReuse<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<IpReuse<U>> {
        Some(IpReuse { targets: at(self.targets)?, answers: self.answers })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for IpReuse<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }
}

impl IpReuse {
    /// `addresses of orders:one are given to others, who answer errors`.
    pub fn words(&self, names: &dyn Names) -> String {
        let answers = match self.answers {
            Answers::Error => "errors",
            Answers::Success => "as if it were theirs",
        };
        format!("addresses of {} are given to others, who answer {answers}", names.targets(&self.targets))
    }
}

impl Strike for IpReuse {
    fn begin(&self, hand: &mut Hand<'_>) {
        for node in hand.find_victims(&self.targets) {
            succeed(hand, node, |hand| hand.ail(node, Ail::Stranger(self.answers)));
        }
    }

    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        for node in hand.victims().to_vec() {
            succeed(hand, node, |hand| hand.cure(node));
        }
        Healing::Done
    }
}

/// One process ends at an address, and another begins there, with what has changed in between.
fn succeed(hand: &mut Hand<'_>, node: NodeId, change: impl FnOnce(&mut Hand<'_>)) {
    hand.kill(node, Death::KILLED);
    change(hand);
    hand.revive(node);
}
