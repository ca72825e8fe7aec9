//! The theory of balancers: what is known in closed form of many servers comes out of scenarios.
//!
//! One dispatcher, so that its own requests in flight are the true queues; every server works at 100 requests a second,
//! so that the unit of time is its mean service of 10 ms; the network takes no time. Means come with a 99% confidence
//! interval from independent runs.

use schism_core::{Duration, Time};
use schism_scenario::Scenario;
use schism_tests::runs::{Done, Seen, for_seeds, report, scenario};
use schism_tests::statistics::{Interval, batch_means, mean};

/// The unit of time: one mean service.
const SERVICE_S: f64 = 0.01;
/// As many batches as the intervals need.
const RUNS: u64 = 32;

/// How long before the end the last request is measured, in mean services: nobody takes that long.
const LATE: f64 = 150.0;

/// Servers behind one dispatcher.
struct Farm {
    servers: u32,
    /// The share of all servers' time that the load takes.
    rho: f64,
    balancer: &'static str,
    /// Before the measurement, in mean services.
    warmup: f64,
    /// Requests measured in a run, about.
    requests: f64,
    /// More of the scenario.
    more: &'static str,
}

impl Farm {
    fn new(servers: u32, rho: f64, balancer: &'static str) -> Farm {
        Farm { servers, rho, balancer, warmup: 300.0, requests: 40_000.0, more: "" }
    }

    fn scenario(&self) -> Scenario {
        let rate = f64::from(self.servers) * self.rho / SERVICE_S;
        let warmup_s = self.warmup * SERVICE_S;
        let (length_s, rate) = (warmup_s + self.requests / rate + LATE * SERVICE_S, rate.round());
        let Farm { servers, balancer, more, .. } = self;
        scenario(&format!(
            r#"
            title    = "A farm of servers"
            length   = "{length_s:.3}s"
            warmup   = "{warmup_s:.3}s"
            registry = "static"
            [network]
            same-zone = "0s"
            [services.farm]
            instances = {servers}
            service   = {{ exponential = "10ms" }}
            slots     = 1
            [clients.dispatcher]
            count    = 1
            calls    = "farm"
            arrivals = {{ poisson = "{rate}/s" }}
            timeout  = "1h"
            balancer = {balancer}
            {more}
            "#
        ))
    }

    /// The mean sojourn time, in mean services. Who comes late is left out, since it might not be done by the end, and
    /// those who are would be the quick.
    fn sojourn(&self) -> Interval {
        let scenario = self.scenario();
        let time = |services: f64| Duration::from_secs_f64(services * SERVICE_S);
        let measured =
            Time::START + time(self.warmup)..Time::START + scenario.length.saturating_sub(time(LATE));
        batch_means(&for_seeds(RUNS, |seed| {
            let done = Seen::of(&scenario, seed).done;
            let sojourns = done.iter().filter(|done| measured.contains(&done.offered)).map(Done::took_s);
            mean(&sojourns.collect::<Vec<f64>>()) / SERVICE_S
        }))
    }
}

/// Whether the limit lies in the interval, which may lie above it by as much as a finite number of servers does.
fn agrees(what: &str, limit: f64, measured: Interval, bias: f64, precision: f64) {
    let Interval { mean, half } = measured;
    let text = format!("{what}: theory {limit:.4}, measured {mean:.4} +- {half:.4}");
    assert!(mean + half >= limit && mean - half <= limit * (1.0 + bias), "{text}");
    assert!(half <= precision * limit, "{text}: too wide to say anything");
}

#[test]
fn a_random_split_is_as_many_mm1() {
    for (rho, precision) in [(0.5, 0.01), (0.8, 0.03)] {
        agrees("random", 1.0 / (1.0 - rho), Farm::new(10, rho, "\"random\"").sojourn(), 0.0, precision);
    }
}

