//! What the ledger tells of small scripts of observations.

use schism_core::{Classes, Cut, Death, Fault, FaultId, Feel, Flows, NodeId};
use schism_models::nemesis::OnMiss;
use schism_models::observation::{Cause, Observation, Outcome, Write};

use super::stage::{BATCH, ORDERS, REGISTRY, Stage, WEB, at, next};

fn done(offered: u64, outcome: Outcome) -> Observation {
    Observation::Done { offered: at(offered), outcome }
}

fn committed(revision: u64, write: Write) -> Observation {
    Observation::Committed { at: revision, write }
}

fn cut(from: NodeId, to: NodeId) -> Fault {
    let (from, to) = ([from].into_iter().collect(), [to].into_iter().collect());
    Fault::Cut(Cut { id: FaultId(0), from, to, feel: Feel::Silent, classes: Classes::ALL, flows: Flows::All })
}

#[test]
fn requests_count_from_the_warm_up_on_and_add_up() {
    let mut stage = Stage::new();
    for (millis, node) in [(999, WEB), (1000, WEB), (1001, next(WEB, 1)), (1002, BATCH), (1003, BATCH)] {
        stage.says(millis, node, Observation::Offered);
    }
    stage.says(1010, WEB, done(999, Outcome::Success));
    stage.says(1010, WEB, done(1000, Outcome::Success));
    stage.says(1011, next(WEB, 1), done(1001, Outcome::Timeout));
    stage.says(1012, BATCH, done(1002, Outcome::NoEndpoint));
    let report = stage.report();
    let [total, web, batch] =
        [&report.requests, &report.clients["web"].requests, &report.clients["batch"].requests];
    assert_eq!((total.offered, total.succeeded, total.failed, total.unfinished), (4, 1, 2, 1));
    assert_eq!((web.offered, web.succeeded, web.errors.timeout, web.unfinished), (2, 1, 1, 0));
    assert_eq!((batch.offered, batch.failed, batch.errors.no_endpoint, batch.unfinished), (2, 1, 1, 1));
    assert_eq!((report.latency_ms.mean, report.latency_ms.max, report.latency_ms.p99), (10.0, 10.0, 10.0));
    assert_eq!(report.phases[0].name, "all");
}

#[test]
fn attempts_are_stale_misrouted_or_cross_zone_by_the_truth_when_they_are_sent() {
    let mut stage = Stage::new();
    let attempt = |instance| Observation::Attempt { to: next(ORDERS, instance), request: 0, key: None };
    for instance in [0, 1] {
        stage.says(10, REGISTRY, committed(u64::from(instance), Write::Register(next(ORDERS, instance))));
    }
    stage.says(500, WEB, attempt(2));
    stage.says(1000, WEB, attempt(0));
    stage.says(1001, WEB, attempt(1));
    stage.says(1002, WEB, attempt(2));
    stage.inflict(2000, Fault::Pause(ORDERS));
    stage.says(2001, WEB, attempt(0));
    stage.inflict(3000, Fault::Crash(ORDERS, Death::KILLED));
    stage.says(3001, WEB, attempt(0));
    stage.inflict(4000, cut(next(ORDERS, 1), WEB));
    stage.says(4001, WEB, attempt(1));
    let requests = stage.report().requests;
    assert_eq!(requests.attempts, 6);
    assert_eq!(requests.stale, 2, "orders-2, which never registered, and orders-0, which had died");
    assert_eq!(requests.misrouted, 3, "orders-0 paused, orders-0 dead, orders-1 that cannot answer");
    assert_eq!(requests.cross_zone, 2);
}

#[test]
fn where_the_list_is_fixed_everyone_is_registered() {
    let mut stage = Stage::new();
    stage.scenario.members.clear();
    let shift = |nodes: &mut Vec<schism_scenario::Node>| nodes.iter_mut().for_each(|node| node.id.0 -= 2);
    stage.scenario.services.iter_mut().for_each(|group| shift(&mut group.nodes));
    stage.scenario.clients.iter_mut().for_each(|group| shift(&mut group.nodes));
    stage.says(2000, NodeId(3), Observation::Attempt { to: NodeId(0), request: 0, key: None });
    let report = stage.report();
    assert_eq!((report.requests.attempts, report.requests.stale), (1, 0));
    assert!(report.leases.is_empty());
}

