//! Gossip: who of a cluster is there, as HashiCorp's memberlist and serf find out, without a central judge.
//!
//! The crate `foca` is SWIM without input and output, too, but its suspicion has one fixed length: it knows none of
//! Lifeguard's confirmations and health score, no scaling with the cluster's size and no probe over TCP. Those decide
//! how long memberlist takes, so this is memberlist's own mechanism, after its sources (0.2.2 and 0.5: state.go,
//! suspicion.go, awareness.go, queue.go, util.go, net.go) and those of serf 0.9 (serf.go, delegate.go).
//!
//! A [`Gossip`] is a machine without input and output. Whoever embeds it hands it what came ([`Gossip::on_message`]),
//! its timers ([`Gossip::on_timer`]) and resets ([`Gossip::on_reset`]), and after each does what
//! [`Gossip::outputs`] asks for. Every `now` is what the process's own monotonic clock reads.
//!
//! At the start of a run everybody knows everybody, and nobody has to join: the cluster has been up for long. A node
//! keeps only what differs from that, so quiet clusters of thousands cost nothing but their probes: a ping, its answer
//! and two reminders per node and second.
//!
//! Not modelled: compression (so packets are larger here) and encryption; a newcomer's passing on of all that it has just
//! learned; metadata, protocol versions and addresses that change; memberlist's queue of 1,024 packets and its limit of
//! 128 exchanges at once; serf's events, queries, coordinates, forced leaves and tombstones; serf's Lamport times, for
//! which a node's incarnation stands; the WAN pool. A newcomer asks any node of the cluster's list, not only those that
//! were alive when its last life ended.

pub mod config;
pub mod doubt;
mod farewell;
pub mod formula;
pub mod grid;
pub mod order;
pub mod packet;
mod probe;
pub mod queue;
mod rumor;
mod spread;
mod sync;
pub mod view;

pub use crate::observation::Standing;
pub use config::Config;
pub use packet::{Body, News, Packet, Roster, Rule, Status, What};
pub use view::View;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use doubt::Doubt;
use farewell::Farewell;
use grid::{Grid, any_time};
use probe::Probing;
use queue::Queue;
use schism_core::{Duration, Luck, Time};
use sync::{Seeds, Why};
use view::FIRST;

/// A node of the cluster, by its place in the cluster's list: 0, 1, ... The embedder keeps which host that is.
pub type Peer = u32;

/// How a life begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// It has been up for long: it knows everybody, and everybody knows it. For a run's start.
    Standing,
    /// It has crashed and kept its disk: it asks those whom it knew, in an order drawn at random, until one answers
    /// (serf's snapshot, `handleRejoin`).
    Rejoining,
    /// It asks all of these, in this order, and all again after a while if none answers (Consul's `retry_join`).
    Joining(Vec<Peer>),
}

/// What a node reminds itself of. 12 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timer {
    /// The next step of probing, unless another has been set since.
    Probe(u32),
    /// The helper's wait for an answer on another's behalf is over.
    Helped(u32),
    /// Time to send what news there are.
    Gossip,
    /// Time to exchange everything with one peer.
    PushPull,
    /// A suspicion runs out, unless its time was shortened since.
    Suspicion(Peer, u32),
    /// A peer that was asked for all it knows has not answered.
    Unanswered(u32),
    /// Time to try to join once more.
    Join,
    /// Time to ask a failed peer whether it is back.
    Reconnect,
    /// Time to give up those who failed long ago.
    Reap,
    /// The next step of leaving is due at the latest, unless it has come already.
    Leave(u32),
}

/// What the machine asks of its embedder, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// One datagram.
    Send(Peer, Packet),
    /// One message on a connection, which is opened if there is none.
    Stream(Peer, Packet),
    /// A reminder after this long by the node's own clock.
    After(Duration, Timer),
    /// Its embedder is to know of this.
    Tell(Event),
    /// Witnesses are: nobody acts on what a node thinks of another before that is settled.
    Deem(Peer, Standing),
}

/// What has happened to a member of the cluster, or to the node's own membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// This peer was not there, and is now (serf's `member-join`).
    Joined(Peer),
    /// This peer is dead (serf's `member-failed`).
    Failed(Peer),
    /// This peer has left of its own will (serf's `member-leave`).
    Left(Peer),
    /// This peer failed so long ago that it is given up (serf's `member-reap`).
    Reaped(Peer),
    /// A node that had to join has: it knows the cluster now. Ask [`Gossip::status`] for whom.
    Known,
    /// The cluster has been told of the leave: the process may end.
    Gone,
}

/// One node's part in the gossip.
#[derive(Clone, Debug)]
pub struct Gossip {
    config: Arc<Config>,
    me: Peer,
    start: Start,
    luck: Luck,
    grid: Grid,
    outputs: Vec<Output>,
    /// The last number given to a probe or a reminder.
    count: u32,
    view: View,
    /// Whether it knows the cluster: at once, or since it joined.
    is_known: bool,
    doubts: BTreeMap<Peer, Doubt>,
    /// Who failed, and when (serf's `failedMembers`), however little memberlist still knows of them.
    failed: BTreeMap<Peer, Time>,
    /// Who said that it would leave.
    leaving: BTreeSet<Peer>,
    news: Queue,
    /// serf's own: they go along where memberlist's leave room.
    intents: Queue,
    /// Whether a reminder to gossip is set: only while there are news.
    is_gossiping: bool,
    probing: Probing,
    /// The health score (awareness.go).
    health: u32,
    /// Who has been asked for all it knows and has not answered yet, by the reminder's number.
    asking: BTreeMap<u32, (Peer, Why)>,
    seeds: Seeds,
    /// Whether a reminder to ask the failed is set, or one of them is being asked.
    is_reconnecting: bool,
    is_reaping: bool,
    farewell: Farewell,
    farewell_serial: u32,
}

