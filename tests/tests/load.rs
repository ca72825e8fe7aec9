//! Load faults: what they add is what they say, and what clients do by themselves stays what it was.

use std::collections::BTreeSet;

use schism_core::{Duration, NodeId, Time};
use schism_runner::Report;
use schism_scenario::Scenario;
use schism_tests::runs::{Done, Seen, for_seeds, report, scenario};

const SEEDS: u64 = 10;

/// Ten clients of instances with room for everybody, where nobody's request changes another's, and a fault from 20 s to
/// 40 s of a minute.
fn stage(arrivals: &str, fault: &str) -> Scenario {
    scenario(&format!(
        r#"
        title    = "Load"
        length   = "60s"
        registry = "static"
        [network]
        same-zone = "1ms"
        [services.orders]
        instances = 4
        service   = "5ms"
        [clients.web]
        count    = 10
        calls    = "orders"
        arrivals = {arrivals}
        balancer = "jump"
        key      = {{ uniform = {{ keys = 1000 }} }}
        {fault}
        "#
    ))
}

fn strained(how: &str) -> String {
    format!("[[fault]]\nid = \"load\"\nat = \"20s\"\nfor = \"20s\"\nload = {how}\n")
}

const ARRIVALS: &[&str] = &[
    r#"{ poisson = "10/s" }"#,
    r#"{ constant = "10/s" }"#,
    r#"{ diurnal = { low = "5/s", high = "15/s", period = "20s" } }"#,
    r#"{ closed = { think = { exponential = "93ms" } } }"#,
];

/// Requests offered between two seconds, in all runs.
fn offered(scenario: &Scenario, from: usize, to: usize) -> f64 {
    let runs = for_seeds(SEEDS, |seed| report(scenario, seed).timeline.offered[from..to].iter().sum::<u64>());
    runs.iter().sum::<u64>() as f64
}