#[test]
fn a_lease_is_told_from_its_commit_to_its_removal() {
    let mut stage = Stage::new();
    let script = [
        (100, REGISTRY, committed(1, Write::Grant)),
        (110, REGISTRY, committed(2, Write::Register(ORDERS))),
        (115, next(REGISTRY, 1), committed(1, Write::Grant)),
        (116, next(REGISTRY, 1), committed(2, Write::Register(ORDERS))),
        (120, ORDERS, Observation::Registered),
        (3000, REGISTRY, Observation::Extended),
        (3010, ORDERS, Observation::Renewed),
        (5000, REGISTRY, committed(3, Write::Remove(ORDERS, Cause::Expired))),
        (5010, next(REGISTRY, 1), committed(3, Write::Remove(ORDERS, Cause::Expired))),
        (6000, REGISTRY, committed(4, Write::Register(ORDERS))),
        (7000, REGISTRY, committed(5, Write::Register(ORDERS))),
        (7100, REGISTRY, committed(6, Write::Register(next(ORDERS, 1)))),
        (7200, REGISTRY, committed(7, Write::Remove(next(ORDERS, 1), Cause::Revoked))),
        (7300, REGISTRY, committed(8, Write::Revoke(Cause::Expired))),
    ];
    script.into_iter().for_each(|(millis, node, seen)| stage.says(millis, node, seen));
    let report = stage.report();
    let leases: Vec<_> = report
        .leases
        .iter()
        .map(|lease| {
            (lease.instance.as_str(), lease.registered_s, lease.last_renewal_s, lease.removed_s, lease.cause)
        })
        .collect();
    assert_eq!(
        leases,
        [
            ("orders-0", 0.11, Some(3.01), Some(5.0), Some("expired")),
            ("orders-0", 6.0, None, Some(7.0), Some("replaced")),
            ("orders-0", 7.0, None, None, None),
            ("orders-1", 7.1, None, Some(7.2), Some("revoked")),
        ]
    );
    let counts = &report.registry.leases;
    assert_eq!((report.registry.writes, counts.granted, counts.renewed, counts.expired), (8, 1, 1, 2));
    assert_eq!(report.recovery.false_evictions, 1, "orders-0 was alive when it was removed");
}

#[test]
fn instances_are_told_in_their_own_order() {
    let mut stage = Stage::new();
    let orders = &mut stage.scenario.services[0].nodes;
    orders[0].name = "orders-2".to_owned();
    orders[1].name = "orders-10".to_owned();
    orders[2].name = "orders-11".to_owned();
    stage.says(2000, WEB, Observation::Attempt { to: ORDERS, request: 0, key: None });
    let report = stage.report();
    let names: Vec<&String> = report.services["orders"].instances.keys().collect();
    assert_eq!(names, ["orders-2", "orders-10", "orders-11"]);
    assert_eq!(Some(report.services["orders"].peak_to_mean), Some(3.0));
}

#[test]
fn phases_hold_the_requests_that_were_offered_in_them() {
    let mut stage = Stage::new();
    let first = stage.plan("first", OnMiss::Fine);
    let second = stage.plan("second", OnMiss::Fine);
    for millis in (1000..10_000).step_by(500) {
        stage.says(millis, WEB, Observation::Offered);
        let outcome = if (3000..5000).contains(&millis) { Outcome::Timeout } else { Outcome::Success };
        stage.says((millis + 700).min(9999), WEB, done(millis, outcome));
    }
    stage.begin(3000, first, &[ORDERS]);
    stage.begin(4000, second, &[]);
    stage.heal(5000, first, 1);
    stage.heal(6000, second, 0);
    let report = stage.report();
    let phases: Vec<_> = report
        .phases
        .iter()
        .map(|phase| (phase.name.as_str(), phase.from_s, phase.to_s, phase.offered, phase.success_rate))
        .collect();
    assert_eq!(
        phases,
        [
            ("before", 1.0, 3.0, 4, Some(1.0)),
            ("first", 3.0, 5.0, 4, Some(0.0)),
            ("second", 4.0, 6.0, 4, Some(0.5)),
            ("after", 6.0, 10.0, 8, Some(1.0)),
        ]
    );
    assert_eq!(report.faults[0].on, ["orders-0"]);
    assert_eq!((report.faults[0].to_s, report.faults[0].touched), (Some(5.0), 1));
    assert_eq!((report.recovery.dip, report.recovery.dip_for_s), (Some(0.0), Some(2.0)));
}

