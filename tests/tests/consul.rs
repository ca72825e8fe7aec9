//! The model of Consul: its timers' edges from both sides, and what its constants come to.

use std::collections::BTreeMap;

use schism_core::{NodeId, Time};
use schism_models::observation::{Cause, Outcome, Write};
use schism_scenario::Scenario;
use schism_tests::runs::{Done, Seen, for_seeds, scenario, secs};
use schism_tests::statistics::{ks, quantile, summary, uniform};

/// The servers are nodes 0, 1 and 2; the first instance is the next.
const FIRST: NodeId = NodeId(3);

/// Three servers and so many instances, 100 us one way whoever talks to whom.
fn consul(length: &str, options: &str, instances: u32, rest: &str) -> Scenario {
    scenario(&format!(
        r#"
        title  = "Consul"
        length = "{length}"
        [topology]
        zones = ["a", "b", "c"]
        [network]
        same-zone  = "100us"
        cross-zone = "100us"
        [registry.consul]
        {options}
        [services.orders]
        instances = {instances}
        service   = "1ms"
        {rest}
        "#
    ))
}

/// When a write was first committed, by its number.
fn commits(seen: &Seen) -> Vec<(Time, Write)> {
    let mut first = BTreeMap::new();
    for &(at, _, number, write) in &seen.committed {
        first.entry(number).or_insert((at, write));
    }
    first.into_values().collect()
}

/// When a write was committed after a moment.
fn committed_after(seen: &Seen, then: Time, wanted: Write) -> Option<Time> {
    commits(seen).into_iter().find(|&(at, write)| at > then && write == wanted).map(|(at, _)| at)
}

// Checks and the reaper.

const DEATH: &str = r#"
    [[fault]]
    between = ["15s", "45s"]
    crash   = "orders-0"
"#;

