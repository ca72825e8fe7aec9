//! The network: what becomes of a message between two nodes, under the faults of the moment.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;

use crate::impair::{Impairments, remove};
use crate::stream::StreamId;
use crate::topology::Route;
use crate::{
    Class, Classes, Cut, Draw, Duration, FaultId, Feel, Flows, Hosts, Impairment, Link, NodeId, NodeSet,
    Time, Topology, ZoneId,
};

/// Routes between zones, found once, and the faults in force.
#[derive(Clone, Debug)]
pub struct Network {
    zone_of: Vec<ZoneId>,
    hosts: Hosts,
    zones: usize,
    routes: Vec<Route>,
    /// How many cuts and impairments are in force: with none, no message asks further.
    troubles: usize,
    /// Every cut there ever was: its index is its epoch. A message remembers how many there were when it left, and
    /// has met a later one that parts its ends: no search of what is in flight, however short the cut.
    cuts: Vec<Barrier>,
    /// For each node, the cuts in force that messages from it may meet, and those that messages to it may meet.
    leaving: Vec<Vec<Epoch>>,
    entering: Vec<Vec<Epoch>>,
    /// The cuts in force of each fault.
    of: BTreeMap<FaultId, Vec<Epoch>>,
    impairments: Impairments,
    touched: Touched,
}

/// How many cuts there had been at some moment.
pub(crate) type Epoch = u32;

/// The epoch of a message that has reached its host: no cut that comes now can stop it.
pub(crate) const RECEIVED: Epoch = Epoch::MAX;

/// A cut, and what is to be known of the moment when it began.
#[derive(Clone, Debug)]
struct Barrier {
    cut: Cut,
    /// How many streams there had been: those with a lesser number existed.
    streams: u32,
    /// Whether it has been mended.
    over: bool,
    counts: Counts,
}

/// What is counted of a cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counts {
    /// Each message that it stops.
    Messages,
    /// Nothing: it is the instant at which connections were severed, and those were counted.
    Nothing,
}

/// How much each fault has changed, by its number.
#[derive(Clone, Debug, Default)]
pub(crate) struct Touched(Vec<u64>);

impl Touched {
    pub(crate) fn count(&mut self, fault: FaultId) {
        let index = fault.0 as usize;
        if self.0.len() <= index {
            self.0.resize(index + 1, 0);
        }
        self.0[index] += 1;
    }
}

/// What the faults of the network see of something that is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) by: By,
    /// Its kind of traffic. A reset has none: only a fault that concerns all of them concerns it.
    pub(crate) class: Option<Class>,
    pub(crate) bytes: u64,
    /// How many of those must find room in a queue at once. Of all that waited on a stream that is the first message: TCP
    /// paces the rest.
    pub(crate) at_once: u64,
}

/// What it travels on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// It is an exchange on a connection that has long been open.
    Exchange,
    /// It asks for a connection of this number.
    Opening(StreamId),
    /// It belongs to the connection of this number.
    Connection(StreamId),
}

impl Segment {
    /// What is sent at once.
    pub(crate) fn whole(by: By, class: Option<Class>, bytes: u64) -> Segment {
        Segment { by, class, bytes, at_once: bytes }
    }

    /// A reset, by what it answers.
    pub(crate) fn reset(by: By) -> Segment {
        Segment::whole(by, None, SYN_BYTES)
    }

    pub(crate) fn is_of(&self, classes: Classes) -> bool {
        self.class.map_or(classes == Classes::ALL, |class| classes.contains(class))
    }

    fn is_on(&self, flows: Flows, streams: u32) -> bool {
        match (flows, self.by) {
            (Flows::All, _) | (Flows::Existing, By::Exchange) | (Flows::New, By::Opening(_)) => true,
            (Flows::Existing, By::Opening(id) | By::Connection(id)) => id.0 < streams,
            (Flows::New, By::Exchange | By::Connection(_)) => false,
        }
    }
}

/// A segment without a message: 20 bytes of IPv4, 20 of TCP and 20 of TCP's options on a SYN of Linux's.
pub(crate) const SYN_BYTES: u64 = 60;

