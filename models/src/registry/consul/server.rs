//! A server: Raft, the catalog and its part in the gossip behind one door, and the requests that wait for them.

mod ails;
mod apply;
mod blocked;
mod disk;
mod lag;
mod reads;
mod reconcile;
mod replay;
mod route;
mod sessions;
mod settle;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schism_core::{Luck, NodeId, Time};

use self::blocked::Blocked;
use self::disk::Syncs;
use self::lag::Past;
use self::reconcile::Reconciler;
use self::route::Held;
use self::sessions::Sessions;
use super::Config;
use super::api::{Disk, Msg, Timer};
use super::catalog::{Catalog, Command};
use super::cluster::{Cluster, Who};
use super::gossip::{self, Event, Gossip};
use super::pulse::{Pulse, YAMUX};
use super::raft::{Alarm, Message, Peer, Raft};
use crate::failpoint::Passes;
use crate::holdings::Keeps;
use crate::node::Ctx;
use crate::observation::Observation;
use crate::plight::Plight;
use crate::registry::ail::{Ghosts, Lag, Throttles};
use crate::registry::history::History;
use crate::registry::{Seat, Server};
use crate::waits::Wait;

/// A server.
#[derive(Clone, Debug)]
pub struct Member {
    config: Arc<Config>,
    cluster: Cluster,
    me: usize,
    services: usize,
    raft: Raft<Command>,
    catalog: Catalog,
    applied: u64,
    history: History,
    led: bool,
    /// Whether it leads, has applied all that its predecessors left, and may vouch for what it reads
    /// (agent/consul/leader.go, `setConsistentReadReady`).
    established: bool,
    disk: Syncs,
    /// How long each sync takes.
    fsync: Luck,
    /// What came while a sync was stuck.
    backlog: Vec<(Peer, Message<Command>)>,
    /// What rang while a sync was stuck.
    missed: Vec<Alarm>,
    gossip: Gossip,
    luck: Luck,
    /// The number of the last request taken.
    last: u64,
    /// Who waits for an entry to be applied, by the request's number.
    proposed: BTreeMap<u64, Asker>,
    /// Requests that wait for a leader, or for its answer, by number.
    held: BTreeMap<u32, Held>,
    /// Reads that wait until a quorum has agreed that this server leads.
    verifying: BTreeMap<u64, Held>,
    blocked: Blocked,
    sessions: Sessions,
    /// The keepalives of the connections to the servers that requests are passed on over, by number.
    pulses: Vec<Pulse>,
    /// Agents, servers and clients that have asked something.
    clients: BTreeSet<NodeId>,
    reconciler: Reconciler,
    /// What readers are shown, where that is not the catalog.
    lag: Option<Box<Lag<Past>>>,
    /// Instances that have gone, and stay on the lists.
    ghosts: Ghosts,
    /// What is left of the requests that throttles let through.
    throttles: Throttles,
    passes: Passes,
}

/// Who waits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asker {
    /// Someone who has asked, with a number.
    Node(NodeId, u32),
    /// This server's own reconciliation.
    Reconciler,
    /// Nobody.
    Nobody,
}

