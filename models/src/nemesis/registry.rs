//! The registry fares ill: its leader changes, its leases end, its watches stall, its lists are wrong.

use schism_core::{Duration, Ratio};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Lasting, Nature, Turns};
use crate::plight::Ail as AnyAil;
use crate::registry::ail::{Ail, Ill, Order};

/// Something is wrong with the registry, or happens to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Registry<T = Target> {
    /// Which members it is wrong with; the instances, if registrations are lost; who leads, if it happens to all.
    pub targets: Vec<T>,
    /// What it is.
    pub trouble: Trouble,
}

/// What is wrong with a registry, or happens to it.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// Leadership moves on, once or every so often.
    LeaderChange {
        /// How often.
        every: Option<Duration>,
    },
    /// This share of the leases ends now.
    MassExpiry(Ratio),
    /// All changes but those of the latest revisions are forgotten.
    Compaction {
        /// How many revisions can still be watched from.
        keep: u64,
    },
    /// A backup is restored.
    Rollback {
        /// How old it is.
        age: Duration,
    },
    /// Registrations are gone, while their leases live on.
    RegistrationLost,
    /// Something is wrong with members until it heals.
    Ill(Ill),
}

impl Trouble {
    /// The names a scenario may write, with what each is.
    pub const CATALOG: &[(&str, &str)] = &[
        ("leader-change", "leadership moves to another member, gracefully"),
        ("lease-mass-expiry", "the time of many leases is up at once"),
        ("stale-snapshot", "members serve readers and watchers from a state of some time ago"),
        ("watch-stall", "watchers are told nothing for a while, and then everything"),
        ("watch-gap", "watchers are never told of some changes"),
        ("compaction", "old changes are forgotten: who resumes a watch from before lists anew"),
        ("empty-list", "every list is empty"),
        ("partial-list", "every list leaves out some instances"),
        ("ghost-entry", "instances that go stay on the lists"),
        ("registration-lost", "registrations are gone, while their leases live on"),
        ("throttle", "requests beyond a rate are refused"),
        ("rollback", "a backup is restored, and revisions go back"),
        ("migration", "the table of registrations moves bucket by bucket while it is read"),
    ];

    /// Its name in the catalog.
    pub fn name(&self) -> &'static str {
        match self {
            Trouble::LeaderChange { .. } => "leader-change",
            Trouble::MassExpiry(_) => "lease-mass-expiry",
            Trouble::Compaction { .. } => "compaction",
            Trouble::Rollback { .. } => "rollback",
            Trouble::RegistrationLost => "registration-lost",
            Trouble::Ill(Ill::Stale(_)) => "stale-snapshot",
            Trouble::Ill(Ill::Stalls) => "watch-stall",
            Trouble::Ill(Ill::Gaps(_)) => "watch-gap",
            Trouble::Ill(Ill::Empty) => "empty-list",
            Trouble::Ill(Ill::Partial(_)) => "partial-list",
            Trouble::Ill(Ill::Ghosts(_)) => "ghost-entry",
            Trouble::Ill(Ill::Throttled { .. }) => "throttle",
            Trouble::Ill(Ill::Migrates(_)) => "migration",
        }
    }
}

impl<T> Registry<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Registry<U>> {
        Some(Registry { targets: at(self.targets)?, trouble: self.trouble })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Registry<T> {
    fn turns(&self) -> Option<Turns> {
        match self.trouble {
            Trouble::LeaderChange { every } => every.map(Turns::OfAll),
            Trouble::MassExpiry(_)
            | Trouble::Compaction { .. }
            | Trouble::Rollback { .. }
            | Trouble::RegistrationLost
            | Trouble::Ill(_) => None,
        }
    }

    /// What the leader is told is done whoever else is dead.
    fn wants_them(&self) -> Condition {
        match self.trouble {
            Trouble::Ill(_) => Condition::Alive,
            Trouble::LeaderChange { .. }
            | Trouble::MassExpiry(_)
            | Trouble::Compaction { .. }
            | Trouble::Rollback { .. }
            | Trouble::RegistrationLost => Condition::Either,
        }
    }

    fn lasting(&self) -> Lasting {
        match self.trouble {
            Trouble::LeaderChange { every: Some(_) } | Trouble::Ill(_) => Lasting::Span,
            Trouble::LeaderChange { every: None }
            | Trouble::MassExpiry(_)
            | Trouble::Compaction { .. }
            | Trouble::Rollback { .. }
            | Trouble::RegistrationLost => Lasting::Moment,
        }
    }

    fn wants(&self) -> Wants {
        match self.trouble {
            Trouble::RegistrationLost => Wants::Instances,
            Trouble::LeaderChange { .. }
            | Trouble::MassExpiry(_)
            | Trouble::Compaction { .. }
            | Trouble::Rollback { .. }
            | Trouble::Ill(_) => Wants::Members,
        }
    }

    fn is_nothing(&self) -> bool {
        match &self.trouble {
            Trouble::MassExpiry(share)
            | Trouble::Ill(Ill::Gaps(share) | Ill::Partial(share) | Ill::Ghosts(share)) => share.is_zero(),
            Trouble::LeaderChange { .. }
            | Trouble::Compaction { .. }
            | Trouble::Rollback { .. }
            | Trouble::RegistrationLost => false,
            Trouble::Ill(
                Ill::Stale(_) | Ill::Stalls | Ill::Empty | Ill::Throttled { .. } | Ill::Migrates(_),
            ) => false,
        }
    }
}

impl Registry {
    /// `watch-stall of registry-1`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("{} of {}", self.trouble.name(), names.targets(&self.targets))
    }

    /// Leadership that moves every so often does so again.
    fn again(&self, hand: &mut Hand<'_>, turn: u32) {
        if let Trouble::LeaderChange { every: Some(every) } = self.trouble {
            hand.remind(every, Step { victim: 0, turn });
        }
    }
}

impl Strike for Registry {
    fn begin(&self, hand: &mut Hand<'_>) {
        let victims = hand.find_victims(&self.targets);
        match &self.trouble {
            Trouble::LeaderChange { .. } => {
                bid(hand, Order::HandOver);
                self.again(hand, 1);
            }
            Trouble::MassExpiry(share) => bid(hand, Order::Expire(*share)),
            Trouble::Compaction { keep } => bid(hand, Order::Compact { keep: *keep }),
            Trouble::Rollback { age } => bid(hand, Order::Restore { age: *age }),
            Trouble::RegistrationLost => bid(hand, Order::Lose(victims.into())),
            Trouble::Ill(ill) => {
                for node in victims {
                    hand.ail(node, AnyAil::Registry(Ail::Ill(ill.clone())));
                }
            }
        }
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        bid(hand, Order::HandOver);
        self.again(hand, step.turn + 1);
    }
}

/// Whoever leads now is given an order, or each member where none ever leads; nobody is, if nobody leads for now.
fn bid(hand: &mut Hand<'_>, order: Order) {
    for member in hand.finding(|finder| finder.in_charge()) {
        hand.order(member, AnyAil::Registry(Ail::Order(order.clone())));
    }
}