/// The fate of a message at the moment it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// It arrives after this long, unless a cut comes meanwhile.
    Travels(Duration),
    /// It is lost, through a fault or by the link's own doing.
    Lost(Option<FaultId>),
    /// A cut of this fault turns it away.
    Refused(FaultId),
    /// A cut of this fault keeps it.
    Held(FaultId),
}

/// What a message has met on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Met {
    /// No cut.
    Nothing,
    /// One of this fault that stops it.
    Stop(FaultId),
    /// One of this fault that keeps it.
    Hold(FaultId),
    /// One of this fault that kept it, and has been mended since.
    Release(FaultId),
}

/// Labels of what is derived from one hop's luck; the third is the impairments'.
const LOSS: u64 = 1;
const NEXT_HOP: u64 = 2;
/// The luck of a message's second copy.
const COPY: u64 = 4;

impl Network {
    /// The network of a topology with nodes in these zones.
    ///
    /// # Panics
    /// If two zones with nodes cannot reach each other.
    pub fn new(topology: &Topology, zone_of: Vec<ZoneId>, hosts: Hosts) -> Network {
        let zones = topology.zones().len();
        let routes = topology
            .zones()
            .flat_map(|from| topology.zones().map(move |to| (from, to)))
            .map(|(from, to)| topology.route(from, to).expect("every zone reaches every other"))
            .collect();
        let nodes = zone_of.len();
        Network {
            zone_of,
            hosts,
            zones,
            routes,
            troubles: 0,
            cuts: Vec::new(),
            leaving: vec![Vec::new(); nodes],
            entering: vec![Vec::new(); nodes],
            of: BTreeMap::new(),
            impairments: Impairments::new(nodes),
            touched: Touched::default(),
        }
    }

    /// The zone of a node.
    pub fn zone(&self, node: NodeId) -> ZoneId {
        self.zone_of[node.index()]
    }

    /// Which nodes share a host.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    /// Whether no cut that stops everything lies between one node and another.
    pub fn is_open(&self, from: NodeId, to: NodeId) -> bool {
        let Some((from, to)) = self.hosts.between((from, to)).filter(|_| self.is_troubled()) else {
            return true;
        };
        !self.leaving_from(from).any(|cut| cut.is_whole() && cut.to.contains(to))
    }

    /// The share of messages of a kind that come through from one node to another now, in the long run: none if a cut stops
    /// all of them, and else what the links and the impairments of the way leave. What is late comes through, too.
    pub fn passes(&self, from: NodeId, to: NodeId, class: Class) -> f64 {
        let Some((from, to)) = self.hosts.between((from, to)) else { return 1.0 };
        let stops = |cut: &Cut| cut.flows == Flows::All && cut.classes.contains(class) && cut.to.contains(to);
        if self.leaving_from(from).any(stops) {
            return 0.0;
        }
        let links = self.route(from, to).iter().map(|link| link.loss.complement().as_f64());
        links.product::<f64>() * self.impairments.passes(from, to, class)
    }

    /// How many faults part nodes now.
    pub fn partings(&self) -> usize {
        self.of.len()
    }

    /// How much a fault has changed: messages that it stopped, held, changed or dropped, and connections that it severed.
    pub(crate) fn touched(&self, fault: FaultId) -> u64 {
        self.touched.0.get(fault.0 as usize).copied().unwrap_or(0)
    }

    pub(crate) fn touch(&mut self, fault: FaultId) {
        self.touched.count(fault);
    }

