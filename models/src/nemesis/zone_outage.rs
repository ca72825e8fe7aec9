//! A zone goes dark.

use schism_core::{Death, Duration, NodeId};

use super::aim::{Aim, Names, Target};
use super::batch::Batch;
use super::hand::{Hand, Healing, Step, Strike};
use super::{Condition, Grip, Nature};

/// All hosts of a zone lose power: nobody answers for them, and what was not synced is gone. Healing starts them anew.
#[derive(Clone, Debug, PartialEq)]
pub struct ZoneOutage<T = Target> {
    /// The zone.
    pub zone: Vec<T>,
    /// How they come back.
    pub recovery: Recovery,
}

/// How a zone comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// All hosts at one moment.
    AtOnce,
    /// Some at a time, in an order drawn by the fault's own luck. The fault has healed when the last has started.
    Waves {
        /// How many at a time.
        size: Batch,
        /// How long after each other.
        every: Duration,
    },
}

impl<T> ZoneOutage<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<ZoneOutage<U>> {
        Some(ZoneOutage { zone: at(self.zone)?, recovery: self.recovery })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.zone]
    }
}

impl<T> Nature for ZoneOutage<T> {
    fn heal_takes(&self, nodes: usize) -> Duration {
        match self.recovery {
            Recovery::AtOnce => Duration::ZERO,
            Recovery::Waves { size, every } => {
                every * nodes.div_ceil(size.of(nodes)).saturating_sub(1) as u64
            }
        }
    }

    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn grip(&self) -> Grip {
        Grip::Dead(Death::POWER_LOSS)
    }

    /// How many waves there are, the run shows.
    fn lingers(&self) -> Option<Duration> {
        match self.recovery {
            Recovery::AtOnce => Some(Duration::ZERO),
            Recovery::Waves { .. } => None,
        }
    }
}

impl ZoneOutage {
    /// `outage of zone:b, back in waves of 25% every 10s`.
    pub fn words(&self, names: &dyn Names) -> String {
        let back = match self.recovery {
            Recovery::AtOnce => String::new(),
            Recovery::Waves { size, every } => format!(", back in waves of {size} every {every}"),
        };
        format!("outage of {}{back}", names.targets(&self.zone))
    }
}

impl Strike for ZoneOutage {
    fn begin(&self, hand: &mut Hand<'_>) {
        hand.kill_all(&self.zone, Death::POWER_LOSS);
    }

    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        match self.recovery {
            Recovery::AtOnce => Healing::Done,
            Recovery::Waves { size, every } => next_wave(hand, 0, size, every),
        }
    }

    fn step(&self, hand: &mut Hand<'_>, Step { turn, .. }: Step) {
        let Recovery::Waves { size, every } = self.recovery else { unreachable!("all come back at once") };
        match next_wave(hand, turn, size, every) {
            Healing::Done => hand.finish(),
            Healing::Underway => {}
        }
    }
}

/// The wave of this number comes back, and is the last or is followed by another.
fn next_wave(hand: &mut Hand<'_>, number: u32, size: Batch, every: Duration) -> Healing {
    let mut order: Vec<NodeId> = hand.victims().to_vec();
    // The same order for every wave: the same purpose and turn are the same stream.
    hand.luck("recovery", 0).shuffle(&mut order);
    let size = size.of(order.len());
    let mut waves = order.chunks(size).skip(number as usize);
    waves.next().unwrap_or_default().iter().for_each(|&node| hand.revive(node));
    if waves.next().is_none() {
        return Healing::Done;
    }
    hand.remind(every, Step { victim: 0, turn: number + 1 });
    Healing::Underway
}
