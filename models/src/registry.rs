//! Registries: who is said to be there. The catalog, and what every registry is told.

pub mod ail;
pub mod consul;
pub mod etcd;

/// Which registry the run has, with its constants.
#[derive(Clone, Debug, PartialEq)]
pub enum Config {
    /// The list is fixed when the run starts and never changes: the control.
    Static,
    /// etcd v3: Raft, leases, watches.
    Etcd(etcd::Config),
}

/// The names a scenario may write after `registry.`, in the order in which `schism list` shows them.
pub const CATALOG: &[(&str, &str)] = &[
    ("static", "a list fixed at the start: the control, with no member to fail"),
    ("etcd", "etcd v3: Raft, leases kept by the leader and expired on its sweep, watches with revisions"),
];
