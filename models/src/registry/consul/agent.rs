//! An agent: it knows what runs on its host, watches over its check, and sees to it that the servers know, too.

mod calls;
mod check;

use std::collections::BTreeSet;
use std::sync::Arc;

use schism_core::{FaultId, Luck, NodeId, Time};

use self::calls::Call;
use self::check::REAP;
use super::Config;
use super::api::{Disk, Kept, Msg, Tell, Timer};
use super::catalog::Status;
use super::cluster::{Cluster, Who};
use super::entropy::{Ask as Sync, Syncer};
use super::gossip::{self, Event, Gossip};
use super::local::Local;
use super::pulse::{Pulse, YAMUX};
use super::stagger::stagger;
use crate::node::Ctx;
use crate::observation::Cause;
use crate::plight::Plight;
use crate::registry::{Seat, Server};

/// An agent.
#[derive(Clone, Debug)]
pub struct Agent {
    config: Arc<Config>,
    cluster: Cluster,
    host: NodeId,
    local: Local,
    syncer: Syncer,
    gossip: Gossip,
    luck: Luck,
    /// The servers, the one that is asked first (agent/router/manager.go).
    servers: Vec<NodeId>,
    /// What the servers are asked, if they are.
    call: Option<Call>,
    calls: u32,
    pulse: Pulse,
    /// When the check misses its time to live, unless someone says that it passes.
    ttl_ends: Option<Time>,
    /// Whether a timer is set for that.
    ttl_watched: bool,
    /// The number of the latest timer for an output that waits to be told.
    deferred: u32,
    /// Instances that have told it something.
    clients: BTreeSet<NodeId>,
    /// Whether it is leaving, and because of which fault.
    leaving: Option<FaultId>,
}

