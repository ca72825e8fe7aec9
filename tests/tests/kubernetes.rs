//! Kubernetes: how long probes, leases, connections, controllers and proxies take, from both sides of each edge.

use schism_core::{NodeId, Time};
use schism_models::observation::{Cause, Write};
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds, scenario};

/// The first of three members' instances.
const ORDERS_0: NodeId = NodeId(3);
/// When every fault of these tests begins.
const FAULT: u64 = 40;

/// Three members, six instances, a few clients, and one fault at 40 s.
fn with(registry: &str, length: u32, fault: &str) -> Scenario {
    scenario(&format!(
        r#"
title  = "kubernetes"
length = "{length}s"
warmup = "20s"

[registry.kubernetes]
{registry}

[services.orders]
instances = 6
service   = "4ms"

[clients.web]
count    = 2
calls    = "orders"
arrivals = {{ poisson = "5/s" }}

[[fault]]
at = "{FAULT}s"
may-miss = true
{fault}"#
    ))
}

/// Seconds since the fault.
fn since(at: Time) -> f64 {
    at.as_secs_f64() - FAULT as f64
}

/// How long after the fault the first such write was committed, of each seed.
fn first(scenario: &Scenario, seeds: u64, wanted: impl Fn(Write) -> bool + Sync + Send) -> Vec<Option<f64>> {
    for_seeds(seeds, |seed| {
        let committed = Seen::of(scenario, seed).committed;
        let later = committed.iter().find(|write| since(write.0) > 0.0 && wanted(write.3));
        later.map(|write| since(write.0))
    })
}

/// That the first write came between these two, and not always at the same time.
fn between(found: &[Option<f64>], least: f64, most: f64, spread: f64) {
    let found: Vec<f64> = found.iter().map(|found| found.expect("it is written")).collect();
    let (first, last) =
        found.iter().fold((f64::MAX, 0.0_f64), |(least, most), &one| (least.min(one), most.max(one)));
    assert!(least <= first && last <= most, "between {first} and {last}, not {least} and {most}");
    assert!(last - first >= spread, "between {first} and {last}: no spread");
}

#[test]
fn a_hang_is_believed_after_three_probes_of_a_second_each() {
    let hang = with("", 90, "for = \"45s\"\npause = \"orders-0\"");
    let found = first(&hang, 40, |write| write == Write::Fail(ORDERS_0));
    between(&found, 20.0, 31.1, 7.0);
}

#[test]
fn one_probe_that_times_out_is_enough_if_one_is_asked_for() {
    let probe = "readiness = { http = { period = \"2s\", failure-threshold = 1 } }";
    let hang = with(probe, 60, "for = \"10s\"\npause = \"orders-0\"");
    between(&first(&hang, 20, |write| write == Write::Fail(ORDERS_0)), 0.0, 3.1, 1.0);
}

#[test]
fn a_pause_that_two_probes_meet_is_never_believed() {
    let hang = with("", 90, "for = \"18s\"\npause = \"orders-0\"");
    let found = first(&hang, 20, |write| write == Write::Fail(ORDERS_0));
    assert_eq!(found, vec![None; 20]);
}

#[test]
fn a_container_that_ends_is_seen_at_the_next_look() {
    let death = with("", 60, "crash = \"orders-0\"");
    between(&first(&death, 40, |write| write == Write::Fail(ORDERS_0)), 0.0, 1.1, 0.5);
}

#[test]
fn a_lost_node_is_noticed_a_grace_period_after_its_last_renewal_was() {
    for (version, grace) in [("1.28", 40.0), ("1.31", 40.0), ("1.32", 50.0), ("1.34", 50.0)] {
        let lost = with(
            &format!("version = \"{version}\""),
            120,
            "crash = { target = \"orders-0\", host = \"dies\" }",
        );
        let found = first(&lost, 20, |write| write == Write::Fail(ORDERS_0));
        between(&found, grace - 10.5, grace + 6.0, 3.0);
    }
}

#[test]
fn the_pod_of_a_lost_node_goes_five_minutes_after_the_taint() {
    let lost = with("version = \"1.31\"", 440, "crash = { target = \"orders-0\", host = \"dies\" }");
    let gone = |write| write == Write::Remove(ORDERS_0, Cause::Expired);
    between(&first(&lost, 8, gone), 334.0, 357.0, 1.0);
}

