//! Crowds of faults: what thousands of them in one file cost to load, to plan and to run.
//!
//! `cargo bench -p schism-benches --bench crowds`. Four times the faults should take about four times as long.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use schism_benches::crowd::crowd;
use schism_models::nemesis::spans;
use schism_runner::ledger::Listed;
use schism_scenario::Scenario;

fn load(text: &str) -> Scenario {
    schism_scenario::load("crowd.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario
}

fn crowds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("crowds");
    for faults in [2_500, 10_000, 40_000] {
        let text = crowd(faults);
        let scenario = load(&text);
        group.bench_function(BenchmarkId::new("load", faults), |bencher| bencher.iter(|| load(&text)));
        group.bench_function(BenchmarkId::new("plan", faults), |bencher| {
            bencher.iter(|| (spans(&scenario.faults, &scenario.zones(), scenario.seed), scenario.to_toml()));
        });
        group.bench_function(BenchmarkId::new("run", faults), |bencher| {
            bencher.iter(|| schism_runner::run(&scenario, scenario.seed, Listed::Wrong));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = crowds
}
criterion_main!(benches);
