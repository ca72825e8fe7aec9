//! Registries: who is said to be there. What each of them is made of, and the catalog.
//!
//! A registry is a module that exports a `Config` and machines that speak its protocol: a [`Member`](Server), the
//! [`Registrar`] of an instance, the [`Subscriber`] of a client that looks for instances, the [`Caller`] of a client that
//! uses the registry as a key-value store, and the [`Locker`] of one that contends for its locks. Some have processes
//! besides, such as agents: its [aides](Aide).

mod aide;
pub mod ail;
pub mod bucket;
mod calls;
mod catalog;
pub mod consul;
pub mod dns;
mod entry;
pub mod etcd;
pub mod eureka;
pub mod history;
pub mod kubernetes;
pub mod nacos;
mod nobody;
pub mod raft;
mod replica;
mod syncs;
mod timers;
mod watchers;
pub mod zookeeper;

use std::borrow::Cow;
use std::sync::Arc;

use schism_core::{NodeId, ZoneId};

pub use self::aide::{Aide, AideSeat};
pub use self::calls::{Caller, Ending, Learnt, Locker, Pair, Told, Turn};
pub use self::catalog::{
    AnyAddress, AnyCaller, AnyLocker, AnyMember, AnyRegistrar, AnySeat, AnySubscriber, CATALOG, Config, Disk,
    Msg, Record, Timer,
};
pub use self::entry::Entry;
pub use self::nobody::{NoLocker, Nobody};

use crate::cache::Reads;
use crate::holdings::Keeps;
use crate::listing::{Change, Listing};
use crate::node::Ctx;
use crate::waits::Wait;

/// A process of the registry's own.
pub trait Server {
    /// What it is told.
    type Msg;
    /// What it reminds itself of.
    type Timer;

    /// What each of its tasks waits for.
    fn waits(&self) -> Vec<Wait> {
        Vec::new()
    }
    /// What it keeps for others.
    fn keeps(&self) -> Keeps {
        Keeps::default()
    }
    /// A message has come.
    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Self::Msg);
    /// A timer has fired.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Self::Timer);
    /// The connection to a peer is gone, and this host was told so or has given it up.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId);
    /// What ails it has changed.
    fn on_plight(&mut self, ctx: &mut Ctx<'_>);
    /// Those with an open connection.
    fn peers(&self) -> Vec<NodeId>;
    /// The term in which it leads, as far as it knows, if it does; of two who think so the later term's is right.
    fn leads(&self) -> Option<u64> {
        None
    }
    /// Whether no member of its kind ever leads the others: what elsewhere is up to the leader is up to each.
    fn is_peer(&self) -> bool {
        false
    }
}

/// An instance's side of its registration.
pub trait Registrar {
    /// What it is told.
    type Msg;
    /// What it reminds itself of.
    type Timer;

    /// What each of its tasks waits for.
    fn waits(&self) -> Vec<Wait> {
        Vec::new()
    }
    /// A message of the registry's has come.
    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Self::Msg);
    /// A timer has fired.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Self::Timer);
    /// The connection to a peer is gone.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId);
    /// The instance leaves, in this life for good. Whether there was anything left to do.
    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool;
    /// The instance has this weight from now on. Whether it was another.
    fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool;
    /// Whether the instance knows itself to be registered.
    fn is_registered(&self) -> bool;
    /// Those with an open connection.
    fn peers(&self) -> Vec<NodeId>;
}

/// A client's side of discovery: it lists, and it may stay current in the way of the registry's own client library.
pub trait Subscriber {
    /// What it is told.
    type Msg;
    /// What it reminds itself of.
    type Timer;

    /// What each of its tasks waits for.
    fn waits(&self) -> Vec<Wait> {
        Vec::new()
    }
    /// Asks for the list, unless it is being asked for.
    fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then);
    /// A message of the registry's has come: what it tells, if that is news.
    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Self::Msg) -> Option<News<'a>>;
    /// A timer has fired: what it is time to know, if that is news.
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Self::Timer) -> Option<News<'static>>;
    /// The connection to a peer is gone.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId);
    /// Drops its connection, though nothing is wrong with it, and goes on with another at once.
    fn reconnect(&mut self, ctx: &mut Ctx<'_>);
    /// The connection to an instance has failed: what that tells, if anything.
    fn on_failure(&mut self, ctx: &mut Ctx<'_>, instance: NodeId) -> Option<News<'static>> {
        let _ = (ctx, instance);
        None
    }
    /// Those with an open connection.
    fn peers(&self) -> Vec<NodeId>;
}

/// What follows a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Then {
    /// Nothing, until asked again.
    Rest,
    /// All that follows, as far as the registry's client library gets it: by a watch, by pushes, by polling.
    Watch,
}

/// What a client has learnt: the list as it has it now, and how it came to that.
#[derive(Clone, Debug)]
pub struct News<'a> {
    /// The list.
    pub listing: Arc<Listing>,
    /// How.
    pub from: Origin<'a>,
}

impl News<'_> {
    /// A whole list was told.
    pub fn listed(listing: Arc<Listing>) -> News<'static> {
        News { listing, from: Origin::Listed }
    }
}