/// How many pods were not ready for want of a kubelet, by seed.
fn failed(registry: &str) -> Vec<usize> {
    let fault = "connection = { half-open = { between = [\"orders\", \"registry\"] } }";
    let blip = with(registry, 120, fault);
    for_seeds(10, |seed| {
        let committed = Seen::of(&blip, seed).committed;
        let failed = |node: u32| committed.iter().any(|write| write.3 == Write::Fail(NodeId(node)));
        (3..9).filter(|&node| failed(node)).count()
    })
}

#[test]
fn forty_five_seconds_of_a_dead_connection_outlast_forty_of_grace() {
    let nearly_all: usize = failed("version = \"1.31\"").iter().sum();
    assert!(nearly_all >= 50, "{nearly_all} of 60");
    let some: usize = failed("version = \"1.32\"").iter().sum();
    assert!((1..30).contains(&some), "{some} of 60");
    assert_eq!(failed("node-grace = \"61s\""), vec![0; 10]);
}

#[test]
fn another_controller_manager_takes_over_when_the_lease_is_over() {
    let death = with("", 90, "crash = \"registry:leader\"");
    let found = for_seeds(30, |seed| {
        let leads = Seen::of(&death, seed).leads;
        leads.iter().map(|lead| since(lead.0)).find(|&at| at > 0.0)
    });
    // The lease was renewed up to 2 s before, and whoever waits looks at it every 2 to 4.4 s.
    between(&found, 13.0, 22.0, 1.0);
}

#[test]
fn a_container_that_hangs_is_killed_after_its_grace_period_and_is_well_in_another() {
    let liveness = with("liveness = \"http\"", 140, "for = \"90s\"\npause = \"orders-0\"");
    let found = for_seeds(10, |seed| {
        let seen = Seen::of(&liveness, seed);
        seen.died.iter().find(|died| died.1 == ORDERS_0).map(|died| since(died.0))
    });
    between(&found, 50.0, 61.2, 3.0);
    // The process is another, so the pause of the first is nothing to it.
    let back = first(&liveness, 10, |write| write == Write::Recover(ORDERS_0));
    between(&back, 50.0, 80.0, 1.0);
}

#[test]
fn who_is_told_to_end_leaves_the_endpoints_at_once_and_the_kernel_soon_after() {
    for (registry, most) in [("", 0.2), ("kube-proxy = false", 0.05), ("sync-duration = \"3s\"", 3.3)] {
        let stop = with(registry, 60, "for = \"15s\"\nstop = { target = \"orders-0\", drain = \"10s\" }");
        let found = for_seeds(10, |seed| {
            let seen = Seen::of(&stop, seed);
            let removed = Write::Remove(ORDERS_0, Cause::Revoked);
            assert!(seen.committed.iter().any(|write| write.3 == removed && since(write.0) < 0.1));
            let clients = seen.believed.iter().filter(|belief| belief.1.0 > 8 && belief.2 == ORDERS_0);
            clients
                .filter(|belief| !belief.3 && since(belief.0) > 0.0)
                .map(|belief| since(belief.0))
                .next_back()
        });
        between(&found, 0.0, most, 0.0);
    }
}

#[test]
fn without_api_servers_nobody_learns_anything() {
    let headless =
        with("", 120, "for = \"60s\"\ncrash = \"registry\"\n[[fault]]\nat = \"50s\"\ncrash = \"orders-0\"");
    let seen = Seen::of(&headless, 1);
    let learnt = seen.believed.iter().filter(|belief| belief.1.0 > 8);
    let moments: Vec<f64> = learnt.map(|belief| since(belief.0)).filter(|&at| at > 0.0).collect();
    assert!(!moments.is_empty() && moments.iter().all(|&at| at > 60.0), "{moments:?}");
}

#[test]
fn what_the_api_refuses_is_refused() {
    let text = |registry: &str| {
        format!(
            "title = \"k\"\nlength = \"10s\"\n[registry.kubernetes]\n{registry}\n[services.orders]\ninstances = 1\nservice = \"1ms\"\n"
        )
    };
    let refused = |registry: &str| schism_scenario::load("k.toml", text(registry), &[]).map(|_| ());
    for (registry, why) in [
        ("readiness = { http = { timeout = \"1500ms\" } }", "whole seconds"),
        ("readiness = { http = { period = \"0s\" } }", "period"),
        ("readiness = { http = { failure-threshold = 0 } }", "failure-threshold"),
        ("liveness = { http = { success-threshold = 2 } }", "must be 1"),
        ("version = \"1.27\"", "1.34"),
    ] {
        let errors = refused(registry).expect_err(registry).to_string();
        assert!(errors.contains(why), "{errors}");
    }
    assert!(refused("readiness = { http = { success-threshold = 2, timeout = \"20s\" } }").is_ok());
}
