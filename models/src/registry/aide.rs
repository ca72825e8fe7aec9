//! Aides: processes of a registry's besides its members, such as agents on the hosts of instances.

use std::sync::Arc;

use schism_core::NodeId;

use super::{Config, Disk, Layout, Msg, Seat, Server, Timer, consul};
use crate::node::Ctx;

/// An aide of some registry.
#[derive(Clone, Debug)]
pub enum Aide {
    /// An agent of Consul's.
    Consul(consul::Agent),
}

/// Where an aide sits.
#[derive(Clone, Debug)]
pub enum AideSeat {
    /// An agent of Consul's.
    Consul(Seat<consul::Config>),
}

impl Config {
    /// The seats of its aides, in the order of the layout.
    pub fn aide_seats(&self, layout: &Arc<Layout>) -> Vec<AideSeat> {
        match self {
            Config::Static | Config::Etcd(_) | Config::Eureka(_) | Config::Nacos(_) => Vec::new(),
            Config::Consul(config) => {
                let config = Arc::new(config.clone());
                let seat = |me| Seat { config: config.clone(), me, layout: layout.clone() };
                (0..layout.aides.len()).map(|me| AideSeat::Consul(seat(me))).collect()
            }
        }
    }
}

impl Aide {
    /// An aide as it boots, with what its disk holds.
    pub fn boot(seat: &AideSeat, disk: &Disk, ctx: &mut Ctx<'_>) -> Aide {
        match (seat, disk) {
            (AideSeat::Consul(seat), Disk::Consul(disk)) => {
                Aide::Consul(consul::Agent::boot(seat, disk, ctx))
            }
            (AideSeat::Consul(seat), Disk::Blank) => {
                Aide::Consul(consul::Agent::boot(seat, &consul::Disk::default(), ctx))
            }
            (_, disk) => unreachable!("the disk of another registry's: {disk:?}"),
        }
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match (self, msg) {
            (Aide::Consul(agent), Msg::Consul(msg)) => agent.on_message(ctx, from, Arc::unwrap_or_clone(msg)),
            (_, msg) => unreachable!("another registry's {msg:?}"),
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match (self, timer) {
            (Aide::Consul(agent), Timer::Consul(timer)) => agent.on_timer(ctx, timer),
            (_, timer) => unreachable!("another registry's {timer:?}"),
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Aide::Consul(agent) => agent.on_reset(ctx, peer),
        }
    }

    /// What ails it has changed.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        match self {
            Aide::Consul(agent) => agent.on_plight(ctx),
        }
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        match self {
            Aide::Consul(agent) => agent.peers(),
        }
    }
}
