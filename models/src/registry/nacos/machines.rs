//! The machines of either generation behind one door.

use schism_core::{NodeId, ZoneId};

use super::{Config, Disk, Msg, Timer, Version, grpc, http};
use crate::cache::Reads;
use crate::holdings::Keeps;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::registry::{self, Address, Entry, News, Seat, Server, Then};
use crate::waits::Wait;

/// A server.
#[derive(Clone, Debug)]
pub enum Member {
    /// From 2.0 on.
    Grpc(Box<grpc::Member>),
    /// In 1.4.
    Http(Box<http::Member>),
}

impl Member {
    /// A server as it boots.
    pub fn boot(seat: &Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        if seat.config.version >= Version::V2_0 {
            Member::Grpc(Box::new(grpc::Member::boot(seat, disk, ctx)))
        } else {
            Member::Http(Box::new(http::Member::boot(seat, ctx)))
        }
    }
}

impl Server for Member {
    type Msg = Msg;
    type Timer = Timer;

    fn keeps(&self) -> Keeps {
        match self {
            Member::Grpc(member) => member.keeps(),
            Member::Http(member) => member.keeps(),
        }
    }

    fn is_peer(&self) -> bool {
        match self {
            Member::Grpc(_) => false,
            Member::Http(_) => true,
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match (self, msg) {
            (Member::Grpc(member), Msg::Grpc(msg)) => member.on_message(ctx, from, msg),
            (Member::Grpc(member), Msg::Peer(peer)) => member.on_peer(ctx, from, peer),
            (Member::Grpc(member), Msg::Raft(message)) => member.on_raft(ctx, from, message),
            (Member::Http(member), Msg::Http(msg)) => member.on_message(ctx, from, msg),
            (Member::Http(member), Msg::Peer(peer)) => member.on_peer(ctx, from, peer),
            (Member::Grpc(_), msg @ Msg::Http(_))
            | (Member::Http(_), msg @ (Msg::Grpc(_) | Msg::Raft(_))) => {
                unreachable!("the other generation's {msg:?}")
            }
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match (self, timer) {
            (Member::Grpc(member), Timer::Grpc(timer)) => member.on_timer(ctx, timer),
            (Member::Http(member), Timer::Http(timer)) => member.on_timer(ctx, timer),
            (Member::Grpc(_), Timer::Http(_)) | (Member::Http(_), Timer::Grpc(_)) => {
                unreachable!("the other generation's {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Member::Grpc(member) => member.on_reset(ctx, peer),
            Member::Http(member) => member.on_reset(ctx, peer),
        }
    }

    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        match self {
            Member::Grpc(member) => member.on_plight(ctx),
            Member::Http(member) => member.on_plight(ctx),
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        match self {
            Member::Grpc(member) => member.peers(),
            Member::Http(member) => member.peers(),
        }
    }

    fn leads(&self) -> Option<u64> {
        match self {
            Member::Grpc(member) => member.leads(),
            Member::Http(_) => None,
        }
    }
}

/// An instance's side of its registration.
#[derive(Clone, Debug)]
pub enum Registrar {
    /// From 2.0 on.
    Grpc(Box<grpc::Registrar>),
    /// In 1.4.
    Http(Box<http::Registrar>),
}

impl Registrar {
    /// An instance that will register when it has started.
    pub fn boot(address: &Address<Config>, entry: Entry, ctx: &mut Ctx<'_>) -> Registrar {
        if address.config.version >= Version::V2_0 {
            Registrar::Grpc(Box::new(grpc::Registrar::boot(address, entry, ctx)))
        } else {
            Registrar::Http(Box::new(http::Registrar::boot(address, entry, ctx)))
        }
    }
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        match self {
            Registrar::Grpc(registrar) => registrar.waits(),
            Registrar::Http(registrar) => registrar.waits(),
        }
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &Msg) {
        match (self, msg) {
            (Registrar::Grpc(registrar), Msg::Grpc(msg)) => registrar.on_message(ctx, from, msg),
            (Registrar::Http(registrar), Msg::Http(msg)) => registrar.on_message(ctx, msg),
            (Registrar::Grpc(_), Msg::Http(_))
            | (Registrar::Http(_), Msg::Grpc(_))
            | (_, Msg::Peer(_) | Msg::Raft(_)) => {
                unreachable!("not for an instance: {msg:?}")
            }
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match (self, timer) {
            (Registrar::Grpc(registrar), Timer::Grpc(timer)) => registrar.on_timer(ctx, timer),
            (Registrar::Http(registrar), Timer::Http(timer)) => registrar.on_timer(ctx, timer),
            (Registrar::Grpc(_), Timer::Http(_)) | (Registrar::Http(_), Timer::Grpc(_)) => {
                unreachable!("the other generation's {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Registrar::Grpc(registrar) => registrar.on_reset(ctx, peer),
            Registrar::Http(registrar) => registrar.on_reset(ctx, peer),
        }
    }

    fn leave(&mut self, ctx: &mut Ctx<'_>) -> bool {
        match self {
            Registrar::Grpc(registrar) => registrar.leave(ctx),
            Registrar::Http(registrar) => registrar.leave(ctx),
        }
    }

    fn weigh(&mut self, ctx: &mut Ctx<'_>, weight: u32) -> bool {
        match self {
            Registrar::Grpc(registrar) => registrar.weigh(ctx, weight),
            Registrar::Http(registrar) => registrar.weigh(ctx, weight),
        }
    }

    fn is_registered(&self) -> bool {
        match self {
            Registrar::Grpc(registrar) => registrar.is_registered(),
            Registrar::Http(registrar) => registrar.is_registered(),
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        match self {
            Registrar::Grpc(registrar) => registrar.peers(),
            Registrar::Http(registrar) => registrar.peers(),
        }
    }
}

/// A client's side of discovery.
#[derive(Clone, Debug)]
pub enum Subscriber {
    /// From 2.0 on.
    Grpc(Box<grpc::Subscriber>),
    /// In 1.4.
    Http(Box<http::Subscriber>),
}

impl Subscriber {
    /// A client that knows nothing yet.
    pub fn new(address: &Address<Config>, zone: ZoneId, service: ServiceId, ctx: &mut Ctx<'_>) -> Subscriber {
        if address.config.version >= Version::V2_0 {
            Subscriber::Grpc(Box::new(grpc::Subscriber::new(address, zone, service, ctx)))
        } else {
            Subscriber::Http(Box::new(http::Subscriber::new(address, zone, service, ctx)))
        }
    }
}

impl registry::Subscriber for Subscriber {
    type Msg = Msg;
    type Timer = Timer;

    fn waits(&self) -> Vec<Wait> {
        match self {
            Subscriber::Grpc(subscriber) => subscriber.waits(),
            Subscriber::Http(subscriber) => subscriber.waits(),
        }
    }

    fn list(&mut self, ctx: &mut Ctx<'_>, reads: Reads, then: Then) {
        match self {
            Subscriber::Grpc(subscriber) => subscriber.list(ctx, reads, then),
            Subscriber::Http(subscriber) => subscriber.list(ctx, reads, then),
        }
    }

    fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Option<News<'a>> {
        match (self, msg) {
            (Subscriber::Grpc(subscriber), Msg::Grpc(msg)) => subscriber.on_message(ctx, from, msg),
            (Subscriber::Http(subscriber), Msg::Http(msg)) => subscriber.on_message(ctx, from, msg),
            (Subscriber::Grpc(_), Msg::Http(_))
            | (Subscriber::Http(_), Msg::Grpc(_))
            | (_, Msg::Peer(_) | Msg::Raft(_)) => {
                unreachable!("not for a client: {msg:?}")
            }
        }
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) -> Option<News<'static>> {
        match (self, timer) {
            (Subscriber::Grpc(subscriber), Timer::Grpc(timer)) => subscriber.on_timer(ctx, timer),
            (Subscriber::Http(subscriber), Timer::Http(timer)) => subscriber.on_timer(ctx, timer),
            (Subscriber::Grpc(_), Timer::Http(_)) | (Subscriber::Http(_), Timer::Grpc(_)) => {
                unreachable!("the other generation's {timer:?}")
            }
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Subscriber::Grpc(subscriber) => subscriber.on_reset(ctx, peer),
            Subscriber::Http(subscriber) => subscriber.on_reset(ctx, peer),
        }
    }

    fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        match self {
            Subscriber::Grpc(subscriber) => subscriber.reconnect(ctx),
            Subscriber::Http(subscriber) => subscriber.reconnect(ctx),
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        match self {
            Subscriber::Grpc(subscriber) => subscriber.peers(),
            Subscriber::Http(subscriber) => subscriber.peers(),
        }
    }
}
