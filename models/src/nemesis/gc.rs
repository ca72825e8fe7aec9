//! Processes stop to collect their garbage, again and again.

use schism_core::{Distribution, Duration};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Nature, Turns};

/// Processes stand still for short times, each by its own luck: a collector that stops the world. Healing ends the last
/// of these pauses.
#[derive(Clone, Debug, PartialEq)]
pub struct Gc<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// How long a process runs until the next pause.
    pub every: Distribution,
    /// How long a pause lasts.
    pub pause: Distribution,
}

/// The shortest time between two pauses, so that time goes on whatever is drawn: a microsecond, ours.
const LEAST: Duration = Duration::from_nanos(1_000);

impl<T> Gc<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Gc<U>> {
        let Gc { targets, every, pause } = self;
        Some(Gc { targets: at(targets)?, every, pause })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Gc<T> {
    fn turns(&self) -> Option<Turns> {
        Some(Turns::OfEach((self.every.median() + self.pause.median()) / 2))
    }

    fn wants_them(&self) -> Condition {
        Condition::Running
    }

    fn is_nothing(&self) -> bool {
        self.pause.is_zero()
    }
}

impl Gc {
    /// `gc pauses of orders`.
    pub fn words(&self, names: &dyn Names) -> String {
        format!("gc pauses of {}", names.targets(&self.targets))
    }

    /// Turns are pauses at odd numbers, and what lies between them at even ones. Each draws its own length.
    fn go_on(&self, hand: &mut Hand<'_>, Step { victim, turn }: Step) {
        let node = hand.victim(victim);
        let luck = hand.luck_on(node, "collections").derive(turn.into());
        let lasts = if turn.is_multiple_of(2) {
            hand.resume(node);
            self.every.sample(luck).max(LEAST)
        } else {
            hand.pause(node);
            self.pause.sample(luck)
        };
        hand.remind(lasts, Step { victim, turn: turn + 1 });
    }
}

impl Strike for Gc {
    fn begin(&self, hand: &mut Hand<'_>) {
        let victims = hand.find_victims(&self.targets).len() as u32;
        (0..victims).for_each(|victim| self.go_on(hand, Step { victim, turn: 0 }));
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        self.go_on(hand, step);
    }
}
