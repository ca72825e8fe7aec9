//! ZooKeeper: an ensemble that keeps a tree of nodes, sessions with ephemeral nodes, and one-shot watches.

pub mod api;
pub mod caller;
pub mod election;
pub mod expiry;
pub mod library;
pub mod line;
pub mod locker;
pub mod log;
pub mod member;
pub mod registrar;
pub mod subscriber;
pub mod tree;
pub mod zxid;

pub use api::Msg;
pub use caller::Caller;
pub use locker::Locker;
pub use log::Disk;
pub use member::Member;
pub use registrar::Registrar;
pub use subscriber::Subscriber;

use schism_core::{Distribution, Duration};

use crate::registry::timers;

/// Which release's behaviour is modelled, where releases differ: all that is modelled of it is when a client itself takes
/// its session for expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// 3.8: never; it asks until a server says so.
    V3_8,
    /// 3.9.0 to 3.9.2: as 3.8.
    V3_9,
    /// 3.9.3: when it has heard of no server for 4/3 of the session's time-out, or of the one it asks for
    /// (ZOOKEEPER-4508).
    V3_9_3,
    /// 3.9.5: the same, but whoever has no session yet asks for one without end, as before (ZOOKEEPER-4921).
    V3_9_5,
    /// The master branch: as 3.9.3, and who has no session may be given another time (ZOOKEEPER-4923), whose default is
    /// that of 3.9.3 (ClientCnxn.java, `newSessionTimeout`).
    Master,
}

impl Version {
    /// Whether a client takes a session that it has for expired by its own clock.
    pub fn expires_sessions(self) -> bool {
        match self {
            Version::V3_8 | Version::V3_9 => false,
            Version::V3_9_3 | Version::V3_9_5 | Version::Master => true,
        }
    }

    /// Whether a client gives up that has no session yet.
    pub fn expires_beginnings(self) -> bool {
        match self {
            Version::V3_8 | Version::V3_9 | Version::V3_9_5 => false,
            Version::V3_9_3 | Version::Master => true,
        }
    }
}

/// What an instance does when there is a node of its name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeExists {
    /// It deletes the node, whosever it is, and creates its own, as Curator does (x-discovery,
    /// ServiceDiscoveryImpl.java, `internalRegisterService`).
    Replace,
    /// It takes it for its own. If it belongs to an earlier session, it goes with that (PhantomThief/zkconfig-resources#26).
    Keep,
}

/// The ensemble and its constants; the defaults are the real system's.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many servers; named `registry-0`, `registry-1`, ... One alone is a standalone server.
    pub members: u32,
    /// The release.
    pub version: Version,
    /// The session time-out that clients ask for.
    pub session_timeout: Duration,
    /// The tick: 2 s in conf/zoo_sample.cfg; a server that is told nothing takes 3 s (server/ZooKeeperServer.java,
    /// `DEFAULT_TICK_TIME`).
    pub tick: Duration,
    /// How many ticks a follower may take to connect and synchronize: 10 (conf/zoo_sample.cfg).
    pub init_limit: u32,
    /// How many ticks a leader and a follower may hear nothing of each other: 5 (conf/zoo_sample.cfg).
    pub sync_limit: u32,
    /// How long one sync of the transaction log takes, or of an epoch's file.
    pub fsync: Distribution,
    /// How long a server takes to close what it was before it looks for a leader, and a leader to load its database and
    /// take a snapshot before it leads (server/quorum/Leader.java, `lead`; `ZooKeeperServer.loadData`). Ours: what the
    /// measured failovers of 3.8.0 leave beside the constants.
    pub restart: Distribution,
    /// What instances do about a node of their name.
    pub node_exists: NodeExists,
}

impl Config {
    /// The time-out that is agreed upon: at least 2 ticks, at most 20 (server/ZooKeeperServer.java,
    /// `getMinSessionTimeout`, `getMaxSessionTimeout`, 3.8.0).
    pub fn negotiated(&self, asked: Duration) -> Duration {
        asked.max(self.tick * 2).min(self.tick * 20)
    }

    /// How long one side of a leader's connection to a follower waits for anything to come from the other.
    pub fn sync_timeout(&self) -> Duration {
        self.tick * u64::from(self.sync_limit)
    }

    /// How long each step of a new leader's beginning may take, or of a follower's.
    pub fn init_timeout(&self) -> Duration {
        self.tick * u64::from(self.init_limit)
    }
}

/// What servers and their clients remind themselves of.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Timer {
    /// A server's own.
    Member(member::Timer),
    /// A client library's.
    Library(library::Timer),
    /// A registration's own.
    Registrar(registrar::Timer),
    /// A subscriber's own.
    Subscriber(subscriber::Timer),
    /// A caller's own.
    Caller(caller::Timer),
}

timers::parts! {
    Member(member::Timer),
    Library(library::Timer),
    Registrar(registrar::Timer),
    Subscriber(subscriber::Timer),
    Caller(caller::Timer),
}