impl Gossip {
    /// A life begins, of node `me` in a cluster of so many. `luck` is its own, for this alone, another in each life.
    ///
    /// # Panics
    ///
    /// If `me` is not of the cluster.
    pub fn new(config: Arc<Config>, me: Peer, peers: u32, start: Start, now: Time, mut luck: Luck) -> Gossip {
        assert!(me < peers, "a node is one of its cluster");
        let is_standing = start == Start::Standing;
        let longest = config.probe_interval.max(config.reconnect_interval);
        let grid = if is_standing { Grid::standing(now, longest, &mut luck) } else { Grid::new(now) };
        let mut gossip = Gossip {
            view: if is_standing { View::full(peers) } else { View::alone(peers, me, now) },
            probing: Probing::new(peers, &mut luck),
            config,
            me,
            start,
            luck,
            grid,
            outputs: Vec::new(),
            count: 0,
            is_known: is_standing,
            doubts: BTreeMap::new(),
            failed: BTreeMap::new(),
            leaving: BTreeSet::new(),
            news: Queue::default(),
            intents: Queue::default(),
            is_gossiping: false,
            health: 0,
            asking: BTreeMap::new(),
            seeds: Seeds::None,
            is_reconnecting: false,
            is_reaping: false,
            farewell: Farewell::No,
            farewell_serial: 0,
        };
        gossip.begin(now);
        gossip
    }

    /// Sets the tickers. Who has just started tells that it is alive, and joins.
    fn begin(&mut self, now: Time) {
        self.probe_at(now, self.grid.next(now, self.config.probe_interval));
        let interval = formula::push_pull_interval(self.config.push_pull_interval, self.view.listed());
        let stagger = any_time(interval, &mut self.luck);
        if self.is_known {
            self.after(stagger, Timer::PushPull);
        } else {
            self.after(stagger + interval, Timer::PushPull);
            self.tell(now, News { of: self.me, incarnation: FIRST, what: What::Alive });
            self.join();
        }
    }

    /// What is asked for since the last time. To be done after each call, in order.
    pub fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// A packet came, as a datagram or on a connection.
    pub fn on_message(&mut self, now: Time, from: Peer, packet: Packet) {
        match packet.body {
            Body::Gossip => {}
            Body::Ping(number) => self.send(from, Body::Ack(number)),
            Body::PingFor(number, target) => self.help(from, number, target),
            Body::Ack(number) => self.on_ack(now, number),
            Body::Nack(number) => self.on_nack(now, number),
            Body::Call(number) => self.stream(from, Body::Answer(number)),
            Body::Answer(number) => self.on_answer(number),
            Body::Push(roster) => self.on_push(now, from, &roster),
            Body::Pull(roster) => self.on_pull(now, from, &roster),
        }
        packet.news.into_iter().for_each(|news| self.on_news(now, news));
        self.look_whether_told(now);
    }

    /// A reminder fired.
    pub fn on_timer(&mut self, now: Time, timer: Timer) {
        match timer {
            Timer::Probe(serial) => self.on_probe_timer(now, serial),
            Timer::Helped(number) => self.on_helped(number),
            Timer::Gossip => self.gossip(now),
            Timer::PushPull => self.on_push_pull(),
            Timer::Suspicion(peer, serial) => self.on_suspicion(now, peer, serial),
            Timer::Unanswered(serial) => self.stop_asking(now, serial, false),
            Timer::Join => self.on_join_timer(),
            Timer::Reconnect => self.on_reconnect(now),
            Timer::Reap => self.on_reap(now),
            Timer::Leave(serial) => self.on_leave_timer(now, serial),
        }
        self.look_whether_told(now);
    }

    /// A peer's host said that there is no such connection. A probe does not mind: its call just has no answer.
    pub fn on_reset(&mut self, now: Time, peer: Peer) {
        self.stop_asking_peer(now, peer);
    }

    /// Leaves for good: tells everybody, and tells [`Event::Gone`] when they know, some 4 s later. Until then it
    /// goes on answering.
    pub fn leave(&mut self, now: Time) {
        self.start_leaving(now);
    }

    /// How a peer is, as far as this node knows.
    pub fn status(&self, peer: Peer) -> Status {
        self.view.status(peer)
    }

    /// Whether this node takes a peer to be of the cluster and there: alive, or no more than suspected.
    pub fn is_up(&self, peer: Peer) -> bool {
        matches!(self.status(peer), Status::Alive | Status::Suspect)
    }

    /// Whether this node knows the cluster: it was of it from the start, or has joined.
    pub fn is_known(&self) -> bool {
        self.is_known
    }

    /// The health score: zero is healthy, and each point lengthens a failing probe by one probe interval.
    pub fn health(&self) -> u32 {
        self.health
    }

    /// The peers with an exchange in progress on a connection: whom the host resets if the process dies now.
    pub fn connected(&self) -> impl Iterator<Item = Peer> + '_ {
        self.asking.values().map(|&(peer, _)| peer).chain(self.probing.called())
    }
}

#[cfg(test)]
mod tests;
