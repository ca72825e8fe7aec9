//! etcd: `concurrency.Session` and `concurrency.Mutex` (client/v3/concurrency, v3.6).

use std::collections::BTreeSet;

use schism_core::NodeId;
use schism_models::observation::Write;
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, for_seeds, scenario};

use super::{FAULT_S, FIRST, SECOND, beliefs, contended, fault, given_up, taken_over, tokens, turns, writes};

/// The time to live of the sessions, in seconds.
const TTL_S: f64 = 5.0;
/// The lessor looks for leases that have run out so often (lease/lessor.go, `runLoop`).
const SWEEP_S: f64 = 0.5;
/// The client looks whether its lease has run out so often (client/v3/lease.go, `deadlineLoop`).
const CHECK_S: f64 = 1.0;
/// What messages and syncs of a log may add, in these scenarios without faults of the network.
const SLACK_S: f64 = 0.3;

fn etcd(lock: &str, more: &str) -> Scenario {
    contended("[registry.etcd]\nmembers = 3", &format!("ttl = \"5s\"{lock}"), more)
}

#[test]
fn without_faults_one_holds_at_a_time_and_each_gets_it_in_turn() {
    let crowd = scenario(
        "title = \"A crowd\"\nlength = \"60s\"\n[registry.etcd]\nmembers = 3\n\
         [clients.worker]\ncount = 6\ncalls = \"registry\"\noperation = \"lock\"\nkey = { uniform = { keys = 2 } }\n\
         lock = { ttl = \"5s\", hold = \"200ms\" }\narrivals = { closed = { think = \"100ms\" } }\n",
    );
    for_seeds(20, |seed| {
        let seen = Seen::of(&crowd, seed);
        let mut spans: Vec<(f64, f64)> = (3..9).flat_map(|node| beliefs(&seen, NodeId(node))).collect();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert!(spans.len() > 250, "seed {seed}: {} were held", spans.len());
        let tokens = tokens(&seen);
        assert_eq!(tokens.len(), 2);
        for (lock, acquired) in tokens {
            assert!(acquired.is_sorted_by(|a, b| a.1 < b.1), "seed {seed}: tokens of lock {lock} grow");
            // The oldest key holds: the lock goes round in the order in which the claims were committed.
            let claims = seen.committed.iter().filter(|entry| entry.1 == NodeId(0));
            let claims = claims.filter_map(|entry| {
                let Write::Claim { by, lock: on } = entry.3 else { return None };
                (on == lock).then_some(by)
            });
            let holders: Vec<NodeId> = acquired.iter().map(|acquired| acquired.0).collect();
            let claims: Vec<NodeId> = claims.take(holders.len()).collect();
            assert_eq!(holders, claims, "seed {seed}: lock {lock}");
            let all: BTreeSet<NodeId> = holders.into_iter().collect();
            assert_eq!(all.len(), 6, "seed {seed}");
        }
    });
}

#[test]
fn a_pause_that_ends_before_the_lease_can_costs_nothing() {
    // A keepalive is due every third of the time to live, so two thirds of it are left at least.
    let lasts = TTL_S * 2.0 / 3.0 - 0.6;
    let paused = etcd("", &fault(&format!("{lasts:.1}s"), "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        assert!(given_up(&seen) > 71.9, "seed {seed}: it keeps the lock to its end");
    });
}

#[test]
fn a_paused_holder_does_not_notice_that_its_lock_has_gone() {
    let paused = etcd("", &fault("12s", "pause = \"first-0\""));
    let wrote_late = for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        let taken = taken_over(&seen).expect("second gets the lock");
        let since = taken - FAULT_S;
        let (least, most) = (TTL_S * 2.0 / 3.0 - 0.6, TTL_S + SWEEP_S + SLACK_S);
        assert!((least..=most).contains(&since), "seed {seed}: taken over {since} s after the pause began");
        let given_up = given_up(&seen);
        let awake = FAULT_S + 12.0;
        assert!(
            (awake..awake + CHECK_S + SLACK_S).contains(&given_up),
            "seed {seed}: given up at {given_up}"
        );
        writes(&seen).iter().any(|&(at, by, _)| by == FIRST && at >= awake)
    });
    assert!(wrote_late.iter().all(|&late| late), "it goes on where it was: {wrote_late:?}");
}

