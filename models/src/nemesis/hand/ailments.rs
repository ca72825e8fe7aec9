//! What a hand does to how processes behave, and to what their clocks read.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, Fault as Primitive, NodeId, Setting};

use super::{Bend, Hand};
use crate::plight::{Ail, Ailment, Plight};

impl Hand<'_> {
    /// All that the fault has done to processes stays when it is over.
    pub(crate) fn abide(&mut self) {
        self.course.holds.clear();
        let ailing = std::mem::take(&mut self.course.ailing);
        self.deeds.abiding.extend(ailing.into_iter().map(|node| (node, self.fault)));
    }

    /// What faults that are over have left a node with is gone: another version runs there now.
    pub(crate) fn supersede(&mut self, node: NodeId) {
        let left: Vec<usize> =
            self.deeds.abiding.range((node, 0)..=(node, usize::MAX)).map(|&(_, fault)| fault).collect();
        for fault in left {
            self.deeds.abiding.remove(&(node, fault));
            self.relieve(node, fault);
        }
    }

    /// Something ails a node until the fault heals, crashes or not.
    pub(crate) fn ail(&mut self, node: NodeId, ail: Ail) {
        let ailment = Ailment { by: self.id(), luck: self.luck_on(node, "ailment"), since: self.now(), ail };
        self.course.ailing.insert(node);
        self.deeds.ailing.entry(node).or_default().entry(self.fault).or_default().push(ailment);
        self.afflict(node);
    }

    /// Something is asked of a node now, once. A process that does not run is not asked.
    pub(crate) fn order(&mut self, node: NodeId, order: Ail) {
        self.ail(node, order);
        self.cure(node);
    }

    /// What this fault makes a node ail from is over.
    pub(crate) fn cure(&mut self, node: NodeId) {
        if self.course.ailing.remove(&node) {
            self.relieve(node, self.fault);
        }
    }

    /// The clocks of a machine go wrong until the fault heals; the monotonic one also jumps ahead, once, now.
    pub(crate) fn bend(&mut self, host: NodeId, bend: Bend, leap: Duration) {
        self.course.strikes += u64::from(!self.course.bent.contains(&host));
        for node in self.machine(host) {
            self.course.bent.insert(node);
            self.deeds.bent.entry(node).or_default().insert(self.fault, bend);
            self.set_clocks(node, leap);
        }
    }

    /// What this fault does to the clocks of a node is over.
    pub(crate) fn straighten(&mut self, node: NodeId) {
        if self.course.bent.remove(&node)
            && let Some(bent) = self.deeds.bent.get_mut(&node)
        {
            bent.remove(&self.fault);
            self.set_clocks(node, Duration::ZERO);
        }
    }

    /// What a fault makes a node ail from is over.
    fn relieve(&mut self, node: NodeId, fault: usize) {
        if let Some(ailing) = self.deeds.ailing.get_mut(&node) {
            ailing.remove(&fault);
            if ailing.is_empty() {
                self.deeds.ailing.remove(&node);
            }
            self.afflict(node);
        }
    }

    fn afflict(&mut self, node: NodeId) {
        let plight =
            self.deeds.ailing.get(&node).map(|by_fault| {
                Arc::new(Plight { ailments: by_fault.values().flatten().cloned().collect() })
            });
        self.ground.afflict(node, plight);
    }

    fn set_clocks(&mut self, node: NodeId, leap: Duration) {
        let bent = self.deeds.bent.get(&node).into_iter().flat_map(BTreeMap::values);
        let Bend { monotonic, wall, skew } = bent.fold(Bend::NONE, Bend::with);
        let setting = Setting { monotonic: monotonic.rate(), leap, wall: wall.rate(), skew };
        self.ground.inflict(Primitive::SetClock(node, setting));
    }
}
