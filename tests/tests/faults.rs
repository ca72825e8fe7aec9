//! What holds of every kind of fault: each way that `schism list faults` shows to write one is tried on one stage.

use std::collections::BTreeSet;

use rayon::prelude::*;
use schism_core::{Duration, NodeId, Seed, Time, Wound};
use schism_models::nemesis::{Lasting, Nature};
use schism_runner::Simulation;
use schism_runner::report::Verdict;
use schism_scenario::Scenario;
use schism_tests::faults::{Way, fault, is_of_dns, refusal, staged, told, ways, without};
use schism_tests::runs::played;

/// Ways to write a fault of no intensity at all: as if it were not there.
const NOTHING: &[&str] = &[
    r#"latency = { between = ["web", "orders"], extra = "0s" }"#,
    r#"loss = { target = "orders", rate = "0%" }"#,
    r#"loss = { target = "orders", burst = { to-bad = "0%", to-good = "1%" } }"#,
    r#"duplicate = { target = "orders", rate = "0%" }"#,
    r#"reorder = { target = "orders", rate = "100%", gap = "0s" }"#,
    r#"corrupt = { target = "orders", rate = "0%" }"#,
    r#"partition = { isolate = "orders", mode = "slow", latency = "0s" }"#,
    r#"registry = { lease-mass-expiry = { share = "0%" } }"#,
    r#"registry = { watch-gap = { share = "0%" } }"#,
    r#"registry = { partial-list = { share = "0%" } }"#,
    r#"registry = { ghost-entry = { share = "0%" } }"#,
    r#"dns = { timeout = { share = "0%" } }"#,
    r#"dns = { nxdomain = { share = "0%" } }"#,
    r#"dns = { shuffle = { share = "100%" } }"#,
    r#"dns = { poison = { to = "orders-0", share = "0%" } }"#,
    r#"gc = { target = "orders", pause = "0s" }"#,
    r#"start-slow = { target = "orders", factor = 1 }"#,
    r#"clock = { target = "registry", skew = "0s" }"#,
    r#"clock = { target = "registry", drift = 0 }"#,
    r#"clock = { target = "registry", jump = "0s" }"#,
    r#"clock = { target = "registry", strobe = { by = "0s" } }"#,
    r#"clock = { target = "registry", backwards = "0s" }"#,
    r#"disk = { target = "registry", slow = 1 }"#,
    r#"slow = { target = "orders", factor = 1 }"#,
    r#"partial-capacity = { target = "orders", share = "100%" }"#,
    r#"error-rate = { target = "orders", rate = "0%" }"#,
    r#"noisy-neighbour = { target = "orders", steal = "0%" }"#,
    r#"leak = { target = "orders", per = "1s", factor = 1, limit = 5 }"#,
    r#"zone-brownout = { zone = "b", slow = 1, latency = "0s", loss = "0%" }"#,
    r#"load = { burst = { target = "web", factor = 1 } }"#,
    r#"load = { ramp = { target = "web", factor = 1.0, over = "5s" } }"#,
    r#"load = { hot-key = { target = "web", share = "0%" } }"#,
];

/// What makes nodes open new connections in the midst of a fault that concerns only such.
const RECONNECT: &str = r#"
[[fault]]
id         = "again"
at         = "22s"
connection = { reset = { target = "registry" } }
"#;

const SEED: u64 = 3;

/// A line that says when a fault begins and ends; one that happens at one moment has no end.
fn when(way: &Way, at: &str, lasts: &str) -> String {
    match lasting(way) {
        Lasting::Moment => format!("at = \"{at}\""),
        Lasting::Span if says_its_end(way) => format!("at = \"{at}\""),
        Lasting::Span => format!("at = \"{at}\"\nfor = \"{lasts}\""),
    }
}

/// Some kinds have their end within: `restart-after` of a crash.
fn says_its_end(way: &Way) -> bool {
    way.kind == "crash" && way.toml.contains("restart-after")
}

fn lasting(way: &Way) -> Lasting {
    let scenario = staged(&fault("f", "at = \"20s\"", way.toml));
    scenario.faults.last().expect("it comes after the stage's own").fault.lasting()
}