#[test]
fn while_a_fault_lasts_there_is_no_after() {
    let mut stage = Stage::new();
    let [healed, lasting] = ["healed", "lasting"].map(|id| stage.plan(id, OnMiss::Fine));
    stage.begin(500, healed, &[]);
    stage.begin(2000, lasting, &[]);
    stage.heal(3000, healed, 0);
    stage.last(lasting, 9);
    let report = stage.report();
    let phases: Vec<_> =
        report.phases.iter().map(|phase| (phase.name.as_str(), phase.from_s, phase.to_s)).collect();
    assert_eq!(phases, [("healed", 0.5, 3.0), ("lasting", 2.0, 10.0)], "the first began during the warm-up");
    assert_eq!((report.faults[1].to_s, report.faults[1].touched), (None, 9));
}

#[test]
fn recovery_is_told_from_the_first_fault_and_the_last_heal() {
    let mut stage = Stage::new();
    let fault = stage.plan("fault", OnMiss::Fine);
    for node in [WEB, next(WEB, 1)] {
        stage.view(100, node, &[0, 1]);
    }
    stage.says(500, REGISTRY, Observation::Leads { term: 1 });
    stage.begin(2000, fault, &[ORDERS]);
    stage.inflict(2000, Fault::Crash(ORDERS, Death::KILLED));
    stage.says(2100, WEB, Observation::Attempt { to: ORDERS, request: 0, key: None });
    stage.says(2600, next(REGISTRY, 1), Observation::Leads { term: 2 });
    stage.view(3000, WEB, &[1]);
    stage.says(3500, next(WEB, 1), Observation::Attempt { to: ORDERS, request: 0, key: None });
    stage.view(3600, next(WEB, 1), &[1]);
    stage.inflict(5000, Fault::Restart(ORDERS));
    stage.heal(5000, fault, 1);
    stage.view(6000, WEB, &[0, 1]);
    stage.view(7000, next(WEB, 1), &[0, 1]);
    let recovery = stage.report().recovery;
    assert_eq!(
        (recovery.detect_s, recovery.reroute_s, recovery.failover_s),
        (Some(1.0), Some(1.5), Some(0.6))
    );
    assert_eq!((recovery.converge_s, recovery.ghost_window_s), (Some(2.0), Some(1.6)));
    stage.view(9000, WEB, &[1]);
    assert_eq!(stage.report().recovery.converge_s, None, "the views do not agree at the end");
    stage.view(9500, WEB, &[0, 1]);
    assert_eq!(stage.report().recovery.converge_s, Some(4.5));
}

#[test]
fn a_fork_tells_the_same() {
    let mut stage = Stage::new();
    let fault = stage.plan("fault", OnMiss::Fine);
    stage.view(100, WEB, &[0, 1, 2]);
    stage.begin_islands(2000, fault, &[&[REGISTRY, next(REGISTRY, 1), ORDERS], &[WEB, next(WEB, 1)]]);
    stage.inflict(2000, Fault::Crash(ORDERS, Death::KILLED));
    stage.heal(4000, fault, 1);
    let (report, fork) = stage.reports();
    assert_eq!(report.to_json(), fork.to_json());
    assert_eq!(report.faults[0].on, ["registry (all 2), orders-0", "web (all 2)"]);
}
