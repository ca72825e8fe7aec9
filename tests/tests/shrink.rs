//! Shrinking never changes the failure: ten bugs are planted around the models, buried among faults that have nothing to
//! do with them, found by searching seeds, and shrunk to what shows them.

use std::collections::BTreeMap;

use schism_core::{Duration, Seed};
use schism_models::node::{Node, Process};
use schism_runner::case::keep;
use schism_runner::explain::{Effort, Role, explain};
use schism_runner::ledger::Listed;
use schism_runner::replay::{Answer, replay};
use schism_runner::shrink::{Budget, Proof, Shrunk, Size, shrink};
use schism_runner::{Failure, run_of};
use schism_scenario::{Document, Scenario};
use schism_tests::planted::{self, Bug, Planted};
use schism_tests::runs::scenario;
use schism_tests::scenarios;

/// Two services, two groups of clients, and six faults that no healthy system minds.
const BASE: &str = r#"
title    = "A planted bug among faults that do not matter"
length   = "100s"
warmup   = "5s"

[topology]
zones = ["a", "b", "c"]

[registry.etcd]
members   = 3
lease-ttl = "10s"

[services.orders]
instances = 6
service   = { exponential = "5ms" }

[services.pay]
instances = 1
service   = { exponential = "5ms" }

[clients.web]
count    = 4
calls    = "orders"
arrivals = { poisson = "5/s" }

[clients.shop]
count    = 2
calls    = "pay"
arrivals = { poisson = "5/s" }

[[fault]]
id      = "decoy-latency"
between = ["8s", "30s"]
for     = "30s"
latency = { target = "web:one", extra = "20ms" }

[[fault]]
id      = "decoy-slow"
between = ["10s", "40s"]
for     = "20s"
slow    = { target = "orders:pick(2)", factor = 4 }

[[fault]]
id        = "decoy-duplicate"
between   = ["8s", "50s"]
for       = "40s"
duplicate = { between = ["web", "orders"], rate = "5%" }

[[fault]]
id       = "decoy-skew"
between  = ["8s", "60s"]
for      = "20s"
clock    = { target = "web:one", skew = "-5s" }
may-miss = true

[[fault]]
id      = "decoy-reorder"
between = ["8s", "60s"]
for     = "30s"
reorder = { between = ["shop", "pay"], rate = "10%", gap = "20ms" }

[[fault]]
id       = "decoy-disk"
between  = ["8s", "60s"]
for      = "30s"
disk     = { target = "registry:one", slow = 3 }
"#;

/// How many seeds are searched at most.
const SEEDS: u64 = 60;
/// How many nodes what is left may have: three members, and a few more.
const MOST_NODES: usize = 8;

/// What may be spent on explaining one: enough to leave each fault out in turn.
const EFFORT: Effort = Effort { futures: 4, events: 4_000_000 };

/// What a bug needs to show, and what it breaks.
struct Case {
    bug: Bug,
    /// The faults that it takes, by id and in TOML.
    triggers: &'static [(&'static str, &'static str)],
    expectation: &'static str,
}

impl Case {
    fn scenario(&self) -> Scenario {
        let faults = self.triggers.iter().map(|(id, fault)| format!("\n[[fault]]\nid = \"{id}\"\n{fault}\n"));
        scenario(&format!("{BASE}{}\n[[expect]]\n{}\n", faults.collect::<String>(), self.expectation))
    }

    /// The bug is found, shrunk and still itself: a healthy system does not fail so, not even in what is left.
    fn check(&self) {
        let scenario = self.scenario();
        let (seed, failure) = self.found(&scenario);
        let scenario = Scenario { seed, ..scenario };
        self.is_explained(&scenario, &failure);
        let document = Document::of(&scenario);
        let shrunk = shrink::<Planted>(&document, &failure, Budget::default(), &mut |_| {});
        let shrunk = shrunk.unwrap_or_else(|| panic!("{:?} comes again with seed {}", self.bug, seed.0));
        self.is_the_least(&shrunk);
        let again = Document::of(&shrunk.scenario).load().unwrap_or_else(|errors| panic!("{errors}"));
        let failed = failures::<Planted>(&again);
        assert!(
            failed.iter().any(|found| found.is_like(&failure)),
            "{:?} fails otherwise: {failed:?}",
            self.bug
        );
        self.is_explained(&again, &failure);
        let healthy = failures::<Node>(&again);
        assert!(
            healthy.is_empty(),
            "what is left of {:?} is no bug: {healthy:?}\n{}",
            self.bug,
            again.to_toml()
        );
    }

    /// The first seed with which the buggy system fails and a healthy one does not.
    fn found(&self, scenario: &Scenario) -> (Seed, Failure) {
        let of = |seed| Scenario { seed: Seed(seed), ..scenario.clone() };
        let found = (0..SEEDS).map(of).find_map(|scenario| {
            let failure = failures::<Planted>(&scenario).into_iter().next()?;
            failures::<Node>(&scenario).is_empty().then_some((scenario.seed, failure))
        });
        found.unwrap_or_else(|| panic!("no seed below {SEEDS} shows {:?}", self.bug))
    }

