//! The cast: every kind of process of a scenario, as one actor, and the messages between them.

use std::sync::Arc;

use schism_core::{Actor, Class, Draw, FaultId, NodeId};

use crate::client::{Client, Desk, GuardedWrite};
use crate::load::Load;
use crate::observation::Observation;
use crate::plight::Plight;
use crate::registry::{self, Aide, AideSeat, AnyMember, AnySeat};
use crate::service::{Instance, Post};

/// The context in which every model acts.
pub type Ctx<'w> = schism_core::Ctx<'w, Node>;

/// A process.
#[derive(Clone, Debug)]
pub enum Node {
    /// A registry member.
    Member(Box<AnyMember>),
    /// An instance of a service.
    Instance(Box<Instance>),
    /// A client.
    Client(Box<Client>),
    /// A process of the registry's besides its members.
    Aide(Box<Aide>),
}

/// What can take the place of the cast's own processes in a run: a [`Node`], or a machine around one that changes what it
/// does.
pub trait Process:
    Actor<
        Config = Role,
        Msg = Message,
        Timer = Timer,
        Durable = registry::Disk,
        Observation = Observation,
        Plight = Plight,
    > + Send
{
    /// The process as it is known: whom it leads, what it waits for.
    fn node(&self) -> &Node;
}

impl Process for Node {
    fn node(&self) -> &Node {
        self
    }
}

/// What a process boots with.
#[derive(Clone, Debug)]
pub enum Role {
    /// A registry member.
    Member(Arc<AnySeat>),
    /// An instance of a service.
    Instance(Arc<Post>),
    /// A client.
    Client(Arc<Desk>),
    /// A process of the registry's besides its members.
    Aide(Arc<AideSeat>),
}

/// What processes tell each other.
#[derive(Clone, Debug, Hash)]
pub enum Message {
    /// A client's attempt.
    Request {
        /// The client's number for the attempt.
        attempt: Attempt,
        /// The luck of all that belongs to it.
        luck: Draw,
    },
    /// The answer to it.
    Reply {
        /// The client's number for the attempt.
        attempt: Attempt,
        /// What came of it.
        reply: Reply,
        /// How loaded the instance is, if its clients want to know.
        load: Option<Box<Load>>,
    },
    /// The registry's.
    Registry(registry::Msg),
    /// A client opens a connection to an instance, or asks whether it is still there.
    Ping {
        /// The luck of the answer.
        luck: Draw,
    },
    /// An instance's host is still there.
    Pong,
    /// A client asks an instance how loaded it is.
    LoadProbe {
        /// The instance's ordinal, which comes back with the answer.
        ordinal: u32,
        /// The luck of the answer.
        luck: Draw,
    },
    /// The answer to it.
    LoadProbed {
        /// The instance's ordinal.
        ordinal: u32,
        /// How loaded it is.
        load: Box<Load>,
    },
    /// A client writes to what a lock guards.
    Guarded(Box<GuardedWrite>),
    /// The answer to it.
    GuardedReply {
        /// The writer's number for the write.
        number: u32,
        /// Whether it was taken.
        is_taken: bool,
    },
    /// What checks an instance's health asks it how it is.
    Probe {
        /// The asker's number for the probe.
        number: u32,
        /// Which way it goes.
        path: ProbePath,
        /// The luck of what it meets.
        luck: Draw,
    },
    /// The answer to it.
    Probed {
        /// The asker's number for the probe.
        number: u32,
        /// What it says.
        health: Health,
    },
}

/// Which way a probe goes within an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProbePath {
    /// It is answered by itself, however much there is to do.
    Apart,
    /// It waits for its turn like a request, and takes as long: a saturated instance does not answer in time.
    Queue,
}

/// What an instance says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Health {
    /// That it is well.
    Well,
    /// That it is not.
    Ill,
}

/// A client's number for one attempt: the place it keeps it at, and which request of its it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The place.
    pub slot: u32,
    /// The request.
    pub request: u32,
}

/// The traffic between the registry's members, and between them and their clients.
pub const REGISTRY: Class = Class(0);
/// Requests to instances and their replies.
pub const REQUEST: Class = Class(1);
/// Whether a peer is still there, and well: pings of connections, and probes.
pub const PROBE: Class = Class(2);

/// What a request takes on the wire, and what a reply does: 1 KiB, ours, about that of a small JSON call with its headers.
const CALL_BYTES: u64 = 1024;
/// What a PING frame takes: 17 bytes (RFC 9113, sections 4.1 and 6.7).
const PING_BYTES: u64 = 17;