impl Member {
    /// A server as it boots, with what its disk holds. What its log says it does not know to be committed until a leader
    /// says so; until then its catalog is empty.
    pub fn boot(seat: &Seat<Config>, disk: &Disk, ctx: &mut Ctx<'_>) -> Member {
        let Seat { config, me, layout } = seat;
        let cluster = Cluster::new(layout.clone());
        let mut raft = Raft::new(
            config.raft(*me as Peer),
            disk.log.term,
            disk.log.vote,
            disk.log.log.clone(),
            ctx.luck("election"),
        );
        let is_beginning = ctx.moment() == Time::START;
        if is_beginning {
            raft.hurry();
        }
        let start = cluster.start(is_beginning, disk.log.term > 0);
        let services = layout.services.len();
        let mut member = Member {
            catalog: Catalog::new(services, config.health, cluster.hosts()),
            applied: 0,
            history: History::new(ctx.moment(), 0),
            raft,
            led: false,
            established: false,
            disk: Syncs::new((disk.log.term, disk.log.vote)),
            fsync: ctx.luck("fsync"),
            backlog: Vec::new(),
            missed: Vec::new(),
            gossip: Gossip::new(
                Arc::new(config.gossip.clone()),
                *me as gossip::Peer,
                cluster.size(),
                start,
                ctx.now(),
                ctx.luck("gossip"),
            ),
            luck: ctx.luck("jitter"),
            // Numbers of an earlier life must not come again; no life takes one a nanosecond.
            last: ctx.moment().as_nanos(),
            proposed: BTreeMap::new(),
            held: BTreeMap::new(),
            verifying: BTreeMap::new(),
            blocked: Blocked::new(services),
            sessions: Sessions::default(),
            pulses: pulses(&cluster),
            clients: BTreeSet::new(),
            reconciler: Reconciler::default(),
            lag: None,
            ghosts: Ghosts::default(),
            throttles: Throttles::default(),
            passes: Passes::default(),
            me: *me,
            services,
            config: config.clone(),
            cluster,
        };
        for listing in member.catalog.listings() {
            ctx.observe(Observation::View(listing.clone()));
        }
        member.mind_lag(ctx);
        member.settle(ctx);
        member.heed_gossip(ctx);
        member
    }

    /// The catalog as this server has it.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    fn hear(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        if let Some(server) = self.cluster.server_at(from) {
            self.pulses[server].hear(ctx.now());
        }
        match msg {
            Msg::Raft(message) => self.on_raft(ctx, from, message),
            Msg::Gossip(packet) => {
                if let Some(peer) = self.cluster.peer(from) {
                    self.gossip.on_message(ctx.now(), peer, packet);
                    self.heed_gossip(ctx);
                }
            }
            Msg::Ask { call, ask } => {
                self.clients.insert(from);
                self.on_ask(ctx, Asker::Node(from, call), ask);
            }
            Msg::Answer { call, answer } => self.on_answer(ctx, call, answer),
            Msg::Ping => {
                self.clients.insert(from);
                ctx.stream(from, Msg::Pong.into());
            }
            Msg::Probe => ctx.send(from, Msg::Probed.into()),
            // What instances and their agents tell each other.
            Msg::Pong | Msg::Probed | Msg::Tell { .. } | Msg::Told { .. } => {}
        }
    }

    /// The leader's node, unless that is this server.
    fn leader(&self) -> Option<NodeId> {
        let leader = self.raft.leader().map(usize::from)?;
        (leader != self.me).then(|| self.cluster.server(leader))
    }

    /// Does what the gossip has asked for.
    fn heed_gossip(&mut self, ctx: &mut Ctx<'_>) {
        let outputs: Vec<gossip::Output> = self.gossip.outputs().collect();
        for output in outputs {
            match self.cluster.carry(ctx, output) {
                Some(Event::Joined(peer) | Event::Failed(peer)) => self.on_member(ctx, peer, false),
                Some(Event::Left(peer) | Event::Reaped(peer)) => self.on_member(ctx, peer, true),
                Some(Event::Known | Event::Gone) | None => {}
            }
        }
    }

    /// Something has happened to a member of the cluster; whether it is one no longer.
    fn on_member(&mut self, ctx: &mut Ctx<'_>, peer: gossip::Peer, gone: bool) {
        match self.cluster.who(peer) {
            Who::Server(_) => {}
            Who::Agent(host) => {
                self.reconciler.gone(peer, gone);
                self.reconciler.note(peer, host);
                self.settle(ctx);
            }
        }
    }
}

impl Server for Member {
    type Msg = Msg;
    type Timer = Timer;

    fn keeps(&self) -> Keeps {
        Keeps {
            watches: self.blocked.len(),
            sessions: self.catalog.keys().sessions().count(),
            pending: self.proposed.len() + self.held.len() + self.verifying.len(),
        }
    }

