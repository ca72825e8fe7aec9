//! A client's connection to one server: kept alive by health checks, and replaced by another when they fail.

use std::sync::Arc;

use schism_core::{Duration, NodeId, Time};

use super::Timer;
use super::api::{Answer, Ask, Msg};
use super::table::ConnectionId;
use crate::listing::Listing;
use crate::node::Ctx;
use crate::registry::Address;
use crate::registry::nacos::{self, Config};
use crate::waits::Wait;

/// How long a client waits before it takes a connection for set up: 100 ms (common/remote/client/grpc/GrpcClient.java,
/// 2.0.3, `connectToServer`).
pub const SETUP: Duration = Duration::from_millis(100);
/// How much longer it rests before each attempt of the next round through the servers, from as much on: 100 ms, and no
/// longer than 50 times that (common/remote/client/RpcClient.java, 3.0.3, `reconnect`).
const REST: Duration = Duration::from_millis(100);
const MOST_RESTS: u64 = 50;
/// How long it may wait before it asks the server for its health the first time: up to half a second, drawn (the same,
/// `healthCheck`).
const HEALTH_JITTER: Duration = Duration::from_millis(500);

/// The connection.
#[derive(Clone, Debug)]
pub struct Link {
    config: Arc<Config>,
    /// The servers in this client's order: it begins anywhere, and goes round (client/naming/core/ServerListManager.java,
    /// 3.0.3, `genNextServer`).
    members: Vec<NodeId>,
    at: usize,
    /// The connection that was last set up, and where it leads, until the next one is.
    current: Option<(NodeId, ConnectionId)>,
    stage: Stage,
    /// Which stage it is: timers of earlier ones mean nothing.
    epoch: u32,
    /// When the server was last heard of, by the wall clock.
    active: Time,
    /// Attempts since there was a connection.
    attempts: u64,
    last_call: u32,
    probe: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Nothing has begun.
    Idle,
    /// Between two attempts.
    Resting,
    /// A server was asked whether it is there.
    Knocking,
    /// It is, and a connection is being set up.
    SettingUp(ConnectionId),
    /// It is connected.
    Running,
    /// It asks whether the connection is still good.
    Probing { why: Doubt, asked: u32 },
}

/// Why a connection is asked for its health.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Doubt {
    /// Nothing has been heard for a while: requests go on.
    Silence,
    /// A request was not answered: others are not sent.
    Failure,
}

