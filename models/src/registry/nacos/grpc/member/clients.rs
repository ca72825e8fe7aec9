//! A server's connections to clients: set up, asked by, looked at when they are silent, and gone.

use schism_core::{NodeId, Time};

use super::super::Timer;
use super::super::api::{Answer, Ask, Msg};
use super::super::table::ConnectionId;
use super::{EJECT, Member, send};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};

/// A connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connection {
    /// When it was last heard of, by the wall clock.
    active: Time,
    subscribes: Option<ServiceId>,
}

impl Member {
    pub(super) fn on_check(&mut self, ctx: &mut Ctx<'_>, from: NodeId) {
        if self.ending.is_none() {
            send(ctx, from, Msg::Checked);
        }
    }

    pub(super) fn on_setup(&mut self, ctx: &mut Ctx<'_>, from: NodeId, id: ConnectionId) {
        if self.ending.is_some() {
            return ctx.hang_up(from);
        }
        self.table.connect(id);
        self.connections.insert(id, Connection { active: ctx.wall(), subscribes: None });
    }

    pub(super) fn on_ask(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId, call: u32, ask: Ask) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return self.answer(ctx, id, call, Answer::Unknown);
        };
        connection.active = ctx.wall();
        if ask != Ask::Health && self.scars.throttles.refuse(ctx) {
            return self.answer(ctx, id, call, Answer::Refused);
        }
        let answer = match ask {
            Ask::Register(published) => {
                let turn = self.table.publish(id, Some(published), ctx.moment());
                self.on_turn(ctx, turn, Cause::Revoked);
                self.tell_others(ctx, id);
                Answer::Done
            }
            Ask::Deregister => {
                let turn = self.table.publish(id, None, ctx.moment());
                self.on_turn(ctx, turn, Cause::Revoked);
                self.tell_others(ctx, id);
                Answer::Done
            }
            Ask::Query(service) => {
                ctx.observe(Observation::Read);
                Answer::Listing(self.shown(ctx, service))
            }
            Ask::Subscribe(service) => {
                self.subscribe(ctx, id, service);
                ctx.observe(Observation::Read);
                Answer::Listing(self.shown(ctx, service))
            }
            Ask::Health => {
                if self.table.client(id).is_some_and(|(published, _)| published.is_some()) {
                    ctx.observe(Observation::Extended);
                }
                Answer::Done
            }
            Ask::Weigh { service, node, weight } => {
                return self.propose_weight(ctx, (id, call), service, node, weight);
            }
        };
        self.answer(ctx, id, call, answer);
    }

    pub(super) fn answer(&self, ctx: &mut Ctx<'_>, id: ConnectionId, call: u32, answer: Answer) {
        send(ctx, id.node, Msg::Answer { call, answer });
    }

    /// A subscriber is pushed to at once as well (naming/push/v2/NamingSubscriberServiceV2Impl.java, 3.0.3).
    fn subscribe(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId, service: ServiceId) {
        let connection = self.connections.get_mut(&id).expect("only who is connected asks");
        connection.subscribes = Some(service);
        self.subscribers[service.0 as usize].insert(id);
        self.push_to(ctx, service, id, self.seat.config.push_delay);
    }

    /// Asks every connection that has been silent for too long whether it is still there.
    pub(super) fn eject(&mut self, ctx: &mut Ctx<'_>) {
        let (wall, idle) = (ctx.wall(), self.seat.config.connection_idle);
        let silent = self.connections.iter().filter(|(_, connection)| wall.since(connection.active) >= idle);
        self.asked = silent.map(|(id, _)| *id).collect();
        if self.asked.is_empty() {
            return ctx.after(EJECT, Timer::Eject.into());
        }
        self.round = self.round.wrapping_add(1);
        ctx.after(self.seat.config.version.detection(), Timer::Judge(self.round).into());
        for &id in &self.asked {
            send(ctx, id.node, Msg::Detect { id });
        }
    }

    pub(super) fn on_detected(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId) {
        self.refresh(ctx, id);
        self.on_known(ctx, id);
    }

    /// What the ejector has asked of a connection is known. It waits no longer than for the last.
    fn on_known(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId) {
        if self.asked.remove(&id) && self.asked.is_empty() {
            self.round = self.round.wrapping_add(1);
            ctx.after(EJECT, Timer::Eject.into());
        }
    }

    /// Who is still silent is not there. The next look comes a while after that.
    pub(super) fn on_judge(&mut self, ctx: &mut Ctx<'_>, round: u32) {
        if round != self.round {
            return;
        }
        for id in std::mem::take(&mut self.asked) {
            ctx.hang_up(id.node);
            self.disconnect(ctx, id);
        }
        ctx.after(EJECT, Timer::Eject.into());
    }

    /// Something has been heard of a connection.
    pub(super) fn refresh(&mut self, ctx: &Ctx<'_>, id: ConnectionId) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.active = ctx.wall();
        }
    }

    /// The connections of a client.
    pub(super) fn connections_of(&self, node: NodeId) -> Vec<ConnectionId> {
        let last = ConnectionId { node, opened: Time::from_nanos(u64::MAX) };
        self.connections.range(ConnectionId { node, opened: Time::START }..=last).map(|(id, _)| *id).collect()
    }

    /// All connections of a client are gone.
    pub(super) fn disconnect_all(&mut self, ctx: &mut Ctx<'_>, node: NodeId) {
        for id in self.connections_of(node) {
            self.disconnect(ctx, id);
        }
        self.deferred.retain(|_, (from, _)| *from != node);
    }

    /// A connection is gone, and with it what it published, without any grace.
    pub(super) fn disconnect(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        if let Some(service) = connection.subscribes {
            self.subscribers[service.0 as usize].remove(&id);
        }
        self.on_known(ctx, id);
        let turn = self.table.remove(id, ctx.moment());
        self.on_turn(ctx, turn, Cause::Expired);
        self.tell_others_gone(ctx, id, Cause::Expired);
    }
}
