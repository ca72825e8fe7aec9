//! The whole-program benches: `cargo bench -p schism-benches --bench workloads [-- NAME [RUNS]]`.
//!
//! Each is run seven times, and the best counts: what a run takes beyond that is the machine's doing. Under
//! `valgrind --tool=callgrind` one run of a shorter workload gives instructions per event; see `docs/src/speed.md`.

#![expect(clippy::print_stdout, reason = "a bench prints its figures")]
#![expect(clippy::disallowed_types, clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::time::Instant;

use schism_benches::{hold, scenario, service};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let only = args.first().map(String::as_str);
    let runs = args.get(1).and_then(|runs| runs.parse().ok()).unwrap_or(7);
    let size = args.get(2).and_then(|size| size.parse().ok());
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    if wanted("w1") {
        best(runs, "w1: 1,024 actors, 1 in flight each", "events", || {
            hold::run(1, size.unwrap_or(10_000_000))
        });
    }
    if wanted("w1x16") {
        best(runs, "w1: 1,024 actors, 16 in flight each", "events", || {
            hold::run(16, size.unwrap_or(10_000_000))
        });
    }
    if wanted("w2") {
        best(runs, "w2: 100 clients, 20 servers", "requests", || service::run(size.unwrap_or(2_000_000)).0);
    }
    if wanted("full") {
        best(runs, "full: 60 clients, 30 instances, 3 members", "requests", || {
            scenario::FULL.run(&[]).requests
        });
    }
    if wanted("scale-100") {
        let few = ["clients.web.count=100", "length=200s"];
        best(runs, "scale: 100 clients, 1,000 instances", "events", || scenario::SCALE.run(&few).events);
    }
    if wanted("scale") {
        best(runs, "scale: 10,000 clients, 1,000 instances", "events", || scenario::SCALE.run(&[]).events);
    }
}

fn best(runs: usize, name: &str, unit: &str, work: impl Fn() -> u64) {
    let timed = (0..runs).map(|_| {
        let start = Instant::now();
        let done = work();
        (done, done as f64 / start.elapsed().as_secs_f64())
    });
    let (done, best) = timed.fold((0, 0.0_f64), |(_, best), (done, rate)| (done, best.max(rate)));
    let (rate, each) = (best / 1e6, 1e9 / best);
    println!("{name:<45} {rate:>8.2} million {unit}/s   {each:>7.1} ns each   {done} {unit}");
}
