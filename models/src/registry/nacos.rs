//! Nacos: a registry whose servers each answer for a part of the ephemeral instances and tell the others (Distro, AP).
//! The 1.x line renews by beats over HTTP and tells by UDP; from 2.0 on an instance lives while its connection lives.

pub mod book;
pub mod delays;
pub mod grpc;
pub mod hash;
pub mod http;
mod ills;
mod loading;
mod machines;
pub mod membership;
mod tell;
pub mod threshold;

use schism_core::{Duration, NodeId, Ratio};

pub use self::machines::{Member, Registrar, Subscriber};
use crate::listing::ServiceId;
use crate::registry::{NoLocker, Nobody, raft};

/// Nacos takes no calls.
pub type Caller = Nobody<Msg, Timer>;

/// There are no locks.
pub type Locker = NoLocker<Msg, Timer>;
/// What a server keeps on its disk: the log of the metadata.
pub type Disk = raft::log::Disk<Weigh>;

/// What the metadata are told: an instance has another weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Weigh {
    /// Of which service.
    pub service: ServiceId,
    /// The instance.
    pub node: NodeId,
    /// The weight.
    pub weight: u32,
}

/// What servers and their clients tell each other.
#[derive(Clone, Debug, Hash)]
pub enum Msg {
    /// A server reports to another, or is told that the report has come.
    Peer(Peer),
    /// Servers agree on metadata.
    Raft(raft::Message<Weigh>),
    /// From 2.0 on.
    Grpc(grpc::Msg),
    /// In 1.4.
    Http(http::Msg),
}

/// How servers learn whether others are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A server reports.
    Report {
        /// Its number for the report.
        number: u32,
    },
    /// The other has heard it.
    Reported {
        /// The number of the report.
        number: u32,
    },
}

/// What a report takes on the wire, and an entry of the metadata: 200 bytes each, ours.
const SMALL_BYTES: u64 = 200;

impl Msg {
    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        match self {
            Msg::Peer(_) => SMALL_BYTES,
            Msg::Raft(message) => SMALL_BYTES * (1 + message.entries() as u64),
            Msg::Grpc(msg) => msg.size(),
            Msg::Http(msg) => msg.size(),
        }
    }
}

/// What servers and clients remind themselves of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// From 2.0 on.
    Grpc(grpc::Timer),
    /// In 1.4.
    Http(http::Timer),
}

/// Which release line's behaviour is modelled, where lines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.4: beats over HTTP to the server that answers for the service, pushes by UDP, clients that poll.
    V1_4,
    /// 2.0: connections; replicas are verified to be there, whatever their revision.
    V2_0,
    /// 2.1: replicas are verified by revision.
    V2_1,
    /// 2.2: as 2.1 for all that is modelled.
    V2_2,
    /// 2.3: a silent connection has 5 s to answer, where it had one before.
    V2_3,
    /// 2.4: as 2.3 for all that is modelled.
    V2_4,
    /// 2.5: as 2.3 for all that is modelled.
    V2_5,
    /// 3.0: as 2.3 for all that is modelled.
    V3_0,
}

impl Version {
    /// How a scenario writes them.
    pub const CATALOG: &[(&str, Version)] = &[
        ("1.4", Version::V1_4),
        ("2.0", Version::V2_0),
        ("2.1", Version::V2_1),
        ("2.2", Version::V2_2),
        ("2.3", Version::V2_3),
        ("2.4", Version::V2_4),
        ("2.5", Version::V2_5),
        ("3.0", Version::V3_0),
    ];

    /// How long a silent connection has to answer, in the line: a second in core/remote/ConnectionManager.java, 2.0.3;
    /// 5 s in core/remote/NacosRuntimeConnectionEjector.java, 3.0.3.
    pub fn detection(self) -> Duration {
        if self >= Version::V2_3 { Duration::from_secs(5) } else { Duration::from_secs(1) }
    }
}