    /// What explains the failure names what triggers the bug, and nothing else; the story tells of that, and of those whom
    /// it strikes.
    fn is_explained(&self, scenario: &Scenario, failure: &Failure) {
        let Failure { expectation, .. } = failure;
        let explained = explain::<Planted>(scenario, scenario.seed, Some(expectation), EFFORT, &mut |_| {});
        let explained = explained.unwrap_or_else(|why| panic!("{:?} comes again: {why:?}", self.bug));
        let needed = explained.needs.faults.iter().filter(|need| need.role == Role::Needed);
        let needed: Vec<&str> = needed.map(|need| need.id.as_str()).collect();
        assert_eq!(needed, self.triggers(), "{:?} is explained by what triggers it", self.bug);
        let lines = &explained.story.lines;
        let is_told =
            |name: &str| lines.iter().any(|line| line.who.contains(name) || line.what.contains(name));
        for name in self.triggers().into_iter().chain(explained.failure.on.iter().map(String::as_str)) {
            assert!(is_told(name), "the story of {:?} tells of {name}: {lines:#?}", self.bug);
        }
    }

    fn triggers(&self) -> Vec<&str> {
        self.triggers.iter().map(|(id, _)| *id).collect()
    }

    fn is_the_least(&self, shrunk: &Shrunk) {
        let bug = self.bug;
        let size = Size::of(&shrunk.scenario);
        assert!(matches!(shrunk.proof, Proof::Minimal { .. }), "{bug:?}: the budget is enough");
        assert!(size.faults <= 3 && size.nodes <= MOST_NODES, "{bug:?}: {}", shrunk.words());
        let left: Vec<&str> = shrunk.scenario.faults.iter().map(|planned| planned.id.as_str()).collect();
        assert_eq!(left, self.triggers(), "{bug:?} takes these faults and no others");
    }
}

/// What fails in a scenario with its own seed.
fn failures<P: Process>(scenario: &Scenario) -> Vec<Failure> {
    run_of::<P>(scenario, scenario.seed, Listed::Wrong).failures().collect()
}

#[test]
fn shrinking_is_a_function_of_its_input() {
    let of = |_| {
        let scenario = scenario(&format!(
            "{BASE}\n[[fault]]\nid = \"die\"\nat = \"20s\"\ncrash = \"orders:one\"\n[[expect]]\nnever = \"stale-request\"\n"
        ));
        let failure = failures::<Node>(&scenario).pop().expect("a dead instance is called");
        let shrunk = shrink::<Node>(&Document::of(&scenario), &failure, Budget::default(), &mut |_| {});
        let shrunk = shrunk.expect("it fails");
        (shrunk.scenario.to_toml(), shrunk.words(), shrunk.events)
    };
    let [one, other] = [(), ()].map(of);
    assert_eq!(one, other);
}

#[test]
fn a_budget_that_runs_out_leaves_what_was_reached() {
    let fault = "[[fault]]\nid = \"die\"\nat = \"20s\"\ncrash = \"orders:one\"\n";
    let scenario = scenario(&format!("{BASE}\n{fault}[[expect]]\nnever = \"stale-request\"\n"));
    let failure = failures::<Node>(&scenario).pop().expect("a dead instance is called");
    let budget = Budget { runs: 8, ..Budget::default() };
    let shrunk = shrink::<Node>(&Document::of(&scenario), &failure, budget, &mut |_| {}).expect("it fails");
    assert_eq!(shrunk.proof, Proof::Unknown);
    assert!(shrunk.runs <= budget.runs + 2, "{}", shrunk.words());
    assert!(failures::<Node>(&shrunk.scenario).iter().any(|found| found.is_like(&failure)));
}

/// Scenarios of at most so many nodes, and so long, are shrunk whatever registry they have; so many of each.
const SMALL: (usize, u64) = (40, 200);
const OF_EACH: usize = 2;

/// What every scenario is taken to forbid, until one fails.
const FORBIDDEN: &[&str] = &["stale-request", "misrouted-request", "false-eviction", "lease-expiry"];

