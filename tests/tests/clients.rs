//! Clients: when their requests come.

use schism_scenario::Scenario;
use schism_tests::runs::{for_seeds, report, scenario};

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