#[test]
fn a_fenced_store_turns_away_a_holder_that_was_paused() {
    let paused = etcd(", fencing = true", &fault("12s", "pause = \"first-0\""));
    for_seeds(20, |seed| {
        let seen = Seen::of(&paused, seed);
        let old = tokens(&seen)[&0][0];
        assert_eq!(old.0, FIRST, "seed {seed}");
        let late = writes(&seen).into_iter().filter(|&(at, _, token)| token == old.1 && at >= FAULT_S + 0.1);
        assert_eq!(late.count(), 0, "seed {seed}: nothing is accepted of the old holder");
        assert!(given_up(&seen) < FAULT_S + 12.0 + SLACK_S, "seed {seed}: the store has told it");
    });
}

/// The client's clock starts when an answer comes, the leader's when the question does, and the client looks at its own but
/// once a second, the leader twice: for a moment two believe in the lock, and that is usual.
#[test]
fn a_holder_that_is_cut_off_gives_up_about_when_its_lease_ends() {
    let cut = "partition = { split = [[\"first\"], [\"registry\"]] }";
    let cut = etcd("", &fault("30s", cut));
    let overlaps = for_seeds(40, |seed| {
        let seen = Seen::of(&cut, seed);
        let (taken, given_up) = (taken_over(&seen).expect("second gets the lock"), given_up(&seen));
        let since = given_up - FAULT_S;
        let (least, most) = (TTL_S * 2.0 / 3.0 - 0.6, TTL_S + CHECK_S + SLACK_S);
        assert!((least..=most).contains(&since), "seed {seed}: given up {since} s after the cut");
        given_up - taken
    });
    let longest = overlaps.iter().copied().fold(0.0, f64::max);
    assert!((0.2..=CHECK_S).contains(&longest), "{overlaps:?}");
    assert!(overlaps.iter().all(|&overlap| overlap > -SWEEP_S), "{overlaps:?}");
}

#[test]
fn the_lock_of_a_holder_that_dies_is_free_when_its_lease_ends() {
    let killed = etcd("", &fault("40s", "crash = \"first-0\""));
    for_seeds(20, |seed| {
        let since = taken_over(&Seen::of(&killed, seed)).expect("second gets the lock") - FAULT_S;
        let (least, most) = (TTL_S * 2.0 / 3.0 - 0.6, TTL_S + SWEEP_S + SLACK_S);
        assert!((least..=most).contains(&since), "seed {seed}: {since} s after the death");
    });
}

/// A new leader knows no lease's past: all begin anew.
#[test]
fn a_change_of_leader_prolongs_the_hold_of_the_dead() {
    let both = format!(
        "{}[[fault]]\nat = \"22s\"\ncrash = \"registry:leader\"\n",
        fault("40s", "crash = \"first-0\"")
    );
    let killed = etcd("", &both);
    for_seeds(20, |seed| {
        let since = taken_over(&Seen::of(&killed, seed)).expect("second gets the lock") - FAULT_S;
        assert!((2.0 + TTL_S + 1.0..=2.0 + TTL_S + 5.0).contains(&since), "seed {seed}: {since} s");
    });
}

#[test]
fn who_waits_gets_the_lock_as_soon_as_it_is_given_back() {
    let crowd = turns("[registry.etcd]\nmembers = 3");
    for_seeds(10, |seed| {
        let seen = Seen::of(&crowd, seed);
        let mut spans = [beliefs(&seen, FIRST), beliefs(&seen, SECOND)].concat();
        spans.sort_by(|a, b| a.0.total_cmp(&b.0));
        let gaps: Vec<f64> = spans.windows(2).map(|pair| pair[1].0 - pair[0].1).collect();
        assert!(gaps.len() > 60, "seed {seed}: {}", gaps.len());
        let slow = gaps.iter().filter(|gap| !(0.0..0.2).contains(*gap)).count();
        assert_eq!(slow, 0, "seed {seed}: {gaps:?}");
    });
}
