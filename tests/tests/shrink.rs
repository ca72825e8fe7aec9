//! Shrinking never changes the failure: ten bugs are planted around the models, buried among faults that have nothing to
//! do with them, found by searching seeds, and shrunk to what shows them.

use schism_core::Seed;
use schism_models::node::{Node, Process};
use schism_runner::ledger::Listed;
use schism_runner::shrink::{Budget, Proof, Shrunk, Size, shrink};
use schism_runner::{Failure, run_of};
use schism_scenario::{Document, Scenario};
use schism_tests::planted::{self, Bug, Planted};
use schism_tests::runs::scenario;

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
        let document = Document::of(&Scenario { seed, ..scenario });
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

    fn is_the_least(&self, shrunk: &Shrunk) {
        let bug = self.bug;
        println!("{bug:?}: {}; {}", shrunk.words(), shrunk.proof_words());
        let size = Size::of(&shrunk.scenario);
        assert!(matches!(shrunk.proof, Proof::Minimal { .. }), "{bug:?}: the budget is enough");
        assert!(size.faults <= 3 && size.nodes <= MOST_NODES, "{bug:?}: {}", shrunk.words());
        let left: Vec<&str> = shrunk.scenario.faults.iter().map(|planned| planned.id.as_str()).collect();
        let triggers: Vec<&str> = self.triggers.iter().map(|(id, _)| *id).collect();
        assert_eq!(left, triggers, "{bug:?} takes these faults and no others");
    }
}

/// What fails in a scenario with its own seed.
fn failures<P: Process>(scenario: &Scenario) -> Vec<Failure> {
    run_of::<P>(scenario, scenario.seed, Listed::Wrong).failures().collect()
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
