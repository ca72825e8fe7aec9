//! Kubernetes: API servers over etcd, controllers, kubelets that probe, and kube-proxies that follow slices.

pub mod api;
pub mod backoff;
pub mod connection;
pub mod elector;
mod etcd;
pub mod kubelet;
pub mod lifecycle;
pub mod locker;
mod manager;
pub mod member;
pub mod probe;
pub mod registrar;
pub mod runner;
pub mod slices;
pub mod store;
pub mod subscriber;
pub mod workqueue;

pub use api::Msg;
pub use kubelet::Kubelet;
pub use locker::Locker;
pub use member::Member;
pub use registrar::Registrar;
pub use subscriber::Subscriber;

use schism_core::{Distribution, Duration};

use crate::node::ProbePath;
use crate::registry::{Nobody, raft, timers};

/// What a member's disk holds: its etcd's log.
pub type Disk = raft::log::Disk<store::Command>;
/// Nobody calls the API as a key-value store.
pub type Caller = Nobody<Msg, Timer>;

/// Which release is modelled; what differs between them is the default of the grace period, and how long a controller
/// waits at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// 28 of 1.28.
    pub minor: u8,
}

impl Version {
    /// The first of those that are modelled.
    pub const FIRST: u8 = 28;
    /// The last of them.
    pub const LAST: u8 = 34;

    /// How long a node may be silent: 40 s, and 50 s since v1.32, more than the 45 s in which a client notices that its
    /// connection is dead (kubernetes PR #126287, issue #121793).
    pub const fn node_grace(self) -> Duration {
        if self.minor >= 32 { Duration::from_secs(50) } else { Duration::from_secs(40) }
    }
}

/// The members and their constants; the defaults are the real system's.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many control-plane nodes; named `registry-0`, `registry-1`, ...
    pub members: u32,
    /// The release.
    pub version: Version,
    /// How long a node may be silent before it is lost (`--node-monitor-grace-period`).
    pub node_grace: Duration,
    /// After how long the pods of a lost node are deleted: 300 s (`--default-unreachable-toleration-seconds`,
    /// kube-apiserver).
    pub eviction: Duration,
    /// How readiness is probed; without a probe a container is ready as soon as it runs.
    pub readiness: Option<probe::Spec>,
    /// How liveness is; without a probe only a container that ends is started anew.
    pub liveness: Option<probe::Spec>,
    /// Which way probes go within an instance.
    pub probe_path: ProbePath,
    /// Whether clients go by what their node's kube-proxy has programmed, or watch slices themselves.
    pub kube_proxy: Option<Proxy>,
    /// How long one sync of etcd's log takes.
    pub fsync: Distribution,
}

/// A kube-proxy.
#[derive(Clone, Debug, PartialEq)]
pub struct Proxy {
    /// It writes the kernel's rules no more often than this: 1 s (`minSyncPeriod`; pkg/proxy/apis/config/v1alpha1).
    pub min_sync: Duration,
    /// How long it takes to write them.
    pub takes: Distribution,
}

/// What the processes and their clients remind themselves of.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Timer {
    /// A member's own.
    Member(member::Timer),
    /// A kubelet's own.
    Kubelet(kubelet::Timer),
    /// A kube-proxy's own.
    Subscriber(subscriber::Timer),
    /// A client's connection's.
    Silence(connection::Silence),
    /// A locker's own.
    Locker(locker::Timer),
}

timers::parts! {
    Member(member::Timer),
    Kubelet(kubelet::Timer),
    Subscriber(subscriber::Timer),
    Silence(connection::Silence),
    Locker(locker::Timer),
}
