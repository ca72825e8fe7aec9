//! Consul: `Lock` of the Go library (api/lock.go, v1.20), and what servers make of sessions.

use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds};

use super::{FAULT_S, FIRST, SECOND, beliefs, contended, fault, given_up, taken_over, tokens, turns};

/// The time to live of the sessions, in seconds: they are renewed every half of it, and end after twice as long.
const TTL_S: f64 = 10.0;
/// For how long nobody can have a key whose holder's session has ended (`LockDelay`).
const DELAY_S: f64 = 15.0;
/// After what time someone tries again who could not have it (`DefaultLockRetryTime`).
const RETRY_S: f64 = 5.0;
/// What messages and syncs of a log may add.
const SLACK_S: f64 = 1.0;

fn consul(more: &str) -> Scenario {
    contended("[registry.consul]\nmembers = 3\nlease-ttl = \"15s\"", "ttl = \"10s\"", more)
}

/// When the session of a holder that is gone ends, and the lock can be had.
fn is_in_time(seed: u64, since: f64) {
    let least = TTL_S * 1.5 + DELAY_S - SLACK_S;
    let most = TTL_S * 2.0 + DELAY_S + RETRY_S + SLACK_S;
    assert!((least..=most).contains(&since), "seed {seed}: taken over after {since} s");
}

#[test]
fn the_lock_of_a_holder_that_dies_is_free_when_its_session_has_ended_and_the_delay_is_over() {
    let killed = consul(&fault("50s", "crash = \"first-0\""));
    for_seeds(20, |seed| {
        is_in_time(seed, taken_over(&Seen::of(&killed, seed)).expect("second gets it") - FAULT_S);
    });
}

/// The session has ended, and the delay keeps the lock from others until the holder knows.
#[test]
fn the_delay_protects_from_a_holder_that_was_paused() {
    let paused = consul(&fault("28s", "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        let (given_up, taken) = (given_up(&seen), taken_over(&seen).expect("second gets it"));
        assert!(given_up >= FAULT_S + 28.0, "seed {seed}: given up at {given_up}");
        assert!(given_up < taken, "seed {seed}: given up at {given_up}, and taken over at {taken}");
        is_in_time(seed, taken - FAULT_S);
    });
}

#[test]
fn a_pause_that_is_longer_than_both_gives_the_lock_to_two() {
    let paused = consul(&fault("45s", "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        let (given_up, taken) = (given_up(&seen), taken_over(&seen).expect("second gets it"));
        assert!(taken < given_up, "seed {seed}: given up at {given_up}, and taken over at {taken}");
        let tokens = &tokens(&seen)[&0];
        assert!(tokens.is_sorted_by(|a, b| a.1 < b.1), "seed {seed}: {tokens:?}");
    });
}

#[test]
fn a_pause_that_a_session_outlives_costs_nothing() {
    let paused = consul(&fault("14s", "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let given_up = given_up(&Seen::of(&paused, seed));
        assert!(given_up > 71.9, "seed {seed}: it keeps the lock to its end, not to {given_up}");
    });
}

/// It waits for an answer to a blocking query, which says nothing when nothing comes.
#[test]
fn a_holder_behind_a_silent_cut_believes_for_as_long_as_tcp_waits() {
    let cut = consul(&fault("50s", "partition = { split = [[\"first\"], [\"registry\"]] }"));
    for_seeds(20, |seed| {
        let seen = Seen::of(&cut, seed);
        let (given_up, taken) = (given_up(&seen), taken_over(&seen).expect("second gets it"));
        assert!(taken < given_up, "seed {seed}: given up at {given_up}, and taken over at {taken}");
        is_in_time(seed, taken - FAULT_S);
    });
}

#[test]
fn who_gives_it_back_leaves_no_delay() {
    let crowd = turns("[registry.consul]\nmembers = 3\nlease-ttl = \"15s\"");
    for_seeds(10, |seed| {
        let seen = Seen::of(&crowd, seed);
        let mut spans = [beliefs(&seen, FIRST), beliefs(&seen, SECOND)].concat();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let gaps: Vec<f64> = spans.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
        assert!(gaps.len() > 30, "seed {seed}: {}", gaps.len());
        let slow = gaps.iter().filter(|gap| !(0.0..0.5).contains(*gap)).count();
        assert_eq!(slow, 0, "seed {seed}: {gaps:?}");
    });
}
