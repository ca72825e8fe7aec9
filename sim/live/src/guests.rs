//! Guests: the parts of a scenario that users' own code plays.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use schism_core::NodeId;
use schism_scenario::Scenario;

use crate::part::{Client, Instance, Member, Part};

/// How an async function that plays a part may end. That it ends is the end of the process; that it ends with an error is
/// a failure of the run, as a panic is.
pub trait Ending {
    /// What went wrong, if it ended with an error.
    fn error(self) -> Option<String>;
}

impl Ending for () {
    fn error(self) -> Option<String> {
        None
    }
}

/// What a loop without end has come to. Its type can be used in stable Rust, and not yet be named.
type Never = <fn() -> ! as Returns>::Type;

/// What a function returns.
trait Returns {
    /// Its type.
    type Type;
}

impl<T> Returns for fn() -> T {
    type Type = T;
}

impl Ending for Never {
    #[expect(private_interfaces, reason = "what the type is called here is nobody's business")]
    fn error(self) -> Option<String> {
        self
    }
}

impl<E: Display> Ending for Result<(), E> {
    fn error(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// What a process does in one life, until it ends: with an error, perhaps.
pub(crate) type Acting = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// What plays a part: called for each process, and for each of its lives.
pub(crate) type Act<P> = Arc<dyn Fn(P) -> Acting + Send + Sync>;

/// Which parts are played by users' code.
#[derive(Clone, Default)]
pub(crate) struct Guests {
    pub(crate) registry: Option<Act<Member>>,
    /// By the number of the service.
    pub(crate) services: BTreeMap<usize, Act<Instance>>,
    /// By the number of the client group.
    pub(crate) clients: BTreeMap<usize, Act<Client>>,
}

/// A function of the user's as what plays a part.
pub(crate) fn act<P, F, R>(act: F) -> Act<P>
where
    F: Fn(P) -> R + Send + Sync + 'static,
    R: Future<Output: Ending> + Send + 'static,
{
    Arc::new(move |part| {
        let acting = act(part);
        Box::pin(async move { acting.await.error() })
    })
}

/// Which part a node plays, if users' code plays it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A registry member.
    Member,
    /// An instance of the service with this number.
    Instance(usize),
    /// A client of the group with this number.
    Client(usize),
}

impl Guests {
    /// Whether no part is played by users' code.
    pub(crate) fn is_empty(&self) -> bool {
        self.registry.is_none() && self.services.is_empty() && self.clients.is_empty()
    }

    /// The part that users' code plays at a node, if it does.
    pub(crate) fn role(&self, scenario: &Scenario, node: NodeId) -> Option<Role> {
        let is = |of: &schism_scenario::Node| of.id == node;
        if self.registry.is_some() && scenario.members.iter().any(is) {
            return Some(Role::Member);
        }
        let spare = |service: usize| {
            scenario.spares.iter().any(|spare| spare.service == service && spare.node.id == node)
        };
        let service = self
            .services
            .keys()
            .find(|&&service| scenario.services[service].nodes.iter().any(is) || spare(service));
        let client = || self.clients.keys().find(|&&group| scenario.clients[group].nodes.iter().any(is));
        service.copied().map(Role::Instance).or_else(|| client().copied().map(Role::Client))
    }

    /// What users' code does at a node that plays a part, in a life.
    pub(crate) fn act(&self, role: Role, part: Part) -> Acting {
        match role {
            Role::Member => (self.registry.as_ref().expect("whoever plays it is there"))(Member(part)),
            Role::Instance(service) => (self.services[&service])(Instance(part)),
            Role::Client(group) => (self.clients[&group])(Client(part)),
        }
    }
}
