//! ZooKeeper: the recipe for locks (zookeeper-docs, recipes.md, 3.8).

use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds};

use super::{FAULT_S, FIRST, SECOND, beliefs, contended, fault, given_up, taken_over, tokens, turns, writes};

/// The time-out of the sessions, in seconds.
const TIMEOUT_S: f64 = 6.0;
/// Sessions end by whole ticks.
const TICK_S: f64 = 2.0;
/// What messages and syncs of a log may add.
const SLACK_S: f64 = 0.5;

fn zookeeper(version: &str, more: &str) -> Scenario {
    let registry = format!("[registry.zookeeper]\nmembers = 3\nversion = \"{version}\"");
    contended(&registry, "ttl = \"6s\"", more)
}

/// A client pings in every third of its time-out at the latest, and an expiry waits for the end of its tick.
fn is_in_time(seed: u64, since: f64) {
    let (least, most) = (TIMEOUT_S * 2.0 / 3.0 - SLACK_S, TIMEOUT_S + 2.0 * TICK_S + SLACK_S);
    assert!((least..=most).contains(&since), "seed {seed}: taken over after {since} s");
}

#[test]
fn the_lock_of_a_holder_that_dies_is_free_when_its_session_ends() {
    let killed = zookeeper("3.8", &fault("50s", "crash = \"first-0\""));
    for_seeds(20, |seed| {
        is_in_time(seed, taken_over(&Seen::of(&killed, seed)).expect("second gets it") - FAULT_S);
    });
}

#[test]
fn a_paused_holder_learns_of_it_when_it_has_come_back() {
    let paused = zookeeper("3.8", &fault("20s", "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        let (awake, given_up) = (FAULT_S + 20.0, given_up(&seen));
        is_in_time(seed, taken_over(&seen).expect("second gets it") - FAULT_S);
        assert!((awake..awake + 3.0).contains(&given_up), "seed {seed}: given up at {given_up}");
        let wrote_late =
            writes(&seen).iter().any(|&(at, by, _)| by == FIRST && at >= awake && at <= given_up);
        assert!(wrote_late, "seed {seed}: it goes on where it was");
    });
}

/// Up to 3.9.2 a handle that hears of no server asks until one says that the session is over.
#[test]
fn a_holder_that_is_cut_off_believes_until_a_server_says_otherwise() {
    let cut = zookeeper("3.8", &fault("40s", "partition = { split = [[\"first\"], [\"registry\"]] }"));
    for_seeds(20, |seed| {
        let seen = Seen::of(&cut, seed);
        is_in_time(seed, taken_over(&seen).expect("second gets it") - FAULT_S);
        let given_up = given_up(&seen);
        assert!(given_up >= FAULT_S + 40.0, "seed {seed}: given up at {given_up}");
    });
}

/// From 3.9.3 on it takes its session for expired when it has heard of none for 4/3 of the time-out (ZOOKEEPER-4508).
#[test]
fn a_holder_that_is_cut_off_gives_up_by_its_own_clock_since_3_9_3() {
    let cut = zookeeper("3.9.3", &fault("40s", "partition = { split = [[\"first\"], [\"registry\"]] }"));
    for_seeds(20, |seed| {
        let since = given_up(&Seen::of(&cut, seed)) - FAULT_S;
        let (least, most) = (TIMEOUT_S - SLACK_S, TIMEOUT_S * 4.0 / 3.0 + 3.0);
        assert!((least..=most).contains(&since), "seed {seed}: given up after {since} s");
    });
}

#[test]
fn who_waits_gets_the_lock_as_soon_as_it_is_given_back() {
    let crowd = turns("[registry.zookeeper]\nmembers = 3");
    for_seeds(10, |seed| {
        let seen = Seen::of(&crowd, seed);
        let mut spans = [beliefs(&seen, FIRST), beliefs(&seen, SECOND)].concat();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let gaps: Vec<f64> = spans.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
        assert!(gaps.len() > 40, "seed {seed}: {}", gaps.len());
        let slow = gaps.iter().filter(|gap| !(0.0..0.3).contains(*gap)).count();
        assert_eq!(slow, 0, "seed {seed}: {gaps:?}");
        let tokens = &tokens(&seen)[&0];
        assert!(tokens.is_sorted_by(|a, b| a.1 < b.1), "seed {seed}: {tokens:?}");
    });
}
