//! The model of ZooKeeper against real ZooKeeper 3.8.0: the same experiments as scenarios, and the same figures.

use schism_core::{Duration, NodeId, Time};
use schism_models::observation::{Outcome, Write};
use schism_scenario::Scenario;
use schism_tests::data::Table;
use schism_tests::real::{self, alike, alike_two, callers, excesses};
use schism_tests::runs::{Done, Seen, for_seeds, report, scenario, secs};
use schism_tests::statistics::{Ks, ks, quantile, summary, uniform, within};

/// The members are nodes 0, 1 and 2, one in each zone.
const MEMBERS: u32 = 3;

/// A scenario as the measurements were taken, with a tick of 2 s.
fn on_loopback(length: &str, members: u32, timeout: &str, rest: &str) -> Scenario {
    on_loopback_of("3.8", length, members, timeout, rest)
}

/// The same of another version.
fn on_loopback_of(version: &str, length: &str, members: u32, timeout: &str, rest: &str) -> Scenario {
    let registry = format!(
        r#"
        [registry.zookeeper]
        members         = {members}
        version         = "{version}"
        session-timeout = "{timeout}"
        tick            = "2s"
        "#
    );
    scenario(&real::on_loopback(length, &registry, rest))
}

// Sessions that run out.

/// Instances that start at moments of their own, and go silent or die at others.
fn scattered(how: &str) -> String {
    let restart = |instance: u32| {
        format!("[[fault]]\nbetween = [\"3s\", \"5s\"]\nfor = \"100ms\"\ncrash = \"fleet-{instance}\"\n")
    };
    let starts: String = (0..4).map(restart).collect();
    format!(
        r#"
        [services.fleet]
        instances = 4
        service   = "1ms"
        {starts}
        [[fault]]
        between   = ["30s", "44s"]
        {how}
        "#
    )
}

#[test]
fn a_session_outlives_its_time_by_a_uniform_share_of_the_tick() {
    let data = Table::read("zookeeper_session_expiry_3.8.0_single");
    let silent = r#"partition = { split = [["fleet"], ["registry"]] }"#;
    let dead = r#"crash = "fleet""#;
    let mut model = Vec::new();
    for (nth, (asked, granted, how)) in (0..).zip([
        ("1s", 4.0, silent),
        ("4s", 4.0, dead),
        ("5s", 5.0, silent),
        ("5s", 5.0, dead),
        ("10s", 10.0, silent),
        ("10s", 10.0, dead),
    ]) {
        let scenario = on_loopback("60s", 1, asked, &scattered(how));
        let runs = for_seeds(10, |run| excesses(&report(&scenario, nth * 100 + run), granted));
        model.extend(runs.into_iter().flatten());
    }
    // The last row is that of a session that was asked for 100 s and given 40 s, and never ran out.
    let real: Vec<f64> = ["silent", "tcp_close"]
        .iter()
        .flat_map(|how| data.with("how_client_died", how).numbers("excess_over_timeout_s"))
        .collect();
    assert_eq!((model.len(), real.len()), (240, 240));
    within("excess", &model, 0.0, 2.0);
    alike("the shape", ks(&model, uniform(0.0, 2.0)), &model, "U(0, 2)");
    alike_two("expiry", &model, &real);
}

#[test]
fn a_time_out_is_clamped_to_two_and_twenty_ticks() {
    let data = Table::read("zookeeper_session_expiry_3.8.0_single");
    for (asked, real) in [("1s", "1000"), ("100s", "100000")] {
        let granted = data.with("timeout_requested_ms", real).numbers("timeout_granted_ms")[0] / 1_000.0;
        let rest = r#"
            [services.fleet]
            instances = 6
            service   = "1ms"
            [[fault]]
            at        = "40s"
            partition = { split = [["fleet"], ["registry"]] }
        "#;
        let excess = excesses(&report(&on_loopback("120s", 1, asked, rest), 1), granted);
        assert_eq!(excess.len(), 6);
        within("excess", &excess, 0.0, 2.0);
    }
}

/// Instances that can reach the followers alone, and go silent at moments of their own.
fn on_followers() -> Scenario {
    let silence = |instance: u32| {
        format!(
            "[[fault]]\nbetween = [\"30s\", \"44s\"]\n\
             partition = {{ split = [[\"fleet-{instance}\"], [\"registry\"]] }}\n"
        )
    };
    let silences: String = (0..24).map(silence).collect();
    let rest = format!(
        r#"
        [services.fleet]
        instances = 24
        service   = "1ms"
        [[fault]]
        at        = "5s"
        partition = {{ split = [["fleet"], ["registry:leader"]] }}
        {silences}
        "#
    );
    on_loopback("62s", MEMBERS, "10s", &rest)
}

