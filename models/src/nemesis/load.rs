//! Clients ask for more, or otherwise, than they would.

use schism_core::{Duration, Ratio};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Healing, Step, Strike};
use super::{Condition, Lasting, Nature};
use crate::plight::{Ail, Factor, Rush, Strain};

/// Clients ask for more, or otherwise, than they would. Their own requests stay what they were. Healing takes the strain
/// away; what has been asked for by then is answered all the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Load<T = Target> {
    /// Which clients.
    pub targets: Vec<T>,
    /// How they are strained.
    pub how: How,
}

/// How a fault strains clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// So many times as many requests, at once.
    Burst(Factor),
    /// More and more requests, up to so many times as many.
    Ramp {
        /// How many times.
        factor: Factor,
        /// How long they get more; by default as long as the fault lasts.
        over: Option<Duration>,
    },
    /// Each does the same thing once.
    Herd {
        /// What.
        of: Herd,
        /// Within this time.
        within: Duration,
    },
    /// A share of the requests are about one key.
    HotKey {
        /// Which share.
        share: Ratio,
        /// Which key.
        key: u64,
    },
    /// They forget their list.
    ColdCache,
}

/// What a herd does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Herd {
    /// Asks the registry for the list.
    Refresh,
    /// Drops the connection to the registry, and opens one to the next member.
    Reconnect,
    /// Sends again what is under way.
    Retry,
}

impl<T> Load<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Load<U>> {
        Some(Load { targets: at(self.targets)?, how: self.how })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Load<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn lasting(&self) -> Lasting {
        match self.how {
            How::Burst(_) | How::Ramp { .. } | How::HotKey { .. } => Lasting::Span,
            How::Herd { .. } | How::ColdCache => Lasting::Moment,
        }
    }

    fn wants(&self) -> Wants {
        Wants::Clients
    }

    fn is_nothing(&self) -> bool {
        match self.how {
            How::Burst(factor) | How::Ramp { factor, .. } => factor.is_one(),
            How::HotKey { share, .. } => share.is_zero(),
            How::Herd { .. } | How::ColdCache => false,
        }
    }
}

impl Load {
    /// `burst of load by 5 from web`.
    pub fn words(&self, names: &dyn Names) -> String {
        let who = names.targets(&self.targets);
        match self.how {
            How::Burst(factor) => format!("burst of load by {factor} from {who}"),
            How::Ramp { factor, .. } => format!("ramp of load to {factor} from {who}"),
            How::Herd { of: Herd::Refresh, .. } => format!("herd of refreshes from {who}"),
            How::Herd { of: Herd::Reconnect, .. } => format!("herd of reconnects from {who}"),
            How::Herd { of: Herd::Retry, .. } => format!("herd of retries from {who}"),
            How::HotKey { key, .. } => format!("hot key {key} from {who}"),
            How::ColdCache => format!("cold caches of {who}"),
        }
    }

    fn strain(&self, hand: &Hand<'_>) -> Strain {
        match self.how {
            How::Burst(factor) => Strain::Surge { factor, over: Duration::ZERO },
            How::Ramp { factor, over } => {
                let over = over.or_else(|| hand.lasts()).unwrap_or_default();
                Strain::Surge { factor, over }
            }
            How::Herd { of, within } => {
                let what = match of {
                    Herd::Refresh => Rush::Refresh,
                    Herd::Reconnect => Rush::Reconnect,
                    Herd::Retry => Rush::Retry,
                };
                Strain::Rush { what, within }
            }
            How::HotKey { share, key } => Strain::HotKey { share, key },
            How::ColdCache => Strain::Rush { what: Rush::Forget, within: Duration::ZERO },
        }
    }
}

impl Strike for Load {
    fn begin(&self, hand: &mut Hand<'_>) {
        let strain = self.strain(hand);
        for node in hand.find_victims(&self.targets) {
            hand.ail(node, Ail::Strain(strain));
        }
    }

    /// A herd is over once each has had its moment.
    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        match self.how {
            How::Herd { within, .. } if within > Duration::ZERO => {
                hand.remind(within, Step { victim: 0, turn: 0 });
                Healing::Underway
            }
            How::Burst(_) | How::Ramp { .. } | How::Herd { .. } | How::HotKey { .. } | How::ColdCache => {
                Healing::Done
            }
        }
    }

    fn step(&self, hand: &mut Hand<'_>, _: Step) {
        hand.finish();
    }
}
