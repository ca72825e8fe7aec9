//! Every oracle of the catalog, asked for in every mood over a handful of runs: it watches, and nothing else.

use schism_core::{Duration, Seed};
use schism_models::oracle::{self, Mood};
use schism_runner::report::{Expectation, Report};
use schism_runner::{Ledger, Simulation};
use schism_scenario::{Ask, Scenario};
use schism_tests::plain::staged;

/// What goes wrong in each of the runs.
const TROUBLE: &[&str] = &[
    "",
    "[[fault]]\nat = \"20s\"\nfor = \"12s\"\npartition = { split = [[\"zone:b\"], [\"rest\"]] }\n",
    "[[fault]]\nat = \"20s\"\nfor = \"10s\"\ncrash = \"orders:pick(3)\"\n\
     [[fault]]\nat = \"25s\"\nfor = \"8s\"\ncrash = \"registry:leader\"\n",
    "[[fault]]\nat = \"20s\"\nfor = \"15s\"\npartition = { split = [[\"orders\"], [\"registry\"]] }\n\
     [[fault]]\nat = \"22s\"\nfor = \"10s\"\npause = \"web:pick(4)\"\n",
    "[[fault]]\nat = \"20s\"\nregistry = { registration-lost = { target = \"orders:pick(2)\" } }\n\
     [[fault]]\nat = \"30s\"\nfor = \"5s\"\nload = { burst = { target = \"web\", factor = 20 } }\n",
];

/// Every oracle with its defaults, in every mood.
fn every() -> Vec<Ask> {
    let named = |name| oracle::Config::named(name).expect("it is in the catalog");
    let asks = |of: &'static oracle::Entry| {
        of.moods.iter().map(move |mood| Ask::Oracle {
            oracle: named(of.name),
            mood: *mood,
            within: Duration::from_secs(10),
        })
    };
    oracle::CATALOG.iter().flat_map(asks).collect()
}

fn asking(mut scenario: Scenario, asks: impl IntoIterator<Item = Ask>) -> Scenario {
    let named = |(number, ask)| schism_scenario::Expectation { id: format!("e{number}"), ask };
    scenario.expectations = asks.into_iter().enumerate().map(named).collect();
    scenario
}

fn run(scenario: &Scenario) -> Report {
    let mut simulation: Simulation<Ledger> = Simulation::new(scenario, Seed(7), Ledger::new(scenario));
    simulation.run_to_end();
    simulation.into_report(scenario, Seed(7))
}

#[test]
fn an_oracle_says_the_same_twice_and_leaves_no_trace_in_the_run() {
    for trouble in TROUBLE {
        let bare = asking(staged(trouble), []);
        let asked = asking(staged(trouble), every());
        let (nothing, first, second) = (run(&bare), run(&asked), run(&asked));
        assert_eq!(first.expect, second.expect, "under {trouble}");
        assert_eq!(nothing.digest, first.digest, "under {trouble}");
        assert_eq!(nothing.requests, first.requests, "under {trouble}");
    }
}

#[test]
fn who_else_watches_makes_no_difference_to_an_oracle() {
    let trouble = TROUBLE[3];
    let together = run(&asking(staged(trouble), every())).expect;
    for (number, (ask, among)) in every().into_iter().zip(&together).enumerate() {
        let alone = run(&asking(staged(trouble), [ask])).expect.remove(0);
        assert_eq!(Expectation { id: format!("e{number}"), ..alone }, *among);
    }
}

/// Of a law that was broken, `always` says when and why and of whom, and `breaks` the same moment.
#[test]
fn a_breach_is_told_with_its_moment_its_reason_and_its_nodes() {
    let mut breaches = 0;
    for trouble in TROUBLE {
        let scenario = asking(staged(trouble), every());
        let report = run(&scenario);
        for (expectation, told) in scenario.expectations.iter().zip(&report.expect) {
            if let Ask::Oracle { mood: Mood::Always | Mood::Never, .. } = expectation.ask
                && told.verdict == schism_runner::report::Verdict::Fails
            {
                breaches += 1;
                assert!(told.at_s.is_some() && told.why.is_some(), "{told:?}");
                assert!(!told.on.is_empty(), "{told:?}");
            }
        }
    }
    assert!(breaches >= 8, "only {breaches} laws were broken under all that trouble");
}

/// A resolved scenario says the same of its oracles as the one that it was made of.
#[test]
fn options_are_written_down_as_they_were_read() {
    let scenario = asking(staged(TROUBLE[1]), every());
    let text = scenario.to_toml();
    let again = schism_scenario::load("again.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(again.scenario.to_toml(), text);
    for (written, read) in scenario.expectations.iter().zip(&again.scenario.expectations) {
        let (Ask::Oracle { oracle: written, .. }, Ask::Oracle { oracle: read, .. }) =
            (&written.ask, &read.ask)
        else {
            panic!("only oracles are asked for");
        };
        assert_eq!(written, read);
    }
}
