//! Misrouted request: an attempt went to an instance that could not answer.

use schism_core::{NodeId, Status};

use super::{Cast, Moment, Oracle, Shown, Sighting};
use crate::observation::Observation;

/// Sees the first such attempt.
#[derive(Clone)]
pub struct MisroutedRequest;

impl Oracle for MisroutedRequest {
    const SHOWN: Shown = Shown::Attempts;

    fn new(_: &Cast) -> Self {
        MisroutedRequest
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Observation::Attempt { to } = seen else { return None };
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
}
