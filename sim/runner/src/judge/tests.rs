//! What the judge makes of small scripts.

mod histories;
mod locks;

use schism_core::{Duration, Fault, NodeId, Time};
use schism_models::nemesis::{End, OnMiss};
use schism_models::observation::{Cause, Observation, Outcome, Write};
use schism_models::oracle::{Config, Mood};
use schism_scenario::{Ask, Metric, Window};

use crate::ledger::stage::{ORDERS, REGISTRY, Stage, WEB, at, next};
use crate::report::Verdict;

fn ask(mood: Mood, name: &str) -> Ask {
    Ask::Oracle { oracle: Config::named(name).unwrap(), mood, within: Duration::ZERO }
}

fn within(secs: u64) -> Ask {
    let oracle = Config::named("views-agree").unwrap();
    Ask::Oracle { oracle, mood: Mood::Eventually, within: Duration::from_secs(secs) }
}

fn least(metric: Metric, during: Window, at_least: f64) -> Ask {
    Ask::Metric { metric, during, at_least: Some(at_least), at_most: None }
}

fn most(metric: Metric, during: Window, at_most: f64) -> Ask {
    Ask::Metric { metric, during, at_least: None, at_most: Some(at_most) }
}

/// What became of each expectation, as `verdict at why`.
pub(super) fn judged(stage: &Stage) -> Vec<String> {
    let word = |verdict| match verdict {
        Verdict::Holds => "holds",
        Verdict::Vacuous => "vacuous",
        Verdict::Fails => "fails",
    };
    let line = |expectation: crate::report::Expectation| {
        let at = expectation.at_s.map(|at| format!(" {at}")).unwrap_or_default();
        let why = expectation.why.map(|why| format!(": {why}")).unwrap_or_default();
        format!("{}{at}{why}", word(expectation.verdict))
    };
    stage.report().expect.into_iter().map(line).collect()
}

pub(super) fn commit(stage: &mut Stage, millis: u64, revision: u64, write: Write) {
    stage.says(millis, REGISTRY, Observation::Committed { at: revision, write });
}

pub(super) fn request(stage: &mut Stage, millis: u64, to: NodeId, took: u64, outcome: Outcome) {
    stage.says(millis, WEB, Observation::Offered);
    stage.says(millis, WEB, Observation::Attempt { to, request: 0, key: None });
    stage.says(millis + took, WEB, Observation::Done { offered: at(millis), outcome });
}

#[test]
fn two_leaders_of_one_term_are_named() {
    let mut stage = Stage::new().with([ask(Mood::Always, "single-leader")]);
    assert_eq!(judged(&stage), ["vacuous: no leader was ever elected"]);
    stage.says(500, REGISTRY, Observation::Leads { term: 3 });
    stage.says(700, next(REGISTRY, 1), Observation::Leads { term: 4 });
    assert_eq!(judged(&stage), ["holds"]);
    stage.says(900, next(REGISTRY, 1), Observation::Leads { term: 3 });
    assert_eq!(judged(&stage), ["fails 0.9: two leaders in term 3: registry-0 and registry-1"]);
}

#[test]
fn what_is_hoped_for_and_does_not_come_leaves_the_run_vacuous() {
    let hopes = ["stale-request", "misrouted-request", "false-eviction", "leader-change", "lease-expiry"];
    let mut stage = Stage::new().with(hopes.map(|name| ask(Mood::Sometimes, name)));
    commit(&mut stage, 100, 1, Write::Grant);
    commit(&mut stage, 101, 2, Write::Register(ORDERS));
    request(&mut stage, 2000, ORDERS, 5, Outcome::Success);
    assert_eq!(
        judged(&stage),
        [
            "vacuous: all 1 attempts went to instances that were registered and not dead",
            "vacuous: all 1 attempts went to instances that could answer",
            "vacuous: 0 leases expired, none of an instance that was alive",
            "vacuous: there was no fault; 0 leaders were elected",
            "vacuous: 1 leases were granted and 0 renewals answered; none expired",
        ]
    );
    assert_eq!(stage.report().verdict, Verdict::Vacuous);
}

