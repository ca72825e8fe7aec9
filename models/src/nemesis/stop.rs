//! Processes are told to end, and end in order.

use schism_core::{Death, Duration, NodeId};

use super::aim::{Aim, Names, Target};
use super::hand::{Hand, Healing, Step, Strike};
use super::{Condition, Grip, Nature};
use crate::node::Node;
use crate::plight::{Ail, Deregister};

/// Processes are told to end (SIGTERM), as by an orchestrator, and are killed when their time to drain is over. Healing
/// starts them anew.
///
/// An instance goes on serving while it drains. A registry member hands over what it leads and ends, at the latest when
/// the time to drain is over. A client ends at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Stop<T = Target> {
    /// Whose.
    pub targets: Vec<T>,
    /// How long a process has until it is killed; Kubernetes gives 30 s (`terminationGracePeriodSeconds`).
    pub drain: Duration,
    /// Whether an instance takes itself off the list first.
    pub deregister: Deregister,
}

/// The only reminder: a victim's time is up.
const UP: u32 = 0;

impl<T> Stop<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<Stop<U>> {
        let Stop { targets, drain, deregister } = self;
        Some(Stop { targets: at(targets)?, drain, deregister })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for Stop<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    /// Who drains lives on for a while.
    fn grip(&self) -> Grip {
        if self.drain == Duration::ZERO { Grip::Dead(Death::KILLED) } else { Grip::Loose }
    }
}

impl Stop {
    /// `stop of orders:one, drain 5s`.
    pub fn words(&self, names: &dyn Names) -> String {
        let rude = match self.deregister {
            Deregister::First => "",
            Deregister::Never => ", without a word to the registry",
        };
        format!("stop of {}, drain {}{rude}", names.targets(&self.targets), self.drain)
    }

    fn drains(&self, hand: &Hand<'_>, node: NodeId) -> bool {
        let may = match hand.actor(node) {
            Some(Node::Instance(_) | Node::Member(_)) => true,
            Some(Node::Client(_) | Node::Aide(_)) | None => false,
        };
        may && self.drain > Duration::ZERO
    }
}

impl Strike for Stop {
    fn begin(&self, hand: &mut Hand<'_>) {
        for (victim, node) in (0..).zip(hand.find_victims(&self.targets)) {
            let drains = self.drains(hand, node);
            // With no time to drain it still gets to say that it leaves: its host delivers that, as far as the network does.
            hand.ail(node, Ail::Stopping(self.deregister));
            if drains {
                hand.remind(self.drain, Step { victim, turn: UP });
            } else {
                hand.kill(node, Death::KILLED);
            }
        }
    }

    fn step(&self, hand: &mut Hand<'_>, Step { victim, .. }: Step) {
        let node = hand.victim(victim);
        hand.kill(node, Death::KILLED);
    }

    /// Who still drains is killed now: a process that is told to end cannot be told to stay.
    fn heal(&self, hand: &mut Hand<'_>) -> Healing {
        for node in hand.victims().to_vec() {
            hand.kill(node, Death::KILLED);
        }
        Healing::Done
    }
}
