//! etcd v3: a Raft group that keeps keys, leases and watches.

pub mod api;
pub mod caller;
pub mod claims;
pub mod kept;
pub mod lessor;
pub mod locker;
pub mod log;
pub mod member;
pub mod registrar;
pub mod replay;
pub mod session;
pub mod store;
pub mod subscriber;

pub use api::Msg;
pub use caller::Caller;
pub use locker::Locker;
pub use log::Disk;
pub use member::Member;
pub use registrar::Registrar;
pub use subscriber::Subscriber;

use schism_core::{Distribution, Duration};

use crate::registry::timers;

/// Which release's behaviour is modelled: the latest of a line, or one of its patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The line.
    pub line: Line,
    /// The patch; `None` is the latest.
    pub patch: Option<u8>,
}

/// A release line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Line {
    /// 3.4: no PreVote, so an isolated member comes back with a higher term and deposes the leader.
    V3_4,
    /// 3.5: PreVote on by default.
    V3_5,
    /// 3.6: as 3.5 for all that is modelled so far, with all its fixes.
    V3_6,
}

impl Version {
    /// The latest of all.
    pub const LATEST: Version = Version { line: Line::V3_6, patch: None };

    /// Whether an election is preceded by a pre-vote (server/embed/config.go: off in v3.4.23, on since v3.5).
    pub fn pre_votes(self) -> bool {
        self.line >= Line::V3_5
    }

    /// Whether a leader that has been stuck makes sure that it still leads before it revokes or renews a lease
    /// (`ensureLeadership`: since v3.4.31, v3.5.13 and v3.6.0; etcd issue 15247).
    pub fn ensures_leadership(self) -> bool {
        let patch = self.patch.unwrap_or(u8::MAX);
        match self.line {
            Line::V3_4 => patch >= 31,
            Line::V3_5 => patch >= 13,
            Line::V3_6 => true,
        }
    }
}

/// What a client asks of its watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchLeader {
    /// Nothing: behind a member that has lost its leader a watch stays open, and silent.
    Any,
    /// That the member has a leader (`WithRequireLeader`, metadata `hasleader`): it cancels the watch if it has none.
    Required,
}

/// Whether the leader writes down how much is left of long leases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoints {
    /// It does not, as by default: after a change of leader every lease has its whole time to live.
    Off,
    /// It does, every five minutes (`--experimental-enable-lease-checkpoint` with `-persist`, in 3.6 the feature gate
    /// `LeaseCheckpoint`).
    On,
}

/// By which clock of its own a leader says when leases end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseClock {
    /// The monotonic one, as etcd does: its lessor reckons with Go's `time.Now` (lease/lease.go, v3.6), which carries
    /// a monotonic reading since Go 1.9.
    Monotonic,
    /// The wall clock, as a registry does that stores the time of expiry: a step ends leases early, or late.
    Wall,
}

/// The members and their constants; the defaults are the real system's.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// How many members; named `registry-0`, `registry-1`, ...
    pub members: u32,
    /// The release line.
    pub version: Version,
    /// The time to live that instances ask for. etcd grants at least 1.5 election timeouts, in whole seconds.
    pub lease_ttl: Duration,
    /// One Raft tick and one heartbeat: 100 ms (`heartbeat-interval`; server/embed/config.go, v3.6.14).
    pub heartbeat: Duration,
    /// The election timeout: 1 s (`election-timeout`; server/embed/config.go, v3.6.14).
    pub election: Duration,
    /// How long one write-ahead-log sync takes. etcd's hardware guide asks for a p99 under 10 ms.
    pub fsync: Distribution,
    /// How long a registry client waits for one answer before it turns to another member: 5 s.
    pub request_timeout: Duration,
    /// By which clock leases end.
    pub lease_clock: LeaseClock,
    /// Whether the leader writes down how much is left of long leases.
    pub checkpoints: Checkpoints,
    /// What clients ask of their watches.
    pub watch_leader: WatchLeader,
    /// Whether clients ask a silent member if it is still there; `None` is never.
    pub keepalive: Option<Keepalive>,
}

impl Config {
    /// The time to live of a lease that is granted where this is asked for: whole seconds, and no less than 1.5 election
    /// time-outs, rounded up: 2 s by default (etcdserver/server.go, v3.4.23, lines 550 to 559).
    pub fn granted(&self, asked: Duration) -> Duration {
        let second = Duration::from_secs(1).as_nanos();
        let least = self.election.as_nanos() * 3 / 2;
        Duration::from_secs(asked.as_nanos().max(least).div_ceil(second))
    }
}

/// How a client finds out that nobody is left at the other end of a connection: by pings of HTTP/2. clientv3 sends none
/// by default (`DialKeepAliveTime` is 0), so behind a silent cut a watch waits for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// It pings when it has heard nothing for this long, and something is open.
    pub time: Duration,
    /// It hangs up when it hears nothing for this long after that.
    pub timeout: Duration,
}

/// What members and their clients remind themselves of.
#[derive(Clone, Copy, Debug, Hash)]
pub enum Timer {
    /// A member's own.
    Member(member::Timer),
    /// A registration's own.
    Registrar(registrar::Timer),
    /// A subscriber's own.
    Subscriber(subscriber::Timer),
    /// A client's connection's.
    Session(session::Timer),
    /// A locker's own.
    Locker(locker::Timer),
}

timers::parts! {
    Member(member::Timer),
    Registrar(registrar::Timer),
    Subscriber(subscriber::Timer),
    Session(session::Timer),
    Locker(locker::Timer),
}
