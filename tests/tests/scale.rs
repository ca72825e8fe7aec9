//! Ten thousand faults in one file load, plan and run, and no event of the run is there because of faults long over. What
//! that costs by the clock is for `cargo bench -p schism-benches --bench crowds`.

use schism_benches::crowd::crowd;
use schism_core::Time;
use schism_models::nemesis::{bounds, spans};
use schism_tests::runs::{report, scenario};

#[test]
fn ten_thousand_faults_load_plan_and_run() {
    let [few, many] = [2_500, 10_000].map(|faults| {
        let scenario = scenario(&crowd(faults));
        let known: Vec<_> = scenario.faults.iter().map(Some).collect();
        let ends = spans(&scenario.faults, &scenario.zones(), scenario.seed).iter().map(|span| span.to).max();
        assert!(ends.flatten() < Some(Time::START + scenario.length));
        assert!(bounds(&known, &scenario.zones()).iter().all(Option::is_some));
        let run = report(&scenario, 1);
        assert_eq!(run.faults.len(), faults as usize, "every fault has begun");
        run.events as f64 / run.simulated_s
    });
    let ratio = many / few;
    assert!((0.9..1.1).contains(&ratio), "each second has as many events, whatever came before: {ratio}");
}
