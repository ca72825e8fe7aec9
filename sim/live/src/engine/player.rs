//! Players: what acts at a node, a model or users' code, with what a model does beside it.

use schism_core::{Actor, Class, Ctx, Effect, NodeId};
use schism_models::node::{Message, Node, Role, Timer};
use schism_models::observation::Observation;
use schism_models::plight::Plight;
use schism_models::registry;

use crate::bridge::{Bridge, Come, PLACE};

/// What acts at a node.
#[derive(Clone, Debug)]
pub(super) enum Player {
    /// A model.
    Model(Node),
    /// Users' code.
    Guest(Guest),
}

/// What a player boots with.
#[derive(Clone, Debug)]
pub(super) enum Casting {
    /// A model.
    Model(Role),
    /// Users' code, and the model that does beside it what is about the registry, where that is a model.
    Guest(Option<Role>),
}

/// Users' code, as the models know it: what they tell it goes over the bridge, and what is between it and a model of the
/// registry is done by a model of what it is.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    beside: Option<Node>,
    pub(super) bridge: Bridge,
}

type Context<'w> = Ctx<'w, Player>;

impl Player {
    /// The model, if one acts here alone.
    pub(super) fn model(&self) -> Option<&Node> {
        match self {
            Player::Model(node) => Some(node),
            Player::Guest(_) => None,
        }
    }

    /// The model that acts here, alone or beside users' code, of whose own holdings nobody knows.
    pub(super) fn inside(&self) -> Option<&Node> {
        match self {
            Player::Model(node) => Some(node),
            Player::Guest(guest) => guest.beside.as_ref(),
        }
    }

    /// What models and users' code tell each other over, if users' code acts here.
    pub(super) fn bridge(&self) -> Option<&Bridge> {
        match self {
            Player::Model(_) => None,
            Player::Guest(guest) => Some(&guest.bridge),
        }
    }

    fn handle(&mut self, ctx: &mut Context<'_>, act: impl FnOnce(&mut Node, &mut Ctx<'_, Node>)) {
        match self {
            Player::Model(node) => {
                let ((), effects) = ctx.within(|ctx| act(node, ctx));
                effects.into_iter().for_each(|effect| ctx.ask(effect));
            }
            Player::Guest(guest) => guest.handle(ctx, act),
        }
    }
}

impl Guest {
    fn boot(role: Option<&Role>, disk: &registry::Disk, ctx: &mut Context<'_>) -> Guest {
        let mut guest = Guest { beside: None, bridge: Bridge::new(ctx.moment()) };
        if let Some(role) = role {
            let (node, effects) = ctx.within(|ctx| Node::boot(role, disk, ctx));
            guest.beside = Some(node);
            guest.obey(ctx, effects);
        }
        guest
    }

    /// The model beside it does something, if there is one.
    pub(super) fn handle(&mut self, ctx: &mut Context<'_>, act: impl FnOnce(&mut Node, &mut Ctx<'_, Node>)) {
        if let Some(node) = &mut self.beside {
            let ((), effects) = ctx.within(|ctx| act(node, ctx));
            self.obey(ctx, effects);
        }
    }

    /// What the model asks for, it gets, but requests of its own.
    fn obey(&self, ctx: &mut Context<'_>, effects: Vec<Effect<Node>>) {
        for effect in effects {
            if matches!(&effect, Effect::Timer { timer: Timer::Arrival, .. }) {
                continue;
            }
            if let Effect::Observe(seen) = &effect {
                self.bridge.on_observed(seen);
            }
            ctx.ask(effect);
        }
    }

    /// A message for the user's code goes over the bridge; any other is the model's.
    fn take(&self, ctx: &Context<'_>, from: NodeId, msg: Message) -> Option<Message> {
        match msg {
            Message::Request { attempt, luck: _ } => {
                self.bridge.on_request(Come { from, attempt, at: ctx.moment() });
                None
            }
            Message::Reply { attempt, reply, load: _ } if attempt.slot == PLACE => {
                self.bridge.on_reply(from, attempt.request, reply);
                None
            }
            Message::Reply { .. }
            | Message::Registry(_)
            | Message::Ping { .. }
            | Message::Pong
            | Message::LoadProbe { .. }
            | Message::LoadProbed { .. }
            | Message::Guarded(_)
            | Message::GuardedReply { .. }
            | Message::Probe { .. }
            | Message::Probed { .. } => Some(msg),
        }
    }
}

impl Actor for Player {
    type Config = Casting;
    type Msg = Message;
    type Timer = Timer;
    type Durable = registry::Disk;
    type Observation = Observation;
    type Plight = Plight;

    fn boot(casting: &Casting, disk: &registry::Disk, ctx: &mut Context<'_>) -> Player {
        match casting {
            Casting::Model(role) => {
                let (node, effects) = ctx.within(|ctx| Node::boot(role, disk, ctx));
                effects.into_iter().for_each(|effect| ctx.ask(effect));
                Player::Model(node)
            }
            Casting::Guest(role) => Player::Guest(Guest::boot(role.as_ref(), disk, ctx)),
        }
    }

    fn on_message(&mut self, ctx: &mut Context<'_>, from: NodeId, msg: Message) {
        let msg = match self {
            Player::Model(_) => Some(msg),
            Player::Guest(guest) => guest.take(ctx, from, msg),
        };
        if let Some(msg) = msg {
            self.handle(ctx, |node, ctx| node.on_message(ctx, from, msg));
        }
    }

    fn on_timer(&mut self, ctx: &mut Context<'_>, timer: Timer) {
        self.handle(ctx, |node, ctx| node.on_timer(ctx, timer));
    }

    fn on_reset(&mut self, ctx: &mut Context<'_>, peer: NodeId) {
        if let Some(bridge) = self.bridge() {
            bridge.on_reset(peer);
        }
        self.handle(ctx, |node, ctx| node.on_reset(ctx, peer));
    }

    fn on_plight(&mut self, ctx: &mut Context<'_>) {
        self.handle(ctx, |node, ctx| node.on_plight(ctx));
    }

    fn peers(&self) -> Vec<NodeId> {
        match self {
            Player::Model(node) => node.peers(),
            Player::Guest(guest) => {
                let mut peers = guest.bridge.peers();
                peers.extend(guest.beside.iter().flat_map(Node::peers));
                peers.sort_unstable();
                peers.dedup();
                peers
            }
        }
    }

    fn class(msg: &Message) -> Class {
        msg.class()
    }

    fn size(msg: &Message) -> u64 {
        msg.size()
    }
}
