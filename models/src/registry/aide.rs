//! Aides: processes of a registry's besides its members, such as agents on the hosts of instances.

use schism_core::NodeId;

use super::{Config, Layouts, Msg, Timer, dns};
use crate::node::Ctx;

/// An aide of some registry.
#[derive(Clone, Debug)]
pub enum Aide {
    /// A DNS server, which may be a client of any other registry.
    Dns(dns::Server),
}

/// Where an aide sits.
#[derive(Clone, Debug)]
pub enum AideSeat {
    /// A DNS server.
    Dns(dns::ServerSeat),
}

impl Config {
    /// The seats of its aides, in the order of the layout.
    pub fn aide_seats(&self, layouts: &Layouts) -> Vec<AideSeat> {
        match self {
            Config::Static | Config::Etcd(_) | Config::Eureka(_) | Config::Nacos(_) => Vec::new(),
            Config::Dns(dns) => dns.aide_seats(layouts),
        }
    }
}

impl Aide {
    /// An aide starts.
    pub fn boot(seat: &AideSeat, ctx: &mut Ctx<'_>) -> Aide {
        match seat {
            AideSeat::Dns(seat) => Aide::Dns(dns::Server::boot(seat, ctx)),
        }
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match self {
            Aide::Dns(server) => server.on_message(ctx, from, &msg),
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match self {
            Aide::Dns(server) => server.on_timer(ctx, timer),
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Aide::Dns(server) => server.on_reset(ctx, peer),
        }
    }

    /// What ails it has changed.
    pub fn on_plight(&mut self, _: &mut Ctx<'_>) {
        match self {
            Aide::Dns(_) => {}
        }
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        match self {
            Aide::Dns(server) => server.peers(),
        }
    }
}
