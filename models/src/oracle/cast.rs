//! The cast: what each node is, as far as those who watch need to know.

use std::sync::Arc;

use schism_core::NodeId;

use crate::listing::ServiceId;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A registry member.
    Member,
    /// An instance, with its place in its service: 0, 1, ...
    Instance(ServiceId, u32),
    /// A client, with the number of its group.
    Client(u16),
    /// A process of the registry's besides its members.
    Aide,
}

/// What each node is: members first, then instances by service, then clients by group, then those that are there besides.
#[derive(Clone, Debug)]
pub struct Cast {
    roles: Arc<[Role]>,
    services: Arc<[Arc<[NodeId]>]>,
    members: u32,
    aides: u32,
    /// Whether every instance is registered from the start, for good.
    fixed: bool,
    /// Whether the lists that clients are given carry numbers of one order, whoever gives them.
    numbered: bool,
    /// By node, for sentences; empty where nobody asks for any.
    names: Arc<[String]>,
}

impl Cast {
    /// So many members, then services and client groups of these sizes. Without members the registry is static: all
    /// instances are registered from the start.
    pub fn new(members: u32, services: &[u32], clients: &[u32]) -> Cast {
        let mut roles = vec![Role::Member; members as usize];
        let mut numbers = Vec::new();
        for (service, &size) in services.iter().enumerate() {
            let first = roles.len() as u32;
            roles.extend((0..size).map(|place| Role::Instance(ServiceId(service as u16), place)));
            numbers.push((first..first + size).map(NodeId).collect());
        }
        for (group, &size) in clients.iter().enumerate() {
            roles.extend(std::iter::repeat_n(Role::Client(group as u16), size as usize));
        }
        Cast {
            roles: roles.into(),
            services: numbers.into(),
            members,
            aides: 0,
            fixed: members == 0,
            numbered: true,
            names: [].into(),
        }
    }

    /// The same, with all instances registered from the start, for good.
    pub fn listed_for_good(self) -> Cast {
        Cast { fixed: true, ..self }
    }

    /// The same, with lists that carry no number, or each server's own: see [`registry::Config::numbers_lists`].
    ///
    /// [`registry::Config::numbers_lists`]: crate::registry::Config::numbers_lists
    pub fn with_unnumbered_lists(self) -> Cast {
        Cast { numbered: false, ..self }
    }

    /// The same with instances that come later, after all other nodes: the service of each.
    pub fn with_spares(self, spares: &[ServiceId]) -> Cast {
        let mut roles = self.roles.to_vec();
        let mut services: Vec<Vec<NodeId>> = self.services.iter().map(|nodes| nodes.to_vec()).collect();
        for &service in spares {
            let nodes = &mut services[service.0 as usize];
            nodes.push(NodeId(roles.len() as u32));
            roles.push(Role::Instance(service, nodes.len() as u32 - 1));
        }
        Cast { roles: roles.into(), services: services.into_iter().map(Arc::from).collect(), ..self }
    }

    /// The same with so many aides, after all other nodes so far.
    pub fn with_aides(self, aides: u32) -> Cast {
        let roles = self.roles.iter().copied().chain((0..aides).map(|_| Role::Aide)).collect();
        Cast { roles, aides: self.aides + aides, ..self }
    }

    /// The same, with the name of every node.
    pub fn with_names(self, names: Vec<String>) -> Cast {
        assert!(names.len() == self.roles.len(), "every node has a name");
        Cast { names: names.into(), ..self }
    }

    /// The name of a node.
    pub fn name(&self, node: NodeId) -> &str {
        &self.names[node.index()]
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.roles.len()
    }

    /// How many registry members there are.
    pub fn members(&self) -> u32 {
        self.members
    }

    /// Whether the revisions of two lists can be compared, whoever gave them.
    pub fn numbers_lists(&self) -> bool {
        self.numbered
    }

    /// How many nodes hold lists: registry members and clients.
    pub fn observers(&self) -> usize {
        self.nodes() - self.services.iter().map(|nodes| nodes.len()).sum::<usize>() - self.aides as usize
    }

    /// What a node is.
    pub fn role(&self, node: NodeId) -> Role {
        self.roles[node.index()]
    }

    /// The instances of each service, by their place.
    pub fn services(&self) -> &[Arc<[NodeId]>] {
        &self.services
    }

    /// The instance at a place of a service.
    pub fn instance(&self, service: ServiceId, place: u32) -> NodeId {
        self.services[service.0 as usize][place as usize]
    }

    /// The place of an instance in its service.
    ///
    /// # Panics
    /// If the node is no instance.
    pub fn place(&self, node: NodeId) -> (ServiceId, u32) {
        match self.role(node) {
            Role::Instance(service, place) => (service, place),
            Role::Member | Role::Client(_) | Role::Aide => {
                panic!("{node:?} is believed to be an instance, and is none")
            }
        }
    }

    /// Whether a node counts as registered before anything has been written: members, and all of a static registry.
    pub fn is_listed_at_first(&self, node: NodeId) -> bool {
        match self.role(node) {
            Role::Instance(..) => self.fixed,
            Role::Member | Role::Client(_) | Role::Aide => true,
        }
    }
}
