//! False eviction: the registry dropped an instance that was alive.

use schism_core::{NodeId, Scene, Status};

use super::{Cast, Moment, Oracle, Record, Shown};
use crate::observation::{Cause, Observation, Write};

/// Sees the first one.
#[derive(Clone)]
pub struct FalseEviction;

impl Oracle for FalseEviction {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(_: &Cast) -> Self {
        FalseEviction
    }

    fn observe(&mut self, moment: &Moment<'_>, _: NodeId, _: &Observation) -> Option<String> {
        let node = moment.record.falsely_evicted(moment.scene)?;
        Some(format!("the registry dropped {}, which was alive", moment.scene.name(node)))
    }
}

impl Record {
    /// The instance that the registry has just dropped because its lease expired, if it is up.
    pub fn falsely_evicted(&self, scene: &Scene<'_>) -> Option<NodeId> {
        match self.register.fresh()? {
            Write::Remove(node, Cause::Expired)
                if scene.status(node) == Status::Up && !self.is_usurped(node) =>
            {
                Some(node)
            }
            Write::Remove(..) | Write::Grant | Write::Register(_) | Write::Revoke(_) | Write::Put => None,
        }
    }
}
