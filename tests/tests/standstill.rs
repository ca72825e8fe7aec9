//! No run hangs: processes that go round in circles at one instant end it, with who and what, and a hunt goes on.

use schism_core::Seed;
use schism_runner::hunt::{Found, Sample, Tally, look_of};
use schism_runner::ledger::Listed;
use schism_runner::report::Verdict;
use schism_runner::standstill::PROGRESS;
use schism_runner::{Simulation, Step, run, run_of};
use schism_scenario::Scenario;
use schism_tests::planted::{self, Bug, Planted};
use schism_tests::runs::scenario;

/// An instance's connection to the registry is reset now and then.
const BASE: &str = r#"
title  = "A planted standstill"
length = "30s"

[registry.etcd]
members = 3

[services.orders]
instances = 3
service   = { exponential = "5ms" }

[clients.web]
count    = 2
calls    = "orders"
arrivals = { poisson = "5/s" }

[[fault]]
id    = "death"
at    = "10s"
for   = "5s"
crash = "registry"

[[expect]]
metric   = "success-rate"
at-least = "1%"

[[expect]]
eventually = "views-agree"
within     = "10s"
"#;

fn base() -> Scenario {
    scenario(BASE)
}

#[test]
fn a_livelock_ends_the_run_and_is_named() {
    let report = planted::with(Bug::NeverWaits, || run_of::<Planted>(&base(), Seed(1), Listed::Wrong));
    assert_eq!(report.verdict, Verdict::Fails);
    let found = report.expect.last().expect("it is there");
    let why = found.why.as_deref().expect("it says why");
    assert_eq!((found.id.as_str(), found.verdict), (PROGRESS, Verdict::Fails));
    assert!(found.at_s.is_some_and(|at| (10.0..20.0).contains(&at)), "{found:?}");
    assert!(why.contains("orders-") && why.contains(" has a timer "), "{why}");
    assert!(why.contains("not in the scenario"), "{why}");
    assert!(found.on.iter().all(|name| name.starts_with("orders-")), "{:?}", found.on);
    let others = &report.expect[..report.expect.len() - 1];
    assert!(
        others.iter().all(|other| other.verdict != Verdict::Holds),
        "nothing is known to hold: {others:?}"
    );
}

#[test]
fn it_is_the_same_run_each_time_and_step_by_step() {
    let digests = planted::with(Bug::NeverWaits, || {
        let scenario = base();
        let begin = || Simulation::<(), Planted>::new(&scenario, Seed(1), ());
        let (mut one, mut other) = (begin(), begin());
        one.run_to_end();
        while other.step() != Step::End {}
        assert_eq!(one.standstill(), other.standstill());
        assert!(one.standstill().is_some());
        [one.digest(), other.digest()]
    });
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn a_hunt_counts_it_as_a_failure_of_its_own_and_goes_on() {
    let found: Vec<Found> = planted::with(Bug::NeverWaits, || {
        (1..=2).map(|seed| look_of::<Planted>(&Scenario { seed: Seed(seed), ..base() })).collect()
    });
    let mut tally = Tally::new(Sample::of(1, 3));
    found.iter().for_each(|found| tally.add(found));
    let standstills = tally.groups.iter().filter(|group| group.failure.expectation == PROGRESS);
    assert_eq!(standstills.count(), 1, "two seeds of one kind: {:?}", tally.groups);
}

#[test]
fn no_client_of_a_lock_goes_round_in_circles_when_it_is_refused() {
    for registry in ["etcd", "consul", "kubernetes", "zookeeper"] {
        for cut in [r#"split = [["worker"], ["registry"]]"#, r#"split = [["worker"], ["registry-0"]]"#] {
            let text = format!(
                r#"
title  = "Refused"
length = "40s"
[registry.{registry}]
[clients.worker]
count     = 6
calls     = "registry"
operation = "lock"
lock      = {{ ttl = "10s", hold = "1s" }}
arrivals  = {{ closed = {{ think = "100ms" }} }}
[[fault]]
at        = "10s"
for       = "10s"
partition = {{ {cut}, mode = "reject" }}
"#
            );
            let report = run(&scenario(&text), Seed(1), Listed::Wrong);
            assert!(report.expect.iter().all(|expectation| expectation.id != PROGRESS), "{registry}");
            assert!(report.events < 20_000, "{registry}: {} events", report.events);
        }
    }
}