#[test]
fn whatever_the_registry_what_is_left_fails_alike_and_can_be_kept() {
    let mut tried: BTreeMap<&str, usize> = BTreeMap::new();
    let small = |case: &&scenarios::Case| {
        let (nodes, secs) = SMALL;
        case.nodes() <= nodes
            && case.scenario.length <= Duration::from_secs(secs)
            && !case.scenario.faults.is_empty()
    };
    let chosen: Vec<Scenario> = scenarios::all()
        .iter()
        .filter(small)
        .filter_map(|case| {
            let count = tried.entry(case.scenario.registry.name()).or_default();
            let broken = (*count < OF_EACH).then(|| broken(&case.scenario))??;
            *count += 1;
            Some(broken)
        })
        .collect();
    assert!(
        tried.values().filter(|count| **count > 0).count() >= 6,
        "of most registries there is one: {tried:?}"
    );
    for scenario in chosen {
        let title = &scenario.title;
        let failure = failures::<Node>(&scenario).remove(0);
        let budget = Budget { runs: 120, ..Budget::default() };
        let document = Document::of(&scenario);
        let shrunk = shrink::<Node>(&document, &failure, budget, &mut |_| {}).expect("it fails");
        let (from, to) = (Size::of(&scenario), Size::of(&shrunk.scenario));
        assert!(to.faults <= from.faults && to.nodes <= from.nodes && to.length <= from.length, "{title}");
        let kept = keep(&shrunk.scenario, shrunk.scenario.seed, &failure).expect("what is left fails alike");
        let text = kept.file("a.case.toml", &[]);
        let again =
            schism_scenario::load("a.case.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
        let replay = replay(&again.scenario, &again.case.expect("it is a case"));
        assert_eq!(replay.answer(), Answer::Identical, "{title}: {:?} {:?}", replay.course, replay.outcome);
    }
}

/// A scenario that forbids something that happens in it, and nothing else.
fn broken(scenario: &Scenario) -> Option<Scenario> {
    let document = Document::of(scenario);
    let bare = document.expectations().iter().fold(document, |bare, id| bare.without_expectation(id));
    FORBIDDEN.iter().find_map(|oracle| {
        let text = format!("{bare}\n[[expect]]\nnever = \"{oracle}\"\n");
        // A fault that waits for an expectation to fail cannot do without it.
        let scenario = schism_scenario::load("broken.toml", &text, &[]).ok()?.scenario;
        (!failures::<Node>(&scenario).is_empty()).then_some(scenario)
    })
}

/// A test for each bug: what triggers it, and what it breaks.
macro_rules! planted {
    ($($test:ident: $bug:ident, $expectation:literal, $($id:literal = $fault:literal),+;)*) => {$(
        #[test]
        fn $test() {
            let triggers = &[$(($id, $fault)),+];
            let case = Case { bug: Bug::$bug, triggers, expectation: $expectation };
            planted::with(case.bug, || case.check());
        }
    )*};
}

planted! {
    a_registrar_that_never_registers_again: NeverRegistersAgain,
        "metric = \"success-rate\"\nduring = { from = \"70s\", to = \"100s\" }\nat-least = \"90%\"",
        "cut" = "between = [\"20s\", \"30s\"]\nfor = \"20s\"\npartition = { split = [[\"pay-0\"], [\"registry\"]] }";
    a_leader_that_drops_keepalives: DropsKeepalives,
        "never = \"lease-expiry\"",
        "fall" = "between = [\"20s\", \"30s\"]\nfor = \"20s\"\ncrash = \"registry:leader\"";
    a_cache_that_ignores_removals: IgnoresRemovals,
        "metric = \"ghost-window\"\nat-most = \"25s\"",
        "die" = "between = [\"15s\", \"25s\"]\nfor = \"50s\"\ncrash = \"orders:one\"";
    a_client_that_sticks_after_a_reset: SticksAfterReset,
        "metric = \"success-rate\"\nat-least = \"90%\"",
        "die" = "between = [\"15s\", \"25s\"]\nfor = \"5s\"\ncrash = \"orders:one\"";
    a_leader_that_claims_a_newer_term: ClaimsNewTerm,
        "always = \"single-leader\"",
        "cut" = "between = [\"15s\", \"25s\"]\nfor = \"20s\"\npartition = { isolate = \"registry:leader\" }";
    an_instance_that_forgets_to_leave: ForgetsToLeave,
        "metric = \"ghost-window\"\nat-most = \"5s\"",
        "end" = "between = [\"15s\", \"25s\"]\nfor = \"40s\"\nstop = { target = \"orders:one\", drain = \"2s\", deregister = true }";
    a_member_that_loses_one_write: LosesOneWrite,
        "eventually = \"views-agree\"\nwithin = \"10s\"",
        "fall" = "between = [\"15s\", \"25s\"]\nfor = \"5s\"\ncrash = \"registry:one\"",
        "reborn" = "between = [\"40s\", \"60s\"]\nfor = \"5s\"\ncrash = \"web:one\"";
    a_watch_that_goes_deaf: WatchGoesDeaf,
        "metric = \"ghost-window\"\nat-most = \"25s\"",
        "loose" = "between = [\"10s\", \"20s\"]\nconnection = { reset = { between = [\"web\", \"registry\"] } }",
        "die" = "between = [\"25s\", \"35s\"]\nfor = \"50s\"\ncrash = \"orders:one\"";
    a_client_that_ignores_its_timeouts: IgnoresTimeouts,
        "metric = \"latency-p999\"\nat-most = \"2s\"",
        "still" = "between = [\"20s\", \"40s\"]\nfor = \"12s\"\npause = \"orders:one\"";
    an_instance_that_renews_anothers_lease: RenewsAnothers,
        "never = \"lease-expiry\"",
        "loose" = "between = [\"15s\", \"25s\"]\nconnection = { reset = { between = [\"orders:one\", \"registry\"] } }";
}
