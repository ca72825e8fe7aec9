//! Monotonic revision: what a client learns is never older than what it knew when it asked, and a member never goes back.
//!
//! Of a client that counts for as long as its process lives: for the states that it was answered from, and for the lists
//! of each service that it has taken as a whole. Of a member it counts for as long, for the writes that it has applied and
//! for the lists that it has shown as a whole.
//!
//! A client may have many calls in flight, and their answers may overtake each other: an answer is compared with what the
//! client had learnt when the call was made, not with what it has learnt since. Lists it takes one after another.

use std::collections::BTreeMap;

use schism_core::{Fault, NodeId};

use super::{Cast, Moment, Mood, Oracle, Shown, Sighting, Told};
use crate::listing::ServiceId;
use crate::observation::Observation;
use crate::options::Nothing;

/// Remembers how far each node has come.
#[derive(Clone)]
pub struct MonotonicRevision {
    furthest: BTreeMap<NodeId, BTreeMap<Line, u64>>,
    /// By client and request: how far the client knew the store to be when it called. Nothing of who knew nothing.
    known: BTreeMap<(NodeId, u32), u64>,
}

/// What has revisions of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Line {
    /// The whole store, as answers tell of it.
    Store,
    /// The log, as it is applied.
    Log,
    /// The list of a service.
    List(ServiceId),
}

impl Oracle for MonotonicRevision {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Attempts, Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];

    fn new(_: &Nothing, _: &Cast) -> Self {
        MonotonicRevision { furthest: BTreeMap::new(), known: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        if let Observation::Attempt { request, .. } = *seen {
            if let Some(known) = self.furthest.get(&by).and_then(|lines| lines.get(&Line::Store)) {
                self.known.insert((by, request), *known);
            }
            return None;
        }
        if let Observation::Saw { request, revision } = *seen {
            let known = self.known.remove(&(by, request)).unwrap_or(0);
            return self.learn(by, Line::Store, revision, known, moment);
        }
        if let Observation::Committed { at, .. } = *seen {
            let applied = self.furthest_of(by, Line::Log);
            return self.learn(by, Line::Log, at, applied, moment);
        }
        let Observation::View(listing) = seen else { return None };
        if !moment.record.cast.numbers_lists() {
            return None;
        }
        let line = Line::List(listing.service);
        self.learn(by, line, listing.revision, self.furthest_of(by, line), moment)
    }

    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.furthest.remove(node);
            self.known.retain(|(by, _), _| by != node);
        }
        None
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        let unnumbered = !told.record.cast.numbers_lists();
        self.furthest.is_empty().then(|| match unnumbered {
            true => {
                "nobody learnt a revision, and the lists of this registry carry none that its servers share"
                    .to_owned()
            }
            false => "nobody learnt any revision".to_owned(),
        })
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!("revisions only grew, of {} nodes that learnt some", self.furthest.len())
    }
}

impl MonotonicRevision {
    fn furthest_of(&self, by: NodeId, line: Line) -> u64 {
        self.furthest.get(&by).and_then(|lines| lines.get(&line)).copied().unwrap_or(0)
    }

    /// A node learns a revision, which may not be older than what it knew before.
    fn learn(
        &mut self,
        by: NodeId,
        line: Line,
        revision: u64,
        known: u64,
        moment: &Moment<'_>,
    ) -> Option<Sighting> {
        let furthest = self.furthest.entry(by).or_default().entry(line).or_insert(revision);
        *furthest = revision.max(*furthest);
        if revision >= known {
            return None;
        }
        let (what, when) = match line {
            Line::Store => ("was answered from revision", ", which it knew of when it asked"),
            Line::Log => ("has applied write", ""),
            Line::List(_) => ("took the list of revision", ""),
        };
        let why = format!("{} {what} {revision} after {known}{when}", moment.scene.name(by));
        Some(Sighting::of(why, [by]))
    }
}