    fn waits(&self) -> Vec<Wait> {
        let servers = |peers: Vec<Peer>| peers.into_iter().map(|peer| self.cluster.server(usize::from(peer)));
        let raft = self.raft.waits().map(|(what, peers)| (what, servers(peers).collect::<Vec<NodeId>>()));
        let commit = raft.as_ref().map(|(_, on)| on.clone()).unwrap_or_default();
        let proposed = self.proposed.values().filter_map(|asker| match asker {
            Asker::Node(node, call) => {
                Some(Wait::new(format!("call {call} of {node:?}"), "its entry to be applied", commit.clone()))
            }
            Asker::Reconciler | Asker::Nobody => None,
        });
        let held = self.held.values().map(Held::wait);
        raft.iter()
            .map(|(what, on)| Wait::new("raft", *what, on.clone()))
            .chain(proposed)
            .chain(held)
            .collect()
    }

    fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        self.hear(ctx, from, msg);
    }

    fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match timer {
            Timer::Raft(alarm) => self.on_alarm(ctx, alarm),
            Timer::Gossip(timer) => {
                self.gossip.on_timer(ctx.now(), timer);
                self.heed_gossip(ctx);
            }
            Timer::Pulse(number) => self.on_pulse(ctx, number),
            Timer::Call(number) => self.on_held(ctx, number),
            Timer::Synced => self.on_synced(ctx),
            Timer::Wake => self.on_wake(ctx),
            Timer::Reconcile(number) => self.on_reconcile(ctx, number),
            Timer::Lag => self.on_lag(ctx),
            Timer::Late(number) => self.on_late(ctx, number),
            Timer::Session => self.on_session_due(ctx),
            Timer::Look(number) => self.on_look(ctx, number),
            Timer::Entropy(_)
            | Timer::Retry(_)
            | Timer::Ttl
            | Timer::Reap
            | Timer::Tell(_)
            | Timer::Renew(_)
            | Timer::Pass(_) => unreachable!("a server has no {timer:?}"),
        }
    }

    /// A peer is gone, and with it all that it waits for, and all that was asked of it. What it has proposed may still be
    /// committed.
    fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        self.clients.remove(&peer);
        self.proposed.retain(|_, asker| !asker.is(peer));
        self.verifying.retain(|_, held| !held.asker.is(peer));
        self.held.retain(|_, held| !held.asker.is(peer));
        self.blocked.forget(peer);
        self.sessions.forget_client(peer);
        if let Some(server) = self.cluster.server_at(peer) {
            self.raft.on_reset(ctx.now(), server as Peer);
            self.fail_held(ctx, peer);
            self.settle(ctx);
        }
        if let Some(peer) = self.cluster.peer(peer) {
            self.gossip.on_reset(ctx.now(), peer);
            self.heed_gossip(ctx);
        }
    }

    /// A server that is told to end does so at once: it hands nothing over (`leave_on_terminate` is false for servers;
    /// agent/config/builder.go).
    fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        self.look_at_disk(ctx);
        self.mind_ails(ctx);
        if let Some((by, _)) = ctx.plight().and_then(Plight::stopping) {
            ctx.exit(by);
        }
    }

    fn peers(&self) -> Vec<NodeId> {
        let me = self.cluster.server(self.me);
        let servers = (0..self.cluster.servers()).map(|number| self.cluster.server(number));
        let gossips = self.gossip.connected().map(|peer| self.cluster.node(peer));
        let peers: BTreeSet<NodeId> = servers.chain(gossips).chain(self.clients.iter().copied()).collect();
        peers.into_iter().filter(|&peer| peer != me).collect()
    }

    fn leads(&self) -> Option<u64> {
        self.raft.leads().then_some(self.raft.term)
    }
}

impl Asker {
    fn is(self, node: NodeId) -> bool {
        matches!(self, Asker::Node(asker, _) if asker == node)
    }
}

/// A keepalive for each server.
fn pulses(cluster: &Cluster) -> Vec<Pulse> {
    let many = cluster.servers() as u32;
    (0..many).map(|which| Pulse::of(YAMUX, which, many)).collect()
}
