//! False eviction: the registry dropped an instance that was alive.

use schism_core::{NodeId, Scene, Status};

use super::{Cast, Moment, Oracle, Record, Shown};
use crate::observation::Observation;

/// Sees the first one.
#[derive(Clone)]
pub struct FalseEviction;

impl Oracle for FalseEviction {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(_: &Cast) -> Self {
        FalseEviction
    }

    fn observe(&mut self, moment: &Moment<'_>, _: NodeId, _: &Observation) -> Option<String> {
        let node = moment.record.falsely_evicted(moment.scene).next()?;
        Some(format!("the registry dropped {}, which was alive", moment.scene.name(node)))
    }
}

impl Record {
    /// The instances that the registry has just ceased to offer because it had not heard of them, and that are up.
    pub fn falsely_evicted(&self, scene: &Scene<'_>) -> impl Iterator<Item = NodeId> {
        let alive = |node: &NodeId| scene.status(*node) == Status::Up && !self.is_usurped(*node);
        self.register.expired().iter().copied().filter(alive)
    }
}
