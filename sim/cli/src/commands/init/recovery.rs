//! How the system gets over its faults, under snapshot. The first run fails and writes down what it saw; `cargo insta
//! review` takes it, and shows every later change.
//!
//! It needs `schism-snapshot` among the dev-dependencies.

use schism_snapshot::assert_recovery_snapshot;

#[test]
fn the_system_gets_over_its_faults_as_recorded() {
    assert_recovery_snapshot!("scenario.toml", 42);
}
