//! Another configuration is pushed to processes.

use std::ops::Range;

use schism_core::{Death, Duration, Ratio};

use super::aim::{Aim, Names, Target, Wants};
use super::hand::{Hand, Step, Strike};
use super::{Batch, Condition, Grip, Nature};
use crate::plight::{Ail, Errors, Gray, Harm, Probes, Pushed};

/// Processes get another configuration, all at once or in stages. Healing rolls it back, everywhere at once.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigPush<T = Target> {
    /// Who gets it.
    pub targets: Vec<T>,
    /// What it says.
    pub config: Configuration,
    /// In which stages, if not to all at once.
    pub staged: Option<Stages>,
}

/// What a pushed configuration says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Configuration {
    /// Instances register with this weight.
    Weight(u32),
    /// Clients wait for an attempt no longer than this.
    Timeout(Duration),
    /// It cannot be read, and who reads it dies.
    Crashes,
    /// It is wrong, and an instance that has read it answers nothing but errors.
    Errs,
}

/// How something spreads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stages {
    /// How many at a time.
    pub batch: Batch,
    /// How long until the next batch.
    pub pause: Duration,
}

/// An instance with a configuration that is wrong answers errors after 1 ms: ours, the time to look it up.
const ERROR_LATENCY: Duration = Duration::from_millis(1);

impl Configuration {
    /// Who can read it.
    fn wants(self) -> Wants {
        match self {
            Configuration::Weight(_) | Configuration::Errs => Wants::Instances,
            Configuration::Timeout(_) => Wants::Clients,
            Configuration::Crashes => Wants::InstancesOrClients,
        }
    }

    fn words(self) -> String {
        match self {
            Configuration::Weight(weight) => format!("weight {weight}"),
            Configuration::Timeout(timeout) => format!("timeout {timeout}"),
            Configuration::Crashes => "one that crashes".to_owned(),
            Configuration::Errs => "one that errs".to_owned(),
        }
    }
}

impl Stages {
    /// Which of so many are in the stage of this number; none, if there is no such stage.
    fn stage(batch: Batch, all: usize, number: u32) -> Range<usize> {
        let size = batch.of(all);
        let first = (number as usize).saturating_mul(size).min(all);
        first..(first + size).min(all)
    }
}

impl<T> ConfigPush<T> {
    /// The same, aimed otherwise.
    pub fn aim<U>(self, at: &mut Aim<'_, T, U>) -> Option<ConfigPush<U>> {
        let ConfigPush { targets, config, staged } = self;
        Some(ConfigPush { targets: at(targets)?, config, staged })
    }

    /// Whom it is aimed at, side by side.
    pub fn sides(&self) -> Vec<&[T]> {
        vec![&self.targets]
    }
}

impl<T> Nature for ConfigPush<T> {
    fn wants_them(&self) -> Condition {
        Condition::Alive
    }

    fn grip(&self) -> Grip {
        match (self.config, self.staged) {
            (Configuration::Crashes, None) => Grip::Dead(Death::KILLED),
            (Configuration::Crashes, Some(_)) => Grip::Loose,
            (Configuration::Weight(_) | Configuration::Timeout(_) | Configuration::Errs, _) => Grip::Loose,
        }
    }

    fn wants(&self) -> Wants {
        self.config.wants()
    }
}

impl ConfigPush {
    /// `config push to orders: weight 10, 25% at a time`.
    pub fn words(&self, names: &dyn Names) -> String {
        let stages = self.staged.map_or_else(String::new, |stages| format!(", {} at a time", stages.batch));
        format!("config push to {}: {}{stages}", names.targets(&self.targets), self.config.words())
    }

    /// The next stage gets it, and the one after that is planned.
    fn push(&self, hand: &mut Hand<'_>, number: u32) {
        let all = hand.victims().len();
        let stage = self.staged.map_or(0..all, |stages| Stages::stage(stages.batch, all, number));
        let rest = all - stage.end;
        for place in stage {
            self.push_to(hand, place as u32);
        }
        if let Some(stages) = self.staged.filter(|_| rest > 0) {
            hand.remind(stages.pause, Step { victim: number + 1, turn: 0 });
        }
    }

    fn push_to(&self, hand: &mut Hand<'_>, place: u32) {
        let node = hand.victim(place);
        match self.config {
            Configuration::Weight(weight) => hand.ail(node, Ail::Pushed(Pushed::Weight(weight))),
            Configuration::Timeout(timeout) => hand.ail(node, Ail::Pushed(Pushed::Timeout(timeout))),
            Configuration::Crashes => hand.kill(node, Death::KILLED),
            Configuration::Errs => hand.ail(node, Ail::Gray(Gray::Errors(always()))),
        }
    }
}

/// Every request fails.
fn always() -> Errors {
    let (rate, latency) = (Ratio::ONE, ERROR_LATENCY);
    Errors { rate, latency, harm: Harm::ToRequest, probes: Probes::Pass, only: None }
}

impl Strike for ConfigPush {
    fn begin(&self, hand: &mut Hand<'_>) {
        hand.find_victims(&self.targets);
        self.push(hand, 0);
    }

    fn step(&self, hand: &mut Hand<'_>, step: Step) {
        self.push(hand, step.victim);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_even_but_for_the_last() {
        let stage = |number| Stages::stage(Batch::Count(4), 10, number);
        assert_eq!([stage(0), stage(1), stage(2), stage(3)], [0..4, 4..8, 8..10, 10..10]);
    }
}
