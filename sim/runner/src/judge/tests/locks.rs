//! What the oracles of locks and of the histories of keys say of small scripts.

use schism_core::{Death, Fault};
use schism_models::observation::{Act, Cause, Observation, Value, Write};
use schism_models::oracle::Mood;

use super::{ask, judged};
use crate::ledger::stage::{BATCH, ORDERS, REGISTRY, Stage, WEB, list, next};

const OTHER: schism_core::NodeId = schism_core::NodeId(WEB.0 + 1);

fn acquired(token: u64) -> Observation {
    Observation::Acquired { lock: 0, token }
}

fn stage(oracle: &str) -> Stage {
    Stage::new().with([ask(Mood::Always, oracle)])
}

#[test]
fn two_may_hold_a_lock_one_after_the_other_and_not_at_once() {
    let run = |ends: Option<(u64, Observation)>| {
        let mut stage = stage("single-holder");
        stage.says(100, REGISTRY, Observation::Committed { at: 1, write: Write::Claim { by: WEB, lock: 0 } });
        stage.says(200, WEB, acquired(5));
        let gone = Write::Release { by: WEB, lock: 0, cause: Cause::Expired };
        stage.says(3000, REGISTRY, Observation::Committed { at: 2, write: gone });
        if let Some((at, seen)) = ends {
            stage.says(at, WEB, seen);
        }
        stage.says(4000, OTHER, acquired(7));
        judged(&stage).remove(0)
    };
    let two = "fails 4: two hold lock 0: web-1 has acquired it (token 7), and web-0 has believed in it since 200ms \
               (token 5), wrongly for 1s: the registry had taken it away";
    assert_eq!(run(None), two);
    assert_eq!(run(Some((3999, Observation::Released { lock: 0 }))), "holds");
    assert_eq!(run(Some((3999, Observation::LockLost { lock: 0 }))), "holds");
    assert_eq!(run(Some((3999, Observation::LockLost { lock: 1 }))), two);
    assert_eq!(judged(&stage("single-holder")), ["vacuous: nobody ever held a lock"]);
}

#[test]
fn who_has_died_believes_in_no_lock_and_who_is_paused_does() {
    let run = |fault: Fault| {
        let mut stage = stage("single-holder");
        stage.says(200, WEB, acquired(5));
        stage.inflict(1000, fault);
        stage.says(4000, OTHER, acquired(7));
        judged(&stage).remove(0)
    };
    assert_eq!(run(Fault::Crash(WEB, Death::KILLED)), "holds");
    assert!(run(Fault::Pause(WEB)).starts_with("fails 4: two hold lock 0"));
}

#[test]
fn a_guarded_write_with_an_older_token_may_not_be_accepted() {
    let run = |tokens: &[(u64, u32, u64)]| {
        let mut stage = stage("fenced");
        for &(at, lock, token) in tokens {
            let by = if token < 7 { WEB } else { OTHER };
            stage.says(at, ORDERS, Observation::GuardedWrite { lock, token, by });
        }
        judged(&stage).remove(0)
    };
    assert_eq!(run(&[(100, 0, 5), (200, 0, 5), (300, 0, 7), (400, 1, 6), (500, 0, 7)]), "holds");
    assert_eq!(
        run(&[(100, 0, 5), (200, 0, 7), (450, 0, 6)]),
        "fails 0.45: orders-0 accepted a write of web-0 with token 6 of lock 0, 250ms after one of web-1 with token 7"
    );
    assert_eq!(run(&[]), "vacuous: nothing was written to what a lock guards");
}

/// A client calls at the first moment and is answered at the second, from a revision.
fn asked(stage: &mut Stage, by: schism_core::NodeId, request: u32, times: (u64, u64), revision: u64) {
    stage.says(times.0, by, Observation::Attempt { to: REGISTRY, request, key: None });
    stage.says(times.1, by, Observation::Saw { request, revision });
}

#[test]
fn revisions_never_go_back_in_a_process_s_life() {
    let run = |dies: bool| {
        let mut stage = stage("monotonic-revision");
        asked(&mut stage, WEB, 0, (50, 100), 5);
        asked(&mut stage, WEB, 1, (150, 200), 5);
        asked(&mut stage, OTHER, 0, (150, 200), 3);
        if dies {
            stage.inflict(300, Fault::Crash(WEB, Death::KILLED));
            stage.inflict(310, Fault::Restart(WEB));
        }
        asked(&mut stage, WEB, 2, (350, 400), 4);
        judged(&stage).remove(0)
    };
    assert_eq!(
        run(false),
        "fails 0.4: web-0 was answered from revision 4 after 5, which it knew of when it asked"
    );
    assert_eq!(run(true), "holds");
    assert_eq!(judged(&stage("monotonic-revision")), ["vacuous: nobody learnt any revision"]);
}

#[test]
fn answers_of_calls_that_were_in_flight_together_come_in_any_order() {
    let run = |called: u64| {
        let mut stage = stage("monotonic-revision");
        asked(&mut stage, WEB, 0, (50, 60), 3);
        asked(&mut stage, WEB, 1, (100, 200), 9);
        asked(&mut stage, WEB, 2, (called, 300), 4);
        judged(&stage).remove(0)
    };
    assert_eq!(run(199), "holds");
    assert!(run(201).starts_with("fails 0.3: web-0 was answered from revision 4 after 9"));
}