#[test]
fn what_is_hoped_for_holds_and_what_is_feared_fails_when_it_is_first_seen() {
    let kinds = ["stale-request", "misrouted-request", "false-eviction", "leader-change", "lease-expiry"];
    let asks = [Mood::Sometimes, Mood::Never].into_iter().flat_map(|mood| kinds.map(|name| ask(mood, name)));
    let mut stage = Stage::new().with(asks);
    commit(&mut stage, 100, 1, Write::Register(ORDERS));
    commit(&mut stage, 102, 2, Write::Register(next(ORDERS, 1)));
    stage.inflict(2000, Fault::Pause(next(ORDERS, 1)));
    commit(&mut stage, 3000, 3, Write::Remove(ORDERS, Cause::Expired));
    request(&mut stage, 4000, ORDERS, 5, Outcome::Success);
    request(&mut stage, 5000, next(ORDERS, 1), 5, Outcome::Timeout);
    stage.says(6000, next(REGISTRY, 1), Observation::Leads { term: 2 });
    assert_eq!(judged(&stage)[..5], ["holds 4", "holds 5", "holds 3", "holds 6", "holds 3"]);
    assert_eq!(
        judged(&stage)[5..],
        [
            "fails 4: web-0 sent a request to orders-0, which was not registered",
            "fails 5: web-0 sent a request to orders-1, which was paused",
            "fails 3: the registry dropped orders-0, which was alive",
            "fails 6: registry-1 became the leader of term 2",
            "fails 3: the lease of orders-0 expired",
        ]
    );
    assert_eq!(stage.report().verdict, Verdict::Fails);
}

#[test]
fn a_client_that_had_an_endpoint_may_not_be_left_without() {
    let mut stage = Stage::new().with([ask(Mood::Always, "never-empty")]);
    stage.view(100, next(WEB, 1), &[]);
    assert_eq!(judged(&stage), ["vacuous: no client ever had an endpoint to call"]);
    stage.view(200, WEB, &[0, 1]);
    stage.view(300, WEB, &[1]);
    stage.view(300, REGISTRY, &[1]);
    stage.view(400, REGISTRY, &[]);
    assert_eq!(judged(&stage), ["holds"]);
    stage.view(500, WEB, &[]);
    assert_eq!(judged(&stage), ["fails 0.5: web-0 had no endpoint left to call"]);
}

#[test]
fn views_must_agree_within_the_time_allowed_and_to_the_end() {
    let run = |agree: u64, end: u64| {
        let mut stage = Stage::new().with([within(3)]);
        stage.scenario.length = Duration::from_millis(end);
        let fault = stage.plan("fault", OnMiss::Fine);
        stage.view(100, WEB, &[0]);
        stage.view(100, next(WEB, 1), &[0, 1]);
        stage.begin(2000, fault, &[ORDERS]);
        stage.heal(4000, fault, 1);
        stage.view(agree, WEB, &[0, 1]);
        judged(&stage).remove(0)
    };
    assert_eq!(run(7000, 10_000), "holds 7");
    assert_eq!(run(3000, 10_000), "holds 4");
    assert_eq!(run(7001, 10_000), "fails 7: the views agreed 3.001s after the last heal; 3s was allowed");
    assert_eq!(run(11_000, 10_000), "fails 7: the views differed still at the end, 6s after the last heal");
    let short = "vacuous: the run ended 2.5s after the last heal, before the 3s allowed; the views differed";
    assert_eq!(run(11_000, 6500), short);
}

#[test]
fn nothing_comes_after_a_heal_that_never_came() {
    let mut stage = Stage::new().with([within(3), least(Metric::SuccessRate, Window::After, 0.9)]);
    let fault = stage.plan("cut", OnMiss::Fine);
    stage.begin(2000, fault, &[]);
    assert_eq!(
        judged(&stage),
        ["vacuous: fault cut never healed", "vacuous: there was no time after the last heal"]
    );
}

