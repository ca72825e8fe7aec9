//! The graph of who waits for whom, and its cycles: nobody on one gets what it waits for from the others alone.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;

use petgraph::algo::tarjan_scc;
use petgraph::graph::DiGraph;
use schism_core::NodeId;
use schism_models::node::Process;
use serde::Serialize;

use super::Inspection;

/// Who waits for whom.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Waits {
    /// By waiter, then by whom it waits for.
    pub edges: Vec<Edge>,
    /// Nodes that wait for each other in a ring, each once; the ring closes with the first.
    pub cycles: Vec<Vec<String>>,
}

/// One node waits for another.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Edge {
    /// Who waits.
    pub from: String,
    /// For whom.
    pub to: String,
    /// How many of its tasks do.
    pub tasks: usize,
    /// What for, each once.
    pub what: Vec<String>,
    /// Whether the other runs and can be reached, so that it could answer.
    pub can_answer: bool,
}

/// How many things an edge names; the others are counted by its tasks.
const NAMED: usize = 3;

impl<P: Process> Inspection<P> {
    /// Who waits for whom now.
    pub fn waits(&self) -> Waits {
        let scene = self.now.world().scene();
        let mut found: BTreeMap<(NodeId, NodeId), (usize, BTreeSet<String>)> = BTreeMap::new();
        for node in (0..self.names.count()).map(NodeId) {
            let Some(actor) = self.now.world().actor(node) else { continue };
            for wait in actor.node().waits() {
                for &on in &wait.on {
                    let (tasks, what) = found.entry((node, on)).or_default();
                    *tasks += 1;
                    what.insert(format!("{}: {}", super::shown::plain(&wait.task), wait.what));
                }
            }
        }
        let edge = |(&(from, to), (tasks, what)): (&(NodeId, NodeId), &(usize, BTreeSet<String>))| Edge {
            from: self.names.one(from),
            to: self.names.one(to),
            tasks: *tasks,
            what: what.iter().take(NAMED).map(|what| crate::words::named(&self.names, what)).collect(),
            can_answer: scene.can_answer(from, to),
        };
        let mut graph: Graph = BTreeMap::new();
        found.keys().for_each(|&(from, to)| {
            graph.entry(from).or_default().insert(to);
        });
        let mut cycles: Vec<Vec<NodeId>> =
            parts(&graph).into_iter().filter_map(|part| ring(&graph, &part)).collect();
        cycles.sort_unstable();
        let named = |ring: Vec<NodeId>| ring.into_iter().map(|node| self.names.one(node)).collect();
        Waits { edges: found.iter().map(edge).collect(), cycles: cycles.into_iter().map(named).collect() }
    }
}

/// For each node, whom it waits for.
type Graph = BTreeMap<NodeId, BTreeSet<NodeId>>;

/// The parts of a graph in which everyone waits for everyone, by some way.
fn parts(graph: &Graph) -> Vec<BTreeSet<NodeId>> {
    let mut indexed = DiGraph::<NodeId, ()>::new();
    let nodes: BTreeSet<NodeId> =
        graph.iter().flat_map(|(&from, to)| std::iter::once(from).chain(to.iter().copied())).collect();
    let index: BTreeMap<NodeId, _> = nodes.into_iter().map(|node| (node, indexed.add_node(node))).collect();
    for (from, all) in graph {
        all.iter().for_each(|to| {
            indexed.add_edge(index[from], index[to], ());
        });
    }
    let parts = tarjan_scc(&indexed).into_iter();
    parts.map(|part| part.into_iter().map(|vertex| indexed[vertex]).collect()).collect()
}

/// A shortest ring through the first node of such a part; none, if that is one node that does not wait for itself.
fn ring(graph: &Graph, part: &BTreeSet<NodeId>) -> Option<Vec<NodeId>> {
    let first = *part.first()?;
    let mut came_from = BTreeMap::new();
    let mut frontier = VecDeque::from([first]);
    while let Some(node) = frontier.pop_front() {
        for &to in graph.get(&node).into_iter().flatten().filter(|to| part.contains(to)) {
            if to == first {
                let mut ring: Vec<NodeId> =
                    std::iter::successors(Some(node), |node| came_from.get(node).copied()).collect();
                ring.reverse();
                return Some(ring);
            }
            if let Entry::Vacant(place) = came_from.entry(to) {
                place.insert(node);
                frontier.push_back(to);
            }
        }
    }
    None
}

impl Waits {
    /// As a graph for Graphviz: what cannot be answered is dashed, what is on a cycle is red.
    pub fn dot(&self) -> String {
        let on_cycle = |edge: &Edge| {
            self.cycles.iter().any(|ring| {
                let next = ring.iter().cycle().skip(1);
                ring.iter().zip(next).any(|(from, to)| *from == edge.from && *to == edge.to)
            })
        };
        let mut dot = "digraph waits {\n  rankdir = LR;\n  node [shape = box];\n".to_owned();
        for edge in &self.edges {
            let label = edge.what.join("\\n").replace('"', "'");
            let style = if edge.can_answer { "solid" } else { "dashed" };
            let colour = if on_cycle(edge) { "red" } else { "black" };
            let Edge { from, to, tasks, .. } = edge;
            writeln!(
                dot,
                "  \"{from}\" -> \"{to}\" [label = \"{tasks}x {label}\", style = {style}, color = {colour}];"
            )
            .expect("a string takes it");
        }
        dot + "}\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rings(edges: &[(u32, u32)]) -> Vec<Vec<u32>> {
        let mut graph = Graph::new();
        for &(from, to) in edges {
            graph.entry(NodeId(from)).or_default().insert(NodeId(to));
        }
        let mut rings: Vec<Vec<u32>> = parts(&graph)
            .iter()
            .filter_map(|part| ring(&graph, part))
            .map(|ring| ring.into_iter().map(|node| node.0).collect())
            .collect();
        rings.sort_unstable();
        rings
    }

    #[test]
    fn rings_are_found_and_chains_are_none() {
        assert_eq!(rings(&[(0, 1), (1, 2), (0, 2)]), Vec::<Vec<u32>>::new());
        assert_eq!(rings(&[(0, 1), (1, 2), (2, 0), (2, 3)]), [[0, 1, 2]]);
        assert_eq!(rings(&[(0, 1), (1, 2), (2, 0), (1, 0)]), [[0, 1]], "the shortest is told");
        assert_eq!(rings(&[(4, 4), (5, 6), (6, 5)]), vec![vec![4], vec![5, 6]]);
    }
}
