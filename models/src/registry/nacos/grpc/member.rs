//! A server from 2.0 on: the connections that it holds, what it knows of the others', and whom it tells.

mod ails;
mod clients;
mod distro;
mod metadata;
mod pushes;
mod reports;

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, FaultId, NodeId, Time};

use self::clients::Connection;
use self::distro::Distro;
use self::metadata::Metadata;
use self::pushes::Pushes;
use super::Timer;
use super::api::Msg;
use super::table::{ConnectionId, Table};
use crate::failpoint::Passes;
use crate::holdings::Keeps;
use crate::listing::ServiceId;
use crate::node::Ctx;
use crate::observation::{Cause, Observation};
use crate::registry::Seat;
use crate::registry::nacos::book::Turn;
use crate::registry::nacos::delays::TURN;
use crate::registry::nacos::ills::Scars;
use crate::registry::nacos::loading::Loading;
use crate::registry::nacos::membership::{Membership, REPORT};
use crate::registry::nacos::tell::tell;
use crate::registry::nacos::{self, Config, Disk};

/// How often the ejector looks for silent connections: 3 s after it is done (core/remote/ConnectionManager.java, 3.0.3,
/// line 249).
const EJECT: Duration = Duration::from_secs(3);
/// How often replicas and metadata that are past their time are looked for: 5 s (naming/core/v2/client/manager/impl/
/// ConnectionBasedClientManager.java, 3.0.3, `ExpiredClientCleaner`).
const CLEAN: Duration = Duration::from_secs(5);

/// A server.
#[derive(Clone, Debug)]
pub struct Member {
    seat: Seat<Config>,
    table: Table,
    connections: BTreeMap<ConnectionId, Connection>,
    /// The connections that are pushed to, by service.
    subscribers: Vec<BTreeSet<ConnectionId>>,
    /// Silent connections that have been asked whether they are still there, and in which round.
    asked: BTreeSet<ConnectionId>,
    round: u32,
    pushes: Pushes,
    distro: Distro,
    membership: Membership,
    metadata: Metadata,
    /// The last number given to anything that is answered.
    last: u32,
    scars: Scars,
    passes: Passes,
    /// What was put off at a failpoint, by number.
    deferred: BTreeMap<u32, (NodeId, Msg)>,
    /// Whether it has been told to end.
    ending: Option<Ending>,
}

/// A server that has been told to end.
#[derive(Clone, Copy, Debug)]
struct Ending {
    by: FaultId,
    /// When it ends, whatever it has left to tell.
    deadline: Time,
}

