//! Leader change: a registry leader was elected after the first fault.

use schism_core::{Fault, NodeId};

use super::{Cast, Moment, Oracle, Shown, Sighting};
use crate::observation::Observation;

/// Waits for a fault, then for a leader.
#[derive(Clone)]
pub enum LeaderChange {
    /// Nothing has gone wrong yet.
    Calm,
    /// Something has.
    Struck,
}

impl Oracle for LeaderChange {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(_: &Cast) -> Self {
        LeaderChange::Calm
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        match (self, seen) {
            (LeaderChange::Struck, Observation::Leads { term }) => {
                let why = format!("{} became the leader of term {term}", moment.scene.name(by));
                Some(Sighting::of(why, [by]))
            }
            (LeaderChange::Struck | LeaderChange::Calm, _) => None,
        }
    }

    fn on_begin(&mut self) {
        *self = LeaderChange::Struck;
    }

    fn on_fault(&mut self, _: &Moment<'_>, _: &Fault) -> Option<Sighting> {
        *self = LeaderChange::Struck;
        None
    }
}
