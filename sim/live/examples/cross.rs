//! Runs scenarios on both engines and prints what differs.

use schism_core::Seed;
use schism_runner::ledger::Listed;
use std::time::Instant;

fn main() {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let seeds: u64 = args.remove(0).parse().unwrap();
    for path in args {
        let text = std::fs::read_to_string(&path).unwrap();
        let loaded = match schism_scenario::load(&path, text, &[]) {
            Ok(loaded) => loaded,
            Err(error) => {
                println!("{error}");
                continue;
            }
        };
        let scenario = loaded.scenario;
        println!("== {path}");
        for seed in (0..seeds).map(|s| Seed(scenario.seed.0 + s)) {
            let begin = Instant::now();
            let des = schism_runner::run(&scenario, seed, Listed::Wrong);
            let des_took = begin.elapsed();
            let begin = Instant::now();
            let live = schism_live::run(&scenario, seed, Listed::Wrong);
            let live_took = begin.elapsed();
            let live = match live {
                Ok(live) => live,
                Err(error) => {
                    println!("  {error}");
                    continue;
                }
            };
            for (report, took) in [(&des, des_took), (&live, live_took)] {
                println!(
                    "  {:6} seed {} {:?} events {} offered {} ok {} p50 {:.2} p99 {:.2} | detect {:?} reroute {:?} failover {:?} converge {:?} | {:?} | {:.1?}",
                    report.engine,
                    seed.0,
                    report.verdict,
                    report.events,
                    report.requests.offered,
                    report.requests.succeeded,
                    report.latency_ms.p50,
                    report.latency_ms.p99,
                    report.recovery.detect_s,
                    report.recovery.reroute_s,
                    report.recovery.failover_s,
                    report.recovery.converge_s,
                    report.expect.iter().map(|e| format!("{}={:?}", e.id, e.verdict)).collect::<Vec<_>>(),
                    took
                );
            }
        }
    }
}