#[test]
fn followers_report_sessions_with_the_next_ping_so_one_leaders_expiries_are_shifted_alike() {
    let scenario = on_followers();
    let runs = for_seeds(20, |seed| excesses(&report(&scenario, seed), 10.0));
    for excess in &runs {
        assert_eq!(excess.len(), 24);
        // The grid of pings lies at one place in the grid of ticks for as long as one leads: U(0, 2) and a constant.
        let (least, most) = (quantile(excess, 0.0), quantile(excess, 1.0));
        assert!(least >= 0.0 && most <= 3.01 && most - least <= 2.01, "{}", summary(excess));
    }
    // Over all leaders the constant is uniform in half a tick: the real one's was about 0.6.
    let all = runs.concat();
    let square = |x: f64| x.clamp(0.0, f64::MAX) * x.clamp(0.0, f64::MAX) / 2.0;
    let cdf = |x: f64| (square(x) - square(x - 1.0) - square(x - 2.0) + square(x - 3.0)) / 2.0;
    let Ks { d, .. } = ks(&all, cdf);
    // Those of one leader are not independent, so there is no probability to go by.
    assert!(d < 0.12, "D = {d}: {}", summary(&all));
}

// The leader is lost.

/// What became of one trial.
struct Failover {
    /// From the fault to the next leader that serves.
    serves: f64,
    /// From the fault to the removal of instances that have been silent for a while.
    removed: Vec<f64>,
}

fn failovers(how: &str, seeds: u64) -> Vec<Failover> {
    let rest = format!(
        r#"
        [services.fleet]
        instances = 10
        service   = "1ms"
        [[fault]]
        between   = ["20s", "22s"]
        {how}
        [[fault]]
        at        = "19s"
        partition = {{ split = [["fleet"], ["registry"]] }}
        {}
        "#,
        callers("writer", 6, "put", 5)
    );
    let scenario = on_loopback("50s", MEMBERS, "10s", &rest);
    for_seeds(seeds, |seed| {
        let seen = Seen::of(&scenario, seed);
        let fault = seen.faults.iter().find(|fault| fault.2.len() == 1).expect("the leader was struck").0;
        let next = seen.leads.iter().find(|leads| leads.0 > fault).expect("another leads").0;
        let mut removed: Vec<(NodeId, Time)> = Vec::new();
        for &(at, _, _, write) in &seen.committed {
            if let Write::Remove(node, _) = write
                && !removed.iter().any(|other| other.0 == node)
            {
                removed.push((node, at));
            }
        }
        Failover {
            serves: secs(next, fault),
            removed: removed.into_iter().map(|(_, at)| secs(at, fault)).collect(),
        }
    })
}

