//! Clients: when their requests come, and what becomes of their connections.

use schism_core::{Duration, Time};
use schism_models::observation::Outcome;
use schism_scenario::Scenario;
use schism_tests::runs::{Done, Seen, for_seeds, report, scenario};

const SEEDS: u64 = 20;

/// Ten clients of a service that answers at once, for a minute.
fn with(arrivals: &str) -> Scenario {
    scenario(&format!(
        r#"
        title    = "Arrivals"
        length   = "60s"
        registry = "static"
        [services.orders]
        instances = 2
        service   = "1ms"
        [clients.web]
        count    = 10
        calls    = "orders"
        arrivals = {arrivals}
        "#
    ))
}

/// Requests offered from one second to another, in all runs.
fn offered(scenario: &Scenario, from: usize, to: usize) -> f64 {
    let runs = for_seeds(SEEDS, |seed| report(scenario, seed).timeline.offered[from..to].iter().sum::<u64>());
    runs.iter().sum::<u64>() as f64
}

/// Whether the seconds between two have so many requests of each client, within four standard deviations.
fn check(arrivals: &str, windows: &[(usize, usize, f64)]) {
    let scenario = with(arrivals);
    for &(from, to, per_client) in windows {
        let expected = per_client * 10.0 * SEEDS as f64;
        let seen = offered(&scenario, from, to);
        let sigma = expected.sqrt();
        assert!((seen - expected).abs() < 4.0 * sigma, "{arrivals}, {from} to {to}: {seen}, not {expected}");
    }
}

#[test]
fn a_ramp_offers_the_area_under_it() {
    let ramp = r#"{ ramp = { from = "2/s", to = "20/s", over = "30s", after = "10s" } }"#;
    check(ramp, &[(0, 10, 20.0), (10, 25, 97.5), (25, 40, 232.5), (40, 60, 400.0)]);
}

#[test]
fn a_burst_comes_at_the_end_of_each_period() {
    let burst = r#"{ burst = { base = "1/s", peak = "30/s", every = "20s", lasts = "2s" } }"#;
    check(burst, &[(0, 18, 18.0), (18, 20, 60.0), (20, 38, 18.0), (38, 40, 60.0), (58, 60, 60.0)]);
}

#[test]
fn a_day_is_quiet_at_both_ends_and_busy_at_noon() {
    // The wave's integral over its first quarter of 15 s is 15/2 - 15/pi, or 2.725; over the second, 15/2 + 15/pi.
    let day = r#"{ diurnal = { low = "1/s", high = "25/s", period = "60s" } }"#;
    check(
        day,
        &[(0, 30, 390.0), (30, 60, 390.0), (0, 15, 15.0 + 24.0 * 2.725), (15, 30, 15.0 + 24.0 * 12.275)],
    );
}

/// One client of one instance, ten requests a second and a tenth of a second each at most, with a fault from 10 s to 20 s.
fn connected(connections: &str, fault: &str) -> Seen {
    let scenario = scenario(&format!(
        r#"
        title    = "One connection"
        length   = "60s"
        registry = "static"
        [network]
        same-zone = "1ms"
        [services.orders]
        instances = 1
        service   = "1ms"
        [clients.web]
        count       = 1
        calls       = "orders"
        arrivals    = {{ constant = "10/s" }}
        timeout     = "100ms"
        connections = {connections}
        [[fault]]
        at  = "10s"
        for = "10s"
        {fault}
        "#
    ));
    Seen::of(&scenario, 1)
}

const CUT: &str = r#"partition = { split = [["orders"], ["web"]] }"#;
const CRASH: &str = r#"crash = "orders""#;

fn at(secs: u64) -> Time {
    Time::START + Duration::from_secs(secs)
}

/// The first request that succeeds after the fault.
fn back(seen: &Seen) -> Duration {
    let back = seen.done.iter().find(|done| done.offered >= at(20) && done.outcome == Outcome::Success);
    back.expect("the service comes back").at.since(at(20))
}

/// How requests ended that were offered between two seconds.
fn outcomes(seen: &Seen, from: u64, to: u64) -> Vec<Outcome> {
    let offered = |done: &&Done| done.offered >= at(from) && done.offered < at(to);
    seen.done.iter().filter(offered).map(|done| done.outcome).collect()
}

#[test]
fn a_warm_client_is_back_with_the_network() {
    let seen = connected("\"warm\"", CUT);
    assert!(back(&seen) < Duration::from_millis(200));
}

#[test]
fn a_kept_connection_waits_for_the_retransmission() {
    let seen = connected("\"pooled\"", CUT);
    // The first loss is within 0.1 s after 10 s; the slots lie 6.2 s and 12.6 s behind it.
    let back = back(&seen);
    assert!(back >= Duration::from_millis(2_600) && back < Duration::from_millis(2_800), "{back}");
    assert!(outcomes(&seen, 11, 22).iter().all(|&outcome| outcome == Outcome::Timeout));
}

#[test]
fn a_connection_that_is_closed_on_a_timeout_is_dialled_anew() {
    let seen = connected(r#"{ pooled = { on-timeout = "close" } }"#, CUT);
    assert!(back(&seen) < Duration::from_millis(300), "{}", back(&seen));
}

#[test]
fn a_ping_that_goes_unanswered_gives_the_connection_up() {
    let patient = connected(r#"{ pooled = { keepalive-time = "30s" } }"#, CUT);
    assert_eq!(
        back(&patient),
        back(&connected("\"pooled\"", CUT)),
        "a ping that never comes changes nothing"
    );
    // Given up 2 s after the last word, and each new one a second after it was dialled.
    let keepalive = r#"{ pooled = { keepalive-time = "1s", keepalive-timeout = "1s" } }"#;
    let seen = connected(keepalive, CUT);
    assert!(back(&seen) < Duration::from_millis(1_300), "{}", back(&seen));
    assert!(outcomes(&seen, 11, 20).contains(&Outcome::Connect));
}

#[test]
fn a_connection_that_cannot_be_opened_fails_its_attempts() {
    let seen = connected(r#"{ pooled = { connect-timeout = "50ms", on-timeout = "close" } }"#, CUT);
    let during = outcomes(&seen, 11, 20);
    assert!(during.len() > 80 && during.iter().all(|&outcome| outcome == Outcome::Connect), "{during:?}");
}

#[test]
fn a_crash_resets_a_connection_and_the_next_life_gets_a_new_one() {
    for connections in ["\"pooled\"", "\"warm\""] {
        let seen = connected(connections, CRASH);
        assert!(outcomes(&seen, 10, 19).iter().all(|&outcome| outcome == Outcome::Connect), "{connections}");
        assert!(back(&seen) < Duration::from_millis(300), "{connections}");
    }
}

#[test]
fn nothing_fails_where_nothing_is_wrong() {
    for connections in ["\"pooled\"", "\"warm\"", r#"{ pooled = { keepalive-time = "50ms" } }"#] {
        let seen = connected(connections, CUT);
        for (from, to) in [(0, 9), (30, 59)] {
            let well = outcomes(&seen, from, to).iter().all(|&outcome| outcome == Outcome::Success);
            assert!(well, "{connections}");
        }
    }
}
