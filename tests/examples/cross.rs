//! Runs scenarios on both engines, seed by seed, and prints where they differ: `cross SEEDS FILE ...`.

#![expect(clippy::print_stdout, reason = "it is what it is for")]

use schism_core::Seed;
use schism_runner::Report;
use schism_runner::ledger::Listed;

fn main() {
    let mut args = std::env::args().skip(1);
    let seeds: u64 = args.next().and_then(|seeds| seeds.parse().ok()).expect("how many seeds?");
    args.for_each(|path| compare(&path, seeds));
}

fn compare(path: &str, seeds: u64) {
    let text = std::fs::read_to_string(path).expect("it can be read");
    if let Err(misfits) = schism_scenario::fit_for_madsim(path, &text, &[]) {
        let why = misfits.iter().next().map_or("", |first| first.message.as_str());
        return println!("-- {path}: {why}");
    }
    let scenario =
        schism_scenario::load(path, &text, &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario;
    println!("== {path}");
    for seed in (0..seeds).map(|more| Seed(scenario.seed.0 + more)) {
        let ours = schism_runner::run(&scenario, seed, Listed::Wrong);
        match schism_live::run(&scenario, seed, Listed::Wrong) {
            Ok(theirs) => tell(&ours, &theirs),
            Err(trouble) => println!("   DIVERGED seed {}: {trouble}", seed.0),
        }
    }
}

fn tell(ours: &Report, theirs: &Report) {
    let same = ours.expect.iter().zip(&theirs.expect).all(|(our, their)| our.verdict == their.verdict);
    println!("   {} seed {}", if same { "agree " } else { "DIFFER" }, ours.seed);
    for report in [ours, theirs] {
        let recovery = &report.recovery;
        println!(
            "      {:6} {:7} events, {} of {} ok, p50 {:.1} p99 {:.1} ms; detect {:.3?} reroute {:.3?} failover {:.3?} converge {:.3?} false evictions {}",
            report.engine,
            report.events,
            report.requests.succeeded,
            report.requests.offered,
            report.latency_ms.p50,
            report.latency_ms.p99,
            recovery.detect_s,
            recovery.reroute_s,
            recovery.failover_s,
            recovery.converge_s,
            recovery.false_evictions
        );
    }
    for (our, their) in
        ours.expect.iter().zip(&theirs.expect).filter(|(our, their)| our.verdict != their.verdict)
    {
        println!("      {}: {:?} {:?} | {:?} {:?}", our.id, our.verdict, our.why, their.verdict, their.why);
    }
}
