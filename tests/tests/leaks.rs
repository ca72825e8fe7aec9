//! What is held and not given back: planted leaks are found by what they leak, and the models do without.

use schism_core::Seed;
use schism_models::node::{Node, Process};
use schism_runner::ledger::Listed;
use schism_runner::report::{Expectation, Verdict};
use schism_runner::run_of;
use schism_scenario::Scenario;
use schism_tests::planted::{Bug, Planted, with};
use schism_tests::runs::scenario;

/// Clients lose their connections to the registry, and some of them their lives.
const STAGE: &str = r#"
title  = "Held"
length = "80s"
warmup = "5s"

[registry.etcd]
members   = 3
lease-ttl = "5s"

[services.orders]
instances = 6
service   = { exponential = "5ms" }
slots     = 4
queue     = 50

[clients.web]
count    = 12
calls    = "orders"
arrivals = { poisson = "5/s" }
timeout  = "250ms"
balancer = "p2c"
cache    = "watch"

[[fault]]
id    = "member"
at    = "20s"
for   = "6s"
crash = "registry-0"

[[fault]]
id    = "resets"
at    = "36s"
connection = { reset = { target = "registry" } }

[[fault]]
id    = "clients"
at    = "30s"
for   = "2s"
crash = "web:pick(6)"

[[fault]]
id    = "instances"
at    = "35s"
for   = "5s"
crash = { target = "orders:pick(2)", host = "dies" }

[[expect]]
id     = "requests"
always = { no-leak = { of = ["requests"] } }

[[expect]]
id     = "timers"
always = { no-leak = { of = ["timers"], spare = "0%" } }

[[expect]]
id     = "tasks"
always = { no-leak = { of = ["tasks"] } }

[[expect]]
id     = "watches"
always = { no-leak = { of = ["watches"] } }

[[expect]]
id     = "sessions"
always = { no-leak = { of = ["sessions"] } }
"#;

const SEEDS: u64 = 3;

fn expectations<P: Process>(scenario: &Scenario, seed: u64) -> Vec<Expectation> {
    run_of::<P>(scenario, Seed(seed), Listed::Wrong).expect
}

/// Which expectations fail, and why.
fn failures<P: Process>(seed: u64) -> Vec<(String, String)> {
    let failed = expectations::<P>(&scenario(STAGE), seed).into_iter();
    let failed = failed.filter(|expectation| expectation.verdict == Verdict::Fails);
    failed.map(|expectation| (expectation.id, expectation.why.expect("a failure has a reason"))).collect()
}

#[test]
fn the_models_hold_no_more_than_before() {
    for seed in 1..=SEEDS {
        assert_eq!(failures::<Node>(seed), []);
        let held = expectations::<Node>(&scenario(STAGE), seed);
        assert!(held.iter().all(|expectation| expectation.verdict == Verdict::Holds), "{held:?}");
    }
}

/// It is found, with words for what and of whom. A request that never ends is also a task that waits.
fn is_found(bug: Bug, what: &str, of: &str) {
    for seed in 1..=SEEDS {
        let failures = with(bug, || failures::<Planted>(seed));
        let [(id, why), rest @ ..] = &failures[..] else { panic!("{bug:?} is not found with seed {seed}") };
        assert_eq!(id, what, "{why}");
        assert!(why.starts_with(of), "{why}");
        assert!(rest.iter().all(|(id, _)| what == "requests" && id == "tasks"), "{rest:?}");
    }
}

#[test]
fn timers_that_never_stop_are_found() {
    is_found(Bug::NeverStopsTimers, "timers", "clients such as web-");
}

#[test]
fn watches_of_who_has_gone_are_found() {
    is_found(Bug::KeepsWatches, "watches", "registry members such as registry-");
}

#[test]
fn requests_that_never_end_are_found() {
    is_found(Bug::IgnoresTimeouts, "requests", "clients such as web-");
}