/// How a client came to its list.
#[derive(Clone, Debug)]
pub enum Origin<'a> {
    /// It was told the whole list.
    Listed,
    /// It has made these changes in the list that it had.
    Changed(Cow<'a, [Change]>),
}

/// Where everyone of the registry is, and whom it is about.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The members and their zones, by number.
    pub members: Vec<(NodeId, ZoneId)>,
    /// The aides, by number.
    pub aides: Vec<Place>,
    /// Each service's instances as configured, at revision 0; not those that only a fault boots.
    pub services: Vec<Arc<Listing>>,
}

impl Layout {
    /// The members, nearest first for someone in `zone`: those of the zone, then the others, each part in the order in
    /// which they are given.
    pub fn members_near(&self, zone: ZoneId) -> (Vec<NodeId>, Vec<NodeId>) {
        let (near, far): (Vec<_>, Vec<_>) = self.members.iter().partition(|member| member.1 == zone);
        let nodes = |members: Vec<(NodeId, ZoneId)>| members.into_iter().map(|(node, _)| node).collect();
        (nodes(near), nodes(far))
    }

    /// The number of a member.
    pub fn member_at(&self, node: NodeId) -> Option<usize> {
        self.members.iter().position(|member| member.0 == node)
    }
}

/// Where everyone is, with the aides of a part of the registry alone.
#[derive(Clone, Debug)]
pub struct Layouts {
    /// The authority's aides.
    pub authority: Arc<Layout>,
    /// The aides of what is asked in its place; the same, if it is asked itself.
    pub front: Arc<Layout>,
}

/// Where an aide is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The aide.
    pub node: NodeId,
    /// Its zone.
    pub zone: ZoneId,
    /// The instance whose host it shares, if it does.
    pub host: Option<NodeId>,
}

/// Where a process of the registry sits.
#[derive(Clone, Debug)]
pub struct Seat<C> {
    /// The registry's constants.
    pub config: Arc<C>,
    /// Its number among those of its kind.
    pub me: usize,
    /// Where the others are.
    pub layout: Arc<Layout>,
}

/// Where the registry is, as an instance or client is configured.
#[derive(Clone, Debug)]
pub struct Address<C> {
    /// The registry's constants.
    pub config: Arc<C>,
    /// Where everyone is.
    pub layout: Arc<Layout>,
}

/// Processes of the registry's besides its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aides {
    /// One on the host of each instance, named after that: `orders-3-agent`.
    OnHosts(&'static str),
    /// A group of their own of so many, named `dns-0`, `dns-1`, ..., over all zones.
    Apart(&'static str, u32),
}

impl Config {
    /// Whether one of its members leads the others.
    pub fn has_leader(&self) -> bool {
        match self {
            Config::Static | Config::Eureka(_) => false,
            Config::Consul(_) | Config::Etcd(_) | Config::Zookeeper(_) | Config::Kubernetes(_) => true,
            // The metadata have a leader from 2.0 on; what is ephemeral has none.
            Config::Nacos(nacos) => nacos.version >= nacos::Version::V2_0,
            Config::Dns(dns) => match &dns.backing {
                dns::Backing::Zone => false,
                dns::Backing::Registry(authority) => authority.has_leader(),
            },
        }
    }

    /// The registry that instances register with, and whose members are the scenario's.
    pub fn authority(&self) -> &Config {
        if let Config::Dns(dns::Config { backing: dns::Backing::Registry(backing), .. }) = self {
            backing
        } else {
            self
        }
    }

    /// Whether the instances are listed from the start and for good, and none registers.
    pub fn is_fixed(&self) -> bool {
        matches!(self.authority(), Config::Static | Config::Dns(_))
    }

    /// Whether each list comes with a revision of one order that all members share, so that a client could see that it is
    /// given an older one than before: of etcd and Kubernetes the store's revision, of ZooKeeper the transaction, of Consul
    /// the index of Raft.
    ///
    /// Eureka has no such number: each server counts its own deltas (`versionDelta` of
    /// com.netflix.eureka.registry.ResponseCacheImpl, v1.10), and two servers are compared by a hash of counts alone. Nor
    /// has Nacos: a list bears the time of the server that made it (`lastRefTime` of
    /// com.alibaba.nacos.api.naming.pojo.ServiceInfo), and a client that is given an older one logs "out of date data
    /// received" and, in 1.4, takes it nevertheless (com.alibaba.nacos.client.naming.core.HostReactor). An answer of DNS
    /// carries no serial: that is of the zone's SOA record (RFC 1035, 3.3.13).
    pub fn numbers_lists(&self) -> bool {
        match self {
            Config::Static | Config::Eureka(_) | Config::Nacos(_) | Config::Dns(_) => false,
            Config::Consul(_) | Config::Etcd(_) | Config::Zookeeper(_) | Config::Kubernetes(_) => true,
        }
    }

    /// Where everyone is, as it concerns the authority and as it concerns what is asked in its place.
    pub fn layouts(&self, layout: Layout) -> Layouts {
        if let Config::Dns(dns) = self {
            let (authority, front) = dns.layouts(layout);
            return Layouts { authority, front };
        }
        let layout = Arc::new(layout);
        Layouts { authority: layout.clone(), front: layout }
    }
}
