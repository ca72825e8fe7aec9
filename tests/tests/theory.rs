//! Queueing theory: what is known in closed form comes out of scenarios, within its 99% confidence interval.
//!
//! Every server works at 100 requests a second, so that the unit of time is its mean service time of 10 ms. The batches
//! are independent runs, each with a seed of its own and with its beginning left out.

use schism_core::{Duration, Time};
use schism_models::observation::Outcome;
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds, report, scenario};
use schism_tests::statistics::{Interval, batch_means, mean, quantile};

/// The unit of time: one mean service.
const SERVICE_S: f64 = 0.01;
const RUNS: u64 = 40;
const WARMUP_S: u64 = 30;

/// One service of one instance on a network that takes no time.
struct Station {
    service: &'static str,
    slots: u32,
    clients: u32,
    arrivals: String,
    length_s: u64,
}

impl Station {
    fn scenario(&self) -> Scenario {
        let Station { service, slots, clients, arrivals, length_s } = self;
        scenario(&format!(
            r#"
            title    = "One station"
            length   = "{length_s}s"
            warmup   = "{WARMUP_S}s"
            registry = "static"
            [network]
            same-zone = "0s"
            [services.station]
            instances = 1
            service   = {service}
            slots     = {slots}
            queue     = "unlimited"
            [clients.source]
            count    = {clients}
            calls    = "station"
            arrivals = {arrivals}
            timeout  = "1h"
            "#
        ))
    }

    /// The sojourn times of each run, in mean service times.
    fn sojourns(&self) -> Vec<Vec<f64>> {
        let scenario = self.scenario();
        for_seeds(RUNS, |seed| {
            let start = Time::START + Duration::from_secs(WARMUP_S);
            let done = Seen::of(&scenario, seed).done;
            let sojourn = |done: &schism_tests::runs::Done| {
                assert_eq!(done.outcome, Outcome::Success, "nothing is refused here");
                done.took_s() / SERVICE_S
            };
            done.iter().filter(|done| done.offered >= start).map(sojourn).collect()
        })
    }

    fn mean_sojourn(&self) -> Interval {
        batch_means(&self.sojourns().iter().map(|run| mean(run)).collect::<Vec<f64>>())
    }
}

const EXPONENTIAL: &str = r#"{ exponential = "10ms" }"#;
const CONSTANT: &str = r#""10ms""#;

