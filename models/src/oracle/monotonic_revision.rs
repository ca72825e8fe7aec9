//! Monotonic revision: what a client learns is never older than what it has learnt before, and a member never goes back.
//!
//! Of a client that counts for as long as its process lives: for the states that it was answered from, and for the lists
//! of each service that it has taken as a whole. Of a member it counts for as long, for the writes that it has applied and
//! for the lists that it has shown as a whole.

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

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];

    fn new(_: &Nothing, _: &Cast) -> Self {
        MonotonicRevision { furthest: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let (line, revision) = if let Observation::Saw { revision } = *seen {
            (Line::Store, revision)
        } else if let Observation::Committed { at, .. } = *seen {
            (Line::Log, at)
        } else if let Observation::View(listing) = seen {
            (Line::List(listing.service), listing.revision)
        } else {
            return None;
        };
        let furthest = self.furthest.entry(by).or_default().entry(line).or_insert(revision);
        if revision >= *furthest {
            *furthest = revision;
            return None;
        }
        let what = match line {
            Line::Store => "was answered from revision",
            Line::Log => "has applied write",
            Line::List(_) => "took the list of revision",
        };
        let why = format!("{} {what} {revision} after {furthest}", moment.scene.name(by));
        Some(Sighting::of(why, [by]))
    }

    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.furthest.remove(node);
        }
        None
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        self.furthest.is_empty().then(|| "nobody learnt any revision".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!("revisions only grew, of {} nodes that learnt some", self.furthest.len())
    }
}
