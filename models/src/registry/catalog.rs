//! The catalog of registries, and what is one of each: a line here is all that the rest of the models know of one.

use std::sync::Arc;

use schism_core::{Durable, Duration, NodeId, ZoneId};

use super::{
    Address, Caller, Ending, Entry, Layout, Locker, News, Pair, Registrar, Seat, Server, Subscriber, Then,
    Turn, consul, dns, etcd, eureka, kubernetes, nacos, zookeeper,
};
use crate::cache::Reads;
use crate::client::Operation;
use crate::holdings::Keeps;
use crate::listing::{Endpoint, ServiceId};
use crate::node::{self, Ctx};
use crate::service::ReRegister;
use crate::waits::Wait;

/// Makes what is one of each registry, and passes on what is asked of it.
macro_rules! catalog {
    ($($Name:ident = $module:ident, $name:literal, $about:literal;)*) => {
        /// Which registry the run has, with its constants.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Config {
            /// The list is fixed when the run starts and never changes: the control.
            Static,
            $(#[doc = $about] $Name($module::Config),)*
        }

        /// The names a scenario may write after `registry.`, in the order in which `schism list` shows them.
        pub const CATALOG: &[(&str, &str)] = &[
            ("static", "a list fixed at the start: the control, with no member to fail"),
            $(($name, $about),)*
        ];

        impl Config {
            /// Its name in the catalog.
            pub fn name(&self) -> &'static str {
                match self { Config::Static => "static", $(Config::$Name(_) => $name,)* }
            }

            /// Where it is, for instances and clients; nowhere, if it is static.
            pub fn address(&self, layout: &Arc<Layout>) -> Option<AnyAddress> {
                match self {
                    Config::Static => None,
                    $(Config::$Name(config) => Some(AnyAddress::$Name(Address {
                        config: Arc::new(config.clone()),
                        layout: layout.clone(),
                    })),)*
                }
            }
        }

        /// What the processes of a registry and its clients tell each other; shared, because one change goes to many.
        #[derive(Clone, Debug, Hash)]
        pub enum Msg {
            $(#[doc = $about] $Name(Arc<$module::Msg>),)*
        }

        impl Msg {
            /// How many bytes it has on the wire.
            pub fn size(&self) -> u64 {
                match self { $(Msg::$Name(msg) => msg.size(),)* }
            }
        }

        /// What the processes of a registry and its clients remind themselves of.
        #[derive(Clone, Debug, Hash)]
        pub enum Timer {
            $(#[doc = $about] $Name($module::Timer),)*
        }

        /// What a process of a registry keeps on its disk.
        #[derive(Clone, Debug, Default)]
        pub enum Disk {
            /// Nothing yet.
            #[default]
            Blank,
            $(#[doc = $about] $Name($module::Disk),)*
        }

        /// One write to such a disk.
        #[derive(Clone, Debug)]
        pub enum Record {
            $(#[doc = $about] $Name(<$module::Disk as Durable>::Record),)*
        }

        impl Durable for Disk {
            type Record = Record;

            fn apply(&mut self, record: Record) {
                match (&mut *self, record) {
                    $((Disk::$Name(disk), Record::$Name(record)) => disk.apply(record),)*
                    $((Disk::Blank, Record::$Name(record)) => {
                        let mut disk = $module::Disk::default();
                        disk.apply(record);
                        *self = Disk::$Name(disk);
                    })*
                    (disk, record) => unreachable!("{record:?} is not for {disk:?}"),
                }
            }
        }

        $(impl From<Arc<$module::Msg>> for node::Message {
            fn from(msg: Arc<$module::Msg>) -> node::Message {
                node::Message::Registry(Msg::$Name(msg))
            }
        }

        impl From<$module::Msg> for node::Message {
            fn from(msg: $module::Msg) -> node::Message {
                node::Message::Registry(Msg::$Name(Arc::new(msg)))
            }
        }

        impl From<$module::Timer> for node::Timer {
            fn from(timer: $module::Timer) -> node::Timer {
                node::Timer::Registry(Timer::$Name(timer))
            }
        })*

        /// Where a member of some registry sits.
        #[derive(Clone, Debug)]
        pub enum AnySeat {
            $(#[doc = $about] $Name(Seat<$module::Config>),)*
        }

        impl Config {
            /// The seats of its members, by number; none, if it is static.
            pub fn seats(&self, layout: &Arc<Layout>) -> Vec<AnySeat> {
                match self {
                    Config::Static => Vec::new(),
                    $(Config::$Name(config) => {
                        let config = Arc::new(config.clone());
                        let seat = |me| Seat { config: config.clone(), me, layout: layout.clone() };
                        (0..layout.members.len()).map(|me| AnySeat::$Name(seat(me))).collect()
                    })*
                }
            }
        }

        /// Where some registry is.
        #[derive(Clone, Debug)]
        pub enum AnyAddress {
            $(#[doc = $about] $Name(Address<$module::Config>),)*
        }

        /// A member of some registry.
        #[expect(clippy::large_enum_variant, reason = "each is in a box of its node's")]
        #[derive(Clone, Debug)]
        pub enum AnyMember {
            $(#[doc = $about] $Name($module::Member),)*
        }

        impl AnyMember {
            /// What each of its tasks waits for.
            pub fn waits(&self) -> Vec<Wait> {
                match self { $(AnyMember::$Name(member) => member.waits(),)* }
            }

            /// What it keeps for others.
            pub fn keeps(&self) -> Keeps {
                match self { $(AnyMember::$Name(member) => member.keeps(),)* }
            }

            /// A member as it boots, with what its disk holds.
            pub fn boot(seat: &AnySeat, disk: &Disk, ctx: &mut Ctx<'_>) -> AnyMember {
                match (seat, disk) {
                    $((AnySeat::$Name(seat), Disk::$Name(disk)) => {
                        AnyMember::$Name($module::Member::boot(seat, disk, ctx))
                    })*
                    $((AnySeat::$Name(seat), Disk::Blank) => {
                        AnyMember::$Name($module::Member::boot(seat, &$module::Disk::default(), ctx))
                    })*
                    (_, disk) => unreachable!("the disk of another registry's member: {disk:?}"),
                }
            }

            /// A message has come.
            pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
                match (self, msg) {
                    $((AnyMember::$Name(member), Msg::$Name(msg)) => {
                        member.on_message(ctx, from, Arc::unwrap_or_clone(msg));
                    })*
                    (_, msg) => unreachable!("another registry's {msg:?}"),
                }
            }

            /// A timer has fired.
            pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
                match (self, timer) {
                    $((AnyMember::$Name(member), Timer::$Name(timer)) => member.on_timer(ctx, timer),)*
                    (_, timer) => unreachable!("another registry's {timer:?}"),
                }
            }

            /// The connection to a peer is gone.
            pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
                match self { $(AnyMember::$Name(member) => member.on_reset(ctx, peer),)* }
            }

            /// What ails it has changed.
            pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
                match self { $(AnyMember::$Name(member) => member.on_plight(ctx),)* }
            }

            /// Those with an open connection.
            pub fn peers(&self) -> Vec<NodeId> {
                match self { $(AnyMember::$Name(member) => member.peers(),)* }
            }

            /// Whether no member of its kind ever leads the others.
            pub fn is_peer(&self) -> bool {
                match self { $(AnyMember::$Name(member) => member.is_peer(),)* }
            }

            /// The term in which it leads, as far as it knows, if it does.
            pub fn leads(&self) -> Option<u64> {
                match self { $(AnyMember::$Name(member) => member.leads(),)* }
            }
        }

        /// An instance's side of its registration with some registry.
        #[derive(Clone, Debug)]
        pub enum AnyRegistrar {
            $(#[doc = $about] $Name($module::Registrar),)*
        }

        impl AnyRegistrar {
            /// What each of its tasks waits for.
            pub fn waits(&self) -> Vec<Wait> {
                match self { $(AnyRegistrar::$Name(registrar) => registrar.waits(),)* }
            }

            /// An instance that is about to register.
            pub fn boot(
                address: &AnyAddress,
                service: ServiceId,
                endpoint: Endpoint,
                re_register: ReRegister,
                ctx: &mut Ctx<'_>,
            ) -> AnyRegistrar {
                let entry = Entry { service, endpoint, re_register };
                match address {
                    $(AnyAddress::$Name(address) => {
                        AnyRegistrar::$Name($module::Registrar::boot(address, entry, ctx))
                    })*
                }
            }

            /// A message of the registry's has come.
            pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
                match (self, msg) {
                    $((AnyRegistrar::$Name(registrar), Msg::$Name(msg)) => registrar.on_message(ctx, from, msg),)*
                    (_, msg) => unreachable!("another registry's {msg:?}"),
                }
            }

            /// A timer has fired.
            pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
                match (self, timer) {
                    $((AnyRegistrar::$Name(registrar), Timer::$Name(timer)) => registrar.on_timer(ctx, timer),)*
                    (_, timer) => unreachable!("another registry's {timer:?}"),
                }
            }

            /// The connection to a peer is gone.
            pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
                match self { $(AnyRegistrar::$Name(registrar) => registrar.on_reset(ctx, peer),)* }
            }

            /// The instance leaves, in this life for good. Whether there was anything left to do.
            pub fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
                match self { $(AnyRegistrar::$Name(registrar) => registrar.leave(ctx),)* }
            }

            /// The instance has this weight from now on. Whether it was another.
            pub fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
                match self { $(AnyRegistrar::$Name(registrar) => registrar.weigh(ctx, weight),)* }
            }

            /// Whether the instance knows itself to be registered.
            pub fn is_registered(&self) -> bool {
                match self { $(AnyRegistrar::$Name(registrar) => registrar.is_registered(),)* }
            }

            /// Those with an open connection.
            pub fn peers(&self) -> Vec<NodeId> {
                match self { $(AnyRegistrar::$Name(registrar) => registrar.peers(),)* }
            }
        }

        /// A client's side of discovery with some registry.
        #[derive(Clone, Debug)]
        pub enum AnySubscriber {
            $(#[doc = $about] $Name(Box<$module::Subscriber>),)*
        }

        impl AnySubscriber {
            /// What each of its tasks waits for.
            pub fn waits(&self) -> Vec<Wait> {
                match self { $(AnySubscriber::$Name(subscriber) => subscriber.waits(),)* }
            }

            /// A client in `zone` that knows nothing yet.
            pub fn new(address: &AnyAddress, zone: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> AnySubscriber {
                match address {
                    $(AnyAddress::$Name(address) => {
                        AnySubscriber::$Name(Box::new($module::Subscriber::new(address, zone, service, ctx)))
                    })*
                }
            }

            /// Asks for the list, unless it is being asked for.
            pub fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
                match self { $(AnySubscriber::$Name(subscriber) => subscriber.list(ctx, reads, then),)* }
            }

            /// A message of the registry's has come: what it tells, if that is news.
            pub fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
                match (self, msg) {
                    $((AnySubscriber::$Name(subscriber), Msg::$Name(msg)) => subscriber.on_message(ctx, from, msg),)*
                    (_, msg) => unreachable!("another registry's {msg:?}"),
                }
            }

            /// A timer has fired: what it is time to know, if that is news.
            pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
                match (self, timer) {
                    $((AnySubscriber::$Name(subscriber), Timer::$Name(timer)) => subscriber.on_timer(ctx, timer),)*
                    (_, timer) => unreachable!("another registry's {timer:?}"),
                }
            }

            /// The connection to a peer is gone.
            pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
                match self { $(AnySubscriber::$Name(subscriber) => subscriber.on_reset(ctx, peer),)* }
            }

            /// Drops its connection, and goes on with another at once.
            pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
                match self { $(AnySubscriber::$Name(subscriber) => subscriber.reconnect(ctx),)* }
            }

            /// The connection to an instance has failed: what that tells, if anything.
            pub fn on_failure(&mut self, ctx: &mut Ctx<'_>, instance: NodeId) -> Option<News<'static>> {
                match self { $(AnySubscriber::$Name(subscriber) => subscriber.on_failure(ctx, instance),)* }
            }

            /// Those with an open connection.
            pub fn peers(&self) -> Vec<NodeId> {
                match self { $(AnySubscriber::$Name(subscriber) => subscriber.peers(),)* }
            }
        }

        /// A client that uses some registry as a key-value store.
        #[derive(Clone, Debug)]
        pub enum AnyCaller {
            $(#[doc = $about] $Name($module::Caller),)*
        }

        impl AnyCaller {
            /// What each of its tasks waits for.
            pub fn waits(&self) -> Vec<Wait> {
                match self { $(AnyCaller::$Name(caller) => caller.waits(),)* }
            }

            /// A client in `zone` that has called nobody yet.
            #[expect(unreachable_code, reason = "some registries take no calls: there is nobody to make")]
            pub fn new(address: &AnyAddress, zone: ZoneId, ctx: &Ctx<'_>) -> AnyCaller {
                match address {
                    $(AnyAddress::$Name(address) => {
                        AnyCaller::$Name($module::Caller::new(address, zone, ctx))
                    })*
                }
            }

            /// Calls the member that it is connected to: the number of the call.
            pub fn call(
                &mut self,
                ctx: &mut Ctx<'_>,
                operation: Operation,
                key: Option<Pair>,
                timeout: Duration,
            ) -> u32 {
                match self { $(AnyCaller::$Name(caller) => caller.call(ctx, operation, key, timeout),)* }
            }

            /// A message of the registry's has come: what it ends, if anything.
            pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Ending> {
                match (self, msg) {
                    $((AnyCaller::$Name(caller), Msg::$Name(msg)) => caller.on_message(ctx, from, msg),)*
                    (_, msg) => unreachable!("another registry's {msg:?}"),
                }
            }

            /// A timer has fired: what that ends, if anything.
            pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<Ending> {
                match (self, timer) {
                    $((AnyCaller::$Name(caller), Timer::$Name(timer)) => caller.on_timer(ctx, timer),)*
                    (_, timer) => unreachable!("another registry's {timer:?}"),
                }
            }

            /// The connection to a peer is gone.
            pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
                match self { $(AnyCaller::$Name(caller) => caller.on_reset(ctx, peer),)* }
            }

            /// Drops its connection, and goes on with another member.
            pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
                match self { $(AnyCaller::$Name(caller) => caller.reconnect(ctx),)* }
            }

            /// The member that it is connected to.
            pub fn member(&self) -> NodeId {
                match self { $(AnyCaller::$Name(caller) => caller.member(),)* }
            }
        }

        /// A client that contends for locks of some registry.
        #[derive(Clone, Debug)]
        pub enum AnyLocker {
            $(#[doc = $about] $Name($module::Locker),)*
        }

        impl AnyLocker {
            /// What each of its tasks waits for.
            pub fn waits(&self) -> Vec<Wait> {
                match self { $(AnyLocker::$Name(locker) => locker.waits(),)* }
            }

            /// A client in `zone` that wants no lock yet, and whose hold on one outlives it by so long.
            pub fn new(address: &AnyAddress, zone: ZoneId, ttl: Duration, ctx: &Ctx<'_>) -> AnyLocker {
                match address {
                    $(AnyAddress::$Name(address) => {
                        AnyLocker::$Name($module::Locker::new(address, zone, ttl, ctx))
                    })*
                }
            }

            /// Begins to try for a lock.
            pub fn lock(&mut self, ctx: &mut Ctx<'_>, lock: u32) {
                match self { $(AnyLocker::$Name(locker) => locker.lock(ctx, lock),)* }
            }

            /// Gives back the lock that it holds, or gives up trying for one.
            pub fn unlock(&mut self, ctx: &mut Ctx<'_>) {
                match self { $(AnyLocker::$Name(locker) => locker.unlock(ctx),)* }
            }

            /// Whether it neither holds a lock nor tries for one, nor is giving one back.
            pub fn is_idle(&self) -> bool {
                match self { $(AnyLocker::$Name(locker) => locker.is_idle(),)* }
            }

            /// A message of the registry's has come: what has changed by that.
            pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) -> Option<Turn> {
                match (self, msg) {
                    $((AnyLocker::$Name(locker), Msg::$Name(msg)) => locker.on_message(ctx, from, msg),)*
                    (_, msg) => unreachable!("another registry's {msg:?}"),
                }
            }

            /// A timer has fired: what has changed by that.
            pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<Turn> {
                match (self, timer) {
                    $((AnyLocker::$Name(locker), Timer::$Name(timer)) => locker.on_timer(ctx, timer),)*
                    (_, timer) => unreachable!("another registry's {timer:?}"),
                }
            }

            /// The connection to a peer is gone.
            pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) -> Option<Turn> {
                match self { $(AnyLocker::$Name(locker) => locker.on_reset(ctx, peer),)* }
            }

            /// Drops its connection, and goes on with another member.
            pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) -> Option<Turn> {
                match self { $(AnyLocker::$Name(locker) => locker.reconnect(ctx),)* }
            }

            /// The member that it is connected to.
            pub fn member(&self) -> NodeId {
                match self { $(AnyLocker::$Name(locker) => locker.member(),)* }
            }
        }
    };
}

catalog! {
    Consul = consul, "consul", "Consul: a catalog agreed on by Raft, agents that watch over checks, gossip, blocking queries";
    Etcd = etcd, "etcd", "etcd v3: Raft, leases kept by the leader and expired on its sweep, watches with revisions";
    Eureka = eureka, "eureka", "Eureka 1.x: peers that accept everything, self-preservation, and clients that poll caches";
    Nacos = nacos, "nacos", "Nacos: beats over HTTP (1.4) or connections (2.x, 3.x); servers tell each other what they hold (Distro)";
    Zookeeper = zookeeper, "zookeeper", "ZooKeeper: sessions with ephemeral nodes that expire by whole ticks, one-shot watches";
    Kubernetes = kubernetes, "kubernetes", "Kubernetes: API servers over etcd, kubelets that probe, EndpointSlices, kube-proxy";
    Dns = dns, "dns", "DNS servers and clients' resolvers in front of another registry, or of a zone file";
}
