//! Whole scenarios, with all that a run has: registry, caches, metrics, beliefs, oracles and the report.

use schism_runner::ledger::Listed;
use schism_scenario::Override;

/// A scenario of the benches.
pub struct Scenario {
    name: &'static str,
    text: &'static str,
}

/// Sixty clients, thirty instances, a split.
pub const FULL: Scenario = Scenario { name: "full.toml", text: include_str!("../full.toml") };
/// Ten thousand clients, a thousand instances.
pub const SCALE: Scenario = Scenario { name: "scale.toml", text: include_str!("../scale.toml") };

/// What a run has done.
pub struct Done {
    /// Events handled.
    pub events: u64,
    /// Requests offered, those of the warm-up too.
    pub requests: u64,
}

impl Scenario {
    /// Runs it with changes, as `--set` takes them.
    pub fn run(&self, changes: &[&str]) -> Done {
        let changes: Vec<Override> = changes.iter().map(|&change| Override::new(change)).collect();
        let loaded =
            schism_scenario::load(self.name, self.text, &changes).unwrap_or_else(|wrong| panic!("{wrong}"));
        let report = schism_runner::run(&loaded.scenario, loaded.scenario.seed, Listed::Wrong);
        Done { events: report.events, requests: report.timeline.offered.iter().sum() }
    }
}
