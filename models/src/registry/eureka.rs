//! Eureka 1.x: servers that accept everything and tell each other, leases by the wall clock, and clients that poll.

pub mod api;
pub mod apps;
pub mod cache;
pub mod clockwork;
pub mod delta;
pub mod history;
pub mod lease;
pub mod member;
pub mod outbox;
pub mod preservation;
pub mod registrar;
pub mod subscriber;
pub mod supervisor;
pub mod table;
pub mod transport;

use schism_core::{Duration, NodeId, Ratio, ZoneId};

pub use api::Msg;
pub use member::Member;
pub use registrar::Registrar;
pub use subscriber::Subscriber;

use cache::ReadOnly;
use preservation::Rules;

use super::{Address, NoLocker, Nobody};
use crate::node::Ctx;

/// No client can use it as a key-value store.
pub type Caller = Nobody<Msg, Timer>;

/// There are no locks.
pub type Locker = NoLocker<Msg, Timer>;

/// What a server keeps on its disk: nothing. One that dies has forgotten everything, and copies it from a peer.
pub type Disk = ();

/// What the processes of Eureka remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// A request has taken too long.
    Unanswered {
        /// Its number.
        call: u32,
        /// How often it had been tried before.
        tries: u32,
    },
    /// A supervised task may have taken too long.
    Overdue {
        /// Which run of it.
        round: u32,
    },
    /// An instance renews its lease.
    Heartbeat,
    /// An instance renews its lease, after a delay at a failpoint.
    RenewLate {
        /// Which run of the heartbeat.
        round: u32,
    },
    /// An instance looks whether it has anything to say.
    Replicator,
    /// An instance registers, after a delay at a failpoint.
    RegisterLate(registrar::Thread),
    /// A client fetches what has changed.
    Refresh,
    /// It does, after a delay at a failpoint.
    RefreshLate {
        /// Which run of the refresh.
        round: u32,
    },
    /// A client fetches the whole, after a delay at a failpoint.
    ListLate,
    /// Ribbon copies the client's list.
    Ribbon,
    /// A server's own.
    Member(member::Timer),
}

/// Which release line's behaviour is modelled, where lines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.9, up to 1.9.16: an eviction does not lower the number of instances that should be renewing
    /// (Netflix/eureka#1266).
    V1_9,
    /// 1.10: it does (pull request #1271).
    V1_10,
    /// 2.0: 1.10 on Jakarta EE; neither the protocol nor the arithmetic has changed (pull request #1465).
    V2_0,
}

/// How the servers are at the start of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// They have been up for long, and every instance is registered: each process is in some phase of its timers.
    Running,
    /// Everything starts in the same instant, and the registry is empty: nobody serves for minutes.
    Cold,
}

/// When an instance that has started registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// As soon as it says that it is up, which is when it has started (`shouldOnDemandUpdateStatusChange`: a change of
    /// status makes the `InstanceInfoReplicator` run at once). Spring Cloud's instances do so, and those of Netflix that
    /// set their status when they are ready.
    OnStatusChange,
    /// When the `InstanceInfoReplicator` first runs, or with the first heartbeat, which is told that nobody knows the
    /// instance: whichever comes first, by default the heartbeat.
    Lazy,
}

