//! What a server tells its peers, and what it is told by them.

use schism_core::{NodeId, Time};

use super::super::api::Msg;
use super::super::apps::Info;
use super::super::outbox::{Errand, Failure, Outbox, Task};
use super::writes::Conflict;
use super::{Member, Timer};
use crate::node::Ctx;

/// A peer, and what it has to be told.
#[derive(Clone, Debug)]
pub(super) struct Peer {
    /// The peer.
    pub(super) node: NodeId,
    outbox: Outbox,
    line: Line,
    /// When it is looked at next, by the monotonic clock, if it is.
    wakes: Option<Time>,
}

/// The connection to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// None that anything has come back on.
    Unknown,
    /// The peer has answered.
    Open,
}

impl Peer {
    pub(super) fn new(node: NodeId) -> Peer {
        Peer { node, outbox: Outbox::default(), line: Line::Unknown, wakes: None }
    }

    /// Whether there is a connection.
    pub(super) fn is_open(&self) -> bool {
        self.line == Line::Open
    }
}

impl Member {
    /// Every peer shall be told (`replicateToPeers`).
    pub(super) fn replicate(&mut self, ctx: &mut Ctx<'_>, errand: Errand, info: Info) {
        for peer in 0..self.peers.len() {
            self.tell(ctx, peer, errand, info);
        }
    }

    /// A peer shall be told.
    fn tell(&mut self, ctx: &mut Ctx<'_>, peer: usize, errand: Errand, info: Info) {
        let config = self.config();
        let worth = match errand {
            Errand::Heartbeat | Errand::Register => config.renewal_interval,
            Errand::Cancel => config.max_time_for_replication,
        };
        let submitted = ctx.wall();
        self.peers[peer].outbox.submit(Task { errand, info, submitted, expires: submitted + worth });
        self.mind(ctx, peer);
    }

    /// Sets a timer for the next batch, unless there is one that is as early.
    fn mind(&mut self, ctx: &mut Ctx<'_>, place: usize) {
        let peer = &mut self.peers[place];
        let Some(due) = peer.outbox.due() else { return };
        let wait = due.since(ctx.wall());
        let at = ctx.now() + wait;
        if peer.wakes.is_none_or(|wakes| at < wakes) {
            peer.wakes = Some(at);
            ctx.after(wait, Timer::Depart { peer: place as u16 }.into());
        }
    }

    /// A batch may leave.
    pub(super) fn on_depart(&mut self, ctx: &mut Ctx<'_>, place: u16) {
        let (connect, read) = (self.config().peer_connect_timeout, self.config().peer_read_timeout);
        let peer = &mut self.peers[usize::from(place)];
        if peer.wakes.is_none_or(|wakes| ctx.now() < wakes) {
            return;
        }
        peer.wakes = None;
        while let Some((number, tasks)) = peer.outbox.depart(ctx.wall()) {
            let items = tasks.iter().map(|task| (task.errand, task.info)).collect();
            ctx.stream(peer.node, Msg::Batch { number, items }.into());
            let patience = match peer.line {
                Line::Open => read,
                Line::Unknown => connect,
            };
            ctx.after(patience, Timer::Unanswered { peer: place, number }.into());
        }
        self.mind(ctx, place.into());
    }

    /// A batch has taken too long, if it is not answered: it is told again, on another connection.
    pub(super) fn on_batch_unanswered(&mut self, ctx: &mut Ctx<'_>, place: u16, number: u32) {
        let peer = &mut self.peers[usize::from(place)];
        let why = match peer.line {
            Line::Open => Failure::Congestion,
            Line::Unknown => Failure::Network,
        };
        if peer.outbox.failed(ctx.wall(), number, why) {
            peer.line = Line::Unknown;
            ctx.hang_up(peer.node);
            self.mind(ctx, place.into());
        }
    }

    /// A peer's host has reset the connection.
    pub(super) fn on_peer_reset(&mut self, ctx: &mut Ctx<'_>, node: NodeId) {
        let Some(place) = self.place_of(node) else { return };
        let peer = &mut self.peers[place];
        peer.line = Line::Unknown;
        if peer.outbox.cut_off(ctx.wall()) {
            self.mind(ctx, place);
        }
    }

    /// A peer tells something.
    pub(super) fn on_batch(
        &mut self,
        ctx: &mut Ctx<'_>,
        from: NodeId,
        number: u32,
        items: Vec<(Errand, Info)>,
    ) {
        let (mut missing, mut newer) = (Vec::new(), Vec::new());
        for (errand, info) in items {
            match self.on_replica(ctx, errand, info) {
                None => {}
                Some(Conflict::Missing(node)) => missing.push(node),
                Some(Conflict::Newer(info)) => newer.push(info),
            }
        }
        ctx.stream(from, Msg::BatchDone { number, missing, newer }.into());
    }

    /// A peer has been told. Whom it does not know it is told to register; what it knows better is taken from it
    /// (cluster/PeerEurekaNode.java, `heartbeat` and `syncInstancesIfTimestampDiffers`).
    pub(super) fn on_batch_done(
        &mut self,
        ctx: &mut Ctx<'_>,
        from: NodeId,
        number: u32,
        missing: &[NodeId],
        newer: Vec<Info>,
    ) {
        let Some(place) = self.place_of(from) else { return };
        let peer = &mut self.peers[place];
        peer.line = Line::Open;
        let Some(tasks) = peer.outbox.arrived(number) else { return };
        for task in tasks {
            if task.errand == Errand::Heartbeat && missing.contains(&task.info.endpoint.node) {
                self.tell(ctx, place, Errand::Register, task.info);
            }
        }
        newer.into_iter().for_each(|info| self.register(ctx, info));
        self.mind(ctx, place);
    }

    fn place_of(&self, node: NodeId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.node == node)
    }
}
