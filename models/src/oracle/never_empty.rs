//! Never empty: a client that has had an endpoint to call always has one.

use schism_core::{Fault, NodeId};

use super::{Cast, Change, Moment, Oracle, Role, Shown, Sighting};
use crate::observation::Observation;

/// Remembers which clients have had an endpoint in this life, and sees the first that has none left.
#[derive(Clone)]
pub struct NeverEmpty {
    had: Vec<bool>,
}

impl Oracle for NeverEmpty {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(cast: &Cast) -> Self {
        NeverEmpty { had: vec![false; cast.nodes()] }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        let Role::Client(_) = moment.record.cast.role(by) else { return None };
        let opinions = &moment.record.opinions;
        let (Change::Takes(_, service) | Change::Turns { service, .. } | Change::Drops(_, service)) =
            *opinions.changes().last()?;
        let has = opinions.count(by, service).is_some_and(|count| count > 0);
        let had = std::mem::replace(&mut self.had[by.index()], has);
        let why = || format!("{} had no endpoint left to call", moment.scene.name(by));
        (had && !has).then(|| Sighting::of(why(), [by]))
    }

    /// A new life starts with nothing.
    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.had[node.index()] = false;
        }
        None
    }
}
