//! The past of a failure: which of all that happened could have had a part in it.
//!
//! The relation is Lamport's "happened before" ("Time, clocks, and the ordering of events in a distributed system", CACM
//! 21(7), 1978), over what a trace keeps: an event comes of what sent its message or set its timer, and of what happened to
//! its node before. Two things are added that no process notices. A fault comes before what it does and what it swallows.
//! And what is swallowed comes before the next timer at either end: an absence is noticed by a timer or by nobody.

use std::collections::BTreeMap;

use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::{Dfs, Reversed};
use schism_core::{Cause, Fault, Finds, NodeId, Taker, Time};

use crate::trace::{Done, Entry, Noted, Trace, What, in_order};

/// Something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// The start, an event, or a deed of the driver's.
    Happened(Cause),
    /// What did not arrive: the note of this number among those that the trace keeps.
    Swallowed(usize),
    /// A fault of the plan, by its number there.
    Fault(usize),
}

/// All that happened before something, and that with it.
pub(super) struct Past {
    places: BTreeMap<Point, NodeIndex>,
    reached: Vec<bool>,
}

impl Past {
    /// The past of these, of which the trace has seen the end.
    pub(super) fn of<W>(trace: &Trace<W>, ends: &[Point]) -> Past {
        let mut weaver = Weaver::default();
        let mut notes = 0;
        for entry in in_order(trace) {
            match entry {
                Entry::Event(number, event) => {
                    let point = Point::Happened(Cause::Event(number));
                    weaver.event(point, event.to, event.cause, event.finds);
                    if event.via != event.cause {
                        weaver.join(Point::Happened(event.via), point);
                    }
                    if let What::Timer(_) | What::Retransmit { .. } = event.what {
                        weaver.notice(event.to, point);
                    }
                }
                Entry::Act(number, act) => {
                    let point = Point::Happened(Cause::Deed(number));
                    weaver.place(point);
                    if let Some(fault) = act.of {
                        weaver.join(Point::Fault(fault), point);
                    }
                    if let Some(node) = done_to(&act.doing) {
                        weaver.awaits(node, point);
                    }
                }
                Entry::Note(note) => {
                    match &note.noted {
                        Noted::Swallowed { cause, from, to, by, .. } => {
                            let point = Point::Swallowed(notes);
                            weaver.join(Point::Happened(*cause), point);
                            match by {
                                Taker::Fault(fault) => weaver.join(Point::Fault(fault.0 as usize), point),
                                Taker::Link | Taker::Darkness | Taker::Refusal | Taker::Closing => {
                                    weaver.join(Point::Happened(note.during), point);
                                }
                            }
                            weaver.missed(*from, point);
                            weaver.missed(*to, point);
                        }
                        Noted::Exited { node, by } => {
                            weaver.join(Point::Fault(by.0 as usize), Point::Happened(note.during));
                            weaver.awaits(*node, Point::Happened(note.during));
                        }
                        Noted::Struck(fault) => {
                            if let Some(node) = struck(fault) {
                                weaver.awaits(node, Point::Happened(note.during));
                            }
                        }
                        Noted::Observed { .. } | Noted::Began { .. } | Noted::Healed { .. } => {}
                    }
                    notes += 1;
                }
            }
        }
        weaver.past(ends)
    }

    /// Whether something is in it.
    pub(super) fn has(&self, point: Point) -> bool {
        self.places.get(&point).is_some_and(|place| self.reached[place.index()])
    }

    /// How many things are in it.
    pub(super) fn len(&self) -> u64 {
        self.reached.iter().filter(|reached| **reached).count() as u64
    }

    /// The faults that had a part in it.
    pub(super) fn faults(&self) -> impl Iterator<Item = usize> {
        self.places.keys().filter(|point| self.has(**point)).filter_map(|point| match point {
            Point::Fault(fault) => Some(*fault),
            Point::Happened(_) | Point::Swallowed(_) => None,
        })
    }
}

/// To whom a deed is done, if to one node.
fn done_to(doing: &Done) -> Option<NodeId> {
    match doing {
        Done::Inflicts(fault) => struck(fault),
        Done::Ails(node, _) => Some(*node),
    }
}

/// Whom a primitive fault strikes, if one node.
pub(super) fn struck(fault: &Fault) -> Option<NodeId> {
    match *fault {
        Fault::Crash(node, _)
        | Fault::Restart(node)
        | Fault::Pause(node)
        | Fault::Resume(node)
        | Fault::FakeSyncs(node)
        | Fault::MakeSyncs(node)
        | Fault::PowerOn(node)
        | Fault::SetClock(node, _) => Some(node),
        Fault::Cut(_) | Fault::Mend(_) | Fault::Impair(_) | Fault::Repair(_) | Fault::Sever { .. } => None,
    }
}

/// The graph on its way.
#[derive(Default)]
struct Weaver {
    graph: DiGraph<Point, ()>,
    places: BTreeMap<Point, NodeIndex>,
    /// What happened to each node last.
    last: BTreeMap<NodeId, NodeIndex>,
    /// What was done to each node since, or missed by it.
    done: BTreeMap<NodeId, Vec<NodeIndex>>,
    missed: BTreeMap<NodeId, Vec<NodeIndex>>,
}

impl Weaver {
    fn place(&mut self, point: Point) -> NodeIndex {
        let graph = &mut self.graph;
        *self.places.entry(point).or_insert_with(|| graph.add_node(point))
    }

    fn join(&mut self, from: Point, to: Point) {
        let (from, to) = (self.place(from), self.place(to));
        if from != to {
            self.graph.add_edge(from, to, ());
        }
    }

    fn event(&mut self, point: Point, to: NodeId, cause: Cause, finds: Finds) {
        self.join(Point::Happened(cause), point);
        let place = self.places[&point];
        // What finds nobody there changes nothing for who comes after.
        if finds == Finds::Gone {
            return;
        }
        let before = self.last.insert(to, place);
        let done = self.done.remove(&to).unwrap_or_default();
        for from in before.into_iter().chain(done) {
            self.graph.add_edge(from, place, ());
        }
    }

    /// A timer at a node: what it has missed may be noticed.
    fn notice(&mut self, node: NodeId, point: Point) {
        let place = self.places[&point];
        for from in self.missed.remove(&node).unwrap_or_default() {
            self.graph.add_edge(from, place, ());
        }
    }

    fn awaits(&mut self, node: NodeId, point: Point) {
        let place = self.place(point);
        self.done.entry(node).or_default().push(place);
    }

    fn missed(&mut self, node: NodeId, point: Point) {
        let place = self.place(point);
        self.missed.entry(node).or_default().push(place);
    }

    fn past(self, ends: &[Point]) -> Past {
        let Weaver { graph, places, .. } = self;
        let mut reached = vec![false; graph.node_count()];
        let backwards = Reversed(&graph);
        let mut walk = Dfs::empty(backwards);
        for end in ends.iter().filter_map(|end| places.get(end)) {
            walk.move_to(*end);
            while let Some(place) = walk.next(backwards) {
                reached[place.index()] = true;
            }
        }
        Past { places, reached }
    }
}

/// The last that happened to each of these nodes until a moment.
pub(super) fn last_of<W>(trace: &Trace<W>, nodes: &[NodeId], until: Time) -> Vec<Point> {
    let mut last: BTreeMap<NodeId, Point> = BTreeMap::new();
    for (number, event) in trace.events().take_while(|(_, event)| event.at <= until) {
        if nodes.is_empty() || nodes.contains(&event.to) {
            last.insert(event.to, Point::Happened(Cause::Event(number)));
        }
    }
    last.into_values().collect()
}
