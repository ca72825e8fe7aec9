//! A server of the 1.x line: it answers for some services, passes on what is about the others, and tells subscribers.

mod ails;
mod asks;
mod distro;
mod pushes;
mod reports;

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, NodeId};

use self::distro::Distro;
use self::pushes::Pushes;
use super::Timer;
use super::api::Msg;
use super::table::Table;
use crate::failpoint::Passes;
use crate::holdings::Keeps;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};
use crate::registry::Seat;
use crate::registry::nacos::book::Turn;
use crate::registry::nacos::delays::TURN;
use crate::registry::nacos::hash::{place, service_name};
use crate::registry::nacos::ills::Scars;
use crate::registry::nacos::loading::Loading;
use crate::registry::nacos::membership::{Membership, REPORT};
use crate::registry::nacos::tell::tell;
use crate::registry::nacos::{self, Config};

/// How often a server looks for instances of a service that have sent no beat: 5 s (naming/healthcheck/
/// HealthCheckReactor.java, 1.4.6, `scheduleCheck`).
const CHECK: Duration = Duration::from_secs(5);

/// A server.
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat<Config>,
    table: Table,
    pushes: Pushes,
    distro: Distro,
    membership: Membership,
    /// What was passed on, and for whose request.
    forwards: BTreeMap<u32, (NodeId, u32, usize)>,
    last: u32,
    scars: Scars,
    passes: Passes,
    /// What was put off at a failpoint, by number.
    deferred: BTreeMap<u32, (NodeId, Msg)>,
}

impl Member {
    /// A server as it boots: it knows nothing, and asks another for all that it has.
    pub fn boot(seat: &Seat<Config>, ctx: &mut Ctx<'_>) -> Member {
        let services = seat.layout.services.len();
        let members = seat.layout.members.len();
        let mut phases = ctx.luck("phases");
        let mut phase = |every: Duration| Duration::from_secs_f64(every.as_secs_f64() * phases.draw().unit());
        let turns = ctx.now() + phase(TURN);
        if members > 1 {
            ctx.after(phase(seat.config.verify), Timer::Verify.into());
            ctx.after(phase(REPORT), Timer::Report.into());
        }
        let mut member = Member {
            table: Table::new(services, seat.config.protect_threshold),
            pushes: Pushes::new(services),
            distro: Distro::new(turns, Loading::new(seat.me, members)),
            membership: Membership::new(seat.me, members),
            forwards: BTreeMap::new(),
            last: 0,
            scars: Scars::default(),
            passes: Passes::default(),
            deferred: BTreeMap::new(),
            seat: seat.clone(),
        };
        for service in member.services() {
            ctx.after(phase(CHECK), Timer::Check(service).into());
            let listing = member.table.offered(service);
            ctx.observe(Observation::View(listing));
        }
        member.load(ctx);
        member.on_plight(ctx);
        member
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if self.hears(ctx, from, &msg) {
            self.hear(ctx, from, msg);
        }
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match msg {
            Msg::Ask { call, ask, by } => self.on_ask(ctx, from, call, ask, by),
            Msg::Answer { call, answer } => self.on_forwarded(ctx, call, answer),
            Msg::Pushed { number } => self.on_pushed(number),
            Msg::Sync { number, data } => self.on_sync(ctx, from, number, &data),
            Msg::Synced { number } => self.on_synced(number),
            Msg::Verify { sums } => self.on_verify(ctx, from, &sums),
            Msg::Fetch { services } => self.on_fetch(ctx, from, &services),
            Msg::Fetched { data } => self.take(ctx, &data),
            Msg::Load => self.on_load(ctx, from),
            Msg::Loaded { data } => self.on_loaded(ctx, from, &data),
            // What servers tell clients.
            Msg::Push { .. } => {}
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Check(service) => self.check(ctx, service),
            Timer::Push(service) => self.push(ctx, service),
            Timer::Unacknowledged(number) => self.on_unacknowledged(ctx, number),
            Timer::Unforwarded(number) => self.on_unforwarded(ctx, number),
            Timer::Syncs => self.sync_due(ctx),
            Timer::Unsynced(number) => self.on_unsynced(ctx, number),
            Timer::Verify => self.verify(ctx),
            Timer::Load(attempt) => self.on_load_timer(ctx, attempt),
            Timer::Report => self.report(ctx),
            Timer::Unreported(number) => self.on_unreported(ctx, number),
            Timer::Deferred(number) => self.on_deferred(ctx, number),
            Timer::Lag => self.push_everything(ctx),
            // Clients'.
            Timer::Unanswered(_) | Timer::Start | Timer::Beat | Timer::Late | Timer::Poll => {
                unreachable!("a server does not set {timer:?}")
            }
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self.seat.layout.member_at(peer) {
            Some(member) => self.on_member_reset(ctx, member),
            None => self.forget(peer),
        }
    }

    /// What it keeps for others.
    pub fn keeps(&self) -> Keeps {
        Keeps {
            watches: self.pushes.watches(),
            sessions: 0,
            pending: self.forwards.len() + self.deferred.len() + self.pushes.pending(),
        }
    }

    /// The other servers, and the clients that wait for an answer.
    pub fn peers(&self) -> Vec<NodeId> {
        let forwarded = self.forwards.values().map(|(client, ..)| *client);
        let clients: BTreeSet<NodeId> =
            forwarded.chain(self.deferred.values().map(|(from, _)| *from)).collect();
        let others: BTreeSet<NodeId> = self.others().map(|member| self.node(member)).collect();
        others.union(&clients).copied().collect()
    }

    /// Which server answers for a service, as this one sees it.
    fn answers_for(&self, service: ServiceId) -> usize {
        let servers = self.membership.answering();
        servers[place(&service_name(service.0), servers.len())]
    }

    fn is_mine(&self, service: ServiceId) -> bool {
        self.answers_for(service) == self.seat.me
    }

    fn services(&self) -> impl Iterator<Item = ServiceId> + use<> {
        (0..self.seat.layout.services.len()).map(|service| ServiceId(service as u16))
    }

    fn others(&self) -> impl Iterator<Item = usize> + use<> {
        let me = self.seat.me;
        (0..self.seat.layout.members.len()).filter(move |&member| member != me)
    }

    fn node(&self, member: usize) -> NodeId {
        self.seat.layout.members[member].0
    }

    fn number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    /// Tells the witnesses what has changed in the table, and has subscribers told.
    fn on_turns(&mut self, ctx: &mut Ctx<'_>, turns: impl IntoIterator<Item = Turn>, cause: Cause) {
        for turn in turns {
            tell(ctx, &turn, cause, || self.table.offered(turn.service));
            if !self.scars.on_turn(ctx, &turn) {
                self.changed(ctx, turn.service);
            }
        }
    }
}

fn send(ctx: &mut Ctx<'_>, to: NodeId, msg: Msg) {
    ctx.stream(to, nacos::Msg::Http(msg).into());
}