#[test]
fn another_leads_soon_after_a_kill_and_gives_every_session_its_whole_time() {
    let trials = Table::read("zookeeper_leaderkill_session_3.8.0").firsts(&["trial"]);
    let runs = failovers(r#"crash = "registry:leader""#, 60);
    let serves: Vec<f64> = runs.iter().map(|run| run.serves).collect();
    let real = trials.numbers("first_session+read_on_survivor_after_kill_s");
    within("until another leads", &serves, 0.28, 0.95);
    alike_two("until another leads", &serves, &real);
    // Every session has its 10 s from then, up to the next tick; all of them in one bucket.
    let real = trials.numbers("removal_after_kill_s");
    let removed: Vec<f64> = runs.iter().map(|run| quantile(&run.removed, 0.0)).collect();
    alike_two("removal", &removed, &real);
    for run in &runs {
        assert_eq!(run.removed.len(), 10);
        let after: Vec<f64> = run.removed.iter().map(|removed| removed - run.serves - 10.0).collect();
        within("removal less the whole time", &after, 0.0, 2.05);
        let spread = quantile(&run.removed, 1.0) - quantile(&run.removed, 0.0);
        assert!(spread < 0.1, "a bucket ends together: {spread}");
    }
}

#[test]
fn followers_of_a_leader_that_is_cut_off_wait_for_their_read_time_out() {
    let how = r#"partition = { split = [["registry:leader"], ["registry"]] }"#;
    let runs = failovers(how, 40);
    let serves: Vec<f64> = runs.iter().map(|run| run.serves).collect();
    // 10 s of silence, and an election; the real one: about 10.1 s.
    within("until another leads", &serves, 9.4, 10.9);
}

// A follower is cut off from the others, and not from its clients.

const CUT: Duration = Duration::from_secs(20);
const HEALED: Duration = Duration::from_secs(40);
/// How many clients read what their server has; those that write come after them.
const STALE: u32 = 9;

fn isolated_follower() -> Scenario {
    let rest = format!(
        r#"
        {}{}
        [[fault]]
        at        = "20s"
        for       = "20s"
        partition = {{ split = [["registry:minority"], ["registry"]] }}
        "#,
        callers("stale", STALE, "get-serializable", 20),
        callers("writer", 3, "put", 5)
    );
    on_loopback("60s", MEMBERS, "10s", &rest)
}

/// When the one that was cut off applied something for the first time after a moment.
fn applied_after(seen: &Seen, by: NodeId, moment: Time) -> Time {
    let applied = seen.committed.iter().filter(|committed| committed.1 == by);
    applied.map(|committed| committed.0).find(|&at| at > moment).expect("it comes back")
}

#[test]
fn an_isolated_follower_serves_until_its_read_time_out_and_again_soon_after_the_heal() {
    let scenario = isolated_follower();
    let (cut, healed) = (Time::START + CUT, Time::START + HEALED);
    let mut dropped = Vec::new();
    let mut back = Vec::new();
    for seen in for_seeds(20, |seed| Seen::of(&scenario, seed)) {
        let alone = seen.faults[0].2[0];
        back.push(secs(applied_after(&seen, alone, cut + Duration::from_secs(1)), healed));
        // Its clients read on as if nothing were wrong, until they are sent away and have to find another server.
        let reads = seen.done.iter().filter(|done| done.by.0 < MEMBERS + STALE && done.offered > cut);
        let slow = reads.filter(|done| done.outcome != Outcome::Success || done.took_s() > 0.01);
        dropped.extend(slow.map(|done| secs(done.offered, cut)).min_by(f64::total_cmp));
    }
    assert!(dropped.len() >= 10, "most followers have clients: {}", dropped.len());
    // The real ones: 9.6 to 10.0 s, and 3.2 to 3.4 s after the heal with a session of one's own: the next slot of a
    // connection that was cut for 20 s, and the way back into the ensemble.
    within("until its clients are sent away", &dropped, 9.0, 10.1);
    within("until it is back", &back, 2.4, 3.5);
}

#[test]
fn a_write_at_an_isolated_follower_waits_for_its_end_and_one_at_the_majority_does_not() {
    let scenario = isolated_follower();
    let cut = Time::START + CUT;
    for seen in for_seeds(6, |seed| Seen::of(&scenario, seed)) {
        let writes: Vec<&Done> = seen.done.iter().filter(|done| done.by.0 >= MEMBERS + STALE).collect();
        let during = writes.iter().filter(|done| {
            done.offered > cut + Duration::from_millis(10) && done.offered < cut + Duration::from_secs(6)
        });
        for done in during {
            match done.outcome {
                Outcome::Success => assert!(done.took_s() < 0.2, "{}", done.took_s()),
                // Its client hears nothing, not even of its pings, for two thirds of the session's time.
                Outcome::Timeout
                | Outcome::Connect
                | Outcome::Rejected
                | Outcome::NoEndpoint
                | Outcome::Deadline
                | Outcome::Failed => {
                    assert!((6.4..6.8).contains(&secs(done.at, cut)), "{}", secs(done.at, cut));
                }
            }
        }
    }
}

// When a client itself takes its session for expired.

#[test]
fn only_since_3_9_3_does_a_client_give_up_its_session_by_its_own_clock() {
    let lost = |version: &str| {
        let rest = r#"
            [services.fleet]
            instances   = 3
            service     = "1ms"
            re-register = false
            [[fault]]
            at        = "20s"
            partition = { split = [["fleet"], ["registry"]] }
        "#;
        let seen = Seen::of(&on_loopback_of(version, "60s", MEMBERS, "9s", rest), 1);
        seen.lost.iter().map(|&(at, _)| secs(at, Time::START + CUT)).collect::<Vec<f64>>()
    };
    assert!(lost("3.8").is_empty() && lost("3.9").is_empty());
    for version in ["3.9.3", "3.9.5", "master"] {
        // 4/3 of 9 s after the last answer, which came up to 3 s before the cut; it is noticed between two attempts.
        let lost = lost(version);
        assert_eq!(lost.len(), 3);
        within(version, &lost, 9.0, 16.1);
    }
}
