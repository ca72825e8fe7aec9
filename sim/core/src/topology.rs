//! Topology: zones, the links between them, and the way a message takes.

use std::sync::Arc;

use petgraph::graph::{NodeIndex, UnGraph};

use crate::{Distribution, Duration, Ratio};

/// A zone: nodes that fail together and reach each other cheaply.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ZoneId(pub u16);

/// What crossing a link, or staying within a zone, costs one way.
#[derive(Clone, PartialEq, Debug)]
pub struct Link {
    /// The one-way latency.
    pub latency: Distribution,
    /// The share of messages that are lost.
    pub loss: Ratio,
}

/// Zones and links. Within a zone every node reaches every other over the zone's own link.
#[derive(Clone, Debug)]
pub struct Topology {
    graph: UnGraph<Zone, Link, u16>,
}

#[derive(Clone, Debug)]
struct Zone {
    name: Arc<str>,
    within: Link,
}

/// The links that a message crosses, in order.
pub(crate) type Route = Vec<Link>;

impl Topology {
    /// No zones yet.
    #[expect(clippy::new_without_default, reason = "a topology without zones is only ever a beginning")]
    pub fn new() -> Topology {
        Topology { graph: UnGraph::default() }
    }

    /// Adds a zone whose nodes reach each other over `within`.
    pub fn add_zone(&mut self, name: &str, within: Link) -> ZoneId {
        ZoneId(self.graph.add_node(Zone { name: name.into(), within }).index() as u16)
    }

    /// Links two zones, both ways; a second link between the same two takes the first's place.
    pub fn add_link(&mut self, a: ZoneId, b: ZoneId, link: Link) {
        self.graph.update_edge(at(a), at(b), link);
    }

    /// The zones, in the order in which they were added.
    pub fn zones(&self) -> impl ExactSizeIterator<Item = ZoneId> + use<> {
        (0..self.graph.node_count() as u16).map(ZoneId)
    }

    /// The name of a zone.
    pub fn name(&self, zone: ZoneId) -> &str {
        &self.graph[at(zone)].name
    }

    /// The link within a zone.
    pub fn within(&self, zone: ZoneId) -> &Link {
        &self.graph[at(zone)].within
    }

    /// The links between zones, in the order in which they were added.
    pub fn links(&self) -> impl Iterator<Item = (ZoneId, ZoneId, &Link)> {
        self.graph.edge_indices().map(|edge| {
            let (a, b) = self.graph.edge_endpoints(edge).expect("an edge has ends");
            (ZoneId(a.index() as u16), ZoneId(b.index() as u16), &self.graph[edge])
        })
    }

    /// The way from one zone to another with the least sum of median latencies; of equals, the one through the zones
    /// added first. `None` if there is none.
    pub fn route(&self, from: ZoneId, to: ZoneId) -> Option<Vec<Link>> {
        if from == to {
            return Some(vec![self.within(from).clone()]);
        }
        // Walked back from the goal: the first neighbour, by number, from which the rest is shortest.
        let left = petgraph::algo::dijkstra(&self.graph, at(to), None, |edge| median(edge.weight()));
        let mut here = at(from);
        let mut route = Vec::new();
        while here != at(to) {
            let rest = left.get(&here)?;
            let (next, link) = self
                .graph
                .node_indices()
                .filter_map(|next| Some((next, &self.graph[self.graph.find_edge(here, next)?])))
                .find(|(next, link)| left.get(next).is_some_and(|after| after + median(link) == *rest))
                .expect("a node at a finite distance has a neighbour that is nearer");
            route.push(link.clone());
            here = next;
        }
        Some(route)
    }
}

/// A link's weight in the search for the shortest way; at least a nanosecond, so that every hop counts.
fn median(link: &Link) -> u64 {
    link.latency.median().max(Duration::from_nanos(1)).as_nanos()
}

fn at(zone: ZoneId) -> NodeIndex<u16> {
    NodeIndex::new(zone.0 as usize)
}
