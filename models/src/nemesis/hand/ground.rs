//! The ground: the world as the nemesis sees it.

use std::sync::Arc;

use schism_core::{Event, Fault as Primitive, FaultId, NodeId, Scene, Witness, World, queue::Queue};

use crate::nemesis::ears::{Ears, Heard};
use crate::nemesis::strike::{Audience, Struck};
use crate::node::{Node, Process};
use crate::plight::Plight;

/// The world as the nemesis sees it, whoever watches, whatever its queue, and whatever engine runs it.
pub trait Ground {
    /// A primitive of a fault, now.
    fn inflict(&mut self, fault: Primitive);
    /// What ails a node from now on, if anything does.
    fn afflict(&mut self, node: NodeId, plight: Option<Arc<Plight>>);
    /// The truth of the moment.
    fn scene(&self) -> Scene<'_>;
    /// The process of a node, if it lives.
    fn actor(&self, node: NodeId) -> Option<&Node>;
    /// How many nodes there are, dead ones too.
    fn nodes(&self) -> u32;
    /// How much a fault has touched so far.
    fn touched(&self, by: FaultId) -> u64;
    /// What has been heard since this was asked last.
    fn heard(&mut self) -> Vec<Heard>;
    /// Those who watch are told that what is done from now on is done for this fault of the plan.
    fn tell_acts(&mut self, fault: usize);
    /// That it has begun.
    fn tell_began(&mut self, fault: usize, struck: &Struck);
    /// That it has healed.
    fn tell_healed(&mut self, fault: usize, touched: u64);
    /// That the run ends while it lasts.
    fn tell_lasts(&mut self, fault: usize, touched: u64);
}

impl<P: Process, W: Witness<P> + Audience, Q: Queue<Event<P>>> Ground for World<P, Ears<W>, Q> {
    fn inflict(&mut self, fault: Primitive) {
        World::inflict(self, fault);
    }

    fn afflict(&mut self, node: NodeId, plight: Option<Arc<Plight>>) {
        World::afflict(self, node, plight);
    }

    fn scene(&self) -> Scene<'_> {
        World::scene(self)
    }

    fn actor(&self, node: NodeId) -> Option<&Node> {
        World::actor(self, node).map(P::node)
    }

    fn nodes(&self) -> u32 {
        World::nodes(self) as u32
    }

    fn touched(&self, by: FaultId) -> u64 {
        World::touched(self, by)
    }

    fn heard(&mut self) -> Vec<Heard> {
        self.witness_mut().0.take()
    }

    fn tell_acts(&mut self, fault: usize) {
        self.witness_mut().0.fault_acts(fault);
    }

    fn tell_began(&mut self, fault: usize, struck: &Struck) {
        let (ears, scene) = self.witness_mut();
        ears.fault_began(&scene, fault, struck);
    }

    fn tell_healed(&mut self, fault: usize, touched: u64) {
        let (ears, scene) = self.witness_mut();
        ears.fault_healed(&scene, fault, touched);
    }

    fn tell_lasts(&mut self, fault: usize, touched: u64) {
        self.witness_mut().0.fault_lasts(fault, touched);
    }
}
