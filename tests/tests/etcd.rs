//! The model of etcd against real etcd 3.4.23: the same experiments as scenarios, and the same figures.

#[path = "etcd/expiry.rs"]
mod expiry;
#[path = "etcd/failover.rs"]
mod failover;
#[path = "etcd/isolation.rs"]
mod isolation;
#[path = "etcd/watches.rs"]
mod watches;

use schism_core::Duration;
use schism_scenario::Scenario;
use schism_tests::real::{self, callers};
use schism_tests::runs::scenario;

/// The members are nodes 0, 1 and 2, one in each zone; of a group of three, the first node talks to the first of them.
const MEMBERS: u32 = 3;

/// When someone is cut off.
const CUT: Duration = Duration::from_secs(10);

/// A scenario as the measurements were taken.
fn on_loopback(length: &str, members: u32, version: &str, ttl: &str, rest: &str) -> Scenario {
    let registry =
        format!("[registry.etcd]\nmembers = {members}\nversion = \"{version}\"\nlease-ttl = \"{ttl}\"");
    scenario(&real::on_loopback(length, &registry, rest))
}

/// Three clients that ask the registry for something so often, and wait long for the answer.
fn clients(name: &str, operation: &str, rate: u32) -> String {
    callers(name, 3, operation, rate)
}
