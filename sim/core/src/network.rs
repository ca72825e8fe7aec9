//! The network: what becomes of a message between two nodes, under the cuts of the moment.

use std::collections::BTreeMap;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::topology::Route;
use crate::{Cut, Draw, Duration, FaultId, Feel, Link, NodeId, Topology, ZoneId};

/// Routes between zones, found once, and the cuts in force.
#[derive(Clone, Debug)]
pub struct Network {
    zone_of: Vec<ZoneId>,
    zones: usize,
    routes: Vec<Route>,
    /// Every cut there ever was: its index is its epoch. A message remembers how many there were when it left, and
    /// is lost if a later one parts its ends: no search of what is in flight, however short the cut.
    cuts: Vec<Cut>,
    /// How much each fault has changed, by its number.
    touched: Vec<u64>,
    /// For each node, the cuts in force that messages from it may meet, and those that messages to it may meet.
    leaving: Vec<Vec<Epoch>>,
    entering: Vec<Vec<Epoch>>,
    active: Vec<Epoch>,
}

/// How many cuts there had been at some moment.
pub(crate) type Epoch = u32;

/// The epoch of a message that has reached its host: no cut that comes now can stop it.
pub(crate) const RECEIVED: Epoch = Epoch::MAX;

/// The fate of a message at the moment it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It arrives after this long, unless a cut comes meanwhile.
    Travels(Duration),
    /// It is lost.
    Lost,
    /// A cut turns it away.
    Refused,
}

/// Labels of what is derived from one hop's luck.
const LOSS: u64 = 1;
const NEXT_HOP: u64 = 2;

impl Network {
    /// The network of a topology with nodes in these zones.
    ///
    /// # Panics
    /// If two zones with nodes cannot reach each other.
    pub fn new(topology: &Topology, zone_of: Vec<ZoneId>) -> Network {
        let zones = topology.zones().len();
        let routes = topology
            .zones()
            .flat_map(|from| topology.zones().map(move |to| (from, to)))
            .map(|(from, to)| topology.route(from, to).expect("every zone reaches every other"))
            .collect();
        let nodes = zone_of.len();
        Network {
            zone_of,
            zones,
            routes,
            cuts: Vec::new(),
            touched: Vec::new(),
            leaving: vec![Vec::new(); nodes],
            entering: vec![Vec::new(); nodes],
            active: Vec::new(),
        }
    }

    /// The zone of a node.
    pub fn zone(&self, node: NodeId) -> ZoneId {
        self.zone_of[node.index()]
    }

    /// Whether a message sent now from one node to another would not meet a cut.
    pub fn is_open(&self, from: NodeId, to: NodeId) -> bool {
        self.cut_between(from, to).is_none()
    }

    /// How much a fault has changed: messages that it stopped, held, changed or dropped, and connections that it severed.
    pub(crate) fn touched(&self, id: FaultId) -> u64 {
        self.touched.get(id.0 as usize).copied().unwrap_or(0)
    }

    pub(crate) fn touch(&mut self, id: FaultId) {
        let index = id.0 as usize;
        if self.touched.len() <= index {
            self.touched.resize(index + 1, 0);
        }
        self.touched[index] += 1;
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.cuts.len() as Epoch
    }

    /// What becomes of a message sent now. One word of luck decides it all, so that the same hop fares alike whatever
    /// else happens.
    pub(crate) fn fate(&mut self, from: NodeId, to: NodeId, luck: Draw) -> Fate {
        if let Some(epoch) = self.cut_between(from, to) {
            self.touch(self.cuts[epoch as usize].id);
            return match self.cuts[epoch as usize].feel {
                Feel::Silent | Feel::Held => Fate::Lost,
                Feel::Refused => Fate::Refused,
            };
        }
        match self.route(from, to) {
            [only] => cross(only, luck).map_or(Fate::Lost, Fate::Travels),
            hops => cross_all(hops, luck).map_or(Fate::Lost, Fate::Travels),
        }
    }

