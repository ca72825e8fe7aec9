//! What nodes that gossip tell each other, and how many bytes that is.

use std::sync::Arc;

use super::{Config, Peer};

/// One datagram, or one message on a connection: what it is about, and the news it has along.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Packet {
    /// What it is about.
    pub body: Body,
    /// Broadcasts that went along because there was room (`sendMsg` in net.go). Nothing on connections.
    pub news: Box<[News]>,
}

/// What a packet is about. Numbers of probes are the asker's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    /// Nothing but the news.
    Gossip,
    /// Are you there?
    Ping(u32),
    /// Are they there? Asked of a third.
    PingFor(u32, Peer),
    /// Here I am, or there they are.
    Ack(u32),
    /// They did not answer me either.
    Nack(u32),
    /// Are you there? On a connection.
    Call(u32),
    /// Here I am. On a connection.
    Answer(u32),
    /// All that I know, and what do you? On a connection.
    Push(Arc<Roster>),
    /// All that I know. On a connection.
    Pull(Arc<Roster>),
}

/// One thing to tell everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct News {
    /// Of whom.
    pub of: Peer,
    /// In which of its incarnations: a number that only the peer itself raises.
    pub incarnation: u32,
    /// What.
    pub what: What,
}

/// What is told of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// It is alive. Only it says so first.
    Alive,
    /// This peer had no answer from it.
    Suspect(Peer),
    /// This peer has declared it dead; if it is the peer itself, it has left.
    Dead(Peer),
    /// It is about to leave (serf's intent).
    Leaving,
}

/// How a peer is, in the eyes of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// It is there.
    Alive,
    /// It did not answer, and has some time to say that it is there.
    Suspect,
    /// It did not.
    Dead,
    /// It said goodbye.
    Left,
    /// Never heard of, or forgotten.
    Unknown,
}

/// All that one node knows of all others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Roster {
    /// What holds of everybody who is not an exception.
    pub rule: Rule,
    /// The others, with their incarnations, in order.
    pub exceptions: Vec<(Peer, Status, u32)>,
    /// How many peers it lists: whoever is not unknown.
    pub listed: u32,
}

/// What holds of everybody who is not an exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// They are alive, and have never had to refute anything.
    Alive,
    /// Nothing is known of them: the roster of a node that has just started.
    Unknown,
}

/// A message's type byte, its map's header, and its field `SeqNo` with a number (net.go's structs in MessagePack).
const SEQUENCE: u64 = 1 + 1 + 6 + 5;
/// The fields `SourceAddr`, `SourcePort` and the name of the field `SourceNode`, and its length.
const SOURCE: u64 = 11 + 5 + 11 + 3 + 11 + 1;
/// The fields `Incarnation`, and `Node` without the name.
const ABOUT: u64 = 1 + 1 + 12 + 1 + 5 + 1;
/// The field `From` without the name.
const FROM: u64 = 5 + 1;
/// The fields `Addr`, `Port`, `Vsn`, and `Meta` without what it holds.
const ADDRESS: u64 = 5 + 5 + 5 + 3 + 4 + 7 + 5 + 3;
/// Each part of a compound message has its length before it, and so has their number (`compoundOverhead`,
/// `compoundHeaderOverhead`; net.go).
pub(super) const COMPOUND: u64 = 2;
/// IP and UDP headers.
const DATAGRAM: u64 = 28;
/// TCP's handshake and headers, roughly.
const CONNECTION: u64 = 120;

impl Packet {
    /// A packet without news.
    pub fn new(body: Body) -> Packet {
        Packet { body, news: Box::default() }
    }

    /// Bytes on the wire, headers with them; without memberlist's compression.
    pub fn size(&self, config: &Config) -> u64 {
        let parts = self.news.iter().map(|news| news.size(config) + COMPOUND).sum::<u64>();
        let carrier = match self.body {
            Body::Gossip | Body::Ping(_) | Body::PingFor(..) | Body::Ack(_) | Body::Nack(_) => DATAGRAM,
            Body::Call(_) | Body::Answer(_) | Body::Push(_) | Body::Pull(_) => CONNECTION,
        };
        carrier + self.body.size(config) + parts
    }
}

impl Body {
    /// Bytes of the message alone.
    pub(super) fn size(&self, config: &Config) -> u64 {
        let name = u64::from(config.name_bytes);
        match self {
            Body::Gossip => 0,
            Body::Ping(_) | Body::Call(_) => SEQUENCE + 6 + name + SOURCE + name,
            Body::PingFor(..) => SEQUENCE + 12 + 8 + 6 + 6 + name + SOURCE + name,
            Body::Ack(_) | Body::Answer(_) => SEQUENCE + 9,
            Body::Nack(_) => SEQUENCE,
            Body::Push(roster) | Body::Pull(roster) => 40 + u64::from(roster.listed) * listed(config),
        }
    }
}

/// One peer in a roster.
fn listed(config: &Config) -> u64 {
    ABOUT + ADDRESS + 7 + u64::from(config.name_bytes + config.meta_bytes)
}

impl News {
    /// Bytes of the broadcast alone.
    pub(super) fn size(&self, config: &Config) -> u64 {
        let name = u64::from(config.name_bytes);
        match self.what {
            What::Alive => ABOUT + name + ADDRESS + u64::from(config.meta_bytes),
            What::Suspect(_) | What::Dead(_) => ABOUT + name + FROM + name,
            What::Leaving => ABOUT + name + 8,
        }
    }
}