/// The servers, their clients and their constants; the defaults are the real system's, of eureka-core's
/// `DefaultEurekaServerConfig` and eureka-client's `DefaultEurekaClientConfig` (1.10), which Spring Cloud keeps unless
/// said otherwise.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many servers; named `registry-0`, `registry-1`, ... One alone has nobody to copy from.
    pub members: u32,
    /// The release line.
    pub version: Version,
    /// How the servers are at the start.
    pub start: Start,
    /// Whether a server that hears too few renewals stops to evict: yes (`enableSelfPreservation`).
    pub self_preservation: bool,
    /// Which share of the renewals must come: 85% (`renewalPercentThreshold`). As much of the registry is kept by an
    /// eviction, whoever has expired.
    pub renewal_percent_threshold: Ratio,
    /// How often the number of instances that should be renewing is counted anew: 15 min
    /// (`renewalThresholdUpdateIntervalMs`).
    pub renewal_threshold_update_interval: Duration,
    /// How often an instance is expected to renew: 30 s (`expectedClientRenewalIntervalSeconds`).
    pub expected_client_renewal_interval: Duration,
    /// With how many instances a server without peers opens: 0. Spring Cloud's opens with 1
    /// (`eureka.instance.registry.default-open-for-traffic-count`), and so does not expect nobody for ever.
    pub default_open_for_traffic_count: u32,
    /// How often expired leases are evicted: 60 s (`evictionIntervalTimerInMs`).
    pub eviction_interval: Duration,
    /// How often what clients are told is copied from what changes empty: 30 s, on whole multiples of the wall clock
    /// (`responseCacheUpdateIntervalMs`).
    pub response_cache_update_interval: Duration,
    /// How long what was made for clients is good, if nothing changes: 180 s (`responseCacheAutoExpirationInSeconds`).
    pub response_cache_auto_expiration: Duration,
    /// Whether clients are told the copy: yes (`shouldUseReadOnlyResponseCache`).
    pub read_only_response_cache: ReadOnly,
    /// How long changes are told as such: 180 s (`retentionTimeInMSInDeltaQueue`).
    pub delta_retention: Duration,
    /// How often older ones are swept out: 30 s (`deltaRetentionTimerIntervalInMs`).
    pub delta_sweep_interval: Duration,
    /// How often a server that starts tries to copy the registry from a peer: 5 times (`numberRegistrySyncRetries`).
    pub registry_sync_retries: u32,
    /// How long it waits between two tries: 30 s (`registrySyncRetryWaitMs`).
    pub registry_sync_retry_wait: Duration,
    /// How long a server that has copied nobody tells clients nothing: 5 min (`waitTimeInMsWhenSyncEmpty`).
    pub wait_time_when_sync_empty: Duration,
    /// How long a server waits for a connection to a peer: 1 s (`peerNodeConnectTimeoutMs`).
    pub peer_connect_timeout: Duration,
    /// How long it waits for a peer's answer: 5 s (`peerNodeReadTimeoutMs`).
    pub peer_read_timeout: Duration,
    /// How long a cancellation is worth telling: 30 s (`maxTimeForReplication`). Heartbeats and registrations are for
    /// as long as the instance's renewal interval (PeerEurekaNode.java, `getLeaseRenewalOf`).
    pub max_time_for_replication: Duration,
    /// What a lease is granted for, and renewed for twice: 90 s (LeaseInfo.java, `DEFAULT_LEASE_DURATION`).
    pub lease_duration: Duration,
    /// How often an instance renews its lease: 30 s (LeaseInfo.java, `DEFAULT_LEASE_RENEWAL_INTERVAL`).
    pub renewal_interval: Duration,
    /// How often an instance looks whether it has anything new to say: 30 s
    /// (`getInstanceInfoReplicationIntervalSeconds`).
    pub instance_info_replication_interval: Duration,
    /// When it first does: after 40 s (`getInitialInstanceInfoReplicationIntervalSeconds`).
    pub initial_instance_info_replication: Duration,
    /// When an instance registers: on a change of status (`shouldOnDemandUpdateStatusChange`).
    pub registration: Registration,
    /// Whether an instance tells of what its health check finds: no. Netflix's client has no health check unless the
    /// application gives it one; nor has Spring Cloud's (`eureka.client.healthcheck.enabled`).
    pub healthcheck: bool,
    /// How often a client fetches what has changed: 30 s (`getRegistryFetchIntervalSeconds`).
    pub fetch_interval: Duration,
    /// Whether it fetches changes instead of the whole: yes (`shouldDisableDelta` is no).
    pub delta: bool,
    /// How long clients and instances wait for a connection: 5 s (`getEurekaServerConnectTimeoutSeconds`).
    pub connect_timeout: Duration,
    /// How long they wait for an answer: 8 s (`getEurekaServerReadTimeoutSeconds`).
    pub read_timeout: Duration,
    /// By how many times the interval of a task may grow that takes too long: 10
    /// (`getHeartbeatExecutorExponentialBackOffBound`, `getCacheRefreshExecutorExponentialBackOffBound`).
    pub back_off_bound: u32,
    /// How long they keep to one server, give or take half of it: 20 min (PropertyBasedTransportConfigConstants.java,
    /// `SESSION_RECONNECT_INTERVAL`).
    pub session_reconnect_interval: Duration,
    /// How often Ribbon copies the client's list: 30 s (ribbon 2.x, PollingServerListUpdater.java); never, where there
    /// is no Ribbon and the client's own list is used.
    pub list_refresh: Option<Duration>,
}

impl Config {
    /// The constants of self-preservation.
    pub fn rules(&self) -> Rules {
        Rules {
            preserves: self.self_preservation,
            share: self.renewal_percent_threshold,
            interval: self.expected_client_renewal_interval,
            version: self.version,
        }
    }
}

/// The servers in the order in which a client in `zone` turns to them.
fn order(address: &Address<Config>, zone: ZoneId, ctx: &Ctx<'_>) -> Vec<NodeId> {
    let mut luck = ctx.luck("registry members");
    let (mut order, mut far) = address.layout.members_near(zone);
    luck.shuffle(&mut order);
    luck.shuffle(&mut far);
    order.extend(far);
    order
}