impl Agent {
    /// An agent as it boots, with what its disk holds. At the start of a run it has been up for long, and its reaper's turns
    /// are not everybody's. Its service is what it was, and its check is critical
    /// unless what it last said still holds (agent/agent.go, `loadServices`, `loadChecks`, `loadCheckState`).
    pub fn boot(seat: &Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Agent {
        let Seat { config, me, layout } = seat;
        let cluster = Cluster::new(layout.clone());
        let is_beginning = ctx.moment() == Time::START;
        let start = cluster.start(is_beginning, disk.kept.is_some());
        let mut luck = ctx.luck("servers");
        let mut servers: Vec<NodeId> = (0..cluster.servers()).map(|number| cluster.server(number)).collect();
        luck.shuffle(&mut servers);
        let mut agent = Agent {
            host: cluster.host(*me),
            local: Local::default(),
            syncer: Syncer::new(cluster.size(), ctx.luck("anti-entropy")),
            gossip: Gossip::new(
                Arc::new(config.gossip.clone()),
                cluster.agent(*me),
                cluster.size(),
                start,
                ctx.now(),
                ctx.luck("gossip"),
            ),
            luck,
            servers,
            call: None,
            calls: 0,
            pulse: Pulse::new(YAMUX),
            ttl_ends: None,
            ttl_watched: false,
            deferred: 0,
            clients: BTreeSet::new(),
            leaving: None,
            config: config.clone(),
            cluster,
        };
        let kept = disk.kept.unwrap_or_default();
        agent.load(ctx, kept);
        if disk.kept.is_none() {
            agent.keep(ctx);
        }
        let first = if is_beginning { stagger(REAP, agent.luck.draw()) } else { REAP };
        agent.await_reaping(ctx, first);
        agent.heed_syncer(ctx);
        agent.heed_gossip(ctx);
        agent
    }

    fn load(&mut self, ctx: &mut Ctx<'_>, Kept { service, said }: Kept) {
        let Some(service) = service else { return };
        let said = said.filter(|&(_, until)| ctx.wall() < until).map(|(status, _)| status);
        self.local.register(ctx.now(), service, said.unwrap_or(Status::Critical));
        self.start_ttl(ctx);
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if self.call.as_ref().is_some_and(|call| call.to == from) {
            self.pulse.hear(ctx.now());
        }
        match msg {
            Msg::Gossip(packet) => {
                if let Some(peer) = self.cluster.peer(from) {
                    self.gossip.on_message(ctx.now(), peer, packet);
                    self.heed_gossip(ctx);
                }
            }
            Msg::Tell { call, tell } => self.on_told(ctx, from, call, tell),
            Msg::Answer { call, answer } => self.on_answer(ctx, call, &answer),
            Msg::Ping => ctx.stream(from, Msg::Pong.into()),
            // What servers, clients and instances are told.
            Msg::Pong | Msg::Probe | Msg::Probed | Msg::Raft(_) | Msg::Ask { .. } | Msg::Told { .. } => {}
        }
    }

    /// The instance on this host says something.
    fn on_told(&mut self, ctx: &mut Ctx<'_>, from: NodeId, call: u32, tell: Tell) {
        self.clients.insert(from);
        let known = match tell {
            Tell::Register(service, endpoint) => {
                self.register(ctx, (service, endpoint));
                true
            }
            Tell::Pass => self.pass(ctx),
            Tell::Deregister => self.deregister(ctx, Cause::Revoked),
        };
        ctx.stream(from, Msg::Told { call, known }.into());
        self.heed_syncer(ctx);
    }

    /// Does what anti-entropy asks for.
    fn heed_syncer(&mut self, ctx: &mut Ctx<'_>) {
        while !self.syncer.asks.is_empty() {
            for ask in std::mem::take(&mut self.syncer.asks) {
                match ask {
                    Sync::SyncFull => self.compare(ctx),
                    Sync::SyncChanges => self.tell_next(ctx),
                    Sync::Remind(after, alarm) => ctx.after(after, Timer::Entropy(alarm).into()),
                }
            }
        }
    }

    /// Does what the gossip has asked for. Servers that are gone are not asked any more, and one that comes is asked last.
    fn heed_gossip(&mut self, ctx: &mut Ctx<'_>) {
        let outputs: Vec<gossip::Output> = self.gossip.outputs().collect();
        for output in outputs {
            match self.cluster.carry(ctx, output) {
                None => {}
                Some(Event::Joined(peer)) => self.on_joined(peer),
                Some(Event::Failed(peer) | Event::Left(peer) | Event::Reaped(peer)) => {
                    let node = self.cluster.node(peer);
                    self.servers.retain(|&server| server != node);
                }
                Some(Event::Known) => self.syncer.on_server_up(),
                Some(Event::Gone) => {
                    if let Some(by) = self.leaving {
                        ctx.exit(by);
                    }
                }
            }
        }
        self.heed_syncer(ctx);
    }

    fn on_joined(&mut self, peer: gossip::Peer) {
        if let Who::Server(number) = self.cluster.who(peer) {
            let server = self.cluster.server(number);
            if !self.servers.contains(&server) {
                self.servers.push(server);
            }
            self.syncer.on_server_up();
        }
    }
}

impl Server for Agent {
    type Msg = Msg;
    type Timer = Timer;

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        self.hear(ctx, from, msg);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Gossip(timer) => {
                self.gossip.on_timer(ctx.now(), timer);
                self.heed_gossip(ctx);
            }
            Timer::Entropy(alarm) => self.syncer.on_alarm(alarm),
            Timer::Pulse(number) => self.on_pulse(ctx, number),
            Timer::Retry(number) => self.on_retry(ctx, number),
            Timer::Ttl => self.on_ttl(ctx),
            Timer::Reap => self.reap(ctx),
            Timer::Tell(number) => self.on_deferred(number),
            Timer::Raft(_)
            | Timer::Call(_)
            | Timer::Synced
            | Timer::Wake
            | Timer::Reconcile(_)
            | Timer::Lag
            | Timer::Pass(_)
            | Timer::Session
            | Timer::Look(_)
            | Timer::Renew(_)
            | Timer::Late(_) => unreachable!("an agent has no {timer:?}"),
        }
        self.heed_syncer(ctx);
    }

    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.clients.remove(&peer);
        self.on_broken(ctx, peer);
        if let Some(peer) = self.cluster.peer(peer) {
            self.gossip.on_reset(ctx.now(), peer);
            self.heed_gossip(ctx);
        }
        self.heed_syncer(ctx);
    }

    /// An agent that is told to end leaves the cluster first (`leave_on_terminate` is true for clients; agent/config/
    /// builder.go): the leader then takes its host off the catalog.
    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        if let Some((by, _)) = ctx.plight().and_then(Plight::stopping)
            && self.leaving.is_none()
        {
            self.leaving = Some(by);
            self.gossip.leave(ctx.now());
            self.heed_gossip(ctx);
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        let gossips = self.gossip.connected().map(|peer| self.cluster.node(peer));
        let called = self.call.as_ref().map(|call| call.to);
        let peers: BTreeSet<NodeId> = gossips.chain(called).chain(self.clients.iter().copied()).collect();
        peers.into_iter().collect()
    }
}
