//! Stale request: an attempt went to an instance that had died or had left the registry.

use schism_core::{NodeId, Scene, Status};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::Nothing;

/// Sees the first such attempt.
#[derive(Clone)]
pub struct StaleRequest;

impl Oracle for StaleRequest {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Attempts];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];
    const NEEDS: &'static [Need] = &[Need::Clients];

    fn new(_: &Nothing, _: &Cast) -> Self {
        StaleRequest
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Attempt { to, .. } = seen else { return None };
        if !moment.record.is_stale(moment.scene, *to) {
            return None;
        }
        let name = |node| moment.scene.name(node);
        let state = match moment.scene.status(*to) {
            Status::Up | Status::Paused if moment.record.is_usurped(*to) => "was another process by then",
            Status::Down => "was dead",
            Status::Up | Status::Paused => "was not registered",
        };
        let why = format!("{} sent a request to {}, which {state}", name(by), name(*to));
        Some(Sighting::of(why, [by, *to]))
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        told.without_attempts()
    }

    fn instead(&self, told: &Told<'_>) -> String {
        format!("all {} attempts went to instances that were registered and not dead", told.attempts)
    }
}

impl Record {
    /// Whether an attempt sent to this node now is stale: it is dead, another process by
    /// now, or not in the registry's committed state.
    #[inline]
    pub fn is_stale(&self, scene: &Scene<'_>, to: NodeId) -> bool {
        scene.status(to) == Status::Down || !self.register.lists(to) || self.is_usurped(to)
    }
}