#[test]
fn only_lists_that_are_numbered_in_one_order_can_go_back() {
    let run = |registry: Option<schism_models::registry::Config>| {
        let mut stage = stage("monotonic-revision");
        if let Some(registry) = registry {
            stage.scenario.registry = registry;
        }
        for (at, revision) in [(100, 17), (200, 9)] {
            let list = schism_models::listing::Listing { revision, ..(*list(&[0])).clone() };
            stage.says(at, WEB, Observation::View(std::sync::Arc::new(list)));
        }
        judged(&stage).remove(0)
    };
    assert_eq!(run(None), "fails 0.2: web-0 took the list of revision 9 after 17");
    assert_eq!(
        run(Some(schism_models::registry::Config::Static)),
        "vacuous: nobody learnt a revision, and the lists of this registry carry none that its servers share"
    );
}

fn called(call: u32, act: Act) -> Observation {
    Observation::Called { call, key: 2, act, to: REGISTRY }
}

fn fetched(call: u32, revision: u64, value: Value) -> Observation {
    Observation::Fetched { call, revision, value }
}

/// A write of web-0 from 100 to 200 ms, which is of revision 7; then reads of web-1: when they were called and answered, and
/// of which revision they are.
fn history(reads: &[(u64, u64, u64)]) -> String {
    let mut stage = stage("linearizable");
    stage.says(50, WEB, called(0, Act::Write));
    stage.says(90, WEB, Observation::Written { call: 0, revision: 3 });
    stage.says(100, WEB, called(1, Act::Write));
    stage.says(200, WEB, Observation::Written { call: 1, revision: 7 });
    for (call, &(from, until, revision)) in (0..).zip(reads) {
        let written = if revision == 7 { 1 } else { 0 };
        stage.says(from, OTHER, called(call, Act::Read));
        stage.says(until, OTHER, fetched(call, revision, Value::of(WEB, written)));
    }
    judged(&stage).remove(0)
}

#[test]
fn a_read_that_begins_after_a_write_was_answered_sees_it() {
    assert_eq!(history(&[(201, 300, 7)]), "holds");
    assert_eq!(
        history(&[(201, 300, 3)]),
        "fails 0.3: web-1 read write 3 of key 2 from registry-0, though web-0's write 7 had been acknowledged 1ms before \
         it was called"
    );
}

#[test]
fn a_read_beside_a_write_may_see_it_or_not() {
    assert_eq!(history(&[(199, 300, 3)]), "holds");
    assert_eq!(history(&[(150, 160, 7)]), "holds");
}

#[test]
fn what_has_been_read_once_is_read_from_then_on() {
    assert_eq!(history(&[(150, 160, 7), (155, 170, 3)]), "holds", "the two were at the same time");
    assert_eq!(
        history(&[(150, 160, 7), (161, 170, 3)]),
        "fails 0.17: web-1 read write 3 of key 2 from registry-0, though web-0's write 7 had been read by web-1 1ms \
         before it was called"
    );
}

/// A write that was not answered may happen late, and then it counts.
#[test]
fn a_write_without_an_answer_may_have_happened_or_not_until_the_end() {
    let run = |reads: &[(u64, u64, u32)]| {
        let mut stage = stage("linearizable");
        stage.says(10, WEB, called(0, Act::Write));
        stage.says(20, WEB, Observation::Written { call: 0, revision: 3 });
        stage.says(100, WEB, called(1, Act::Write));
        stage.says(200, WEB, Observation::Unanswered { call: 1 });
        for (call, &(at, revision, write)) in (0..).zip(reads) {
            stage.says(at, BATCH, called(call, Act::Read));
            stage.says(at + 10, BATCH, fetched(call, revision, Value::of(WEB, write)));
        }
        judged(&stage).remove(0)
    };
    assert_eq!(run(&[(300, 3, 0), (400, 3, 0), (5000, 9, 1)]), "holds");
    assert_eq!(run(&[(300, 3, 0), (400, 3, 0)]), "holds");
    assert!(run(&[(300, 9, 1), (400, 3, 0)]).starts_with("fails 0.41: batch-0 read write 3 of key 2"));
}

#[test]
fn no_two_writes_are_of_one_revision_and_none_is_of_one_before_it_was_called() {
    let run = |revision: u64| {
        let mut stage = stage("linearizable");
        stage.says(100, WEB, called(0, Act::Write));
        stage.says(100, OTHER, called(0, Act::Write));
        stage.says(200, WEB, Observation::Written { call: 0, revision: 7 });
        stage.says(200, OTHER, Observation::Written { call: 0, revision });
        stage.says(300, next(WEB, 1), called(1, Act::Write));
        stage.says(400, next(WEB, 1), Observation::Written { call: 1, revision: 8 });
        judged(&stage).remove(0)
    };
    assert_eq!(run(6), "holds");
    assert_eq!(run(7), "fails 0.2: two writes of key 2 are of revision 7");
    assert_eq!(
        run(9),
        "fails 0.4: web-1's write of key 2 through registry-0 became write 8, though web-1's write 9 had been acknowledged \
         100ms before it was called"
    );
}
