//! Cases: what the seed draws can be written down, and the run is the same.

use rayon::prelude::*;
use schism_models::node::Node;
use schism_runner::case::explicit;
use schism_runner::ledger::Listed;
use schism_runner::run;
use schism_scenario::Scenario;
use schism_tests::scenarios::all;

/// The faults of a scenario that its seed settles before the run.
fn drawn(scenario: &Scenario) -> Vec<usize> {
    let settled = scenario.settled(scenario.seed);
    let faults = scenario.faults.iter().zip(&settled.faults).enumerate();
    faults.filter(|(_, (drawn, settled))| drawn != settled).map(|(index, _)| index).collect()
}

#[test]
fn what_the_seed_draws_can_be_written_and_the_run_is_the_same() {
    let drawn: Vec<_> = all().iter().filter(|case| !drawn(&case.scenario).is_empty()).collect();
    assert!(drawn.len() > 20, "only {} scenarios draw anything before the run", drawn.len());
    let unwritten: Vec<String> = drawn
        .par_iter()
        .flat_map_iter(|case| {
            let seed = case.scenario.seed;
            let explicit = explicit::<Node>(&case.scenario, seed);
            let digest = |scenario: &Scenario| run(scenario, seed, Listed::Wrong).digest;
            assert_eq!(digest(&explicit), digest(&case.scenario), "{} written out", case.path);
            let settled = case.scenario.settled(seed);
            let pairs = explicit.faults.iter().zip(settled.faults).filter(|(one, other)| *one != other);
            pairs.map(|(one, _)| format!("{} {}", case.path, one.id)).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(unwritten, [] as [&str; 0], "these stay with the seed");
}
