//! The renderings of hand-made reports and plans, as snapshots without colour.

use std::collections::BTreeMap;

use schism_runner::report::{
    About, Belief, Client, Errors, Expectation, Fault, Latency, Lease, LeaseCounts, Phase, Recovery,
    Registry, Report, Requests, Service, Timeline, Verdict, Wrong,
};

use super::gantt::{self, Row};
use super::plan::{self, Step, Steps};
use super::text::{Detail, Look, Subject, report};
use crate::console::plain;

const BRIEF: Look = Look { width: 100, detail: Detail::Brief };
const FULL: Look = Look { width: 100, detail: Detail::Full };

fn subject() -> Subject {
    Subject {
        why: Some("Do clients keep sending to instances that are gone, and for how long?".to_owned()),
        nodes: 93,
        warmup_s: 10.0,
        replay: "schism run scenarios/zone-b.toml --seed 42".to_owned(),
    }
}

/// A run in which nothing happened.
fn empty() -> Report {
    Report {
        schema: "schism.report/1",
        version: "0.1.0",
        engine: "des",
        repeatability: None,
        scenario: About { title: "A zone goes dark during a deploy".to_owned(), digest: "0".repeat(32) },
        seed: 42,
        digest: "5e0d9a1c".repeat(4),
        events: 0,
        simulated_s: 0.0,
        requests: Requests::default(),
        latency_ms: Latency::default(),
        clients: BTreeMap::new(),
        services: BTreeMap::new(),
        registry: Registry::default(),
        locks: None,
        leases: vec![],
        beliefs: vec![],
        beliefs_omitted: 0,
        wrong_beliefs: vec![],
        phases_omitted: 0,
        faults: vec![],
        phases: vec![],
        timeline: Timeline::default(),
        recovery: Recovery::default(),
        expect: vec![],
        verdict: Verdict::Holds,
    }
}

fn requests(offered: u64, failed: u64) -> Requests {
    Requests {
        offered,
        succeeded: offered - failed,
        failed,
        attempts: offered + offered / 100,
        stale: failed / 2,
        misrouted: failed,
        cross_zone: offered / 3,
        errors: Errors { timeout: failed - failed / 10, connect: failed / 10, ..Errors::default() },
        ..Requests::default()
    }
}

fn latency_ms() -> Latency {
    Latency { mean: 6.42, p50: 4.2, p90: 14.9, p99: 41.27, p999: 120.4, max: 249.9 }
}

fn phase(name: &str, from_s: f64, to_s: f64, success_rate: f64) -> Phase {
    let offered = ((to_s - from_s) * 6_000.0) as u64;
    Phase {
        name: name.to_owned(),
        from_s,
        to_s,
        offered,
        success_rate: Some(success_rate),
        p99_ms: Some(41.27),
    }
}

fn fault(id: &str, from_s: f64, to_s: Option<f64>) -> Fault {
    let what = "partition of zone:b | rest, blackhole".to_owned();
    let on = vec!["{orders-1, web-1}".to_owned(), "{orders-0, orders-2, web-0, web-2}".to_owned()];
    let islands = on.clone();
    Fault { id: id.to_owned(), what, from_s, to_s, touched: 1_234, on, islands }
}

fn belief(observer: &str, subject: &str, believes: &'static str, from_s: f64, to_s: Option<f64>) -> Belief {
    let (observer, subject) = (observer.to_owned(), subject.to_owned());
    Belief { observer, subject, believes, from_s, to_s, is_true: false }
}

fn wrong(observers: &str, subjects: &str, believes: &'static str, beliefs: u64, longest_s: f64) -> Wrong {
    Wrong { observers: observers.to_owned(), subjects: subjects.to_owned(), believes, beliefs, longest_s }
}

fn expectation(id: &str, verdict: Verdict, at_s: Option<f64>, why: Option<&str>) -> Expectation {
    let (margin, on, signature) = (None, Vec::new(), None);
    Expectation { id: id.to_owned(), verdict, at_s, why: why.map(str::to_owned), margin, on, signature }
}

