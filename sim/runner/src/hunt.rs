//! The hunt: what many seeds of a family came to, folded in the order of the seeds, in as much memory as they differ.
//!
//! It knows no threads, no files and no clock: whoever drives it runs seeds as it likes, and hands over what it found.

mod tally;

use schism_models::node::{Node, Process};
use schism_scenario::Scenario;
use serde::{Deserialize, Serialize};

use crate::coverage::Scout;
use crate::report::Verdict;
use crate::{Failure, Simulation};

pub use tally::{Group, Sample, Tally, Vacuous};

/// What one seed came to: as much of it as a hunt keeps until it has been counted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The seed.
    pub seed: u64,
    /// What became of all expectations together.
    pub verdict: Verdict,
    /// The digest of the run.
    pub digest: String,
    /// Events handled.
    pub events: u64,
    /// Nanoseconds simulated.
    pub simulated: u64,
    /// What failed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<Failure>,
    /// If the run was vacuous: the first expectation that it did not reach, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vacuous: Option<(String, String)>,
    /// The states that the run was in: see [`coverage`](crate::coverage).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<u64>,
}

/// Runs one member of a family with its seed.
pub fn look(scenario: &Scenario) -> Found {
    look_of::<Node>(scenario)
}

/// The same with other processes than the models alone.
pub fn look_of<P: Process>(scenario: &Scenario) -> Found {
    let seed = scenario.seed;
    let mut simulation: Simulation<Scout, P> = Simulation::new(scenario, seed, Scout::new(scenario));
    simulation.run_to_end();
    let (report, states) = simulation.into_report_and_states(scenario, seed);
    let reached = |verdict: Verdict| verdict != Verdict::Vacuous;
    let vacuous = report.expect.iter().find(|expectation| !reached(expectation.verdict));
    Found {
        seed: seed.0,
        verdict: report.verdict,
        failures: report.failures().collect(),
        vacuous: vacuous
            .filter(|_| !reached(report.verdict))
            .map(|expectation| (expectation.id.clone(), expectation.why.clone().unwrap_or_default())),
        events: report.events,
        simulated: scenario.length.as_nanos(),
        digest: report.digest,
        states: states.into_iter().collect(),
    }
}
