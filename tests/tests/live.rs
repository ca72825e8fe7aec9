//! The live wing: the same scenarios on madsim, an engine that is not ours, come to the same.

use std::collections::BTreeSet;

use rayon::prelude::*;
use schism_core::{Duration, Seed};
use schism_live::Trouble;
use schism_models::nemesis::{Lasting, Nature};
use schism_runner::Report;
use schism_runner::ledger::Listed;
use schism_scenario::Scenario;
use schism_tests::binary::{Profile, schism};
use schism_tests::cross::{COMMON, cross};
use schism_tests::faults::{Way, fault, misfit, staged, ways};
use schism_tests::scenarios::all;

fn scenario(path: &str) -> &'static Scenario {
    &all().iter().find(|case| case.path == path).unwrap_or_else(|| panic!("there is no {path}")).scenario
}

fn on_madsim(scenario: &Scenario, seed: u64) -> Option<Report> {
    match schism_live::run(scenario, Seed(seed), Listed::Wrong) {
        Ok(report) => Some(report),
        Err(Trouble::Missing) => {
            assert!(!schism_live::is_here(), "a build with madsim has it");
            None
        }
        Err(
            trouble @ (Trouble::Diverged { .. }
            | Trouble::Unfit(_)
            | Trouble::Panicked { .. }
            | Trouble::Stuck { .. }),
        ) => panic!("{}: {trouble}", scenario.title),
    }
}

fn on_ours(scenario: &Scenario, seed: u64) -> Report {
    schism_runner::run(scenario, Seed(seed), Listed::Wrong)
}

/// Each scenario is run with so many seeds on both engines, and twice on madsim. docs/src/madsim.md has a table for fifty.
const SEEDS: u64 = 6;

#[test]
fn both_engines_come_to_the_same_verdicts_and_times() {
    if !schism_live::is_here() {
        return;
    }
    for path in COMMON {
        let crossed = cross(scenario(path), SEEDS).unwrap_or_else(|trouble| panic!("{path}: {trouble}"));
        assert_eq!(crossed.disagreements(), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn a_run_is_the_same_again_and_says_how_far() {
    let scenario = scenario("scenarios/partitions/leader-isolated.toml");
    let (Some(one), Some(other)) = (on_madsim(scenario, 7), on_madsim(scenario, 7)) else { return };
    assert_eq!(one.to_json(), other.to_json());
    assert_eq!(one.engine, "madsim");
    assert!(one.repeatability.is_some_and(|said| said.starts_with("per binary")));
    let another = on_madsim(scenario, 8).expect("it is here");
    assert_ne!(one.digest, another.digest, "another seed is another run");
}

/// What the check lets pass, the engine can do: it panics at what it cannot. And it does it to somebody.
#[test]
fn every_way_to_write_a_fault_is_refused_or_done() {
    let struck: Vec<Option<&str>> = ways()
        .into_par_iter()
        .map(|way| {
            let more = fault("f", &when(&way), way.toml);
            if misfit(&more).is_some() {
                return None;
            }
            let scenario = Scenario { length: Duration::from_secs(45), ..staged(&more) };
            let theirs = on_madsim(&scenario, 3)?;
            let ours = on_ours(&scenario, 3);
            let touched = |report: &Report| report.faults.iter().all(|fault| fault.touched > 0);
            assert_eq!(touched(&theirs), touched(&ours), "{}", way.toml);
            Some(way.kind)
        })
        .collect();
    let done: BTreeSet<&str> = struck.into_iter().flatten().collect();
    assert!(done.len() > 20 || !schism_live::is_here(), "most kinds are done: {done:?}");
}

fn when(way: &Way) -> String {
    let scenario = staged(&fault("f", "at = \"20s\"", way.toml));
    let lasting = scenario.faults.last().expect("it comes after the stage's own").fault.lasting();
    let says_its_end = way.kind == "crash" && way.toml.contains("restart-after");
    match lasting {
        Lasting::Span if !says_its_end => "at = \"20s\"\nfor = \"10s\"".to_owned(),
        Lasting::Span | Lasting::Moment => "at = \"20s\"".to_owned(),
    }
}

#[test]
fn the_command_refuses_what_madsim_cannot_do_with_its_place() {
    if !schism_live::is_here() {
        return;
    }
    let path = "scenarios/links/narrow-link.toml";
    let output =
        schism(Profile::Dev).args(["run", path, "--engine", "madsim"]).output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("narrow-link.toml:33:1: madsim cannot do `bandwidth`"), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn the_command_prints_the_same_bytes_twice() {
    if !schism_live::is_here() {
        return;
    }
    let path = "scenarios/partitions/leader-isolated.toml";
    let run = || {
        let args = ["run", path, "--engine", "madsim", "--seed", "7", "--format", "json"];
        schism(Profile::Dev).args(args).output().expect("the command runs")
    };
    let (one, other) = (run(), run());
    assert_eq!(one.status.code(), Some(0), "{}", String::from_utf8_lossy(&one.stderr));
    assert!(one.stdout == other.stdout, "two runs of one binary with one seed are the same");
}