#[test]
fn a_bound_that_is_broken_is_told_with_both_numbers() {
    let mut stage = Stage::new();
    let fault = stage.plan("cut", OnMiss::Fine);
    let between = |from, to| Window::Between(at(from), at(to));
    let stage_asks = [
        least(Metric::SuccessRate, Window::Fault(fault), 0.75),
        least(Metric::SuccessRate, Window::Fault(fault), 0.8),
        most(Metric::LatencyQuantile(990), Window::All, 40.0),
        most(Metric::LatencyMean, Window::Before, 10.0),
        most(Metric::Misrouted, between(2500, 3500), 0.0),
        least(Metric::Goodput, between(2500, 3500), 2.5),
        most(Metric::PeakToMean, Window::All, 1.2),
        least(Metric::SuccessRate, between(9000, 9500), 0.5),
        most(Metric::Converge, Window::All, 5.0),
        most(Metric::Detect, Window::All, 5.0),
        most(Metric::Dip, Window::All, 0.5),
        most(Metric::AttemptsPerRequest, Window::All, 1.5),
    ];
    let mut stage = stage.with(stage_asks);
    request(&mut stage, 1500, ORDERS, 10, Outcome::Success);
    stage.begin(2000, fault, &[ORDERS]);
    stage.inflict(2900, Fault::Pause(ORDERS));
    for millis in [2500, 2600, 2700] {
        request(&mut stage, millis, ORDERS, 50, Outcome::Success);
    }
    request(&mut stage, 3000, ORDERS, 250, Outcome::Timeout);
    stage.heal(4000, fault, 1);
    stage.view(5000, WEB, &[0]);
    stage.view(5000, next(WEB, 1), &[]);
    assert_eq!(
        judged(&stage),
        [
            "holds",
            "fails: success-rate during cut was 75%; at least 80% is asked",
            "fails: latency-p99 over the whole run was 50ms; at most 40ms is asked",
            "holds",
            "fails: misrouted between 2.5s and 3.5s was 1; at most 0 is asked",
            "holds",
            "fails: peak-to-mean over the whole run was 3; at most 1.2 is asked",
            "vacuous: no request was over that was offered between 9s and 9.5s",
            "fails: the views never came to agree; at most 5s is allowed",
            "vacuous: after the first fault nobody came to believe that anything was gone",
            "holds",
            "holds",
        ]
    );
}

#[test]
fn a_fault_that_touches_nothing_makes_the_run_vacuous_unless_it_may() {
    let mut stage = Stage::new();
    let [may, must, never] = [("may", OnMiss::Fine), ("must", OnMiss::Vacuous), ("late", OnMiss::Vacuous)]
        .map(|(id, on_miss)| stage.plan(id, on_miss));
    assert_eq!(never, 2);
    for fault in [may, must] {
        stage.begin(2000, fault, &[]);
        stage.heal(3000, fault, 0);
    }
    let report = stage.report();
    let ids: Vec<&str> = report.expect.iter().map(|expectation| expectation.id.as_str()).collect();
    assert_eq!(ids, ["must touches something", "late touches something"]);
    assert_eq!(
        judged(&stage),
        [
            "vacuous: fault must began at 2s and touched nothing; may-miss = true allows that",
            "vacuous: fault late did not begin within the run; may-miss = true allows that",
        ]
    );
    assert_eq!(report.verdict, Verdict::Vacuous);
}

#[test]
fn a_fault_of_no_time_says_so() {
    let mut stage = Stage::new();
    let none = stage.plan("none", OnMiss::Vacuous);
    stage.scenario.faults[none].end = End::After(Duration::ZERO);
    assert_eq!(
        judged(&stage),
        ["vacuous: fault none lasts no time, and touches nothing; may-miss = true allows that"]
    );
}

#[test]
fn an_empty_scenario_holds() {
    let report = Stage::new().report();
    assert_eq!((report.verdict, report.simulated_s, report.expect.len()), (Verdict::Holds, 10.0, 0));
    assert_eq!(Time::from_nanos(10_000_000_000), at(10_000));
}
