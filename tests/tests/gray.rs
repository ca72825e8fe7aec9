//! Gray failures and changes: nothing is nothing, factors add, the selected alone suffer, and spares disturb nobody.

use schism_core::{DigestValue, Duration, NodeId, Seed, Time};
use schism_models::observation::Outcome;
use schism_runner::Simulation;
use schism_scenario::Scenario;
use schism_tests::runs::{Done, Seen, scenario};

/// A small service whose every request takes 4 ms, and one fault from the tenth second on.
fn with(fault: &str) -> Scenario {
    scenario(&format!(
        r#"
title  = "gray"
length = "30s"

[network]
same-zone = "1ms"

[registry.etcd]
members   = 1
lease-ttl = "2s"

[services.orders]
instances = 3
service   = "4ms"

[clients.web]
count    = 2
calls    = "orders"
arrivals = {{ poisson = "20/s" }}
balancer = "random"

[clients.batch]
count    = 1
calls    = "orders"
arrivals = {{ poisson = "20/s" }}
balancer = "random"
{fault}"#
    ))
}

fn during(kind: &str) -> String {
    format!("\n[[fault]]\nat = \"10s\"\nfor = \"10s\"\nmay-miss = true\n{kind}\n")
}

fn at(secs: u64) -> Time {
    Time::START + Duration::from_secs(secs)
}

fn digest(scenario: &Scenario, until: Time) -> DigestValue {
    let mut simulation: Simulation<()> = Simulation::new(scenario, Seed(3), ());
    simulation.run_until(until);
    simulation.digest()
}

/// Requests offered between the twelfth second and the eighteenth: well within the fault.
fn amid(scenario: &Scenario) -> Vec<Done> {
    let done = Seen::of(scenario, 3).done;
    done.into_iter().filter(|done| (at(12)..at(18)).contains(&done.offered)).collect()
}

/// The longest that one of these took, in whole milliseconds.
fn longest(done: &[Done]) -> u64 {
    done.iter().map(|done| done.at.since(done.offered).as_nanos() / 1_000_000).max().expect("some are over")
}

#[test]
fn no_intensity_is_no_fault() {
    let nothing = digest(&with(""), at(30));
    for kind in [
        "slow = { target = \"orders\", factor = 1 }",
        "partial-capacity = { target = \"orders\", share = \"100%\" }",
        "error-rate = { target = \"orders\", rate = \"0%\" }",
        "leak = { target = \"orders\", factor = 1 }",
        "noisy-neighbour = { target = \"orders\", steal = \"0%\" }",
        "scale = { target = \"orders\", out = 0 }",
        "scale = { target = \"orders\", in = 0 }",
    ] {
        assert_eq!(digest(&with(&during(kind)), at(30)), nothing, "{kind}");
    }
}

#[test]
fn nodes_that_wait_to_be_born_disturb_nobody() {
    let nothing = digest(&with(""), at(10));
    for kind in [
        "scale = { target = \"orders\", out = 5 }",
        "deploy = { target = \"orders\", strategy = \"blue-green\" }",
    ] {
        assert_eq!(digest(&with(&during(kind)), at(10)), nothing, "{kind}");
    }
}

#[test]
fn factors_of_two_and_three_make_four() {
    let slow = |factor| during(&format!("slow = {{ target = \"orders\", factor = {factor} }}"));
    // Both ways over the network take 1 ms each, and the work 4 ms at first.
    assert_eq!(longest(&amid(&with(""))), 6);
    assert_eq!(longest(&amid(&with(&slow("1.5")))), 8);
    assert_eq!(longest(&amid(&with(&(slow("2") + &slow("3"))))), 18);
}

#[test]
fn half_of_the_speed_takes_twice_as_long() {
    let half = during("partial-capacity = { target = \"orders\", share = \"50%\" }");
    assert_eq!(longest(&amid(&with(&half))), 10);
}

#[test]
fn only_the_selected_suffer() {
    let scenario = with(&during("slow = { target = \"orders\", factor = 10, selective = \"batch\" }"));
    let batch: NodeId = scenario.clients[1].nodes[0].id;
    let (theirs, others): (Vec<Done>, Vec<Done>) =
        amid(&scenario).into_iter().partition(|done| done.by == batch);
    assert_eq!((longest(&theirs), longest(&others)), (42, 6));
}

#[test]
fn a_rate_of_all_fails_all_and_healing_ends_it() {
    let scenario = with(&during("error-rate = { target = \"orders\", rate = \"100%\", latency = \"2ms\" }"));
    let amid = amid(&scenario);
    assert!(amid.iter().all(|done| done.outcome == Outcome::Failed), "all are answered with an error");
    assert_eq!(longest(&amid), 4);
    let after = Seen::of(&scenario, 3).done.into_iter().filter(|done| done.offered >= at(20));
    assert!(after.into_iter().all(|done| done.outcome == Outcome::Success), "nothing fails after the heal");
}

#[test]
fn who_fails_its_probes_is_dropped_and_comes_back() {
    let scenario = with(&during("slow = { target = \"orders-0\", factor = 2, probes = \"fail\" }"));
    let orders = scenario.services[0].nodes[0].id;
    let turns =
        Seen::of(&scenario, 3).believed.into_iter().filter(|seen| seen.2 == orders && seen.0 >= at(10));
    let turns: Vec<(Time, bool)> = turns.map(|(when, _, _, up)| (when, up)).collect();
    assert!(turns.iter().any(|&(when, up)| !up && when < at(16)), "its lease runs out");
    assert!(turns.iter().all(|&(when, up)| !up || when >= at(20)), "it does not come back before the heal");
    assert!(turns.iter().any(|&(_, up)| up), "and it does then");
}

#[test]
fn what_is_written_down_means_the_same() {
    for (kind, example) in [
        (
            "slow",
            "slow = { target = \"orders:one\", factor = 1.25, probes = \"fail\", selective = \"web:50%\" }",
        ),
        ("error-rate", "error-rate = { target = \"orders\", rate = \"0.5%\", fatal = true }"),
        ("leak", "leak = { target = \"orders\", dies = true }"),
        ("noisy-neighbour", "noisy-neighbour = { target = \"orders\", steal = \"60%\" }"),
        ("partial-capacity", "partial-capacity = { target = \"orders\", share = \"25%\" }"),
        ("deploy", "deploy = { target = \"orders\", strategy = \"canary\", batch = 1, new = { slow = 2 } }"),
        (
            "config-push",
            "config-push = { target = \"web\", timeout = \"5ms\", staged = { batch = \"25%\" } }",
        ),
        ("scale", "scale = { target = \"orders\", out = 2 }"),
        ("ip-reuse", "ip-reuse = { target = \"orders:one\", answers = \"success\" }"),
    ] {
        let meant = with(&during(example));
        assert_eq!(scenario(&meant.to_toml()).digest, meant.digest, "{kind}");
    }
}
