//! The page of a run, and how its numbers are rounded.

use schism_models::nemesis::OnMiss;
use schism_models::observation::{Cause, Observation, Outcome, Write};
use schism_models::oracle::{Config, Mood};
use schism_scenario::Ask;

use super::*;
use crate::ledger::stage::{ORDERS, REGISTRY, Stage, WEB, at, next};

/// A crash of which the registry and two clients learn by and by, under twenty requests a second.
fn stage() -> Stage {
    let oracle = |name| Config::named(name).unwrap();
    let sometimes =
        |name| Ask::Oracle { oracle: oracle(name), mood: Mood::Sometimes, within: Duration::ZERO };
    let mut stage = Stage::new().with([sometimes("stale-request"), sometimes("false-eviction")]);
    let fault = stage.plan("crash", OnMiss::Vacuous);
    for (node, told, back) in [(REGISTRY, 4000, 6100), (WEB, 4400, 6300), (next(WEB, 1), 4700, 7200)] {
        stage.view(100, node, &[0, 1, 2]);
        stage.view(told, node, &[1, 2]);
        stage.view(back, node, &[0, 1, 2]);
    }
    let committed = |at, write| Observation::Committed { at, write };
    stage.says(90, REGISTRY, Observation::Leads { term: 1 });
    stage.says(95, REGISTRY, committed(1, Write::Register(ORDERS)));
    stage.says(4000, REGISTRY, committed(2, Write::Remove(ORDERS, Cause::Expired)));
    stage.says(6000, REGISTRY, committed(3, Write::Register(ORDERS)));
    for (number, millis) in (1000..9950).step_by(50).enumerate() {
        let lost = (3000..4700).contains(&millis) && number % 3 == 0;
        let outcome = if lost { Outcome::Timeout } else { Outcome::Success };
        stage.says(millis, WEB, Observation::Offered);
        stage.says(
            millis,
            WEB,
            Observation::Attempt { to: next(ORDERS, number as u32 % 3), request: 0, key: None },
        );
        let took = if lost { 45 } else { 3 + number as u64 % 17 };
        stage.says(millis + took, WEB, Observation::Done { offered: at(millis), outcome });
    }
    stage.begin(3000, fault, &[ORDERS]);
    stage.inflict(3000, schism_core::Fault::Crash(ORDERS, schism_core::Death::KILLED));
    stage.inflict(6000, schism_core::Fault::Restart(ORDERS));
    stage.heal(6000, fault, 1);
    stage
}

#[test]
fn a_run_on_one_screen() {
    let text = phases_text(&stage().report(), Duration::from_millis(100));
    let expected = "\
scripted @ seed 7
  before    1..3s        success 100%   p99 19ms
  fault     crash 3..6s  success 81.6%  p99 19ms  crash of orders-0; touched 1
  detect    +1s
  reroute   +3s
  dip       success min 70% for 2s
  ghost     a dead instance was believed up for 1.7s
  heal      6s
  converge  +1.2s
  after     6..10s       success 100%   p99 19ms
  registry  leaders 1 · leases expired 1 · false evictions 0
  wrong     registry thought orders down: 1 belief, longest 0.1s
  wrong     registry thought orders up: 1 belief, longest 1s
  wrong     web thought orders down: 2 beliefs, longest 1.2s
  wrong     web thought orders up: 2 beliefs, longest 1.7s
  expect    holds    expectation 0
  expect    vacuous  expectation 1
verdict vacuous · digest b86306…00
";
    assert_eq!(text, expected);
}

#[test]
fn without_a_fault_there_is_one_phase() {
    let text = phases_text(&Stage::new().report(), Duration::from_secs(1));
    let expected = "\
scripted @ seed 7
  all       1..10s  no requests
verdict holds · digest b86306…00
";
    assert_eq!(text, expected);
}

#[test]
fn only_what_is_whole_is_a_hundred_percent() {
    assert_eq!([1.0, 0.9999, 0.931, 0.5, 0.0].map(percent), ["100%", "99.9%", "93.1%", "50%", "0%"]);
}

#[test]
fn latencies_and_counts_keep_two_digits() {
    assert_eq!([0.3456, 8.44, 38.4, 256.0].map(latency), ["350us", "8.4ms", "38ms", "260ms"]);
    assert_eq!([0, 7, 99, 100, 12_345].map(count), ["0", "7", "99", "~100", "~12000"]);
}