#[test]
fn a_burst_of_five_adds_four_times_as_many() {
    let burst = strained(r#"{ burst = { target = "web", factor = 5 } }"#);
    for arrivals in ARRIVALS {
        let (calm, burst) = (stage(arrivals, ""), stage(arrivals, &burst));
        let times = offered(&burst, 20, 40) / offered(&calm, 20, 40);
        // About 20,000 requests without the burst, in the bursts of ten runs: four standard deviations.
        assert!((times - 5.0).abs() < 0.17, "{arrivals}: {times}");
    }
}

#[test]
fn a_fraction_of_a_loop_is_there_by_chance() {
    let burst = strained(r#"{ burst = { target = "web", factor = 1.5 } }"#);
    let closed = ARRIVALS[3];
    let times = offered(&stage(closed, &burst), 20, 40) / offered(&stage(closed, ""), 20, 40);
    // Of 100 clients about half have a second loop: four standard deviations are 0.2.
    assert!((times - 1.5).abs() < 0.2, "{times}");
}

#[test]
fn a_ramp_rises_evenly_and_falls_at_the_heal() {
    for arrivals in [ARRIVALS[0], ARRIVALS[1], ARRIVALS[3]] {
        let calm = stage(arrivals, "");
        let ramp = stage(arrivals, &strained(r#"{ ramp = { target = "web", factor = 9 } }"#));
        // The added eight times as many are a triangle: a quarter of its area lies in its first half.
        for (from, to, expected) in [(20, 30, 1.0 + 8.0 * 0.25), (30, 40, 1.0 + 8.0 * 0.75), (41, 60, 1.0)] {
            let times = offered(&ramp, from, to) / offered(&calm, from, to);
            assert!((times - expected).abs() < 0.04 * expected + 0.05, "{arrivals}, {from} to {to}: {times}");
        }
    }
}

#[test]
fn a_ramp_may_be_over_before_its_fault_is() {
    let calm = stage(ARRIVALS[0], "");
    let ramp = stage(ARRIVALS[0], &strained(r#"{ ramp = { target = "web", factor = 9, over = "5s" } }"#));
    let times = offered(&ramp, 25, 40) / offered(&calm, 25, 40);
    assert!((times - 9.0).abs() < 0.4, "{times}");
}

fn done(scenario: &Scenario) -> BTreeSet<(NodeId, Time, Time)> {
    Seen::of(scenario, 1).done.iter().map(|&Done { by, offered, at, .. }| (by, offered, at)).collect()
}

/// To the nanosecond: when they come, and when they are answered.
#[test]
fn the_clients_own_requests_stay_what_they_were() {
    for arrivals in ARRIVALS {
        let own = done(&stage(arrivals, ""));
        for how in [
            r#"{ burst = { target = "web", factor = 5 } }"#,
            r#"{ ramp = { target = "web", factor = 5 } }"#,
            r#"{ hot-key = { target = "web" } }"#,
        ] {
            let with = done(&stage(arrivals, &strained(how)));
            assert!(own.is_subset(&with), "{arrivals}, {how}: {} lost", own.difference(&with).count());
            let after = |of: &BTreeSet<(NodeId, Time, Time)>| {
                let heal = Time::START + Duration::from_secs(40);
                of.iter().filter(|done| done.1 > heal + Duration::from_millis(1)).count()
            };
            assert_eq!(after(&own), after(&with), "{arrivals}, {how}");
        }
    }
}

#[test]
fn two_bursts_add_up() {
    let burst = strained(r#"{ burst = { target = "web", factor = 3 } }"#);
    let both = format!("{burst}{}", burst.replace("\"load\"", "\"more\""));
    let times = offered(&stage(ARRIVALS[0], &both), 20, 40) / offered(&stage(ARRIVALS[0], ""), 20, 40);
    assert!((times - 5.0).abs() < 0.17, "{times}");
}

#[test]
fn a_client_that_starts_anew_is_still_under_its_burst() {
    let crash = "[[fault]]\nat = \"25s\"\nfor = \"5s\"\ncrash = \"web\"\n";
    let burst = strained(r#"{ burst = { target = "web", factor = 5 } }"#);
    let times =
        offered(&stage(ARRIVALS[0], &(burst + crash)), 31, 40) / offered(&stage(ARRIVALS[0], crash), 31, 40);
    assert!((times - 5.0).abs() < 0.25, "{times}");
}

fn attempts(report: &Report) -> Vec<u64> {
    let attempts = |instance: &serde_json::Value| instance["attempts"].as_u64().expect("a count");
    report.services["orders"].instances.values().map(attempts).collect()
}

#[test]
fn a_hot_key_sends_its_share_to_one_instance() {
    let hot = r#"{ hot-key = { target = "web", share = "60%", key = 7 } }"#;
    let (calm, hot) = (stage(ARRIVALS[0], ""), stage(ARRIVALS[0], &strained(hot)));
    let (calm, hot) = (report(&calm, 1), report(&hot, 1));
    let touched = hot.faults[0].touched as f64;
    // 60% of about 2,000 requests.
    assert!((touched - 1_200.0).abs() < 4.0 * 35.0, "{touched}");
    let more: Vec<i64> =
        attempts(&hot).iter().zip(attempts(&calm)).map(|(hot, calm)| *hot as i64 - calm as i64).collect();
    assert_eq!(more.iter().sum::<i64>(), 0, "no request is more or less");
    let hottest = more.iter().max().expect("there are four");
    // Three in four of them would have gone elsewhere.
    assert!((*hottest as f64 - 0.75 * touched).abs() < 100.0, "{more:?}");
}

/// A dozen clients of a registry, and a fault that happens at 20 s.
fn once(fault: &str) -> Report {
    let text = format!(
        r#"
        title    = "Once"
        length   = "60s"
        warmup   = "5s"
        registry = "etcd"
        [services.orders]
        instances = 6
        service   = "5ms"
        [clients.web]
        count    = 12
        calls    = "orders"
        arrivals = {{ poisson = "20/s" }}
        {fault}
        "#
    );
    report(&scenario(&text), 3)
}

fn herd(load: &str) -> Report {
    once(&format!("[[fault]]\nat = \"20s\"\nload = {load}\n"))
}

#[test]
fn a_herd_of_refreshes_is_one_read_for_each_client() {
    for within in ["0s", "2s"] {
        let herd =
            herd(&format!(r#"{{ herd = {{ target = "web", of = "refresh", within = "{within}" }} }}"#));
        assert_eq!(herd.faults[0].touched, 12, "{within}");
        assert_eq!(herd.registry.reads, once("").registry.reads + 12, "{within}");
        let lasted = herd.faults[0].to_s.expect("it is over") - herd.faults[0].from_s;
        assert!((lasted - if within == "0s" { 0.0 } else { 2.0 }).abs() < 1e-9);
    }
}

#[test]
fn a_herd_of_reconnects_breaks_no_request_and_no_view() {
    let herd = herd(r#"{ herd = { target = "web", of = "reconnect" } }"#);
    assert_eq!(herd.faults[0].touched, 12);
    assert_eq!(herd.requests.failed, once("").requests.failed);
}

#[test]
fn a_herd_of_retries_sends_again_what_is_under_way() {
    let slow = |fault: &str| {
        let text = format!(
            r#"
            title    = "Under way"
            length   = "30s"
            registry = "static"
            [services.orders]
            instances = 4
            service   = "500ms"
            [clients.web]
            count    = 10
            calls    = "orders"
            arrivals = {{ poisson = "10/s" }}
            {fault}
            "#
        );
        report(&scenario(&text), 1)
    };
    let calm = slow("");
    let herd = slow("[[fault]]\nat = \"20s\"\nload = { herd = { target = \"web\", of = \"retry\" } }\n");
    let again = herd.requests.attempts - calm.requests.attempts;
    // By Little's law about 50 are under way.
    assert!((30..=75).contains(&again), "{again}");
    assert_eq!(again, herd.faults[0].touched);
    assert_eq!(herd.requests.succeeded, calm.requests.succeeded, "each request is still one");
}

#[test]
fn a_cold_cache_is_asked_for_again_and_believes_nothing_meanwhile() {
    let cold = herd(r#"{ cold-cache = { target = "web" } }"#);
    assert_eq!(cold.faults[0].touched, 12);
    assert_eq!(cold.registry.reads, once("").registry.reads + 12);
    assert_eq!(cold.requests.failed, once("").requests.failed, "the registry answers in time");
}