    /// Whether a message that left at `sent` met a cut on its way; counted if so.
    #[inline]
    pub(crate) fn met_cut(&mut self, sent: Epoch, from: NodeId, to: NodeId) -> bool {
        if sent == self.epoch() {
            return false;
        }
        let parting = (sent as usize..self.cuts.len()).find(|&epoch| self.cuts[epoch].parts(from, to));
        if let Some(epoch) = parting {
            self.touch(self.cuts[epoch].id);
        }
        parting.is_some()
    }

    pub(crate) fn cut(&mut self, cut: Cut) {
        let epoch = self.epoch();
        cut.from.iter().for_each(|node| self.leaving[node.index()].push(epoch));
        cut.to.iter().for_each(|node| self.entering[node.index()].push(epoch));
        self.active.push(epoch);
        self.cuts.push(cut);
    }

    pub(crate) fn mend(&mut self, id: FaultId) {
        let cuts = &self.cuts;
        let (mended, active) = self.active.iter().partition(|&&epoch| cuts[epoch as usize].id == id);
        self.active = active;
        let mended: Vec<Epoch> = mended;
        for epoch in mended {
            let cut = &self.cuts[epoch as usize];
            cut.from.iter().for_each(|node| self.leaving[node.index()].retain(|&other| other != epoch));
            cut.to.iter().for_each(|node| self.entering[node.index()].retain(|&other| other != epoch));
        }
    }

    /// The islands of the moment: nodes of one island reach each other, if need be through others of it. Each island
    /// is sorted, and so are they, by their first node.
    ///
    /// Nodes that meet the same cuts are alike, so the graph has one vertex for each kind of node, not for each node.
    pub fn islands(&self) -> Vec<Vec<NodeId>> {
        type Kind<'n> = (&'n [Epoch], &'n [Epoch], Option<NodeId>);
        let mut kinds: BTreeMap<Kind<'_>, Vec<NodeId>> = BTreeMap::new();
        for node in (0..self.zone_of.len() as u32).map(NodeId) {
            let (leaving, entering) = (&self.leaving[node.index()], &self.entering[node.index()]);
            // Nodes that are cut off from their like are each of a kind of their own.
            let alone = leaving.iter().any(|epoch| entering.contains(epoch)).then_some(node);
            kinds.entry((leaving, entering, alone)).or_default().push(node);
        }
        let mut graph = DiGraph::<Vec<NodeId>, ()>::new();
        let vertices: Vec<_> = kinds.into_values().map(|nodes| graph.add_node(nodes)).collect();
        for &a in &vertices {
            for &b in &vertices {
                if a != b && self.is_open(graph[a][0], graph[b][0]) {
                    graph.add_edge(a, b, ());
                }
            }
        }
        let mut islands: Vec<Vec<NodeId>> = tarjan_scc(&graph)
            .into_iter()
            .map(|kinds| {
                let mut island: Vec<NodeId> =
                    kinds.into_iter().flat_map(|kind| graph[kind].iter().copied()).collect();
                island.sort_unstable();
                island
            })
            .collect();
        islands.sort_unstable();
        islands
    }

    fn cut_between(&self, from: NodeId, to: NodeId) -> Option<Epoch> {
        if self.active.is_empty() {
            return None;
        }
        let met = |&&epoch: &&Epoch| self.cuts[epoch as usize].to.contains(to);
        self.leaving[from.index()].iter().find(met).copied()
    }

    #[inline]
    fn route(&self, from: NodeId, to: NodeId) -> &[Link] {
        &self.routes[self.zone(from).0 as usize * self.zones + self.zone(to).0 as usize]
    }
}

impl Cut {
    /// Whether it stops messages from one node to another.
    pub fn parts(&self, from: NodeId, to: NodeId) -> bool {
        self.from.contains(from) && self.to.contains(to)
    }
}

/// How long one link takes, or `None` if it loses the message.
#[inline]
fn cross(link: &Link, luck: Draw) -> Option<Duration> {
    let lost = !link.loss.is_zero() && luck.derive(LOSS).chance(link.loss);
    (!lost).then(|| link.latency.sample(luck))
}

fn cross_all(links: &[Link], luck: Draw) -> Option<Duration> {
    let hops = std::iter::successors(Some(luck), |luck| Some(luck.derive(NEXT_HOP)));
    links.iter().zip(hops).try_fold(Duration::ZERO, |sum, (link, luck)| Some(sum + cross(link, luck)?))
}
