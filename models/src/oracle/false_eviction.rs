//! False eviction: the registry dropped an instance that was alive.

use schism_core::{NodeId, Scene, Status};

use super::{Cast, Moment, Oracle, Record, Shown, Sighting};
use crate::observation::Observation;

/// Sees the first one.
#[derive(Clone)]
pub struct FalseEviction;

impl Oracle for FalseEviction {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(_: &Cast) -> Self {
        FalseEviction
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        let node = moment.record.falsely_evicted(moment.scene).next()?;
        let why = format!("the registry dropped {}, which was alive", moment.scene.name(node));
        Some(Sighting::of(why, [node, by]))
    }
}

impl Record {
    /// The instances that the registry has just ceased to offer because it had not heard of them, and that are up.
    pub fn falsely_evicted(&self, scene: &Scene<'_>) -> impl Iterator<Item = NodeId> {
        let alive = |node: &NodeId| scene.status(*node) == Status::Up && !self.is_usurped(*node);
        self.register.expired().iter().copied().filter(alive)
    }
}
