//! Misrouted request: an attempt went to an instance that could not answer.

use schism_core::{NodeId, Status};

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::Nothing;

/// Sees the first such attempt.
#[derive(Clone)]
pub struct MisroutedRequest;

impl Oracle for MisroutedRequest {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Attempts];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];
    const NEEDS: &'static [Need] = &[Need::Clients];

    fn new(_: &Nothing, _: &Cast) -> Self {
        MisroutedRequest
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Attempt { to, .. } = seen else { return None };
        if !moment.record.is_misrouted(moment.scene, by, *to) {
            return None;
        }
        let name = |node| moment.scene.name(node);
        let state = match moment.scene.status(*to) {
            Status::Up | Status::Paused if moment.record.is_usurped(*to) => "was another process by then",
            Status::Down => "was dead",
            Status::Paused => "was paused",
            Status::Up => "was cut off from it",
        };
        let why = format!("{} sent a request to {}, which {state}", name(by), name(*to));
        Some(Sighting::of(why, [by, *to]))
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        told.without_attempts()
    }

    fn instead(&self, told: &Told<'_>) -> String {
        format!("all {} attempts went to instances that could answer", told.attempts)
    }
}
