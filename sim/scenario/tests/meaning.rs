//! Scenarios as meant: the examples load, and their resolved form means the same.

use schism_scenario::{Loaded, load};

const FULL: &str = include_str!("data/full.toml");
const LEAST: &str = include_str!("data/least.toml");

fn loaded(text: &str) -> Loaded {
    load("test.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_resolved_scenario_means_the_same() {
    for text in [FULL, LEAST] {
        let first = loaded(text).scenario;
        let plan = first.to_toml();
        let second =
            load("plan.toml", &plan, &[]).unwrap_or_else(|errors| panic!("{errors}\n{plan}")).scenario;
        assert_eq!(second.to_toml(), plan);
        assert_eq!(second.digest, first.digest);
    }
}

#[test]
fn the_least_scenario_spells_out_its_defaults() {
    insta::assert_snapshot!(loaded(LEAST).scenario.to_toml(), @"");
}

#[test]
fn the_full_scenario_spells_out_its_defaults() {
    insta::assert_snapshot!(loaded(FULL).scenario.to_toml());
}