#[test]
fn round_robin_by_one_dispatcher_is_erlang_arrivals_at_each() {
    // E_c/M/1: sigma = (c rho / (c rho + 1 - sigma))^c, and E[T] = 1 / (1 - sigma).
    for (servers, rho, expected, requests, precision) in [
        (2_u32, 0.7, 2.600_623, 40_000.0, 0.02),
        (4, 0.5, 1.432_523, 40_000.0, 0.01),
        (4, 0.8, 3.267_384, 80_000.0, 0.02),
        (10, 0.7, 2.019_804, 40_000.0, 0.02),
        (100, 0.5, 1.261_860, 40_000.0, 0.01),
        (100, 0.8, 2.715_660, 80_000.0, 0.02),
    ] {
        let c = f64::from(servers);
        let step = |sigma: f64| libm::pow(c * rho / (c * rho + 1.0 - sigma), c);
        let sigma = (0..10_000).fold(0.5, |sigma, _| step(sigma));
        let theory = 1.0 / (1.0 - sigma);
        assert!((theory - expected).abs() < 1e-5, "{theory}");
        let farm = Farm { requests, ..Farm::new(servers, rho, "\"round-robin\"") };
        agrees(&format!("round robin over {servers} at {rho}"), theory, farm.sojourn(), 0.0, precision);
    }
}

/// Mitzenmacher's limit: E[T] = sum over i >= 1 of lambda^((d^i - d) / (d - 1)).
fn supermarket(lambda: f64, d: u32) -> f64 {
    let d = f64::from(d);
    (1..60).map(|i| libm::pow(lambda, (libm::pow(d, f64::from(i)) - d) / (d - 1.0))).sum()
}

const TWO: &str = "{ least-request = { choices = 2 } }";
const THREE: &str = "{ least-request = { choices = 3 } }";

#[test]
fn the_power_of_two_and_three_choices() {
    assert!((supermarket(0.9, 3) - 2.027_856).abs() < 1e-6);
    assert!((supermarket(0.99, 3) - 3.857_847).abs() < 1e-6);
    // With n = 500 servers the mean is above the limit: by less than 0.2% up to 0.9, 1% at 0.95 and 3% at 0.99.
    for (lambda, bias, warmup, requests, precision) in [
        (0.5, 0.002, 30.0, 60_000.0, 0.005),
        (0.7, 0.002, 40.0, 60_000.0, 0.005),
        (0.8, 0.002, 50.0, 60_000.0, 0.01),
        (0.9, 0.002, 80.0, 80_000.0, 0.015),
        (0.95, 0.01, 120.0, 80_000.0, 0.02),
        (0.99, 0.03, 250.0, 120_000.0, 0.05),
    ] {
        for (d, balancer) in [(2, TWO), (3, THREE)] {
            let farm = Farm { warmup, requests, ..Farm::new(500, lambda, balancer) };
            let what = format!("{d} choices at {lambda}");
            agrees(&what, supermarket(lambda, d), farm.sojourn(), bias, precision);
        }
    }
}

#[test]
fn the_shortest_of_two_queues() {
    // The stationary distribution of the truncated Markov chain, solved numerically.
    for (rho, theory, precision) in [(0.5, 1.426_321, 0.01), (0.8, 2.955_737, 0.02)] {
        let farm = Farm { requests: 60_000.0, ..Farm::new(2, rho, "\"jsq\"") };
        agrees(&format!("JSQ(2) at {rho}"), theory, farm.sojourn(), 0.0, precision);
    }
}

/// Erlang's C, from the recursion of his B.
fn erlang_c(c: u32, rho: f64) -> f64 {
    let load = f64::from(c) * rho;
    let b = (1..=c).fold(1.0, |b, n| load * b / (f64::from(n) + load * b));
    b / (1.0 - rho * (1.0 - b))
}