fn seconds(s: u64) -> Time {
    Time::START + Duration::from_secs(s)
}

#[test]
fn each_can_be_written_down_and_read_again() {
    for way in ways() {
        let scenario = staged(&fault("f", &when(&way, "20s", "10s"), way.toml));
        let text = scenario.to_toml();
        let again = schism_scenario::load("again.toml", &text, &[])
            .unwrap_or_else(|errors| panic!("{}: {errors}\n{text}", way.toml));
        assert_eq!(again.scenario.digest, scenario.digest, "{}\n{text}", way.toml);
    }
}

#[test]
fn each_touches_something_and_says_what() {
    for way in ways() {
        let more = if way.toml.contains("connect-hang") { RECONNECT } else { "" };
        let report = told(&(fault("f", &when(&way, "20s", "10s"), way.toml) + more), SEED);
        let Some(fault) = report.faults.iter().find(|fault| fault.id == "f") else {
            panic!("{}: it did not happen", way.toml)
        };
        assert!(fault.touched > 0, "{}: it touched nothing", way.toml);
        assert!(!fault.on.is_empty(), "{}: it does not say whom", way.toml);
        assert!(fault.to_s.is_some(), "{}: it did not heal", way.toml);
    }
}

#[test]
fn one_that_never_came_makes_the_run_vacuous_unless_it_may_miss() {
    for way in ways() {
        // It waits for something that does not happen.
        let start = match lasting(&way) {
            Lasting::Span if !says_its_end(&way) => "when = \"leader-changes\"\nfor = \"1s\"",
            Lasting::Span | Lasting::Moment => "when = \"leader-changes\"",
        };
        let expect = "\n[[expect]]\nalways = \"single-leader\"\n";
        let missed = told(&(fault("f", start, way.toml) + expect), SEED);
        assert_eq!(missed.verdict, Verdict::Vacuous, "{}", way.toml);
        let start = format!("{start}\nmay-miss = true");
        let may_miss = told(&(fault("f", &start, way.toml) + expect), SEED);
        assert_eq!(may_miss.verdict, Verdict::Holds, "{}", way.toml);
    }
}

#[test]
fn nothing_happens_before_it_begins() {
    for way in ways() {
        let scenario = staged(&fault("f", &when(&way, "20s", "10s"), way.toml));
        // Of the instant itself nothing has happened yet.
        assert_eq!(until(&scenario, seconds(20)), until(&without(way.toml), seconds(20)), "{}", way.toml);
    }
}

fn until(scenario: &Scenario, end: Time) -> schism_core::DigestValue {
    let mut simulation: Simulation<()> = Simulation::new(scenario, Seed(SEED), ());
    simulation.run_until(end);
    simulation.digest()
}

#[test]
fn of_no_intensity_it_is_not_there() {
    let bare = [without(""), without("dns = 0")].map(|scenario| played(&scenario, SEED).digest());
    let untouched = |toml: &str| bare[usize::from(is_of_dns(toml))];
    for way in ways().iter().filter(|way| lasting(way) == Lasting::Span && !says_its_end(way)) {
        let scenario = staged(&fault("f", &when(way, "20s", "0s"), way.toml));
        assert_eq!(played(&scenario, SEED).digest(), untouched(way.toml), "{}", way.toml);
    }
    for toml in NOTHING {
        let way = Way { kind: "", toml };
        let scenario = staged(&fault("f", &when(&way, "20s", "10s"), toml));
        assert_eq!(played(&scenario, SEED).digest(), untouched(toml), "{toml}");
    }
}

#[test]
fn taking_one_away_leaves_the_luck_of_the_others() {
    let other = fault("other", "between = [\"30s\", \"40s\"]\nfor = \"5s\"", "pause = \"orders:pick(2)\"");
    let find = |more: &str| {
        let report = told(more, SEED);
        let other = report.faults.iter().find(|fault| fault.id == "other").expect("it happens");
        (other.from_s, other.to_s, other.on.clone())
    };
    let alone = find(&other);
    for way in ways() {
        let both = fault("f", &when(&way, "20s", "5s"), way.toml) + &other;
        assert_eq!(find(&both), alone, "{}", way.toml);
    }
}