#[test]
fn a_check_is_critical_one_time_to_live_after_it_passed_last_and_no_sooner() {
    let scenario = consul("70s", r#"ttl = "10s""#, 3, DEATH);
    for_seeds(40, |seed| {
        let seen = Seen::of(&scenario, seed);
        let died = seen.fault_at();
        let passed =
            seen.renewed.iter().filter(|&&(at, by)| by == FIRST && at < died).map(|&(at, _)| at).max();
        let critical = committed_after(&seen, died, Write::Fail(FIRST)).expect("it becomes critical");
        let after = secs(critical, passed.expect("it has passed"));
        // The agent heard of the pass one way before the instance knew, and the servers hear of it within a few syncs.
        assert!((9.999..10.1).contains(&after), "seed {seed}: {after}");
    });
}

#[test]
fn the_reaper_takes_a_service_off_after_its_time_and_up_to_thirty_seconds_more() {
    let options = "ttl = \"10s\"\nderegister-after = \"90s\"";
    let scenario = consul("200s", options, 3, DEATH);
    let excess = for_seeds(100, |seed| {
        let seen = Seen::of(&scenario, seed);
        let critical = committed_after(&seen, seen.fault_at(), Write::Fail(FIRST)).expect("it is critical");
        let gone = Write::Remove(FIRST, Cause::Expired);
        secs(committed_after(&seen, critical, gone).expect("it is reaped"), critical) - 90.0
    });
    let fit = ks(&excess, uniform(0.0, 30.0));
    assert!(fit.p > 0.02, "{fit:?}: {}", summary(&excess));
    assert!(excess.iter().all(|&late| (-0.05..30.05).contains(&late)), "{}", summary(&excess));
}

#[test]
fn a_service_is_critical_for_a_minute_at_least_before_it_is_taken_off() {
    let options = "ttl = \"10s\"\nderegister-after = \"1s\"";
    let scenario = consul("170s", options, 1, DEATH);
    for_seeds(20, |seed| {
        let seen = Seen::of(&scenario, seed);
        let critical = committed_after(&seen, seen.fault_at(), Write::Fail(FIRST)).expect("it is critical");
        let gone = committed_after(&seen, critical, Write::Remove(FIRST, Cause::Expired));
        let after = secs(gone.expect("it is reaped"), critical);
        assert!((59.95..90.05).contains(&after), "seed {seed}: {after}");
    });
}

// Anti-entropy.

#[test]
fn what_is_deleted_at_the_servers_is_back_within_two_minutes() {
    let deleted = r#"
        [[fault]]
        between  = ["100s", "160s"]
        registry = { registration-lost = { target = "orders-0" } }
    "#;
    let scenario = consul("300s", "", 3, deleted);
    let back = for_seeds(60, |seed| {
        let seen = Seen::of(&scenario, seed);
        let lost =
            committed_after(&seen, Time::START, Write::Remove(FIRST, Cause::Lost)).expect("it is lost");
        secs(committed_after(&seen, lost, Write::Register(FIRST)).expect("it is back"), lost)
    });
    assert!(back.iter().all(|&after| after < 120.5), "{}", summary(&back));
    // What is left of a gap drawn from one to two minutes: 46.7 s on average.
    assert!((30.0..62.0).contains(&quantile(&back, 0.5)), "{}", summary(&back));
}

// Gossip, and what the leader makes of it.

#[test]
fn a_host_without_power_is_critical_when_gossip_has_it_for_dead_and_its_service_stays() {
    let dark = r#"
        [[fault]]
        at    = "20s"
        crash = { target = "orders-0", disk = "lose-unsynced" }
    "#;
    let scenario = consul("90s", r#"ttl = "60s""#, 5, dark);
    let after = for_seeds(60, |seed| {
        let seen = Seen::of(&scenario, seed);
        let removed = |cause| committed_after(&seen, Time::START, Write::Remove(FIRST, cause));
        assert_eq!(
            (removed(Cause::Expired), removed(Cause::Revoked), removed(Cause::Lost)),
            (None, None, None)
        );
        let critical = committed_after(&seen, seen.fault_at(), Write::Fail(FIRST)).expect("it is critical");
        secs(critical, seen.fault_at())
    });
    // The bounds of real memberlist with eight nodes: 5.1 to 13.4 s, half of all by 5.8 s (tests/tests/memberlist.rs);
    // here the first of three servers to lead hears it by gossip.
    assert!(after.iter().all(|after| (4.9..20.0).contains(after)), "{}", summary(&after));
    assert!((5.2..7.0).contains(&quantile(&after, 0.5)), "{}", summary(&after));
}

#[test]
fn who_leaves_is_taken_off_at_once() {
    let stop = r#"
        [[fault]]
        at   = "20s"
        stop = "orders-0"
    "#;
    let scenario = consul("40s", "", 3, stop);
    for_seeds(10, |seed| {
        let seen = Seen::of(&scenario, seed);
        let gone = committed_after(&seen, Time::START, Write::Remove(FIRST, Cause::Revoked));
        let after = secs(gone.expect("it deregisters"), seen.fault_at());
        assert!(after < 0.1, "seed {seed}: {after}");
    });
}

// Raft.

fn writers(fault: &str) -> String {
    format!(
        r#"
        [clients.writer]
        count     = 3
        calls     = "registry"
        operation = "put"
        timeout   = "30s"
        arrivals  = {{ constant = "5/s" }}
        [[fault]]
        at = "20s"
        {fault}
        "#
    )
}

/// How long after the fault another server came to lead.
fn failovers(multiplier: u32) -> Vec<f64> {
    let options = format!("raft-multiplier = {multiplier}");
    let scenario = consul("120s", &options, 1, &writers(r#"crash = "registry:leader""#));
    for_seeds(60, |seed| {
        let seen = Seen::of(&scenario, seed);
        let died = seen.fault_at();
        let next = seen.leads.iter().find(|&&(at, ..)| at > died).expect("another leads");
        secs(next.0, died)
    })
}

#[test]
fn a_lost_leader_is_followed_after_one_heartbeat_timeout_at_least_and_five_times_later_by_default() {
    let (one, five) = (failovers(1), failovers(5));
    assert!(one.iter().all(|&after| after > 0.9), "{}", summary(&one));
    assert!(five.iter().all(|&after| after > 4.8), "{}", summary(&five));
    let ratio = quantile(&five, 0.5) / quantile(&one, 0.5);
    assert!((3.5..6.5).contains(&ratio), "{} and {}", summary(&one), summary(&five));
}

#[test]
fn a_leader_that_is_cut_off_steps_down_within_two_leases_and_answers_default_reads_until_then() {
    let cut = writers(r#"partition = { isolate = "registry:leader" }"#);
    let scenario = consul("60s", "", 1, &cut);
    for_seeds(30, |seed| {
        let seen = Seen::of(&scenario, seed);
        let cut = seen.fault_at();
        let (at, ..) = seen.deposed.iter().find(|(at, ..)| *at > cut).expect("it steps down");
        let after = secs(*at, cut);
        assert!((1.5..5.0).contains(&after), "seed {seed}: {after}");
    });
}

#[test]
fn a_write_without_a_leader_is_refused_after_the_hold_time() {
    let scenario = consul("60s", "", 1, &writers(r#"crash = ["registry-0", "registry-1"]"#));
    for_seeds(10, |seed| {
        let seen = Seen::of(&scenario, seed);
        // By then the server that is left has noticed.
        let late = seen.done.iter().filter(|done| secs(done.offered, seen.fault_at()) > 16.0);
        let refused: Vec<f64> =
            late.filter(|done| done.outcome == Outcome::Rejected).map(Done::took_s).collect();
        assert!(!refused.is_empty(), "seed {seed}: nothing was refused");
        // 7 s, and at most one jitter of 437 ms more.
        assert!(refused.iter().all(|took| (6.99..7.5).contains(took)), "seed {seed}: {}", summary(&refused));
    });
}

// What is refused and what is changed.

fn warnings(options: &str) -> String {
    let text = format!(
        "title = \"Consul\"\nlength = \"10s\"\n[topology]\nzones = [\"a\"]\n[registry.consul]\n{options}\n\
         [services.orders]\ninstances = 1\nservice = \"1ms\"\n"
    );
    let loaded = schism_scenario::load("test.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
    loaded.warnings.to_string()
}

#[test]
fn less_than_a_minute_until_a_service_is_taken_off_is_raised_and_warned_of() {
    assert_eq!(warnings("deregister-after = \"60s\""), "");
    let warned = warnings("deregister-after = \"59s\"");
    assert!(warned.contains("59s becomes"), "{warned}");
}

#[test]
fn an_even_number_of_servers_is_warned_of() {
    assert_eq!(warnings("members = 3"), "");
    let warned = warnings("members = 4");
    assert!(warned.contains("no more failures than 3"), "{warned}");
}
