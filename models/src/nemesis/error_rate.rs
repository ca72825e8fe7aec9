//! Instances answer some requests with errors.

use schism_core::{Duration, NodeId, Ratio};

use super::aim::{Aim, Names, Target, Wants, aim_maybe, sides_maybe};
use super::hand::{Hand, Step, Strike};
use super::{Condition, Nature};
use crate::plight::{Ail, Errors, Gray, Harm, Probes};

/// Instances fail some requests: quickly, so that to a balancer that counts requests in flight they look idle.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorRate<T = Target> {
    /// Whose requests.
    pub targets: Vec<T>,
    /// How many fail.
    pub rate: Ratio,
    /// How long it takes until the error is answered.
    pub latency: Duration,
    /// What an error does to the process.
    pub harm: Harm,
    /// How long a process that died of it stays dead.
    pub restart_after: Duration,
    /// Whether what checks their health notices.
    pub probes: Probes,
    /// The clients whose requests fail; everybody's, if none.
    pub selective: Option<Vec<T>>,
}

impl<T> ErrorRate<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<ErrorRate<U>> {
        let ErrorRate { targets, rate, latency, harm, restart_after, probes, selective } = self;
        let (targets, selective) = (at(targets)?, aim_maybe(selective, at)?);
        Some(ErrorRate { targets, rate, latency, harm, restart_after, probes, selective })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        sides_maybe(&self.targets, self.selective.as_deref())
    }
}

impl<T> Nature for ErrorRate<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn wants(&self) -> Wants {
        Wants::Instances
    }

    fn wants_beside(&self) -> Wants {
        Wants::Clients
    }

    fn is_nothing(&self) -> bool {
        self.rate.is_zero() && self.probes == Probes::Pass
    }
}

impl ErrorRate {
    /// `30% errors of orders:one, for web:20% only, fatal, probes fail`.
    pub fn words(&self, names: &dyn Names) -> String {
        let (only, probes) = (names.only(self.selective.as_deref()), self.probes.words());
        let harm = match self.harm {
            Harm::ToRequest => "",
            Harm::Fatal => ", fatal",
        };
        format!("{} errors of {}{only}{harm}{probes}", self.rate, names.targets(&self.targets))
    }
}

impl Strike for ErrorRate {
    fn begin(&self, hand: &mut Hand<'_>) {
        let only = hand.find_clients(self.selective.as_deref());
        let ErrorRate { rate, latency, harm, probes, .. } = *self;
        for node in hand.find_victims(&self.targets) {
            let errors = Errors { rate, latency, harm, probes, only: only.clone() };
            hand.ail(node, Ail::Gray(Gray::Errors(errors)));
        }
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        let node = hand.victim(step.victim);
        hand.revive(node);
    }

    fn on_exit(&self, hand: &mut Hand<'_>, node: NodeId) {
        hand.bury_for(node, self.restart_after);
    }
}
