//! The stage: what users' code asks of the engine, and who is who there.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;

use schism_core::{NodeId, Seed, Time};
use schism_models::listing::{Endpoint, ServiceId};
use schism_models::node::Message;
use schism_models::observation::Observation;
use schism_scenario::Scenario;

/// A life of a process: what an earlier one still asks for is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) node: NodeId,
    pub(crate) life: u32,
}

/// How a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// By itself.
    Alone,
    /// On the connection with the peer.
    Connection,
}

/// What the engine does for users' code.
pub(crate) trait Stage: Send + Sync {
    /// How late it is in the run.
    fn now(&self) -> Time;
    /// A process tells the witnesses something.
    fn observe(&self, by: Whose, seen: Observation);
    /// The same, where the engine may be at work: it is then at an end with the process, and nobody is told.
    fn observe_last(&self, by: Whose, seen: Observation);
    /// A process sends a model something.
    fn send(&self, by: Whose, to: NodeId, msg: Message, way: Way);
    /// What registers a process with a model of a registry takes it off the list, in this life for good.
    fn leave(&self, by: Whose);
    /// Waits for a moment of the run.
    fn sleep_until(&self, at: Time) -> Pin<Box<dyn Future<Output = ()> + Send>>;
}

/// Who is who in a run.
pub(crate) struct Playbill {
    pub(crate) scenario: Scenario,
    pub(crate) seed: Seed,
    nodes: BTreeMap<String, NodeId>,
}

impl Playbill {
    pub(crate) fn new(scenario: Scenario, seed: Seed) -> Playbill {
        let nodes = scenario.nodes().map(|node| (node.name.clone(), node.id)).collect();
        Playbill { scenario, seed, nodes }
    }

    /// The service of this name.
    pub(crate) fn service(&self, name: &str) -> Option<usize> {
        self.scenario.services.iter().position(|service| service.name == name)
    }

    /// The instances of a service, those too that only a fault boots.
    pub(crate) fn instances(&self, service: usize) -> impl Iterator<Item = &schism_scenario::Node> {
        let spares = self.scenario.spares.iter().filter(move |spare| spare.service == service);
        self.scenario.services[service].nodes.iter().chain(spares.map(|spare| &spare.node))
    }

    /// An instance by its name.
    pub(crate) fn instance(&self, name: &str) -> Option<(ServiceId, Endpoint)> {
        let id = *self.nodes.get(name)?;
        let services = 0..self.scenario.services.len();
        let mut endpoints = services.flat_map(|service| self.endpoints(service));
        endpoints.find(|(_, endpoint)| endpoint.node == id)
    }

    /// The instances of a service as they are listed.
    fn endpoints(&self, service: usize) -> impl Iterator<Item = (ServiceId, Endpoint)> {
        let weight = self.scenario.services[service].config.weight;
        let endpoint = move |(ordinal, node): (u32, &schism_scenario::Node)| {
            (ServiceId(service as u16), Endpoint { node: node.id, ordinal, zone: node.zone, weight })
        };
        (0..).zip(self.instances(service)).map(endpoint)
    }

    /// The name of a node.
    pub(crate) fn name(&self, node: NodeId) -> &str {
        &self.scenario.nodes().find(|other| other.id == node).expect("every node has a name").name
    }
}

/// Where a node is in madsim's network.
pub(crate) fn ip(node: NodeId) -> IpAddr {
    IpAddr::from((FIRST_ADDRESS + node.0).to_be_bytes())
}

/// 10.0.0.1.
pub(crate) const FIRST_ADDRESS: u32 = 0x0a00_0001;