impl Message {
    /// Which kind of traffic it is.
    pub fn class(&self) -> Class {
        match self {
            Message::Request { .. }
            | Message::Reply { .. }
            | Message::Guarded(_)
            | Message::GuardedReply { .. } => REQUEST,
            Message::Registry(_) => REGISTRY,
            Message::Ping { .. }
            | Message::Pong
            | Message::Probe { .. }
            | Message::Probed { .. }
            | Message::LoadProbe { .. }
            | Message::LoadProbed { .. } => PROBE,
        }
    }

    /// How many bytes it has on the wire.
    pub fn size(&self) -> u64 {
        match self {
            Message::Request { .. }
            | Message::Reply { .. }
            | Message::Guarded(_)
            | Message::GuardedReply { .. }
            | Message::Probe { .. }
            | Message::Probed { .. }
            | Message::LoadProbe { .. }
            | Message::LoadProbed { .. } => CALL_BYTES,
            Message::Registry(msg) => msg.size(),
            Message::Ping { .. } | Message::Pong => PING_BYTES,
        }
    }
}

/// What an instance answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    /// The work is done.
    Done,
    /// The queue is full.
    Full,
    /// The work has failed.
    Failed,
}

/// What processes remind themselves of.
#[derive(Clone, Debug, Hash)]
pub enum Timer {
    /// A client's next request arrives.
    Arrival,
    /// A client that holds a lock may have to write, or to give it back.
    Work,
    /// A client may have waited long enough for some attempt, or for someone to send it to.
    TimeOut,
    /// An instance has finished what it was serving in this slot.
    Served {
        /// The slot.
        slot: u32,
    },
    /// An instance takes a request that it has put off at a failpoint.
    ServeLate {
        /// Its number.
        place: u32,
    },
    /// A client sends an attempt that it has put off at a failpoint.
    SendLate {
        /// Which.
        attempt: Attempt,
    },
    /// What has to do with the registry, at its own processes and at its clients.
    Registry(registry::Timer),
    /// A client may have to do something about a connection.
    Connection {
        /// Where it leads.
        peer: NodeId,
        /// Its number.
        number: u32,
    },
    /// An instance answers with an error what it has kept for that at this place.
    Failed {
        /// The place.
        place: u32,
    },
    /// An instance may have leaked all its memory.
    Leaked,
    /// A request comes that a surge has added to a client's own.
    Surge {
        /// The client's number for the surge.
        number: u32,
    },
    /// What picks a client's endpoints wants to be woken.
    Wake,
    /// A check of an instance's health is due, or has taken too long.
    Check {
        /// The instance.
        peer: NodeId,
        /// The number of the wait, or of the check.
        number: u32,
    },
    /// A client heeds what its checks have found.
    Standings,
    /// A client does what a fault has it do once.
    Rush {
        /// The fault.
        by: FaultId,
    },
}

impl Actor for Node {
    type Config = Role;
    type Msg = Message;
    type Timer = Timer;
    type Durable = registry::Disk;
    type Observation = Observation;
    type Plight = Plight;

    fn boot(role: &Role, disk: &registry::Disk, ctx: &mut Ctx<'_>) -> Node {
        match role {
            Role::Member(seat) => Node::Member(Box::new(AnyMember::boot(seat, disk, ctx))),
            Role::Instance(post) => Node::Instance(Box::new(Instance::boot(post, ctx))),
            Role::Client(desk) => Node::Client(Box::new(Client::boot(desk, ctx))),
            Role::Aide(seat) => Node::Aide(Box::new(Aide::boot(seat, disk, ctx))),
        }
    }