#[test]
fn no_dispatcher_beats_one_queue_for_all() {
    let (servers, rho) = (10, 0.8);
    let bound = 1.0 + erlang_c(servers, rho) / (f64::from(servers) * (1.0 - rho));
    let of = |balancer| Farm::new(servers, rho, balancer).sojourn().mean;
    let [jsq, two, robin, random] = [of("\"jsq\""), of(TWO), of("\"round-robin\""), of("\"random\"")];
    let order = [bound, jsq, two, robin, random];
    assert!(order.is_sorted(), "Erlang C, JSQ, two choices, round robin, random: {order:?}");
}

#[test]
fn an_old_board_makes_a_herd_of_those_who_all_read_it() {
    // Mitzenmacher, "How useful is old information?", TPDS 2000: 100 servers at 0.9, a board that is written every T
    // mean services. The whole board's least is best while it is fresh; two choices lose their edge slowly; and the
    // older it is, the more the herd that follows it loses even to who asks nobody.
    // An order takes no interval: a few runs tell.
    let of = |balancer| {
        let scenario = Farm { warmup: 400.0, ..Farm::new(100, 0.9, balancer) }.scenario();
        let means = for_seeds(6, |seed| report(&scenario, seed).latency_ms.mean / 1_000.0 / SERVICE_S);
        mean(&means)
    };
    let random = 10.0;
    let least = [
        of("{ jsq = { board = \"2ms\" } }"),
        of("{ jsq = { board = \"10ms\" } }"),
        of("{ jsq = { board = \"100ms\" } }"),
    ];
    let two = [
        of("{ jsq = { board = \"2ms\", choices = 2 } }"),
        of("{ jsq = { board = \"10ms\", choices = 2 } }"),
        of("{ jsq = { board = \"100ms\", choices = 2 } }"),
    ];
    assert!(least[0] < two[0], "a fresh board: {least:?} {two:?}");
    assert!(two[1] < least[1], "a board of one service: {least:?} {two:?}");
    assert!(least[2] > random && two[2] < random, "an old board: {least:?} {two:?}");
    assert!(least.is_sorted() && two.is_sorted(), "the older the worse: {least:?} {two:?}");
}

/// The share of requests that one of `servers` gets which answers each at once with an error.
fn black_hole(servers: u32, rho: f64, balancer: &'static str) -> f64 {
    const HOLE: &str = r#"
        [[fault]]
        id = "hole"
        at = "1s"
        error-rate = { target = "farm-0", rate = "100%", latency = "1ns" }
    "#;
    let farm = Farm { more: HOLE, warmup: 400.0, ..Farm::new(servers, rho, balancer) };
    let scenario = farm.scenario();
    let shares = for_seeds(RUNS, |seed| {
        let instances = &report(&scenario, seed).services["farm"].instances;
        let attempts = |name: &str| instances[name]["attempts"].as_f64().expect("a number");
        let all: f64 = (0..servers).map(|number| attempts(&format!("farm-{number}"))).sum();
        attempts("farm-0") / all
    });
    mean(&shares)
}

#[test]
fn a_black_hole_draws_what_least_requests_send_to_the_idle() {
    // It is idle whenever it is looked at, and the others hardly ever are: 1 - (1 - 1/n)^d of the requests, drawn with
    // replacement. So the load is such that the n - 1 others, who get the rest, are busy for 0.95 of their time.
    for (servers, d, balancer) in [(3, 2, TWO), (10, 2, TWO), (10, 3, THREE), (50, 2, TWO)] {
        let n = f64::from(servers);
        let theory = 1.0 - libm::pow(1.0 - 1.0 / n, f64::from(d));
        let rho = 0.97 * (n - 1.0) / n / (1.0 - theory);
        let share = black_hole(servers, rho, balancer);
        assert!((share / theory - 1.0).abs() < 0.05, "{d} of {servers}: {share:.4}, not {theory:.4}");
    }
    let fair = black_hole(10, 0.9, "\"round-robin\"");
    assert!((fair - 0.1).abs() < 1e-3, "round robin does not look: {fair}");
}
