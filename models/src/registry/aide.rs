//! Aides: processes of a registry's besides its members, such as agents on the hosts of instances.

use std::sync::Arc;

use schism_core::NodeId;

use super::kubernetes::{self, Kubelet};
use super::{Config, Disk, Layout, Layouts, Msg, Seat, Server, Timer, consul, dns};
use crate::node::{Ctx, Health};
use crate::waits::Wait;

/// An aide of some registry.
#[derive(Clone, Debug)]
pub enum Aide {
    /// An agent of Consul's.
    Consul(Box<consul::Agent>),
    /// A kubelet.
    Kubelet(Kubelet),
    /// A DNS server, which may be a client of any other registry.
    Dns(dns::Server),
}

/// Where an aide sits.
#[derive(Clone, Debug)]
pub enum AideSeat {
    /// An agent of Consul's.
    Consul(Seat<consul::Config>),
    /// A kubelet.
    Kubelet(Seat<kubernetes::Config>),
    /// A DNS server.
    Dns(dns::ServerSeat),
}

impl Config {
    /// The seats of its aides, in the order of the layout.
    pub fn aide_seats(&self, layouts: &Layouts) -> Vec<AideSeat> {
        match self {
            Config::Static
            | Config::Etcd(_)
            | Config::Zookeeper(_)
            | Config::Eureka(_)
            | Config::Nacos(_) => Vec::new(),
            Config::Consul(config) => seats(config, &layouts.authority).map(AideSeat::Consul).collect(),
            Config::Kubernetes(config) => seats(config, &layouts.authority).map(AideSeat::Kubelet).collect(),
            Config::Dns(dns) => dns.aide_seats(layouts),
        }
    }
}

/// A seat for each aide of a layout.
fn seats<C: Clone>(config: &C, layout: &Arc<Layout>) -> impl Iterator<Item = Seat<C>> {
    let config = Arc::new(config.clone());
    let layout = layout.clone();
    (0..layout.aides.len()).map(move |me| Seat { config: config.clone(), me, layout: layout.clone() })
}

impl Aide {
    /// An aide starts, with what its disk holds, if it has one.
    pub fn boot(seat: &AideSeat, disk: &Disk, ctx: &mut Ctx<'_>) -> Aide {
        match seat {
            AideSeat::Consul(seat) => Aide::Consul(Box::new(match disk {
                Disk::Consul(disk) => consul::Agent::boot(seat, disk, ctx),
                Disk::Blank => consul::Agent::boot(seat, &consul::Disk::default(), ctx),
                Disk::Dns(_)
                | Disk::Etcd(_)
                | Disk::Eureka(_)
                | Disk::Kubernetes(_)
                | Disk::Nacos(_)
                | Disk::Zookeeper(_) => unreachable!("the disk of another registry's: {disk:?}"),
            })),
            AideSeat::Kubelet(seat) => Aide::Kubelet(Kubelet::boot(seat, ctx)),
            AideSeat::Dns(seat) => Aide::Dns(dns::Server::boot(seat, ctx)),
        }
    }

    /// What each of its tasks waits for.
    pub fn waits(&self) -> Vec<Wait> {
        match self {
            Aide::Consul(agent) => agent.waits(),
            Aide::Kubelet(kubelet) => kubelet.waits(),
            Aide::Dns(server) => server.waits(),
        }
    }

    /// A message has come.
    pub fn on_message(&mut self, ctx: &mut Ctx<'_>, from: NodeId, msg: Msg) {
        match (self, msg) {
            (Aide::Kubelet(kubelet), Msg::Kubernetes(msg)) => {
                kubelet.on_message(ctx, from, Arc::unwrap_or_clone(msg));
            }
            (Aide::Consul(agent), Msg::Consul(msg)) => agent.on_message(ctx, from, Arc::unwrap_or_clone(msg)),
            (Aide::Dns(server), msg) => server.on_message(ctx, from, &msg),
            (Aide::Consul(_) | Aide::Kubelet(_), msg) => unreachable!("another registry's {msg:?}"),
        }
    }

    /// A probe of an instance has been answered.
    pub fn on_probed(&mut self, ctx: &mut Ctx<'_>, number: u32, health: Health) {
        match self {
            Aide::Kubelet(kubelet) => kubelet.on_probed(ctx, number, health),
            Aide::Consul(_) | Aide::Dns(_) => unreachable!("kubelets probe"),
        }
    }

    /// A timer has fired.
    pub fn on_timer(&mut self, ctx: &mut Ctx<'_>, timer: Timer) {
        match (self, timer) {
            (Aide::Kubelet(kubelet), Timer::Kubernetes(timer)) => kubelet.on_timer(ctx, timer),
            (Aide::Consul(agent), Timer::Consul(timer)) => agent.on_timer(ctx, timer),
            (Aide::Dns(server), timer) => server.on_timer(ctx, timer),
            (Aide::Consul(_) | Aide::Kubelet(_), timer) => unreachable!("another registry's {timer:?}"),
        }
    }

    /// The connection to a peer is gone.
    pub fn on_reset(&mut self, ctx: &mut Ctx<'_>, peer: NodeId) {
        match self {
            Aide::Consul(agent) => agent.on_reset(ctx, peer),
            Aide::Kubelet(kubelet) => kubelet.on_reset(ctx, peer),
            Aide::Dns(server) => server.on_reset(ctx, peer),
        }
    }

    /// What ails it has changed.
    pub fn on_plight(&mut self, ctx: &mut Ctx<'_>) {
        match self {
            Aide::Consul(agent) => agent.on_plight(ctx),
            Aide::Kubelet(kubelet) => kubelet.on_plight(ctx),
            Aide::Dns(_) => {}
        }
    }

    /// Those with an open connection.
    pub fn peers(&self) -> Vec<NodeId> {
        match self {
            Aide::Consul(agent) => agent.peers(),
            Aide::Kubelet(kubelet) => kubelet.peers(),
            Aide::Dns(server) => server.peers(),
        }
    }
}
