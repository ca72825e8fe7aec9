//! The ground: the world as the nemesis sees it.

use std::sync::Arc;

use schism_core::{Event, Fault as Primitive, FaultId, NodeId, Scene, Witness, World, queue::Queue};

use crate::nemesis::ears::Ears;
use crate::nemesis::strike::{Audience, Struck};
use crate::node::{Node, Process};
use crate::plight::Plight;

/// The world as the nemesis sees it, whoever watches and whatever its queue.
pub(in crate::nemesis) trait Ground {
    fn inflict(&mut self, fault: Primitive);
    fn afflict(&mut self, node: NodeId, plight: Option<Arc<Plight>>);
    fn scene(&self) -> Scene<'_>;
    fn actor(&self, node: NodeId) -> Option<&Node>;
    fn nodes(&self) -> u32;
    /// How much a fault has touched so far.
    fn touched(&self, by: FaultId) -> u64;
    fn tell_acts(&mut self, fault: usize);
    fn tell_began(&mut self, fault: usize, struck: &Struck);
    fn tell_healed(&mut self, fault: usize, touched: u64);
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
