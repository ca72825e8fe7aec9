//! Witnesses: what is told of everything that is observed, and changes nothing.

use std::sync::Arc;

use crate::clock::Truth;
use crate::{Actor, Deed, Effect, Fault, FaultId, Life, Network, NodeId, Swallowed, Time, Traced, ZoneId};

/// Metrics, beliefs, oracles, recorders: they are told, and they never act.
pub trait Witness<A: Actor>: Clone {
    /// Whether it wants to be told of every event. What that takes is compiled away for who does not.
    const TRACES: bool = false;

    /// A node has observed something.
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &A::Observation);
    /// A fault has just been inflicted; the scene is that after it.
    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault);
    /// A process has ended by its own hand, driven to it by this fault of the plan; of its crash it has been told.
    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        let _ = (scene, node, by);
    }
    /// A node has asked for all this while it handled one event, in this order, and has been given none of it yet. Only for
    /// who [traces](Witness::TRACES).
    fn on_effects(&mut self, scene: &Scene<'_>, by: NodeId, effects: &[Effect<A>]) {
        let _ = (scene, by, effects);
    }
    /// An event happens: what is observed until the next is observed in it. Only for who [traces](Witness::TRACES).
    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, A>) {
        let _ = (scene, event);
    }
    /// The driver does something: what is observed until the next event or deed is observed in it. Only for who
    /// [traces](Witness::TRACES).
    fn on_deed(&mut self, scene: &Scene<'_>, deed: &Deed<'_, A>) {
        let _ = (scene, deed);
    }
    /// A message does not come through. Only for who [traces](Witness::TRACES).
    fn on_swallowed(&mut self, scene: &Scene<'_>, swallowed: &Swallowed<'_, A>) {
        let _ = (scene, swallowed);
    }
    /// Whether it has seen something that the driver must look at before anything else happens.
    fn wants_attention(&self) -> bool {
        false
    }
}

/// The truth of the moment, as far as the kernel knows it.
#[derive(Clone, Copy)]
pub struct Scene<'w> {
    pub(crate) now: Time,
    pub(crate) names: &'w [Arc<str>],
    pub(crate) pulses: &'w [Pulse],
    pub(crate) network: &'w Network,
}

/// Which life a node is in, whether its process runs, and whether its clocks are true: all that most events need to know, kept close together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pulse {
    pub(crate) life: Life,
    pub(crate) status: Status,
    pub(crate) clocks: Truth,
}

/// Whether a process runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Status {
    /// It runs.
    Up,
    /// It stands still, and keeps its state.
    Paused,
    /// It is dead, or not yet born.
    Down,
}

impl<'w> Scene<'w> {
    /// The moment.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Which life a node is in, or was in last.
    pub fn life(&self, node: NodeId) -> Life {
        self.pulses[node.index()].life
    }

    /// Whether a node's process runs.
    pub fn status(&self, node: NodeId) -> Status {
        self.pulses[node.index()].status
    }

    /// Whether a node's process runs and could answer a message sent to it now from `from`.
    pub fn can_answer(&self, from: NodeId, node: NodeId) -> bool {
        self.status(node) == Status::Up
            && self.network.is_open(from, node)
            && self.network.is_open(node, from)
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &'w str {
        &self.names[node.index()]
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.names.len()
    }

    /// The zone of a node.
    pub fn zone(&self, node: NodeId) -> ZoneId {
        self.network.zone(node)
    }

    /// The network.
    pub fn network(&self) -> &'w Network {
        self.network
    }
}

/// Nobody watches.
impl<A: Actor> Witness<A> for () {
    fn observe(&mut self, _: &Scene<'_>, _: NodeId, _: &A::Observation) {}
    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}
}
