//! The chronicle: what watches a run. It keeps the ledger, and tells the story, if somebody wants it.

use schism_core::{Fault, FaultId, NodeId, Scene, Witness};
use schism_models::nemesis::{Audience, Struck};
use schism_models::observation::Observation;
use schism_runner::{Ledger, Teller};

use super::player::Player;

/// What watches a run.
#[derive(Clone)]
pub(super) struct Chronicle {
    pub(super) ledger: Ledger,
    pub(super) teller: Option<Teller>,
}

impl Witness<Player> for Chronicle {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        Witness::<Player>::observe(&mut self.ledger, scene, by, seen);
        if let Some(teller) = &mut self.teller {
            Witness::<Player>::observe(teller, scene, by, seen);
        }
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        Witness::<Player>::on_fault(&mut self.ledger, scene, fault);
        if let Some(teller) = &mut self.teller {
            Witness::<Player>::on_fault(teller, scene, fault);
        }
    }

    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        Witness::<Player>::on_exit(&mut self.ledger, scene, node, by);
    }
}

impl Audience for Chronicle {
    fn fault_acts(&mut self, fault: usize) {
        self.ledger.fault_acts(fault);
    }

    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        self.ledger.fault_began(scene, fault, struck);
        if let Some(teller) = &mut self.teller {
            teller.fault_began(scene, fault, struck);
        }
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        self.ledger.fault_healed(scene, fault, touched);
        if let Some(teller) = &mut self.teller {
            teller.fault_healed(scene, fault, touched);
        }
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.ledger.fault_lasts(fault, touched);
    }
}