    /// The faults that make the network worse than it is, by number.
    pub(crate) fn wounds(&self) -> Vec<FaultId> {
        self.of
            .keys()
            .copied()
            .chain(self.impairments.faults())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    pub(crate) fn epoch(&self) -> Epoch {
        self.cuts.len() as Epoch
    }

    /// Whether any fault of the network is in force.
    #[inline]
    pub(crate) fn is_troubled(&self) -> bool {
        self.troubles != 0
    }

    /// How long a message takes that is sent now and meets no fault, or `None` if it is lost. One word of luck decides it
    /// all, so that the same hop fares alike whatever else happens.
    #[inline]
    pub(crate) fn cross(&self, from: NodeId, to: NodeId, luck: Draw) -> Option<Duration> {
        match self.route(from, to) {
            [only] => cross(only, luck),
            hops => cross_all(hops, luck),
        }
    }

    /// What becomes of a segment sent now. What it is, is asked only if there is a fault that wants to know.
    #[inline]
    pub(crate) fn fate(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        luck: Draw,
        segment: impl FnOnce() -> Segment,
    ) -> Fate {
        if !self.is_troubled() {
            return self.cross(from, to, luck).map_or(Fate::Lost(None), Fate::Travels);
        }
        let segment = segment();
        match self.stop((from, to), &segment) {
            Some(fate) => fate,
            None => match self.carry(now, (from, to), luck, &segment) {
                Ok(latency) => Fate::Travels(latency),
                Err(by) => Fate::Lost(by),
            },
        }
    }

    /// The cut that a segment sent now meets, if any; counted.
    pub(crate) fn stop(&mut self, (from, to): (NodeId, NodeId), segment: &Segment) -> Option<Fate> {
        let (from, to) = self.hosts.between((from, to))?;
        let met = |&&epoch: &&Epoch| self.cuts[epoch as usize].stops(from, to, segment);
        let feel = |&epoch: &Epoch| self.cuts[epoch as usize].cut.feel;
        let epoch = self.leaving[from.index()].iter().filter(met).copied().min_by_key(feel)?;
        let cut = &self.cuts[epoch as usize].cut;
        self.touched.count(cut.id);
        Some(match cut.feel {
            Feel::Silent => Fate::Lost(Some(cut.id)),
            Feel::Refused => Fate::Refused(cut.id),
            Feel::Held => Fate::Held(cut.id),
        })
    }

    /// How long a segment takes that no cut stops; or it is lost, through this fault or by the link's own doing.
    pub(crate) fn carry(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        luck: Draw,
        segment: &Segment,
    ) -> Result<Duration, Option<FaultId>> {
        let takes = self.cross(from, to, luck).ok_or(None)?;
        let Some(ends) = self.hosts.between((from, to)) else { return Ok(takes) };
        let delay = self.impairments.meet(now, ends, segment, luck, &mut self.touched).map_err(Some)?;
        Ok(takes + delay)
    }

    /// How long the second copy of a message takes, if it is sent twice and this one is not lost.
    pub(crate) fn copy(
        &mut self,
        now: Time,
        (from, to): (NodeId, NodeId),
        luck: Draw,
        segment: &Segment,
    ) -> Option<Duration> {
        let ends = self.hosts.between((from, to))?;
        let twice = self.impairments.duplicate(ends, segment, luck, &mut self.touched);
        if twice { self.carry(now, (from, to), luck.derive(COPY), segment).ok() } else { None }
    }

    /// What a segment that left at `sent` has met on its way; counted.
    #[inline]
    pub(crate) fn met(
        &mut self,
        sent: Epoch,
        (from, to): (NodeId, NodeId),
        segment: impl FnOnce() -> Segment,
    ) -> Met {
        // What has reached its host has an epoch later than any: no cut can stop it there.
        if sent >= self.epoch() {
            return Met::Nothing;
        }
        let Some(ends) = self.hosts.between((from, to)) else { return Met::Nothing };
        self.met_since(sent, ends, &segment())
    }

    fn met_since(&mut self, sent: Epoch, (from, to): (NodeId, NodeId), segment: &Segment) -> Met {
        let since = self.cuts[sent as usize..].iter();
        let met = since.filter(|barrier| barrier.stops(from, to, segment)).min_by_key(|met| met.cut.feel);
        let Some(Barrier { cut, over, counts, .. }) = met else { return Met::Nothing };
        if *counts == Counts::Messages {
            self.touched.count(cut.id);
        }
        match cut.feel {
            Feel::Silent | Feel::Refused => Met::Stop(cut.id),
            Feel::Held if *over => Met::Release(cut.id),
            Feel::Held => Met::Hold(cut.id),
        }
    }

    /// Begins a cut, when there have been so many streams.
    pub(crate) fn cut(&mut self, cut: Cut, streams: u32) {
        let epoch = self.epoch();
        cut.from.iter().for_each(|node| self.leaving[node.index()].push(epoch));
        cut.to.iter().for_each(|node| self.entering[node.index()].push(epoch));
        self.of.entry(cut.id).or_default().push(epoch);
        self.cuts.push(Barrier { cut, streams, over: false, counts: Counts::Messages });
        self.troubles += 1;
    }

    pub(crate) fn mend(&mut self, id: FaultId) {
        for epoch in self.of.remove(&id).unwrap_or_default() {
            let Barrier { cut, over, .. } = &mut self.cuts[epoch as usize];
            *over = true;
            cut.from.iter().for_each(|node| remove(&mut self.leaving[node.index()], epoch));
            cut.to.iter().for_each(|node| remove(&mut self.entering[node.index()], epoch));
            self.troubles -= 1;
        }
    }

    /// What is on its way from one set of nodes to another is lost; what is sent from now on is not.
    pub(crate) fn sweep(&mut self, id: FaultId, from: &NodeSet, to: &NodeSet) {
        let (classes, flows) = (Classes::ALL, Flows::All);
        let cut = Cut { id, from: from.clone(), to: to.clone(), feel: Feel::Silent, classes, flows };
        self.cuts.push(Barrier { cut, streams: 0, over: true, counts: Counts::Nothing });
    }

    pub(crate) fn impair(&mut self, impairment: Impairment) {
        self.impairments.begin(impairment);
        self.troubles += 1;
    }

    pub(crate) fn repair(&mut self, id: FaultId) {
        self.troubles -= self.impairments.end(id);
    }

    /// Whether an impairment of this fault is in force.
    pub(crate) fn is_impaired_by(&self, id: FaultId) -> bool {
        self.impairments.are_of(id)
    }

    /// The islands of the moment: nodes of one island reach each other, if need be through others of it. Each island
    /// is sorted, and so are they, by their first node. Only cuts that stop everything make islands: not those of some
    /// classes, nor those of existing or of new connections.
    ///
    /// Who shares another's host stands where that does, and is not listed. Nodes that meet the same cuts are alike, so the graph has one vertex for each kind of node, not for each node.
    pub fn islands(&self) -> Vec<Vec<NodeId>> {
        type Kind = (Vec<Epoch>, Vec<Epoch>, Option<NodeId>);
        let mut kinds: BTreeMap<Kind, Vec<NodeId>> = BTreeMap::new();
        for node in (0..self.zone_of.len() as u32).map(NodeId).filter(|&node| self.hosts.of(node) == node) {
            let leaving = self.whole(&self.leaving[node.index()]);
            let entering = self.whole(&self.entering[node.index()]);
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

    fn leaving_from(&self, node: NodeId) -> impl Iterator<Item = &Cut> {
        self.leaving[node.index()].iter().map(|&epoch| &self.cuts[epoch as usize].cut)
    }

    /// Those of some cuts that stop everything.
    fn whole(&self, cuts: &[Epoch]) -> Vec<Epoch> {
        cuts.iter().copied().filter(|&epoch| self.cuts[epoch as usize].cut.is_whole()).collect()
    }

    #[inline]
    fn route(&self, from: NodeId, to: NodeId) -> &[Link] {
        &self.routes[self.zone(from).0 as usize * self.zones + self.zone(to).0 as usize]
    }
}

impl Barrier {
    fn stops(&self, from: NodeId, to: NodeId, segment: &Segment) -> bool {
        self.cut.parts(from, to)
            && segment.is_of(self.cut.classes)
            && segment.is_on(self.cut.flows, self.streams)
    }
}

impl Cut {
    /// Whether it stops everything, whatever its kind and its connection.
    pub fn is_whole(&self) -> bool {
        self.classes == Classes::ALL && self.flows == Flows::All
    }

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
