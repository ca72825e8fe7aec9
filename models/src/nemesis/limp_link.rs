//! A network card limps: it still works, a thousand times slower than it should.

use schism_core::{Distribution, Harm, Ratio};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Strike};
use super::ways::Ways;
use super::{Condition, Nature};

/// The network cards of some nodes limp, as in Do et al., "Limplock: Understanding the Impact of Limpware on Scale-out
/// Cloud Systems", SoCC 2013: a card of 1 Gbit/s that came down to 1 Mbit/s or less, and never failed.
#[derive(Clone, Debug, PartialEq)]
pub struct LimpLink<T = Target> {
    /// On which ways: those of the limping nodes.
    pub ways: Ways<T>,
    /// What is left of each card's capacity, in bytes per second in each direction; not zero.
    pub bytes_per_second: u64,
    /// How many bytes may wait at each card in each direction.
    pub buffer: u64,
    /// How much longer every message takes beside that.
    pub latency: Distribution,
    /// The share of the messages that is lost beside what the buffer drops.
    pub loss: Ratio,
}

impl<T> LimpLink<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<LimpLink<U>> {
        let LimpLink { ways, bytes_per_second, buffer, latency, loss } = self;
        Some(LimpLink { ways: ways.aim(at)?, bytes_per_second, buffer, latency, loss })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.ways.sides()
    }

    /// What the card does to a message, in turn; what is nothing is left out by the kernel.
    fn harms(&self) -> [Harm; 3] {
        [
            Harm::Lose { rate: self.loss },
            Harm::Throttle { bytes_per_second: self.bytes_per_second, buffer: self.buffer },
            Harm::Delay { extra: self.latency.clone(), correlation: Ratio::ZERO },
        ]
    }
}

impl<T> Nature for LimpLink<T> {
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    fn is_nothing(&self) -> bool {
        self.harms().iter().all(Harm::is_nothing)
    }
}

impl LimpLink {
    /// `limping link of orders-3, 125000 bytes/s`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("limping link {}, {} bytes/s", self.ways.words(names), self.bytes_per_second)
    }
}

impl Strike for LimpLink {
    fn begin(&self, hand: &mut Hand<'_>) {
        self.ways.worsen(hand, &self.harms());
    }
}
