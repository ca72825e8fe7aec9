//! DNS: the list of another registry, or of a zone file, as answers with a time to live, and what clients make of them.
//!
//! A client asks DNS servers (`dns-0`, `dns-1`, ...: aides) by datagrams. Where it is backed by a registry, that one's
//! members are the members, instances register there, and each DNS server watches it. Where it is a zone file, the members
//! are the authoritative servers, and the DNS servers forward to them and cache.

pub mod ail;
pub mod answer;
mod api;
mod authority;
pub mod cache;
pub mod forward;
mod past;
mod registrar;
pub mod resolver;
mod server;
pub mod srv;
pub mod stub;
pub mod subscriber;
pub mod zone;

pub use api::{Msg, Timer};
pub use authority::Member;
pub use past::KEPT;
pub use registrar::Registrar;
pub use server::{Server, ServerSeat};
pub use subscriber::Subscriber;

use schism_core::Duration;

use super::{NoLocker, Nobody};

/// Nothing is on a disk.
pub type Disk = ();
/// Nobody calls a name server as a key-value store.
pub type Caller = Nobody<Msg, Timer>;

/// There are no locks.
pub type Locker = NoLocker<Msg, Timer>;

/// The servers and resolvers, with their constants.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where the answers come from.
    pub backing: Backing,
    /// How many DNS servers each service has: `dns-0`, `dns-1`, ...
    pub servers: u32,
    /// What authoritative answers are like.
    pub rules: zone::Rules,
    /// What DNS servers remember; nothing, if none.
    pub cache: Option<cache::Limits>,
    /// How DNS servers forward, where they do.
    pub forward: forward::Config,
    /// How clients look up.
    pub resolver: resolver::Config,
    /// How long a lookup waits for a server.
    pub timeout: Duration,
    /// How often a lookup goes through the servers.
    pub attempts: u32,
    /// Which addresses clients use.
    pub using: subscriber::Using,
    /// For how long a client that tries addresses in turn passes over one whose connection has failed.
    pub avoid: Duration,
}

/// Where the answers come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Backing {
    /// A zone file that lists the instances as they are configured.
    Zone,
    /// Another registry, which instances register with.
    Registry(Box<super::Config>),
}
