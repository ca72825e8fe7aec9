//! A service gets more instances, or fewer.

use schism_core::{Death, Duration, NodeId};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Healing, Step, Strike};
use super::{Condition, Nature, Struck};
use crate::plight::{Ail, Deregister};

/// A service gets new instances, or its newest ones are told to end. Healing undoes it, as gracefully as it was done.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale<T = Target> {
    /// The service.
    pub targets: Vec<T>,
    /// In which direction.
    pub way: Way,
    /// How long an instance that is told to end has until it is killed.
    pub drain: Duration,
    /// The new instances: nodes that nothing else ever boots.
    pub spares: Vec<NodeId>,
}

/// In which direction a service is scaled, and by how many instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// So many more.
    Out(u32),
    /// So many fewer, the newest ones; one is left in any case.
    In(u32),
}

/// The only reminder: those who drain are to be killed.
const UP: Step = Step { victim: 0, turn: 0 };

impl<T> Scale<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Scale<U>> {
        let Scale { targets, way, drain, spares } = self;
        Some(Scale { targets: at(targets)?, way, drain, spares })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Scale<T> {
    fn wants_them(&self) -> Condition {
        match self.way {
            Way::Out(_) => Condition::Either,
            Way::In(_) => Condition::Alive,
        }
    }

    fn wants(&self) -> Wants {
        Wants::Service
    }

    /// The new instances drain before they are gone.
    fn heal_takes(&self, _: usize) -> Duration {
        match self.way {
            Way::Out(_) => self.drain,
            Way::In(_) => Duration::ZERO,
        }
    }

    fn is_nothing(&self) -> bool {
        matches!(self.way, Way::Out(0) | Way::In(0))
    }

    fn recruits(&self, _: u32) -> u32 {
        match self.way {
            Way::Out(count) => count,
            Way::In(_) => 0,
        }
    }

    fn enlist(&mut self, spares: Vec<NodeId>) {
        self.spares = spares;
    }

    fn spares(&self) -> &[NodeId] {
        &self.spares
    }
}

impl Scale {
    /// `orders scales out by 10`.
    pub fn words(&self, names: &dyn Names) -> String {
        let targets = names.targets(&self.targets);
        match self.way {
            Way::Out(count) => format!("{targets} scales out by {count}"),
            Way::In(count) => format!("{targets} scales in by {count}, drain {}", self.drain),
        }
    }

    /// They are of the service no more, and are told to end: first they drain.
    fn end(&self, hand: &mut Hand<'_>, nodes: &[NodeId]) {
        for &node in nodes {
            hand.send_away(node);
            hand.ail(node, Ail::Stopping(Deregister::First));
        }
        hand.remind(self.drain, UP);
    }
}

impl Strike for Scale {
    fn begin(&self, hand: &mut Hand<'_>) {
        match self.way {
            Way::Out(_) => {
                hand.strikes(Struck::Nodes(self.spares.clone()));
                self.spares.iter().for_each(|&node| hand.launch(node, &self.targets));
            }
            Way::In(count) => {
                let all = hand.members(&self.targets);
                let left = all.len().saturating_sub(count as usize).max(1).min(all.len());
                hand.narrow(all[left..].to_vec());
                self.end(hand, &all[left..]);
            }
        }
    }

    fn step(&self, hand: &mut Hand<'_>, _: Step) {
        match self.way {
            Way::Out(_) => {
                hand.retire_launched();
                hand.finish();
            }
            Way::In(_) => {
                for node in hand.victims().to_vec() {
                    hand.kill(node, Death::KILLED);
                }
            }
        }
    }

    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        match self.way {
            Way::Out(_) => {
                self.end(hand, &self.spares);
                Healing::Underway
            }
            // Who still drains is killed now: a process that is told to end cannot be told to stay.
            Way::In(_) => {
                self.step(hand, UP);
                Healing::Done
            }
        }
    }
}
