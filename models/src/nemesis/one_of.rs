//! One of several faults, chosen by the seed.

use schism_core::{Luck, NodeId};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Healing, Step, Strike};
use super::{Condition, Fault, Lasting, Nature};

/// One of several faults. The fault's own luck chooses which when it begins: each is as likely as the others.
#[derive(Clone, Debug, PartialEq)]
pub struct OneOf<T = Target> {
    /// The alternatives: at least one, and none of them another choice.
    pub of: Vec<Fault<T>>,
}

/// What the fault's luck is asked for.
pub(super) const CHOICE: &str = "choice";

impl<T> OneOf<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<OneOf<U>> {
        let of: Vec<_> = self.of.into_iter().map(|fault| fault.aim(at)).collect();
        Some(OneOf { of: of.into_iter().collect::<Option<_>>()? })
    }

    /// Whom its alternatives are aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        self.of.iter().flat_map(Fault::sides).collect()
    }
}

impl<T> Nature for OneOf<T> {
    /// What is chosen is not known before.
    fn wants_them(&self) -> Condition {
        Condition::Either
    }

    /// The alternatives are alike in this: a scenario in which they are not is refused.
    fn lasting(&self) -> Lasting {
        self.of.first().map_or(Lasting::Span, Nature::lasting)
    }

    /// Each alternative wants its own.
    fn wants(&self) -> Wants {
        Wants::Anyone
    }

    fn is_nothing(&self) -> bool {
        self.of.iter().all(Nature::is_nothing)
    }
}

impl OneOf {
    /// `one of: crash of orders:one; pause of orders:one`.
    pub fn words(&self, names: &dyn Names) -> String {
        let each: Vec<String> = self.of.iter().map(|fault| fault.words(names)).collect();
        format!("one of: {}", each.join("; "))
    }

    /// The alternative that this luck chooses.
    pub(super) fn choose(&self, mut luck: Luck) -> &Fault {
        &self.of[luck.below(self.of.len() as u32) as usize]
    }

    fn chosen(&self, hand: &Hand<'_>) -> &Fault {
        self.choose(hand.luck(CHOICE, 0))
    }
}

impl Strike for OneOf {
    fn begin(&self, hand: &mut Hand<'_>) {
        let chosen = self.chosen(hand);
        if !chosen.is_nothing() {
            chosen.begin(hand);
        }
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        self.chosen(hand).step(hand, step);
    }

    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        let chosen = self.chosen(hand);
        if chosen.is_nothing() { Healing::Done } else { chosen.heal(hand) }
    }

    fn on_exit(&self, hand: &mut Hand<'_>, node: NodeId) {
        self.chosen(hand).on_exit(hand, node);
    }
}
