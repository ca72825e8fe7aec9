//! Messages take longer.

use schism_core::{Distribution, Harm, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// Messages take longer, each by its own draw.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency<T = Target> {
    /// On which ways.
    pub ways: Ways<T>,
    /// By how much.
    pub extra: Distribution,
    /// How much of one message's draw is that of the message before it on the same link, as in tc-netem(8).
    pub correlation: Ratio,
}

impl<T> Latency<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Latency<U>> {
        Some(Latency { ways: self.ways.aim(at)?, extra: self.extra, correlation: self.correlation })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    fn harm(&self) -> Harm {
        Harm::Delay { extra: self.extra.clone(), correlation: self.correlation }
    }
}

impl<T> Nature for Latency<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harm().is_nothing()
    }
}

impl Latency {
    /// `latency between zone:a and zone:b`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("latency {}, {} more at the median", self.ways.words(names), self.extra.median())
    }
}

impl Strike for Latency {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &[self.harm()]);
    }
}
