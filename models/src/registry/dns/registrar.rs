//! An instance of a zone file: it is listed, whatever it does.

use schism_core::NodeId;

use super::Config;
use super::api::{Msg, Timer};
use crate::node::Ctx;
use crate::registry::{self, Address, Entry};

/// Nobody registers: whoever wrote the zone file has listed the instances.
#[derive(Clone, Copy, Debug)]
pub struct Registrar;

impl Registrar {
    /// An instance that is listed, or never will be.
    pub fn boot(_: &Address<Config>, _: Entry, _: &mut Ctx<'_>) -> Registrar {
        Registrar
    }
}

impl registry::Registrar for Registrar {
    type Msg = Msg;
    type Timer = Timer;

    fn on_message(&mut self, _: &mut Ctx<'_>, _: NodeId, _: &Msg) {}

    fn on_timer(&mut self, _: &mut Ctx<'_>, _: Timer) {}

    fn on_reset(&mut self, _: &mut Ctx<'_>, _: NodeId) {}

    fn leave(&mut self, _: &mut Ctx<'_>) -> bool {
        false
    }

    fn weigh(&mut self, _: &mut Ctx<'_>, _: u32) -> bool {
        false
    }

    fn is_registered(&self) -> bool {
        true
    }

    fn peers(&self) -> Vec<NodeId> {
        Vec::new()
    }
}
