//! The stage: the groups of a scenario as written, with where their nodes stand, for those who draw faults before the
//! rest of it is checked.

use super::cast::{Cast, REGISTRY, Registry};
use super::topology;
use crate::Node;
use crate::diagnostics::Report;
use crate::spec::Written;

/// Who can be struck, and where they stand.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    /// The registry's members first, where it has any; then services, then client groups.
    pub(crate) groups: Vec<Troupe>,
    /// The names of the zones.
    pub(crate) zones: Vec<String>,
    /// The name of the registry whose members these are.
    pub(crate) registry: Option<&'static str>,
    /// Whether one of them leads the others.
    pub(crate) has_leader: bool,
    /// Whether clients learn from DNS.
    pub(crate) dns: bool,
}

/// A group of nodes.
#[derive(Clone, Debug)]
pub(crate) struct Troupe {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The zone of each node, by number.
    pub(crate) zones: Vec<usize>,
}

/// What the nodes of a group are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Member,
    Instance,
    Client,
}

impl Troupe {
    pub(crate) fn size(&self) -> u32 {
        self.zones.len() as u32
    }
}

/// The stage of a scenario; `None` if its cast cannot be told, of which the check will say why.
pub(crate) fn stage(written: &Written) -> Option<Stage> {
    let scratch = Report::default();
    let (_, zones) = topology::check(written, &scratch)?;
    let cast = Cast::assemble(written, &zones, &scratch)?;
    let troupe = |name: &str, role: Role, nodes: &[Node]| Troupe {
        name: name.to_owned(),
        role,
        zones: nodes.iter().map(|node| usize::from(node.zone.0)).collect(),
    };
    let members = std::iter::once(troupe(REGISTRY, Role::Member, &cast.members));
    let services = written.services.iter().zip(&cast.services);
    let services = services.map(|(spec, nodes)| troupe(&spec.name.value, Role::Instance, nodes));
    let clients = written.clients.iter().zip(&cast.clients);
    let clients = clients.map(|(spec, nodes)| troupe(&spec.name.value, Role::Client, nodes));
    Some(Stage {
        groups: members.chain(services).chain(clients).filter(|troupe| !troupe.zones.is_empty()).collect(),
        zones: zones.names().map(str::to_owned).collect(),
        registry: cast.registry_name.filter(|_| cast.registry != Registry::IsStatic),
        has_leader: cast.registry == Registry::HasLeader,
        dns: cast.dns == Some(true),
    })
}
