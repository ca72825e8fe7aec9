//! The shop under a scenario: an instance is cut off for longer than its lease lasts. The bug is found by a hunt, and both the
//! bug and its fix are kept under snapshot.

mod parts;

use schism_live::Live;
use schism_snapshot::assert_recovery_snapshot;

use parts::{orders, registry, web};
use live_tonic::registration::{register_once, stay_registered};

const SCENARIO: &str = "../../scenarios/partitions/cut-past-the-lease.toml";

/// The shop as it was: an instance registers once.
fn buggy() -> Live {
    let live = Live::open(SCENARIO).expect("it is a scenario");
    live.registry(registry).client("web", web).service("orders", |me| orders(me, register_once))
}

/// The shop as it is: an instance stays registered.
fn fixed() -> Live {
    let live = Live::open(SCENARIO).expect("it is a scenario");
    live.registry(registry).client("web", web).service("orders", |me| orders(me, stay_registered))
}

#[test]
fn an_instance_that_registers_once_is_lost() {
    let hunt = buggy().hunt(0..24);
    println!("{hunt}");
    hunt.assert_catches("registered-again");
}

#[test]
fn an_instance_that_stays_registered_is_not() {
    fixed().hunt(0..24).assert_holds();
}

#[test]
fn the_bug_as_the_first_seed_shows_it() {
    assert_recovery_snapshot!(buggy(), 3, name = "registers-once");
}

#[test]
fn the_same_seed_with_the_fix() {
    assert_recovery_snapshot!(fixed(), 3, name = "stays-registered");
}

/// Who believed what, and when.
#[test]
fn how_the_instance_comes_back() {
    assert_recovery_snapshot!(fixed(), 3, level = transitions, round = "1s", name = "stays-registered-step-by-step");
}
