//! Aides: processes of a registry's besides its members, such as agents on the hosts of instances.

use std::sync::Arc;

use schism_core::NodeId;

use super::{Config, Layout, Msg, Timer};
use crate::node::Ctx;

/// An aide of some registry. No registry has any yet.
#[derive(Clone, Debug)]
pub enum Aide {}

/// Where an aide sits.
#[derive(Clone, Debug)]
pub enum AideSeat {}

impl Config {
    /// The seats of its aides, in the order of the layout.
    pub fn aide_seats(&self, _: &Arc<Layout>) -> Vec<AideSeat> {
        match self {
            Config::Static | Config::Etcd(_) => Vec::new(),
        }
    }
}

impl Aide {
    /// A message has come.
    pub fn on_message(&mut self, _ctx: &mut Ctx<'_>, _from: NodeId, _msg: Msg) {
        match *self {}
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, _ctx: &mut Ctx<'_>, _timer: Timer) {
        match *self {}
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, _ctx: &mut Ctx<'_>, _peer: NodeId) {
        match *self {}
    }

    /// What ails it has changed.
    pub fn on_plight(&mut self, _ctx: &mut Ctx<'_>) {
        match *self {}
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        match *self {}
    }
}