    #[inline]
    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Message) {
        match (self, msg) {
            (Node::Instance(instance), Message::Request { attempt, luck }) => {
                instance.on_request(ctx, from, attempt, luck);
            }
            (Node::Client(client), Message::Reply { attempt, reply, load }) => {
                client.on_reply(ctx, from, attempt, reply, load.as_deref());
            }
            (Node::Member(member), Message::Registry(msg)) => member.on_message(ctx, from, msg),
            (Node::Instance(instance), Message::Registry(msg)) => instance.on_registry(ctx, from, &msg),
            (Node::Client(client), Message::Registry(msg)) => client.on_registry(ctx, from, &msg),
            (Node::Aide(aide), Message::Registry(msg)) => aide.on_message(ctx, from, msg),
            (Node::Instance(instance), Message::Ping { luck }) => instance.on_ping(ctx, from, luck),
            (Node::Client(client), Message::Pong) => client.on_heard(ctx, from),
            (Node::Instance(instance), Message::Probe { number, path, luck }) => {
                instance.on_probe(ctx, from, number, path, luck);
            }
            (Node::Aide(aide), Message::Probed { number, health }) => aide.on_probed(ctx, number, health),
            (Node::Client(client), Message::Probed { number, health }) => {
                client.on_probed(ctx, from, number, health);
            }
            (Node::Instance(instance), Message::LoadProbe { ordinal, luck }) => {
                instance.on_load_probe(ctx, from, ordinal, luck);
            }
            (Node::Client(client), Message::LoadProbed { ordinal, load }) => {
                client.on_load(ctx, ordinal, &load);
            }
            (Node::Instance(instance), Message::Guarded(write)) => instance.on_guarded(ctx, from, &write),
            (Node::Client(client), Message::GuardedReply { number, is_taken }) => {
                client.on_guarded(ctx, number, is_taken);
            }
            (
                Node::Member(_) | Node::Client(_) | Node::Aide(_),
                Message::Request { .. }
                | Message::Guarded(_)
                | Message::Ping { .. }
                | Message::Probe { .. }
                | Message::LoadProbe { .. },
            )
            | (
                Node::Member(_) | Node::Instance(_) | Node::Aide(_),
                Message::Reply { .. }
                | Message::GuardedReply { .. }
                | Message::Pong
                | Message::LoadProbed { .. },
            )
            | (Node::Member(_) | Node::Instance(_), Message::Probed { .. }) => {
                unreachable!("requests and probes go to instances, and answers to who asked")
            }
        }
    }

    #[inline]
    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match (self, timer) {
            (Node::Client(client), Timer::Arrival) => client.on_arrival(ctx),
            (Node::Client(client), Timer::Work) => client.on_work(ctx),
            (Node::Client(client), Timer::TimeOut) => client.on_time_out(ctx),
            (Node::Client(client), Timer::Surge { number }) => client.on_surge(ctx, number),
            (Node::Client(client), Timer::Wake) => client.on_wake(ctx),
            (Node::Client(client), Timer::Rush { by }) => client.on_rush(ctx, by),
            (Node::Client(client), Timer::Check { peer, number }) => client.on_check(ctx, peer, number),
            (Node::Client(client), Timer::Standings) => client.on_standings_due(ctx),
            (Node::Client(client), Timer::Connection { peer, number }) => {
                client.on_connection(ctx, peer, number);
            }
            (Node::Instance(instance), Timer::Served { slot }) => instance.on_served(ctx, slot),
            (Node::Instance(instance), Timer::Failed { place }) => instance.on_failed(ctx, place),
            (Node::Instance(instance), Timer::Leaked) => instance.on_leaked(ctx),
            (Node::Instance(instance), Timer::ServeLate { place }) => instance.on_serve_late(ctx, place),
            (Node::Client(client), Timer::SendLate { attempt }) => client.on_send_late(ctx, attempt),
            (Node::Instance(instance), Timer::Registry(timer)) => {
                instance.with_registrar(|registrar| registrar.on_timer(ctx, timer));
            }
            (Node::Client(client), Timer::Registry(timer)) => client.on_registry_timer(ctx, timer),
            (Node::Member(member), Timer::Registry(timer)) => member.on_timer(ctx, timer),
            (Node::Aide(aide), Timer::Registry(timer)) => aide.on_timer(ctx, timer),
            (_, timer) => unreachable!("a {timer:?} of another kind of process"),
        }
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Node::Member(member) => member.on_reset(ctx, peer),
            Node::Instance(instance) => instance.on_reset(ctx, peer),
            Node::Client(client) => client.on_reset(ctx, peer),
            Node::Aide(aide) => aide.on_reset(ctx, peer),
        }
    }

    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        match self {
            Node::Member(member) => member.on_plight(ctx),
            Node::Instance(instance) => instance.on_plight(ctx),
            Node::Client(client) => client.on_plight(ctx),
            Node::Aide(aide) => aide.on_plight(ctx),
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        match self {
            Node::Member(member) => member.peers(),
            Node::Instance(instance) => instance.peers(),
            Node::Client(client) => client.peers(),
            Node::Aide(aide) => aide.peers(),
        }
    }

    fn class(msg: &Message) -> Class {
        msg.class()
    }

    fn size(msg: &Message) -> u64 {
        msg.size()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_leaves_room_for_its_time_in_a_cache_line() {
        assert!(size_of::<schism_core::Event<Node>>() <= 40, "{}", size_of::<schism_core::Event<Node>>());
    }
}
