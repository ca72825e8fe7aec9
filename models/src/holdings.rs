//! Holdings: how much a process holds of what it should give back. What is counted, and each process's own account.

use crate::node::Node;
use crate::options::words;

words! {
    /// What is counted.
    pub enum Holding {
        /// Requests of clients that are not over.
        Requests = "requests",
        /// Timers that are set, and have not fired.
        Timers = "timers",
        /// What a process's tasks wait for, and what it has been asked and not answered.
        Tasks = "tasks",
        /// Who is to be told by a registry member, or by a server behind it, when something changes.
        Watches = "watches",
        /// Leases, sessions and connections that a registry member keeps for someone.
        Sessions = "sessions",
        /// Connections that a process has opened, or is opening.
        Connections = "connections",
    }
}

impl Holding {
    /// All of them, in the order in which they are declared.
    pub const ALL: [Holding; 6] = [
        Holding::Requests,
        Holding::Timers,
        Holding::Tasks,
        Holding::Watches,
        Holding::Sessions,
        Holding::Connections,
    ];
}

/// What a process of the registry's keeps for others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keeps {
    /// See [`Holding::Watches`].
    pub watches: usize,
    /// See [`Holding::Sessions`].
    pub sessions: usize,
    /// What it has been asked and not answered.
    pub pending: usize,
}

/// What only who drives a process can count of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Driven {
    /// See [`Holding::Timers`].
    pub timers: usize,
    /// See [`Holding::Connections`].
    pub connections: usize,
}

/// How much a process holds of each but requests, which are observed one by one.
pub fn of(node: &Node, driven: Driven) -> [(Holding, u32); 5] {
    let keeps = node.keeps();
    [
        (Holding::Timers, driven.timers),
        (Holding::Tasks, node.waits().len() + keeps.pending),
        (Holding::Watches, keeps.watches),
        (Holding::Sessions, keeps.sessions),
        (Holding::Connections, driven.connections),
    ]
    .map(|(what, many)| (what, many as u32))
}

impl Node {
    /// What it keeps for others.
    pub fn keeps(&self) -> Keeps {
        match self {
            Node::Member(member) => member.keeps(),
            Node::Instance(_) | Node::Client(_) | Node::Aide(_) => Keeps::default(),
        }
    }
}