/// The servers and their constants; the defaults are the real system's.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many servers; named `registry-0`, `registry-1`, ...
    pub members: u32,
    /// The release line.
    pub version: Version,
    /// With no greater a share of healthy instances, all are offered: 0.0 (`protectThreshold`; api/common/
    /// Constants.java, 3.0.3, line 161).
    pub protect_threshold: Ratio,
    /// Whether clients ignore an empty list: they do not (`namingPushEmptyProtection`; client/naming/cache/
    /// ServiceInfoHolder.java, 3.0.3).
    pub empty_protection: bool,
    /// Whether a change of metadata alone is pushed to subscribers: it is (naming/core/v2/metadata/
    /// InstanceMetadataProcessor.java, 3.0.3). From 2.0 on.
    pub metadata_events: bool,
    /// 1.x: how often an instance sends a beat: 5 s (api/common/Constants.java, 3.0.3, lines 185 to 189).
    pub beat: Duration,
    /// 1.x: without a beat for longer than this an instance is unhealthy: 15 s (the same).
    pub beat_timeout: Duration,
    /// 1.x: without a beat for longer than this it is deleted: 30 s (the same).
    pub delete_timeout: Duration,
    /// 1.x: how often a client polls, and how long it is pushed to after a poll: 10 s (`pushCacheMillis`;
    /// naming/misc/SwitchDomain.java, 1.4.6).
    pub push_cache: Duration,
    /// From 2.0 on: a connection that is silent for this long is looked at: 20 s (`KEEP_ALIVE_TIME`;
    /// core/remote/RuntimeConnectionEjector.java, 3.0.3, line 32).
    pub connection_idle: Duration,
    /// From 2.0 on: how often a client looks whether its connection is silent, and for how long it must be for the
    /// client to ask the server: 5 s (`connectionKeepAlive`; common/remote/client/grpc/DefaultGrpcClientConfig.java,
    /// 3.0.3, lines 203 to 227).
    pub keepalive: Duration,
    /// From 2.0 on: how long it waits for that answer: 3 s (`healthCheckTimeOut`, the same).
    pub health_timeout: Duration,
    /// From 2.0 on: how often it asks again: 3 times (`healthCheckRetryTimes`, the same).
    pub health_retries: u32,
    /// How long clients wait for one answer: 3 s (`timeOutMills`, the same; 1.4: `ctimeout` of
    /// client/naming/remote/http/NamingHttpClientManager.java).
    pub request_timeout: Duration,
    /// From 2.0 on: how often a client does again what its connection has lost: 3 s (`DEFAULT_REDO_DELAY_TIME`;
    /// api/common/Constants.java, 3.0.3, line 234).
    pub redo: Duration,
    /// From 2.0 on: whether clients poll as well: they do not (`namingAsyncQuerySubscribeService`;
    /// client/naming/core/ServiceInfoUpdateService.java, 3.0.3).
    pub async_query: bool,
    /// How long after the first change subscribers are pushed to: 500 ms (`pushTaskDelay`; naming/constants/
    /// PushConstants.java, 3.0.3); 1 s in 1.4 (naming/push/PushService.java, 1.4.6).
    pub push_delay: Duration,
    /// From 2.0 on: how long after a failed push the next is tried: 1 s (`pushTaskRetryDelay`, the same).
    pub push_retry: Duration,
    /// How long a push waits to be acknowledged: 5 s (`pushTaskTimeout`, the same); 10 s in 1.4
    /// (`ACK_TIMEOUT_NANOS`; naming/push/PushService.java, 1.4.6).
    pub push_timeout: Duration,
    /// How long after the first change a server tells the others: 1 s (core/distributed/distro/DistroConstants.java,
    /// 3.0.3, lines 32 to 68).
    pub sync_delay: Duration,
    /// How long it waits for them to say that they have it: 3 s (the same).
    pub sync_timeout: Duration,
    /// After how long it tries again: 3 s (the same).
    pub sync_retry: Duration,
    /// How often it has them verify what they hold of it: 5 s (the same).
    pub verify: Duration,
    /// How long a starting server waits for all that another has: 30 s (the same).
    pub load_timeout: Duration,
    /// After how long it tries again: 30 s (the same).
    pub load_retry: Duration,
    /// From 2.0 on: how long a replica lives after it was last verified: 3 min (`clientExpiredTime`;
    /// naming/constants/ClientConstants.java, 3.0.3, line 44).
    pub client_expiry: Duration,
    /// From 2.0 on: how long the metadata of an instance outlives it: 60 s (`expired-metadata.expired-time`;
    /// naming/constants/Constants.java, 3.0.3).
    pub metadata_expiry: Duration,
    /// From 2.0 on: the election time-out of the metadata's Raft group: 5 s (`DEFAULT_ELECTION_TIMEOUT`;
    /// core/distributed/raft/RaftSysConstants.java, 3.0.3).
    pub election: Duration,
}
