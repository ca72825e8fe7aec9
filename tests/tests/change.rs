//! Deploys and scaling: each finds what those before it have left.

use schism_core::{Duration, Time};
use schism_models::observation::Outcome;
use schism_tests::faults::{fault, staged};
use schism_tests::runs::Seen;

fn at(secs: u64) -> Time {
    Time::START + Duration::from_secs(secs)
}

#[test]
fn a_good_deploy_replaces_a_bad_one() {
    let deploy = |brings: &str| {
        format!(r#"deploy = {{ target = "orders", batch = 6, drain = "100ms", pause = "100ms"{brings} }}"#)
    };
    let bad = fault("bad", "at = \"5s\"", &deploy(", new = { error-rate = \"90%\" }"));
    let good = fault("good", "at = \"30s\"", &deploy(""));
    let done = Seen::of(&staged(&(bad + &good)), 3).done;
    let failed = |from: u64, to: u64| {
        let amid = done.iter().filter(|done| (at(from)..at(to)).contains(&done.offered));
        amid.filter(|done| done.outcome == Outcome::Failed).count()
    };
    assert!(failed(20, 30) > 100, "the bad version fails requests until it is replaced");
    assert_eq!(failed(40, 60), 0, "nothing of it is left");
}
