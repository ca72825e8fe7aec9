//! Consul: servers that agree on a catalog by Raft, an agent on each host that says what runs there, and gossip among
//! them all.

pub mod agent;
pub mod api;
pub mod caller;
pub mod catalog;
pub mod cluster;
pub mod entropy;
pub mod gossip;
pub mod keys;
pub mod link;
pub mod local;
pub mod locker;
pub mod pulse;
pub mod raft;
pub mod registrar;
pub mod server;
pub mod stagger;
pub mod subscriber;

pub use agent::Agent;
pub use api::{Disk, Msg, Timer};
pub use caller::Caller;
pub use locker::Locker;
pub use registrar::Registrar;
pub use server::Member;
pub use subscriber::Subscriber;

use schism_core::{Distribution, Duration};

/// Which release line's behaviour is modelled, where lines differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 1.2.0 to 1.2.2: a server that has just started answers stale reads though it knows nothing yet.
    V1_2,
    /// From 1.2.3 (#4554) to 1.19: it does not, before it has heard of a leader.
    V1_10,
    /// From 1.20 (#21758): hashicorp/raft 1.7 with pre-votes, and pauses between failing heartbeats that end.
    V1_20,
}

/// How a client reads (website, api-docs/features/consistency).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// From whoever takes itself for the leader: for as long as a lease that may be one who is no longer.
    Default,
    /// From the leader, once a quorum has agreed that it is.
    Consistent,
    /// From the server that is asked, however old its state.
    Stale,
}

/// Which instances a client asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Those whose checks all pass, `serfHealth` among them: `/v1/health/service/:name?passing`.
    Passing,
    /// Those whose own check passes, though the host may be gone: what a client does that looks at a service's checks
    /// alone (#1790).
    ServiceCheck,
    /// All that are registered: `/v1/catalog/service/:name`.
    All,
}

/// Whether a check's output is another each time it passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Always the same: only a change of status is told the servers.
    Same,
    /// Another each time: it is told them now and then (`check_update_interval`), and changes no list.
    Varies,
}

/// The servers, the agents and their constants; the defaults are the real system's.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many servers; named `registry-0`, `registry-1`, ...
    pub members: u32,
    /// The release line.
    pub version: Version,
    /// The time to live of each instance's check. Consul has no default.
    pub ttl: Duration,
    /// How often an instance says that it passes. Two thirds of the time to live in Spring Cloud Consul
    /// (`HeartbeatProperties`), half of it in most others.
    pub pass_every: Duration,
    /// A service that is critical for longer than this is taken off: `DeregisterCriticalServiceAfter`, at least 1 min.
    pub deregister_after: Option<Duration>,
    /// How clients read.
    pub reads: Mode,
    /// A stale answer from a server that last heard of its leader longer ago than this is not taken: the leader is asked.
    /// None over HTTP (`discovery_max_stale`), 10 years for DNS (`dns_config.max_stale`; agent/config/default.go), which
    /// is less than a server that has just started says.
    pub max_stale: Option<Duration>,
    /// Which instances clients ask for.
    pub health: Health,
    /// How long a blocking query waits: 5 min, and up to a sixteenth more (`default_query_time`; at most 10 min,
    /// `max_query_time`; agent/config/default.go).
    pub wait: Duration,
    /// Clients leave this much time between two queries. The documentation asks for a limit, and the Go library has none.
    pub min_interval: Duration,
    /// Whether checks' outputs vary.
    pub output: Output,
    /// All times of Raft are multiples of this: 5 (`raft_multiplier`, 1 to 10; agent/consul/config.go).
    pub raft_multiplier: u32,
    /// How long a request is held that finds no leader: 7 s (`rpc_hold_timeout`; agent/config/default.go).
    pub hold: Duration,
    /// How long one sync of a server's disk takes.
    pub fsync: Distribution,
    /// How long a client waits for an answer to what does not block. The Go library waits for ever; applications do not.
    pub request_timeout: Duration,
    /// The constants of gossip.
    pub gossip: gossip::Config,
}

/// The three timeouts of Raft at a multiplier of 1 (hashicorp/raft, config.go, v1.7.3).
const HEARTBEAT: Duration = Duration::from_secs(1);
const ELECTION: Duration = Duration::from_secs(1);
const LEASE: Duration = Duration::from_millis(500);
/// The commit timeout, which is not multiplied (hashicorp/raft, config.go; agent/config/builder.go).
const COMMIT: Duration = Duration::from_millis(50);

impl Config {
    /// What Raft needs to know.
    pub fn raft(&self, me: raft::Peer) -> raft::Settings {
        let by = u64::from(self.raft_multiplier);
        let capped = self.version >= Version::V1_20;
        raft::Settings {
            me,
            members: self.members as u8,
            heartbeat: HEARTBEAT * by,
            election: ELECTION * by,
            lease: LEASE * by,
            commit: COMMIT,
            pre_vote: self.version >= Version::V1_20,
            longest_backoff: if capped { HEARTBEAT * by / 2 } else { Duration::from_secs(3_600) },
        }
    }
}
