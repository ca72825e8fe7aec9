//! DNS servers go wrong: they answer from the past, or not at all, or wrongly.

use schism_core::{Duration, NodeId, Ratio};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Nature};
use crate::plight::Ail;
use crate::registry::dns::ail::Wrong;

/// DNS servers go wrong. What they and clients have remembered by the heal stays until its time is up.
#[derive(Clone, Debug, PartialEq)]
pub struct Dns<T = Target> {
    /// Which servers.
    pub targets: Vec<T>,
    /// How.
    pub how: Mischief<T>,
}

/// How a DNS server goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Mischief<T = Target> {
    /// It answers from the list of so long ago.
    Stale(Duration),
    /// It does not answer this share of the questions.
    Timeout(Ratio),
    /// It says of this share of what it looks up that there is no such name.
    NxDomain {
        /// The share.
        share: Ratio,
        /// For how long that may be remembered, if not as the zone says.
        ttl: Option<Duration>,
    },
    /// Each answer has only this share of the records.
    Shuffle(Ratio),
    /// This share of what it looks up names these instances.
    Poison {
        /// The share.
        share: Ratio,
        /// The instances.
        to: Vec<T>,
        /// For how long that may be remembered, if not as the zone says.
        ttl: Option<Duration>,
    },
}

impl<T> Mischief<T> {
    /// The names a scenario may write, with what each is.
    pub const CATALOG: &[(&str, &str)] = &[
        ("stale", "answers are those of some time ago"),
        ("timeout", "questions are not answered"),
        ("nxdomain", "the answer is that there is no such name"),
        ("shuffle", "each answer has only a part of the records, every time another"),
        ("poison", "answers name other instances, and may be remembered for long"),
    ];

    /// Its name in the catalog.
    pub fn name(&self) -> &'static str {
        match self {
            Mischief::Stale(_) => "stale",
            Mischief::Timeout(_) => "timeout",
            Mischief::NxDomain { .. } => "nxdomain",
            Mischief::Shuffle(_) => "shuffle",
            Mischief::Poison { .. } => "poison",
        }
    }

    fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Mischief<U>> {
        Some(match self {
            Mischief::Stale(age) => Mischief::Stale(age),
            Mischief::Timeout(share) => Mischief::Timeout(share),
            Mischief::NxDomain { share, ttl } => Mischief::NxDomain { share, ttl },
            Mischief::Shuffle(share) => Mischief::Shuffle(share),
            Mischief::Poison { share, to, ttl } => Mischief::Poison { share, to: at(to)?, ttl },
        })
    }
}

impl<T> Dns<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Dns<U>> {
        Some(Dns { targets: at(self.targets)?, how: self.how.aim(at)? })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        match &self.how {
            Mischief::Poison { to, .. } => vec![&self.targets, to],
            Mischief::Stale(_) | Mischief::Timeout(_) | Mischief::NxDomain { .. } | Mischief::Shuffle(_) => {
                vec![&self.targets]
            }
        }
    }
}

impl<T> Nature for Dns<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::DnsServers
    }

    fn wants_beside(&self) -> Wants {
        Wants::Instances
    }

    fn is_nothing(&self) -> bool {
        match &self.how {
            Mischief::Stale(_) => false,
            // Of all records, all are left.
            Mischief::Shuffle(share) => *share == Ratio::ONE,
            Mischief::Timeout(share) | Mischief::NxDomain { share, .. } | Mischief::Poison { share, .. } => {
                share.is_zero()
            }
        }
    }
}

impl Dns {
    /// `nxdomain of dns-0`.
    pub fn words(&self, names: &dyn Names) -> String {
        let what = match &self.how {
            Mischief::Poison { to, .. } => format!("poison to {}", names.targets(to)),
            Mischief::Stale(_) | Mischief::Timeout(_) | Mischief::NxDomain { .. } | Mischief::Shuffle(_) => {
                self.how.name().to_owned()
            }
        };
        format!("{what} of {}", names.targets(&self.targets))
    }
}

impl Strike for Dns {
    fn begin(&self, hand: &mut Hand<'_>) {
        let wrong = match &self.how {
            Mischief::Stale(age) => Wrong::Stale { age: *age },
            Mischief::Timeout(share) => Wrong::Timeout { share: *share },
            Mischief::NxDomain { share, ttl } => Wrong::NxDomain { share: *share, ttl: *ttl },
            Mischief::Shuffle(share) => Wrong::Shuffle { share: *share },
            Mischief::Poison { share, to, ttl } => {
                let to: Vec<NodeId> = hand.finding(|finder| finder.find_all(to)).iter().collect();
                Wrong::Poison { share: *share, to: to.into(), ttl: *ttl }
            }
        };
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::Dns(wrong.clone()));
        }
    }

    fn step(&self, _: &mut Hand<'_>, _: Step) {}
}
