//! Kubernetes: leader election of client-go (tools/leaderelection, v1.28).

use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds};

use super::{FAULT_S, FIRST, SECOND, beliefs, contended, fault, given_up, taken_over, tokens, turns};

/// How long a lease must not have changed for someone to take it, how long its holder tries to renew it, and how often, in
/// seconds.
const LEASE_S: f64 = 15.0;
const DEADLINE_S: f64 = 10.0;
const RETRY_S: f64 = 2.0;
/// Who does not lead rests up to 1.2 times longer.
const LONGEST_REST_S: f64 = RETRY_S * 2.2;
/// What messages and syncs of a log may add.
const SLACK_S: f64 = 0.5;

const CUT: &str = "partition = { split = [[\"first\"], [\"registry\"]] }";

fn kubernetes(more: &str) -> Scenario {
    contended("[registry.kubernetes]\nmembers = 3", "fencing = false", more)
}

/// A lease is written every two seconds, and may be taken when it was not for as long as it lasts, as another has seen it.
fn is_in_time(seed: u64, since: f64) {
    let least = LEASE_S - RETRY_S - SLACK_S;
    let most = LEASE_S + 2.0 * LONGEST_REST_S + SLACK_S;
    assert!((least..=most).contains(&since), "seed {seed}: taken over after {since} s");
}

#[test]
fn the_lease_of_a_leader_that_dies_is_taken_when_it_has_not_changed_for_long_enough() {
    let killed = kubernetes(&fault("50s", "crash = \"first-0\""));
    for_seeds(20, |seed| {
        is_in_time(seed, taken_over(&Seen::of(&killed, seed)).expect("second gets it") - FAULT_S);
    });
}

#[test]
fn a_leader_that_is_cut_off_gives_up_before_another_may_take_over() {
    let cut = kubernetes(&fault("50s", CUT));
    for_seeds(20, |seed| {
        let seen = Seen::of(&cut, seed);
        let (given_up, taken) = (given_up(&seen), taken_over(&seen).expect("second gets it"));
        let since = given_up - FAULT_S;
        let (least, most) = (DEADLINE_S - SLACK_S, DEADLINE_S + RETRY_S + SLACK_S);
        assert!((least..=most).contains(&since), "seed {seed}: given up after {since} s");
        assert!(given_up < taken, "seed {seed}: given up at {given_up}, and taken over at {taken}");
    });
}

#[test]
fn a_paused_leader_does_not_notice() {
    let paused = kubernetes(&fault("30s", "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        let (given_up, taken) = (given_up(&seen), taken_over(&seen).expect("second gets it"));
        assert!(taken < given_up, "seed {seed}: given up at {given_up}, and taken over at {taken}");
        assert!(given_up < FAULT_S + 30.0 + SLACK_S, "seed {seed}: its deadline is over when it wakes");
    });
}

/// "The implementation is tolerant to arbitrary clock skew, but is not tolerant to arbitrary clock skew rate."
#[test]
fn a_wall_clock_that_jumps_does_not_matter() {
    let jump = format!(
        "[[fault]]\nat = \"15s\"\nclock = {{ target = \"first\", jump = \"1h\" }}\n{}",
        fault("50s", CUT)
    );
    let jump = kubernetes(&jump);
    for_seeds(10, |seed| {
        let seen = Seen::of(&jump, seed);
        assert!(given_up(&seen) < taken_over(&seen).expect("second gets it"), "seed {seed}");
    });
}

#[test]
fn a_leader_whose_clock_runs_at_half_speed_leads_beside_its_successor() {
    let slow = "[[fault]]\nat = \"15s\"\nclock = { target = \"first\", drift = -500000 }\n";
    let slow = kubernetes(&format!("{slow}{}", fault("50s", CUT)));
    for_seeds(10, |seed| {
        let seen = Seen::of(&slow, seed);
        let (given_up, taken) = (given_up(&seen), taken_over(&seen).expect("second gets it"));
        let since = given_up - FAULT_S;
        let (least, most) = (2.0 * DEADLINE_S - SLACK_S, 2.0 * (DEADLINE_S + RETRY_S) + SLACK_S);
        assert!((least..=most).contains(&since), "seed {seed}: given up after {since} s");
        assert!(taken < given_up + 2.0 * RETRY_S, "seed {seed}");
    });
}

#[test]
fn a_lease_that_is_given_up_is_taken_at_the_next_try() {
    let crowd = turns("[registry.kubernetes]\nmembers = 3");
    for_seeds(10, |seed| {
        let seen = Seen::of(&crowd, seed);
        let mut spans = [beliefs(&seen, FIRST), beliefs(&seen, SECOND)].concat();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let gaps: Vec<f64> = spans.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
        assert!(gaps.len() > 15, "seed {seed}: {}", gaps.len());
        let slow = gaps.iter().filter(|gap| !(0.0..LONGEST_REST_S + SLACK_S).contains(*gap)).count();
        assert_eq!(slow, 0, "seed {seed}: {gaps:?}");
        let tokens = &tokens(&seen)[&0];
        assert!(tokens.is_sorted_by(|a, b| a.1 < b.1), "seed {seed}: {tokens:?}");
    });
}