#[test]
fn each_is_the_same_twice() {
    for way in ways() {
        let scenario = staged(&fault("f", &when(&way, "20s", "10s"), way.toml));
        assert_eq!(played(&scenario, SEED).digest(), played(&scenario, SEED).digest(), "{}", way.toml);
    }
}

#[test]
fn each_heals_whole() {
    for way in ways() {
        let simulation = played(&staged(&fault("f", &when(&way, "20s", "10s"), way.toml)), SEED);
        let wounds = simulation.world().wounds();
        assert!(wounds.is_empty(), "{}: {wounds:?}", way.toml);
    }
}

/// Ways that overlap, each with others at doubling distances in the list: the first begins first, and heals first or last.
#[test]
fn those_that_overlap_heal_whole_in_either_order() {
    let ways = ways();
    let distances = std::iter::successors(Some(1), |distance| Some(distance * 2));
    let pairs: Vec<(Way, Way, &str)> = distances
        .take_while(|&distance| distance < ways.len())
        .flat_map(|distance| (0..ways.len()).map(move |place| (place, place + distance)))
        .flat_map(|(one, other)| ["6s", "14s"].map(|lasts| (ways[one], ways[other % ways.len()], lasts)))
        .collect();
    pairs.into_par_iter().for_each(|(first, second, lasts)| {
        let may = |when: String| format!("{when}\nmay-miss = true\nmay-overlap = true");
        let both = fault("first", &may(when(&first, "20s", lasts)), first.toml)
            + &fault("second", &may(when(&second, "24s", "6s")), second.toml);
        let wounds = played(&staged(&both), SEED).world().wounds();
        assert!(wounds.is_empty(), "{} for {lasts}, {}: {wounds:?}", first.toml, second.toml);
    });
}

#[test]
fn a_host_has_power_again_when_the_outage_is_over_though_its_process_stays_dead() {
    let both = fault("crash", "at = \"20s\"\nfor = \"10s\"", "crash = \"orders-0\"")
        + &fault(
            "dark",
            "at = \"22s\"\nfor = \"2s\"\nmay-overlap = true",
            "crash = { target = \"orders-0\", disk = \"lose-unsynced\" }",
        );
    let scenario = staged(&both);
    let wounds = |at| {
        let mut simulation: Simulation<()> = Simulation::new(&scenario, Seed(SEED), ());
        simulation.run_until(seconds(at));
        let nodes = simulation.world().wounds().nodes;
        let orders_0 = NodeId(3);
        nodes.into_iter().filter(|(node, _)| *node == orders_0).map(|(_, wound)| wound).collect::<Vec<_>>()
    };
    assert_eq!(wounds(21), [Wound::Dead]);
    assert_eq!(wounds(23), [Wound::Dead, Wound::Dark]);
    assert_eq!(wounds(25), [Wound::Dead]);
    assert_eq!(wounds(31), []);
}

#[test]
fn eventually_is_refused_if_one_never_heals() {
    let expect = "\n[[expect]]\neventually = \"views-agree\"\nwithin = \"5s\"\n";
    // A deploy without an end is over when it is done.
    let lasts = |way: &&Way| lasting(way) == Lasting::Span && !says_its_end(way) && way.kind != "deploy";
    for way in ways().iter().filter(lasts) {
        let scenario = fault("f", "at = \"20s\"", way.toml) + expect;
        let refused = refusal(&scenario).unwrap_or_else(|| panic!("{}: it is accepted", way.toml));
        assert!(refused.contains("never heals"), "{}: {refused}", way.toml);
    }
}

#[test]
fn every_kind_of_the_catalog_can_be_written() {
    let written: BTreeSet<&str> = ways().iter().map(|way| way.kind).collect();
    let catalog: BTreeSet<&str> =
        schism_models::nemesis::Fault::CATALOG.iter().map(|(name, _)| *name).collect();
    assert_eq!(written, catalog);
}