/// A zone is cut off for 35 seconds, and an instance crashes meanwhile.
fn outage() -> Report {
    let dark = |step: u64| (40..51).contains(&step);
    let starting = |step: u64| step < 2;
    let fared = |step: u64| {
        if dark(step) {
            5_586
        } else if starting(step) {
            1_000
        } else {
            6_000
        }
    };
    let held =
        (0..30).map(|n| belief(&format!("web-{n}"), "orders-7", "up", 41.3, Some(52.0 + f64::from(n) * 2.0)));
    let dropped = (0..3).map(|n| belief(&format!("registry-{n}"), "orders-4", "down", 50.6, Some(75.8)));
    Report {
        events: 12_345_678,
        simulated_s: 180.0,
        requests: requests(1_020_000, 4_554),
        latency_ms: latency_ms(),
        clients: [(
            "web".to_owned(),
            Client { requests: requests(1_020_000, 4_554), latency_ms: latency_ms() },
        )]
        .into(),
        services: [("orders".to_owned(), service())].into(),
        registry: Registry {
            reads: 61,
            writes: 96,
            leases: LeaseCounts { granted: 33, renewed: 1_204, expired: 2 },
            leaders: 2,
        },
        locks: None,
        leases: vec![
            lease("orders-4", 40.2, 50.6, "expired"),
            lease("orders-7", 41.0, 52.1, "expired"),
            lease("orders-8", 90.0, 90.1, "revoked"),
        ],
        beliefs: held.chain(dropped).chain([belief("web-3", "orders-9", "up", 170.0, None)]).collect(),
        wrong_beliefs: vec![
            wrong("registry", "orders", "down", 3, 25.2),
            wrong("web", "orders", "up", 31, 68.7),
        ],
        faults: vec![fault("cut", 40.0, Some(75.0)), fault("orders-crash", 41.3, None)],
        phases: vec![
            phase("before", 10.0, 40.0, 1.0),
            phase("cut", 40.0, 75.0, 0.931),
            phase("orders-crash", 41.3, 180.0, 0.9958),
            phase("after", 75.0, 180.0, 1.0),
        ],
        timeline: Timeline {
            step_s: 1.0,
            offered: vec![6_000; 180],
            succeeded: (0..180).map(fared).collect(),
        },
        recovery: Recovery {
            detect_s: Some(10.4),
            reroute_s: Some(12.0),
            failover_s: Some(1.85),
            two_leaders_s: Some(0.0),
            dip: Some(0.931),
            dip_for_s: Some(11.0),
            converge_s: None,
            false_evictions: 1,
            ghost_window_s: Some(75.2),
        },
        expect: vec![
            expectation("single-leader", Verdict::Holds, None, None),
            expectation("stale-request", Verdict::Holds, Some(41.32), None),
            expectation(
                "success-rate during cut",
                Verdict::Fails,
                Some(75.0),
                Some(
                    "97.8% of the 210,000 requests offered from 40s to 75s succeeded; at least 99% was expected",
                ),
            ),
        ],
        verdict: Verdict::Fails,
        ..empty()
    }
}

fn lease(instance: &str, last_renewal_s: f64, removed_s: f64, cause: &'static str) -> Lease {
    Lease {
        instance: instance.to_owned(),
        registered_s: 0.1,
        last_renewal_s: Some(last_renewal_s),
        unhealthy_s: None,
        removed_s: Some(removed_s),
        cause: Some(cause),
    }
}

fn service() -> Service {
    let instance = |n: u32| {
        let fared = serde_json::json!({ "attempts": 34_000 + n, "busy": 0.8, "queue_mean": 0.02 });
        (format!("orders-{n}"), fared)
    };
    Service { peak_to_mean: 1.04, instances: (0..3).map(instance).collect() }
}

fn shown(of: &Report, look: Look) -> String {
    let text = plain(&report(of, &subject(), look));
    for line in text.lines() {
        assert!(super::words::width(line) <= look.width, "too wide: {line}");
        assert_eq!(line.trim_end(), line, "a line ends in spaces");
    }
    text
}

/// Compares with the snapshot of this name.
fn snapshot(name: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../../snapshots/cli");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn a_run_in_which_an_expectation_fails() {
    snapshot("report-fails", &shown(&outage(), BRIEF));
}

#[test]
fn the_same_with_everything_shown() {
    snapshot("report-verbose", &shown(&outage(), FULL));
}

#[test]
fn the_same_on_a_narrow_terminal() {
    snapshot("report-narrow", &shown(&outage(), Look { width: 80, detail: Detail::Brief }));
}

#[test]
fn a_run_without_faults_in_which_all_holds() {
    let outage = outage();
    let calm = Report {
        faults: vec![],
        beliefs: vec![],
        wrong_beliefs: vec![],
        recovery: Recovery::default(),
        phases: vec![phase("before", 10.0, 180.0, 1.0)],
        timeline: Timeline { succeeded: outage.timeline.offered.clone(), ..outage.timeline },
        requests: requests(1_020_000, 0),
        expect: vec![expectation("single-leader", Verdict::Holds, None, None)],
        verdict: Verdict::Holds,
        ..outage
    };
    snapshot("report-calm", &shown(&calm, BRIEF));
}

#[test]
fn a_run_in_which_nothing_happened() {
    snapshot("report-empty", &shown(&empty(), BRIEF));
}

