//! Traffic: what nodes send each other, and how hosts take it.

use std::collections::BTreeMap;

use madsim::net::{Endpoint, NetSim, Sender};
use schism_core::{Cut, FaultId, NodeId, Status, Told};
use schism_models::node::Message;

use super::frame::{self, Frame};
use super::host;
use super::house::House;

/// Which ways are clogged, by how many cuts each.
#[derive(Default)]
pub(super) struct Clogs {
    ways: BTreeMap<(NodeId, NodeId), u32>,
    of: BTreeMap<FaultId, Vec<(NodeId, NodeId)>>,
}

impl House {
    /// A message of its own.
    pub(super) fn send(&mut self, from: NodeId, to: NodeId, msg: Message) {
        self.count(from, to, &msg);
        self.post(from, to, Frame::Message(msg));
    }

    /// A message on the connection to a peer, which is opened when first used.
    pub(super) fn stream(&mut self, from: NodeId, to: NodeId, msg: Message) {
        self.count(from, to, &msg);
        let Some(msg) = self.rooms[from.index()].links.put(to, msg) else { return };
        let (house, number) = (self.shared(), self.number());
        self.rooms[from.index()].links.open(to, number, msg);
        self.spawn(from, host::connect(house, from, to, number));
    }

    /// What faults of the network are in force is counted here: what madsim drops it tells nobody.
    fn count(&mut self, from: NodeId, to: NodeId, msg: &Message) {
        if !self.troupe.is_stopped(from, to, msg) {
            self.weather.faults().into_iter().for_each(|fault| self.troupe.touch(fault));
        }
    }

    /// A frame on its own.
    fn post(&mut self, from: NodeId, to: NodeId, frame: Frame<Message>) {
        if let Some(endpoint) = self.endpoint(from) {
            self.spawn(from, host::send(endpoint, to, frame));
        }
    }

    /// A node's socket, if its host is up.
    pub(super) fn endpoint(&self, node: NodeId) -> Option<Endpoint> {
        self.rooms[node.index()].endpoint.clone()
    }

    /// A frame has come to a host on its own. Where no process lives, it is turned away.
    pub(super) fn take(&mut self, node: NodeId, from: NodeId, frame: Frame<Message>) {
        match frame {
            Frame::Message(msg) if self.lives(node) => self.tell(node, Told::Message { from, msg }),
            Frame::Message(_) => self.post(node, from, Frame::Reset),
            Frame::Reset => self.tell(node, Told::Reset { peer: from }),
        }
    }

    /// A peer has opened a connection to a host: its number. Where no process lives, it is refused.
    pub(super) fn accept(&mut self, node: NodeId, peer: NodeId, sender: Sender) -> Option<u64> {
        if !self.lives(node) {
            frame::put(&sender, Frame::<Message>::Reset);
            return None;
        }
        let number = self.number();
        self.rooms[node.index()].links.accept(peer, number, sender);
        Some(number)
    }

    fn lives(&self, node: NodeId) -> bool {
        self.troupe.scene().status(node) != Status::Down
    }

    /// A connection that a process has asked for is open.
    pub(super) fn opened(&mut self, node: NodeId, peer: NodeId, number: u64, sender: Sender) {
        self.rooms[node.index()].links.opened(peer, number, sender);
    }

    /// Whether a connection is still there.
    pub(super) fn is_open(&self, node: NodeId, peer: NodeId, number: u64) -> bool {
        self.rooms[node.index()].links.has(peer, number)
    }

    /// A connection is no more, says the peer's host, or TCP has given up.
    pub(super) fn end(&mut self, node: NodeId, peer: NodeId, number: u64) {
        if self.rooms[node.index()].links.end(peer, number) {
            self.tell(node, Told::Reset { peer });
        }
    }

    /// A connection is no more, and nobody need know.
    pub(super) fn forget(&mut self, node: NodeId, peer: NodeId, number: u64) {
        self.rooms[node.index()].links.end(peer, number);
    }

    /// A host is up: it tells whom it has to, and its process boots if it is to.
    pub(super) fn move_in(&mut self, node: NodeId, endpoint: Endpoint) {
        self.rooms[node.index()].endpoint = Some(endpoint);
        for peer in std::mem::take(&mut self.rooms[node.index()].farewells) {
            self.post(node, peer, Frame::Reset);
        }
        self.boot_if_begun(node);
    }

    // Cuts.

    /// The ways of a cut are clogged: those between two hosts, and between all who share them.
    pub(super) fn clog(&mut self, cut: &Cut) {
        let scene = self.troupe.scene();
        let hosts = scene.network().hosts();
        let aboard = |node: NodeId| std::iter::once(node).chain(hosts.aboard(node).iter().copied());
        let pairs = cut.from.iter().flat_map(|from| cut.to.iter().map(move |to| (from, to)));
        let apart = pairs.filter(|&(from, to)| hosts.of(from) != hosts.of(to));
        let ways = apart
            .flat_map(|(from, to)| aboard(from).flat_map(move |from| aboard(to).map(move |to| (from, to))));
        let ways: Vec<_> = ways.collect();
        self.count_the_parted(cut.id, &ways);
        for &(from, to) in &ways {
            let cuts = self.clogs.ways.entry((from, to)).or_default();
            *cuts += 1;
            if *cuts == 1 {
                NetSim::current().clog_link(self.rooms[from.index()].place, self.rooms[to.index()].place);
            }
        }
        self.clogs.of.entry(cut.id).or_default().extend(ways);
    }

    /// What a clog stops of users' traffic madsim tells nobody. So a cut counts as having touched what it parts: each way
    /// between two processes that are there, if users' code is at an end of it.
    fn count_the_parted(&mut self, id: FaultId, ways: &[(NodeId, NodeId)]) {
        let is_guest = |node: NodeId| self.rooms[node.index()].role.is_some();
        let parted = ways
            .iter()
            .filter(|&&(from, to)| (is_guest(from) || is_guest(to)) && self.lives(from) && self.lives(to));
        for _ in 0..parted.count() {
            self.troupe.touch(id);
        }
    }

    /// The cuts of a fault are no more.
    pub(super) fn unclog(&mut self, id: FaultId) {
        for (from, to) in self.clogs.of.remove(&id).unwrap_or_default() {
            let cuts = self.clogs.ways.get_mut(&(from, to)).expect("what is mended was cut");
            *cuts -= 1;
            if *cuts == 0 {
                self.clogs.ways.remove(&(from, to));
                NetSim::current().unclog_link(self.rooms[from.index()].place, self.rooms[to.index()].place);
            }
        }
    }
}