/// What has come of a message or a timer.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard<'a> {
    /// Nothing for whoever uses the connection.
    Nothing,
    /// There is another connection: all that the last one had is to be asked for again.
    Connected,
    /// The connection is good, though a request was not answered.
    Recovered,
    /// The server says that the connection is good.
    Healthy,
    /// An answer.
    Answer(u32, &'a Answer),
    /// A push.
    Push(&'a Arc<Listing>),
}

impl Link {
    /// A client that is connected to nobody yet.
    pub fn new(address: &Address<Config>, ctx: &Ctx<'_>) -> Link {
        let mut members: Vec<NodeId> = address.layout.members.iter().map(|member| member.0).collect();
        let first = ctx.luck("registry members").below(members.len() as u32);
        members.rotate_left(first as usize);
        Link {
            config: address.config.clone(),
            at: members.len() - 1,
            members,
            current: None,
            stage: Stage::Idle,
            epoch: 0,
            active: Time::START,
            attempts: 0,
            last_call: 0,
            probe: 0,
        }
    }

    /// The registry's constants.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Whether anything has begun.
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    /// Whether requests can be sent.
    pub fn is_running(&self) -> bool {
        matches!(self.stage, Stage::Running | Stage::Probing { why: Doubt::Silence, .. })
    }

    /// What the connection waits for, and a request of the user's that is open, if one is.
    pub fn waits(&self, task: &str, call: Option<u32>) -> Vec<Wait> {
        let by = Timer::Link(self.epoch);
        let connection = match self.stage {
            Stage::Knocking => Some(Wait::new("connection", "the server's check", [self.member()]).by(by)),
            Stage::SettingUp(_) => Some(Wait::new("connection", "to be set up", [self.member()]).by(by)),
            Stage::Probing { .. } => {
                let on = self.current.map(|(node, _)| node).into_iter().collect::<Vec<NodeId>>();
                Some(Wait::new("connection", "word that it is well", on).by(by))
            }
            Stage::Resting => Some(Wait::new("connection", "its next attempt", []).by(by)),
            Stage::Idle | Stage::Running => None,
        };
        let asked = call.map(|call| {
            let on = self.current.map(|(node, _)| node).into_iter().collect::<Vec<NodeId>>();
            Wait::new(task, format!("the answer to call {call}"), on)
        });
        connection.into_iter().chain(asked).collect()
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        let knocks = matches!(self.stage, Stage::Knocking | Stage::SettingUp(_));
        let knocked = knocks.then_some(self.member());
        let mut peers: Vec<NodeId> = knocked.into_iter().chain(self.current.map(|(node, _)| node)).collect();
        peers.dedup();
        peers
    }

    /// Connects to the next server.
    pub fn connect(&mut self, ctx: &mut Ctx<'_>) {
        self.at = (self.at + 1) % self.members.len();
        let member = self.member();
        if self.current.is_some_and(|(node, _)| node == member) {
            ctx.hang_up(member);
            self.current = None;
        }
        self.enter(ctx, Stage::Knocking, self.config.request_timeout);
        send(ctx, member, Msg::Check);
    }

    /// Drops the connection, though nothing is wrong with it, and takes another at once.
    pub fn reconnect(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Knocking | Stage::SettingUp(_) = self.stage {
            ctx.hang_up(self.member());
        }
        self.connect(ctx);
    }

    /// Asks the server, if there is one: the number of the call.
    pub fn ask(&mut self, ctx: &mut Ctx<'_>, ask: Ask) -> Option<u32> {
        let (node, id) = self.current.filter(|_| self.is_running())?;
        self.last_call += 1;
        let call = self.last_call;
        send(ctx, node, Msg::Ask { id, call, ask });
        ctx.after(self.config.request_timeout, Timer::Unanswered(call).into());
        Some(call)
    }

    /// A call was not answered: the connection is in doubt.
    pub fn on_unanswered(&mut self, ctx: &mut Ctx<'_>) {
        if self.is_running() {
            self.probe(ctx, Doubt::Failure);
        }
    }

    /// A message has come.
    pub fn on_message<'a>(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: &'a Msg) -> Heard<'a> {
        match msg {
            Msg::Checked if self.stage == Stage::Knocking && from == self.member() => {
                let id = ConnectionId { node: ctx.me(), opened: ctx.moment() };
                self.enter(ctx, Stage::SettingUp(id), SETUP);
                send(ctx, from, Msg::Setup { id });
                Heard::Nothing
            }
            Msg::Answer { call, answer } if self.is_at(from) => self.on_answer(ctx, *call, answer),
            Msg::Push { number, listing } if self.is_at(from) => {
                self.active = ctx.wall();
                send(ctx, from, Msg::Pushed { number: *number });
                Heard::Push(listing)
            }
            Msg::Detect { id } if self.current == Some((from, *id)) => {
                self.active = ctx.wall();
                send(ctx, from, Msg::Detected { id: *id });
                Heard::Nothing
            }
            // What is of an earlier connection, and what clients and servers tell servers.
            Msg::Checked
            | Msg::Answer { .. }
            | Msg::Push { .. }
            | Msg::Detect { .. }
            | Msg::Check
            | Msg::Setup { .. }
            | Msg::Ask { .. }
            | Msg::Pushed { .. }
            | Msg::Detected { .. }
            | Msg::Sync { .. }
            | Msg::Synced { .. }
            | Msg::Verify { .. }
            | Msg::Unverified { .. }
            | Msg::Load
            | Msg::Loaded { .. }
            | Msg::Lose { .. } => Heard::Nothing,
        }
    }

    fn on_answer<'a>(&mut self, ctx: &mut Ctx<'_>, call: u32, answer: &'a Answer) -> Heard<'a> {
        self.active = ctx.wall();
        if *answer == Answer::Unknown {
            if let Stage::Running | Stage::Probing { .. } = self.stage {
                self.connect(ctx);
            }
            return Heard::Nothing;
        }
        match self.stage {
            Stage::Probing { why, .. } if call == self.probe => {
                self.enter(ctx, Stage::Running, self.config.keepalive);
                match why {
                    Doubt::Silence => Heard::Healthy,
                    Doubt::Failure => Heard::Recovered,
                }
            }
            Stage::Idle
            | Stage::Resting
            | Stage::Knocking
            | Stage::SettingUp(_)
            | Stage::Running
            | Stage::Probing { .. } => Heard::Answer(call, answer),
        }
    }

    /// The timer of a stage has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, epoch: u32) -> Heard<'static> {
        if epoch != self.epoch {
            return Heard::Nothing;
        }
        match self.stage {
            Stage::Idle => {}
            Stage::Resting => self.connect(ctx),
            Stage::Knocking => {
                ctx.hang_up(self.member());
                self.rest(ctx);
            }
            Stage::SettingUp(id) => return self.settle(ctx, id),
            Stage::Running => self.look_at_silence(ctx),
            Stage::Probing { why, asked } if asked <= self.config.health_retries => {
                self.ask_for_health(ctx, why, asked);
            }
            Stage::Probing { .. } => self.connect(ctx),
        }
        Heard::Nothing
    }

    /// Whether the timer of this stage is about to ask the server for its health.
    pub fn is_about_to_ask(&self, epoch: u32) -> bool {
        let asks = matches!(self.stage, Stage::Probing { asked, .. } if asked <= self.config.health_retries);
        asks && epoch == self.epoch
    }

    /// What it was about to ask has failed, and counts as asked: the answer would not have come.
    pub fn miss(&mut self, ctx: &mut Ctx<'_>) {
        if let Stage::Probing { why, asked } = self.stage {
            self.enter(ctx, Stage::Probing { why, asked: asked + 1 }, self.config.health_timeout);
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        let was_current = self.is_at(peer);
        if was_current {
            self.current = None;
        }
        match self.stage {
            Stage::Knocking | Stage::SettingUp(_) if peer == self.member() => self.rest(ctx),
            Stage::Running | Stage::Probing { .. } if was_current => self.connect(ctx),
            Stage::Idle
            | Stage::Resting
            | Stage::Knocking
            | Stage::SettingUp(_)
            | Stage::Running
            | Stage::Probing { .. } => {}
        }
    }

    fn member(&self) -> NodeId {
        self.members[self.at]
    }

    fn is_at(&self, peer: NodeId) -> bool {
        self.current.is_some_and(|(node, _)| node == peer)
    }

    fn enter(&mut self, ctx: &mut Ctx<'_>, stage: Stage, lasts: Duration) {
        self.stage = stage;
        self.epoch += 1;
        ctx.after(lasts, Timer::Link(self.epoch).into());
    }

    /// The connection is set up: the one before is closed only now.
    fn settle(&mut self, ctx: &mut Ctx<'_>, id: ConnectionId) -> Heard<'static> {
        if let Some((before, _)) = self.current.replace((self.member(), id)) {
            ctx.hang_up(before);
        }
        self.attempts = 0;
        self.active = ctx.wall();
        self.enter(ctx, Stage::Running, self.config.keepalive);
        Heard::Connected
    }

    /// Waits before the next attempt, longer with each round through the servers.
    fn rest(&mut self, ctx: &mut Ctx<'_>) {
        let rounds = self.attempts.saturating_sub(1) / self.members.len() as u64;
        self.attempts += 1;
        self.enter(ctx, Stage::Resting, REST * (rounds + 1).min(MOST_RESTS));
    }

    fn look_at_silence(&mut self, ctx: &mut Ctx<'_>) {
        if ctx.wall().since(self.active) >= self.config.keepalive {
            self.probe(ctx, Doubt::Silence);
        } else {
            self.enter(ctx, Stage::Running, self.config.keepalive);
        }
    }

    fn probe(&mut self, ctx: &mut Ctx<'_>, why: Doubt) {
        let share = ctx.luck("health check").draw().derive(self.epoch.into());
        let jitter = share.below(HEALTH_JITTER.as_nanos() as u32);
        self.enter(ctx, Stage::Probing { why, asked: 0 }, Duration::from_nanos(jitter.into()));
    }

    fn ask_for_health(&mut self, ctx: &mut Ctx<'_>, why: Doubt, asked: u32) {
        self.enter(ctx, Stage::Probing { why, asked: asked + 1 }, self.config.health_timeout);
        self.last_call += 1;
        self.probe = self.last_call;
        if let Some((node, id)) = self.current {
            send(ctx, node, Msg::Ask { id, call: self.probe, ask: Ask::Health });
        }
    }
}

fn send(ctx: &mut Ctx<'_>, to: NodeId, msg: Msg) {
    ctx.stream(to, nacos::Msg::Grpc(msg).into());
}
