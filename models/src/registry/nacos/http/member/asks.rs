//! What clients ask of a server: done by the one that answers for the service, passed on by the others; and the check of
//! who sends no beats.

use schism_core::{Duration, NodeId};

use super::super::Timer;
use super::super::api::{Answer, Ask, Asker, Interest, Msg};
use super::{CHECK, Member, send};
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};

/// How long a server waits for the one that it has passed a request on to: 2 s (`PROXY_READ_TIMEOUT`; naming/web/
/// DistroFilter.java, 1.4.6).
const FORWARDED: Duration = Duration::from_secs(2);

impl Member {
    /// A client, or another server for one, asks.
    pub(super) fn on_ask(&mut self, ctx: &mut Ctx<'_>, from: NodeId, call: u32, ask: Ask, by: Asker) {
        if self.scars.throttles.refuse(ctx) {
            return answer(ctx, from, call, Answer::Failed);
        }
        let owner = ask.of().map_or(self.seat.me, |service| self.answers_for(service));
        let reply = match (owner == self.seat.me, by) {
            (true, _) => self.act(ctx, from, ask),
            (false, Asker::Client) => return self.forward(ctx, (from, call, owner), ask),
            // "receive invalid redirect request from peer" (naming/web/DistroFilter.java, 1.4.6): the two servers do not
            // agree on who answers.
            (false, Asker::Server) => Answer::Failed,
        };
        answer(ctx, from, call, reply);
    }

    fn act(&mut self, ctx: &mut Ctx<'_>, from: NodeId, ask: Ask) -> Answer {
        let (wall, moment) = (ctx.wall(), ctx.moment());
        match ask {
            Ask::Register(service, endpoint) => {
                let turn = self.table.register(service, endpoint, wall, moment);
                self.on_turns(ctx, turn, Cause::Revoked);
                self.tell_others(ctx, service);
                Answer::Done
            }
            Ask::Deregister(service, node) => {
                let turn = self.table.remove(service, node, moment);
                self.on_turns(ctx, turn, Cause::Revoked);
                self.tell_others(ctx, service);
                Answer::Done
            }
            Ask::Beat(service, node) => match self.table.beat(service, node, wall, moment) {
                None => Answer::NotFound,
                Some(turn) => {
                    ctx.observe(Observation::Extended);
                    self.on_turns(ctx, turn, Cause::Revoked);
                    Answer::Done
                }
            },
            Ask::List(service, interest) => {
                if interest == Interest::Pushes {
                    self.interest(ctx, from, service);
                }
                ctx.observe(Observation::Read);
                Answer::Listing(self.shown(ctx, service))
            }
        }
    }

    fn forward(&mut self, ctx: &mut Ctx<'_>, (client, call, owner): (NodeId, u32, usize), ask: Ask) {
        let number = self.number();
        self.forwards.insert(number, (client, call, owner));
        send(ctx, self.node(owner), Msg::Ask { call: number, ask, by: Asker::Server });
        ctx.after(FORWARDED, Timer::Unforwarded(number).into());
    }

    /// The server that answers for a service has.
    pub(super) fn on_forwarded(&mut self, ctx: &mut Ctx<'_>, number: u32, reply: Answer) {
        if let Some((client, call, _)) = self.forwards.remove(&number) {
            answer(ctx, client, call, reply);
        }
    }

    /// It has not.
    pub(super) fn on_unforwarded(&mut self, ctx: &mut Ctx<'_>, number: u32) {
        self.on_forwarded(ctx, number, Answer::Failed);
    }

    /// It cannot be reached.
    pub(super) fn fail_forwards(&mut self, ctx: &mut Ctx<'_>, member: usize) {
        let lost = self.forwards.iter().filter(|(_, (.., owner))| *owner == member);
        let lost: Vec<u32> = lost.map(|(number, _)| *number).collect();
        lost.into_iter().for_each(|number| self.on_unforwarded(ctx, number));
    }

    /// Looks for instances of a service that have sent no beat, if this server answers for it: they are marked first, and
    /// then those are deleted that have been silent for even longer.
    pub(super) fn check(&mut self, ctx: &mut Ctx<'_>, service: ServiceId) {
        ctx.after(CHECK, Timer::Check(service).into());
        if !self.is_mine(service) {
            return;
        }
        let (wall, moment) = (ctx.wall(), ctx.moment());
        let failed = self.table.fail_silent(service, self.seat.config.beat_timeout, wall, moment);
        self.on_turns(ctx, failed, Cause::Expired);
        let silent = self.table.silent(service, self.seat.config.delete_timeout, wall);
        if silent.is_empty() {
            return;
        }
        for node in silent {
            let turn = self.table.remove(service, node, moment);
            self.on_turns(ctx, turn, Cause::Expired);
        }
        self.tell_others(ctx, service);
    }

    /// A client has gone.
    pub(super) fn forget(&mut self, client: NodeId) {
        self.forwards.retain(|_, (of, ..)| *of != client);
        self.deferred.retain(|_, (from, _)| *from != client);
    }
}

pub(super) fn answer(ctx: &mut Ctx<'_>, to: NodeId, call: u32, answer: Answer) {
    send(ctx, to, Msg::Answer { call, answer });
}
