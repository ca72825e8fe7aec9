//! Waits: what the tasks of a process wait for, as one would read it from a dump of them.

use schism_core::{NodeId, Time};

use crate::node::{Node, Timer};

/// Something that a task of a process waits for.
#[derive(Clone, Debug)]
pub struct Wait {
    /// Which task: `request 12`, `registration`, `read`.
    pub task: String,
    /// For what.
    pub what: String,
    /// From whom: any of them, or all. Nobody, if it waits for something of its own.
    pub on: Vec<NodeId>,
    /// Since when, by the process's own monotonic clock, if it knows that.
    pub since: Option<Time>,
    /// Until when it waits at most.
    pub ends: Ends,
}

/// Until when a task waits at most.
#[derive(Clone, Debug)]
pub enum Ends {
    /// For ever, as far as the task knows.
    Never,
    /// When the process's monotonic clock reads this.
    At(Time),
    /// When this timer fires.
    By(Box<Timer>),
}

impl Wait {
    /// A task waits for something from these.
    pub fn new(task: impl Into<String>, what: impl Into<String>, on: impl Into<Vec<NodeId>>) -> Wait {
        Wait { task: task.into(), what: what.into(), on: on.into(), since: None, ends: Ends::Never }
    }

    /// It has waited since then.
    #[must_use]
    pub fn since(self, since: Time) -> Wait {
        Wait { since: Some(since), ..self }
    }

    /// It waits until then at most.
    #[must_use]
    pub fn until(self, at: Time) -> Wait {
        Wait { ends: Ends::At(at), ..self }
    }

    /// It waits until this timer fires at most.
    #[must_use]
    pub fn by(self, timer: impl Into<Timer>) -> Wait {
        Wait { ends: Ends::By(Box::new(timer.into())), ..self }
    }
}

impl Node {
    /// What each of the process's tasks waits for.
    pub fn waits(&self) -> Vec<Wait> {
        match self {
            Node::Member(member) => member.waits(),
            Node::Instance(instance) => instance.waits(),
            Node::Client(client) => client.waits(),
            Node::Aide(aide) => aide.waits(),
        }
    }

    /// How it stands, in a line.
    pub fn summary(&self) -> String {
        match self {
            Node::Member(member) => match member.leads() {
                Some(term) => format!("a registry member, leader of term {term}"),
                None if member.is_peer() => "a registry member, among equals".to_owned(),
                None => "a registry member that does not lead".to_owned(),
            },
            Node::Instance(instance) => instance.summary(),
            Node::Client(client) => client.summary(),
            Node::Aide(_) => "a process of the registry's beside its members".to_owned(),
        }
    }
}