/// Poisson arrivals that keep `servers` busy for a share `rho` of the time; about `requests` of them in a run.
fn open(service: &'static str, servers: u32, rho: f64, requests: u64) -> Station {
    let rate = (f64::from(servers) * rho / SERVICE_S).round();
    Station {
        service,
        slots: servers,
        clients: 1,
        arrivals: format!(r#"{{ poisson = "{rate}/s" }}"#),
        length_s: WARMUP_S + (requests as f64 / rate).ceil() as u64,
    }
}

/// Whether theory lies in the interval, and the interval is narrow enough to say so.
fn agrees(what: &str, theory: f64, interval: Interval, precision: f64) {
    let Interval { mean, half } = interval;
    let text = format!("{what}: theory {theory:.4}, measured {mean:.4} +- {half:.4}");
    assert!(interval.contains(theory), "{text}");
    assert!(half <= precision * theory, "{text}: too wide to say anything");
}

#[test]
fn mm1_sojourns_are_1_over_mu_less_lambda() {
    for (rho, expected, requests, precision) in
        [(0.3, 1.428_571_4, 10_000, 0.01), (0.7, 3.333_333_3, 20_000, 0.02), (0.9, 10.0, 80_000, 0.05)]
    {
        let theory: f64 = 1.0 / (1.0 - rho);
        assert!((theory - expected).abs() < 1e-6);
        agrees("M/M/1", theory, open(EXPONENTIAL, 1, rho, requests).mean_sojourn(), precision);
    }
}

#[test]
fn mm1_sojourns_are_exponential() {
    // FCFS: P(T > t) = exp(-(mu - lambda) t), so the quantile p is -ln(1 - p) / (mu - lambda).
    let runs = open(EXPONENTIAL, 1, 0.7, 20_000).sojourns();
    for (p, expected, precision) in [(0.5, 2.310_490_6, 0.02), (0.99, 15.350_567, 0.04)] {
        let theory = -libm::log(1.0 - p) / (1.0 - 0.7);
        assert!((theory - expected).abs() < 1e-6);
        let quantiles: Vec<f64> = runs.iter().map(|run| quantile(run, p)).collect();
        agrees("a quantile of M/M/1", theory, batch_means(&quantiles), precision);
    }
}

/// Erlang's C: the probability of waiting with c servers and c rho of load, from the recursion of his B.
fn erlang_c(c: u32, rho: f64) -> f64 {
    let load = f64::from(c) * rho;
    let b = (1..=c).fold(1.0, |b, n| load * b / (f64::from(n) + load * b));
    b / (1.0 - rho * (1.0 - b))
}

#[test]
fn mmc_sojourns_follow_erlang_c() {
    // E[T] = 1 + C / (c (1 - rho)), in mean service times; tabulated: 4/3 for c = 2 at 0.5, 2.7777... at 0.8.
    assert!((1.0 + erlang_c(2, 0.5) / 1.0 - 4.0 / 3.0).abs() < 1e-12);
    assert!((1.0 + erlang_c(2, 0.8) / 0.4 - 2.777_777_777_8).abs() < 1e-9);
    assert!((1.0 + erlang_c(2, 0.95) / 0.1 - 10.256_410_256_4).abs() < 1e-9);
    for (c, rho, precision) in
        [(2, 0.5, 0.01), (2, 0.8, 0.04), (8, 0.5, 0.01), (8, 0.8, 0.02), (20, 0.8, 0.01), (20, 0.9, 0.03)]
    {
        let theory = 1.0 + erlang_c(c, rho) / (f64::from(c) * (1.0 - rho));
        agrees(
            &format!("M/M/{c} at {rho}"),
            theory,
            open(EXPONENTIAL, c, rho, 20_000).mean_sojourn(),
            precision,
        );
    }
}

#[test]
fn md1_waits_half_as_long_as_mm1() {
    // Pollaczek and Khinchine: E[T] = 1 + rho (1 + scv) / (2 (1 - rho)), and a constant has no variance.
    for (rho, expected, precision) in [(0.5, 1.5, 0.01), (0.8, 3.0, 0.03)] {
        let theory: f64 = 1.0 + rho / (2.0 * (1.0 - rho));
        assert!((theory - expected).abs() < 1e-9);
        agrees("M/D/1", theory, open(CONSTANT, 1, rho, 20_000).mean_sojourn(), precision);
    }
}

#[test]
fn littles_law_holds_in_the_report() {
    // L = lambda W, for the station and for its queue; and the mean queue of M/M/1 is rho^2 / (1 - rho).
    let station = open(EXPONENTIAL, 1, 0.7, 20_000);
    let (scenario, measured_s) = (station.scenario(), (station.length_s - WARMUP_S) as f64);
    let queues = for_seeds(RUNS, |seed| {
        let report = report(&scenario, seed);
        let instance = &report.services["station"].instances["station-0"];
        let [busy, queue] = ["busy", "queue_mean"].map(|name| instance[name].as_f64().expect("a number"));
        let lambda = report.requests.succeeded as f64 / measured_s;
        let sojourn_s = report.latency_ms.mean / 1_000.0;
        let (inside, through) = (busy + queue, lambda * sojourn_s);
        assert!((inside / through - 1.0).abs() < 0.005, "L = {inside}, lambda W = {through}");
        queue
    });
    agrees("the queue of M/M/1", 0.7 * 0.7 / 0.3, batch_means(&queues), 0.04);
}

#[test]
fn a_closed_loop_goes_as_fast_as_the_machine_repairman() {
    // n sources that think for z and one server: p_k / p_0 = n! / (n - k)! / z^k, and the throughput is 1 - p_0.
    let (n, think) = (8, 5.0);
    let term = |k: u32| (0..k).map(|i| f64::from(n - i) / think).product::<f64>();
    let theory = 1.0 - 1.0 / (0..=n).map(term).sum::<f64>();
    let station = Station {
        service: EXPONENTIAL,
        slots: 1,
        clients: n,
        arrivals: r#"{ closed = { think = { exponential = "50ms" } } }"#.into(),
        length_s: WARMUP_S + 200,
    };
    let scenario = station.scenario();
    let throughput =
        for_seeds(RUNS, |seed| report(&scenario, seed).requests.succeeded as f64 / 200.0 * SERVICE_S);
    agrees("the machine repairman", theory, batch_means(&throughput), 0.01);
}
