//! Messages are lost.

use schism_core::{GilbertElliott, Harm, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// Messages are lost.
#[derive(Clone, Debug, PartialEq)]
pub struct Loss<T = Target> {
    /// On which ways.
    pub ways: Ways<T>,
    /// Which of them.
    pub pattern: Pattern,
}

/// Which messages are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// A share of them, each by its own luck.
    Each(Ratio),
    /// Those that come in a bad time of the link.
    Bursts(GilbertElliott),
}

impl<T> Loss<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Loss<U>> {
        Some(Loss { ways: self.ways.aim(at)?, pattern: self.pattern })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    fn harm(&self) -> Harm {
        match self.pattern {
            Pattern::Each(rate) => Harm::Lose { rate },
            Pattern::Bursts(chain) => Harm::Burst(chain),
        }
    }
}

impl<T> Nature for Loss<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harm().is_nothing()
    }
}

impl Loss {
    /// `loss between zone:a and zone:b, 5%`.
    pub fn words(&self, names: &dyn Names) -> String {
        let pattern = match self.pattern {
            Pattern::Each(rate) => rate.to_string(),
            Pattern::Bursts(chain) => format!("{} in bursts", chain.loss_bad),
        };
        format!("loss {}, {pattern}", self.ways.words(names))
    }
}

impl Strike for Loss {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &[self.harm()]);
    }
}
