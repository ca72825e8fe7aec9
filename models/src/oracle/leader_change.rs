//! Leader change: a registry leader was elected after the first fault.

use schism_core::{Fault, NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::Nothing;

/// Waits for a fault, then for a leader.
#[derive(Clone)]
pub enum LeaderChange {
    /// Nothing has gone wrong yet.
    Calm,
    /// Something has.
    Struck,
}

impl Oracle for LeaderChange {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];
    const NEEDS: &'static [Need] = &[Need::Leaders];

    fn new(_: &Nothing, _: &Cast) -> Self {
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

    fn on_plan(&mut self, _: Time, _: &Record) {
        *self = LeaderChange::Struck;
    }

    fn on_fault(&mut self, _: &Moment<'_>, _: &Fault) -> Option<Sighting> {
        *self = LeaderChange::Struck;
        None
    }

    fn instead(&self, told: &Told<'_>) -> String {
        let leaders = told.leaders;
        match told.record.plan.first {
            Some(first) => {
                format!("no leader was elected after the first fault at {first}; {leaders} were before")
            }
            None => format!("there was no fault; {leaders} leaders were elected"),
        }
    }
}