impl Member {
    /// A server as it boots: it knows nothing but the metadata, and asks another for all that it has.
    pub fn boot(seat: &Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let config = &seat.config;
        let services = seat.layout.services.len();
        let mut phases = ctx.luck("phases");
        let mut phase = |every: Duration| Duration::from_secs_f64(every.as_secs_f64() * phases.draw().unit());
        let turns = (ctx.now() + phase(TURN), ctx.now() + phase(TURN));
        ctx.after(phase(EJECT), Timer::Eject.into());
        ctx.after(phase(CLEAN), Timer::Clean.into());
        let members = seat.layout.members.len();
        if members > 1 {
            ctx.after(phase(config.verify), Timer::Verify.into());
            ctx.after(phase(REPORT), Timer::Report.into());
        }
        ctx.after(phase(metadata::tick(config)), Timer::Tick.into());
        let mut member = Member {
            table: Table::new(services, config.protect_threshold),
            connections: BTreeMap::new(),
            subscribers: vec![BTreeSet::new(); services],
            asked: BTreeSet::new(),
            round: 0,
            pushes: Pushes::new(turns.0),
            distro: Distro::new(turns.1, Loading::new(seat.me, members)),
            membership: Membership::new(seat.me, members),
            metadata: Metadata::new(seat, disk, ctx),
            last: 0,
            scars: Scars::default(),
            passes: Passes::default(),
            deferred: BTreeMap::new(),
            ending: None,
            seat: seat.clone(),
        };
        for service in member.services() {
            let listing = member.table.offered(service);
            ctx.observe(Observation::View(listing));
        }
        member.apply_metadata(ctx);
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
            Msg::Check => self.on_check(ctx, from),
            Msg::Setup { id } => self.on_setup(ctx, from, id),
            Msg::Ask { id, call, ask } => self.on_ask(ctx, id, call, ask),
            Msg::Pushed { number } => self.on_pushed(ctx, from, number),
            Msg::Detected { id } => self.on_detected(ctx, id),
            Msg::Sync { number, items } => self.on_sync(ctx, from, number, &items),
            Msg::Synced { number } => self.on_synced(from, number),
            Msg::Verify { clients } => self.on_verify(ctx, from, &clients),
            Msg::Unverified { clients } => self.on_unverified(ctx, from, clients),
            Msg::Load => self.on_load(ctx, from),
            Msg::Loaded { items } => self.on_loaded(ctx, from, &items),
            Msg::Lose { nodes } => self.lose(ctx, &nodes),
            // What servers tell clients.
            Msg::Checked | Msg::Answer { .. } | Msg::Push { .. } | Msg::Detect { .. } => {}
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Eject => self.eject(ctx),
            Timer::Judge(round) => self.on_judge(ctx, round),
            Timer::Pushes => self.push_due(ctx),
            Timer::Unacknowledged(number) => self.on_unacknowledged(ctx, number),
            Timer::Syncs => self.sync_due(ctx),
            Timer::Unsynced(number) => self.on_unsynced(ctx, number),
            Timer::Verify => self.verify(ctx),
            Timer::Clean => self.clean(ctx),
            Timer::Load(attempt) => self.on_load_timer(ctx, attempt),
            Timer::Report => self.report(ctx),
            Timer::Unreported(number) => self.on_unreported(ctx, number),
            Timer::Deferred(number) => self.on_deferred(ctx, number),
            Timer::Lag => self.push_everything(ctx),
            Timer::End => self.end(ctx),
            Timer::Tick => self.tick(ctx),
            // Clients'.
            Timer::Link(_) | Timer::Unanswered(_) | Timer::Redo | Timer::Late | Timer::Poll => {
                unreachable!("a server does not set {timer:?}")
            }
        }
    }

    /// The connection to a peer is gone: what it published goes at once.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self.seat.layout.member_at(peer) {
            Some(member) => self.on_member_reset(ctx, member),
            None => self.disconnect_all(ctx, peer),
        }
    }

    /// The term in which it leads the group that keeps the metadata, if it does.
    pub fn leads(&self) -> Option<u64> {
        self.metadata.leads()
    }

    /// What it keeps for others.
    pub fn keeps(&self) -> Keeps {
        Keeps {
            watches: self.subscribers.iter().map(BTreeSet::len).sum(),
            sessions: self.connections.len(),
            pending: self.deferred.len(),
        }
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        let clients: BTreeSet<NodeId> = self.connections.keys().map(|id| id.node).collect();
        let others = (0..self.seat.layout.members.len()).filter(|&member| member != self.seat.me);
        others.map(|member| self.node(member)).chain(clients).collect()
    }

    fn services(&self) -> impl Iterator<Item = ServiceId> + use<> {
        (0..self.seat.layout.services.len()).map(|service| ServiceId(service as u16))
    }

    fn node(&self, member: usize) -> NodeId {
        self.seat.layout.members[member].0
    }

    fn number(&mut self) -> u32 {
        self.last = self.last.wrapping_add(1);
        self.last
    }

    /// Tells the witnesses what has changed in the table, and has subscribers told.
    fn on_turn(&mut self, ctx: &mut Ctx<'_>, turn: Option<Turn>, cause: Cause) {
        let Some(turn) = turn else { return };
        tell(ctx, &turn, cause, || self.table.offered(turn.service));
        if !self.scars.on_turn(ctx, &turn) {
            self.changed(ctx, turn.service);
        }
    }
}

fn send(ctx: &mut Ctx<'_>, to: NodeId, msg: Msg) {
    ctx.stream(to, nacos::Msg::Grpc(msg).into());
}
