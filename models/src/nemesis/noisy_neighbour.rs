//! Instances share their processors with somebody who needs them now and then.

use schism_core::{Distribution, Duration, Ratio};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Nature, Turns};
use crate::plight::{Ail, Gray};

/// Instances have a neighbour that takes a share of their processor in bursts, each by its own luck.
///
/// Bursts and the time between them are exponential: a source that is on and off (Anick, Mitra and Sondhi, "Stochastic
/// theory of a data-handling system with multiple sources", Bell System Technical Journal 61(8), 1982).
#[derive(Clone, Debug, PartialEq)]
pub struct NoisyNeighbour<T = Target> {
    /// Whose neighbour.
    pub targets: Vec<T>,
    /// What it takes of the processor in a burst; less than all.
    pub steal: Ratio,
    /// How long a burst is, in the mean.
    pub on: Duration,
    /// How long it is quiet, in the mean.
    pub off: Duration,
}

/// The shortest burst, and the shortest time between two, so that time goes on whatever is drawn: a microsecond, ours.
const LEAST: Duration = Duration::from_nanos(1_000);

impl<T> NoisyNeighbour<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<NoisyNeighbour<U>> {
        let NoisyNeighbour { targets, steal, on, off } = self;
        Some(NoisyNeighbour { targets: at(targets)?, steal, on, off })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for NoisyNeighbour<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    /// Half a turn is a burst, and half is quiet.
    fn turns(&self) -> Option<Turns> {
        Some(Turns::OfEach((self.on + self.off) / 2))
    }

    fn is_nothing(&self) -> bool {
        self.steal.is_zero()
    }
}

impl NoisyNeighbour {
    /// `noisy neighbour of orders:one, takes 60% for 200ms every 1s`.
    pub fn words(&self, names: &dyn Names) -> String {
        let every = self.on + self.off;
        let targets = names.targets(&self.targets);
        format!("noisy neighbour of {targets}, takes {} for {} every {every}", self.steal, self.on)
    }

    /// Turns are bursts at odd numbers, and what lies between them at even ones. Each draws its own length.
    fn go_on(&self, hand: &mut Hand<'_>, Step { victim, turn }: Step) {
        let node = hand.victim(victim);
        let mean = if turn.is_multiple_of(2) {
            hand.cure(node);
            self.off
        } else {
            hand.ail(node, Ail::Gray(Gray::Stolen(self.steal)));
            self.on
        };
        let length = Distribution::exponential(mean).expect("a checked scenario has positive means");
        let lasts = length.sample(hand.luck_on(node, "bursts").derive(turn.into())).max(LEAST);
        hand.remind(lasts, Step { victim, turn: turn + 1 });
    }
}

impl Strike for NoisyNeighbour {
    fn begin(&self, hand: &mut Hand<'_>) {
        let victims = hand.find_victims(&self.targets).len() as u32;
        (0..victims).for_each(|victim| self.go_on(hand, Step { victim, turn: 0 }));
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        self.go_on(hand, step);
    }
}
