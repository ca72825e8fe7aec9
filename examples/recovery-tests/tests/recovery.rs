//! How the orders service gets over the loss of a zone, under snapshot: what a change of ours does to that is reviewed,
//! as code is.

use schism_snapshot::assert_recovery_snapshot;

/// The phases of the run and the steps of the recovery. Without the digest, so that only a change of the story counts.
#[test]
fn a_lost_zone_is_routed_around() {
    assert_recovery_snapshot!("scenarios/orders.toml", 42, digest = false);
}

/// Who believed what, and when, with leases that end sooner.
#[test]
fn shorter_leases_are_noticed_sooner() {
    assert_recovery_snapshot!(
        "scenarios/orders.toml",
        42,
        level = transitions,
        round = "5s",
        digest = false,
        set = ["registry.etcd.lease-ttl=5s"],
    );
}
