//! The watch: the oracles that a scenario's expectations ask for, and what each saw first.

use schism_core::{Fault, NodeId, Scene, Time};
use schism_models::observation::Observation;
use schism_models::oracle::{AnyOracle, Kind, Moment, Record, Shown, Sighting};
use schism_scenario::{Ask, Scenario};

/// Oracles, each with what it saw first.
#[derive(Clone)]
pub(crate) struct Watch {
    oracles: Vec<(Kind, AnyOracle, Option<First>)>,
    /// Which of them are still to be shown attempts: most of the time, none.
    attempts: Vec<usize>,
    /// Which are still to be shown the rest.
    beliefs: Vec<usize>,
}

/// The first time that what an oracle looks for was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct First {
    pub(crate) at: Time,
    pub(crate) seen: Sighting,
}

impl Watch {
    /// One oracle of each kind that some expectation asks for.
    pub(crate) fn new(scenario: &Scenario, record: &Record) -> Watch {
        let mut kinds: Vec<Kind> =
            scenario.expectations.iter().filter_map(|expected| kind(&expected.ask)).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let oracles: Vec<_> =
            kinds.into_iter().map(|kind| (kind, AnyOracle::new(kind, &record.cast), None)).collect();
        let shown = |what| (0..oracles.len()).filter(|&at| oracles[at].1.shown() == what).collect();
        Watch { attempts: shown(Shown::Attempts), beliefs: shown(Shown::Beliefs), oracles }
    }

    /// Whether an oracle still waits to see some attempt.
    #[inline]
    pub(crate) fn wants_attempts(&self) -> bool {
        !self.attempts.is_empty()
    }

    /// An attempt was sent.
    pub(crate) fn on_attempt(&mut self, scene: &Scene<'_>, record: &Record, by: NodeId, seen: &Observation) {
        let moment = Moment { scene, record };
        let oracles = &mut self.oracles;
        self.attempts
            .retain(|&at| show(&mut oracles[at], scene.now(), |oracle| oracle.observe(&moment, by, seen)));
    }

    /// Something else was observed.
    pub(crate) fn observe(&mut self, scene: &Scene<'_>, record: &Record, by: NodeId, seen: &Observation) {
        let moment = Moment { scene, record };
        let oracles = &mut self.oracles;
        self.beliefs
            .retain(|&at| show(&mut oracles[at], scene.now(), |oracle| oracle.observe(&moment, by, seen)));
    }

    /// A fault of the plan has begun.
    pub(crate) fn on_begin(&mut self) {
        self.oracles.iter_mut().for_each(|(_, oracle, _)| oracle.on_begin());
    }

    /// A fault was inflicted or healed.
    pub(crate) fn on_fault(&mut self, scene: &Scene<'_>, record: &Record, fault: &Fault) {
        let moment = Moment { scene, record };
        let oracles = &mut self.oracles;
        self.attempts
            .retain(|&at| show(&mut oracles[at], scene.now(), |oracle| oracle.on_fault(&moment, fault)));
        self.beliefs
            .retain(|&at| show(&mut oracles[at], scene.now(), |oracle| oracle.on_fault(&moment, fault)));
    }

    /// What an oracle of this kind saw first.
    pub(crate) fn first(&self, kind: Kind) -> Option<&First> {
        self.oracles.iter().find(|(of, ..)| *of == kind)?.2.as_ref()
    }
}

/// Shows something to an oracle; the answer is whether it still waits.
fn show(
    (_, oracle, first): &mut (Kind, AnyOracle, Option<First>),
    at: Time,
    look: impl FnOnce(&mut AnyOracle) -> Option<Sighting>,
) -> bool {
    *first = look(oracle).map(|seen| First { at, seen });
    first.is_none()
}

fn kind(ask: &Ask) -> Option<Kind> {
    match ask {
        Ask::Oracle { kind, .. } => Some(*kind),
        Ask::Metric { .. } => None,
    }
}