#[test]
fn a_vacuous_run() {
    let why = "fault `cut` touched nothing: no message was stopped";
    let vacuous = Report {
        expect: vec![expectation("cut", Verdict::Vacuous, None, Some(why))],
        verdict: Verdict::Vacuous,
        ..empty()
    };
    snapshot("report-vacuous", &shown(&vacuous, BRIEF));
}

#[test]
fn a_run_with_many_faults_stays_on_a_screen() {
    let many = Report {
        faults: (0..40)
            .map(|n| fault(&format!("fault-{n}"), f64::from(n) * 4.0, Some(f64::from(n) * 4.0 + 9.0)))
            .collect(),
        phases: (0..42)
            .map(|n| phase(&format!("phase-{n}"), f64::from(n), f64::from(n) + 1.0, 0.999))
            .collect(),
        beliefs: (0..5_000)
            .map(|n| {
                belief(
                    &format!("group{}-{n}", n % 20),
                    &format!("orders-{}", n % 7),
                    "up",
                    f64::from(n % 170),
                    None,
                )
            })
            .collect(),
        beliefs_omitted: 70_000,
        wrong_beliefs: (0..20)
            .map(|n| wrong(&format!("group{n}"), "orders", "up", 3_750, 180.0 - f64::from(n)))
            .collect(),
        expect: (0..30).map(|n| expectation(&format!("holds-{n}"), Verdict::Holds, None, None)).collect(),
        verdict: Verdict::Holds,
        ..outage()
    };
    let text = shown(&many, BRIEF);
    assert!(text.lines().count() <= 88, "{} lines", text.lines().count());
    snapshot("report-many", &text);
}

#[test]
fn what_somebody_wrote_does_not_steer_the_terminal() {
    let title = "red \u{1b}[31m\nand a second line".to_owned();
    let nasty = Report { scenario: About { title, ..empty().scenario }, ..empty() };
    assert!(
        report(&nasty, &subject(), BRIEF).lines().next().is_some_and(|line| !line.contains("\u{1b}[31m"))
    );
}

const FIFTEEN: &str = r#"
title  = "Fifteen faults"
length = "120s"
seed   = 4
topology.zones = ["a", "b", "c"]
registry.etcd.members = 3
[services.orders]
instances = 12
service   = "2ms"
[clients.web]
count    = 4
calls    = "orders"
arrivals = { poisson = "5/s" }

[[fault]]
id        = "a-cut-with-a-name-that-is-too-long-for-its-column"
at        = "5s"
for       = "40s"
partition = { split = [["zone:b"], ["rest"]] }
[[fault]]
id      = "drawn"
between = ["10s", "30s"]
for     = "15s"
pause   = "orders:pick(3)"
[[fault]]
id    = "for ever"
at    = "33s"
crash = "web-3"
[[fault]]
id    = "leader"
when  = "leader-changes"
after = ["1s", "3s"]
for   = "10s"
crash = "registry:leader"
[[fault]]
id    = "after the leader"
when  = "leader.heals"
after = "20s"
for   = "10s"
pause = "registry:followers"
[[fault]]
when  = { metric = "success-rate", below = "90%", over = "5s" }
for   = "10s"
pause = ["orders:in(zone:a)", "web-0"]
[[fault]]
id    = "late"
when  = "drawn.heals"
after = ["5s", "30s"]
until = "119s"
crash = "orders:20%"
[[fault]]
id       = "roll"
at       = "50s"
sequence = [
  { crash = "orders-0", for = "5s", then = "2s" },
  { crash = "orders-1", for = "5s", then = "2s" },
  { pause = "orders-2", for = "100ms" },
]
[[fault]]
id     = "beat"
at     = "20s"
for    = "4s"
repeat = { every = "20s", times = 4, jitter = "4s" }
one-of = [{ crash = "orders-5" }, { partition = { isolate = "orders:majority" } }]
[[fault]]
at        = "100s"
for       = "60s"
partition = { partial = [["orders-0", "web-0"], ["orders-0", "web:one"]] }
"#;

/// What is known of the faults of a scenario before the run.
fn steps(text: &str) -> Vec<Step> {
    let loaded = schism_scenario::load("test.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    Steps::new(&loaded.scenario).iter().collect()
}

#[test]
fn fifteen_overlapping_faults_in_a_chart() {
    let steps = steps(FIFTEEN);
    assert_eq!(steps.len(), 15);
    let rows: Vec<Row> = steps.iter().map(|step| step.row.clone()).collect();
    let chart: Vec<String> = gantt::chart(&rows, 120.0, 98).iter().map(|line| plain(line)).collect();
    let lines = [chart, vec![String::new()], plan::descriptions(&steps, 98)].concat();
    assert!(lines.iter().all(|line| super::words::width(line) <= 98));
    snapshot("plan-gantt", &lines.join("\n"));
}
