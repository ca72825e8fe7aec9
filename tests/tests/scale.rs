//! Ten thousand faults in one file: what they cost grows with their number, not with its square.

use schism_core::Time;
use schism_models::nemesis::{bounds, spans};
use schism_tests::crowds::crowd;
use schism_tests::runs::{report, scenario};

/// Four times the faults may take this many times as long: quadratic work would take sixteen times.
const MOST: f64 = 9.0;

/// Seconds that the quickest of three tries takes.
fn quickest(act: impl Fn()) -> f64 {
    let tries = (0..3).map(|_| {
        let start = std::time::Instant::now();
        act();
        start.elapsed().as_secs_f64()
    });
    tries.fold(f64::INFINITY, f64::min)
}

#[test]
fn ten_thousand_faults_load_plan_and_run_in_time_that_is_linear_in_their_number() {
    let [few, many] = [2_500, 10_000].map(|faults| {
        let text = crowd(faults);
        let scenario = scenario(&text);
        let run = report(&scenario, 1);
        assert_eq!(run.faults.len(), faults as usize, "every fault has begun");
        let plan = || {
            let known: Vec<_> = scenario.faults.iter().map(Some).collect();
            let ends = spans(&scenario.faults, scenario.seed).iter().map(|span| span.to).max();
            assert!(ends.flatten() < Some(Time::START + scenario.length));
            assert!(bounds(&known).iter().all(Option::is_some));
            assert!(!scenario.to_toml().is_empty());
        };
        let times = [
            quickest(|| drop(self::scenario(&text))),
            quickest(plan),
            quickest(|| drop(report(&scenario, 1))),
        ];
        (run.events as f64 / run.simulated_s, times)
    });
    let (events, times) = (many.0 / few.0, [0, 1, 2].map(|what| many.1[what] / few.1[what]));
    assert!((0.9..1.1).contains(&events), "each second has as many events, whatever came before: {events}");
    for (what, times) in ["load", "plan", "run"].into_iter().zip(times) {
        assert!(times < MOST, "to {what} four times the faults took {times} times as long");
    }
}
