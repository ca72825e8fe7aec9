//! Needs: what a scenario must have for an oracle to see anything in it, whatever happens.

/// Something that a scenario must have for an oracle to see anything in it, whatever happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A client, whomever it calls.
    Clients,
    /// A client that calls a service, and so holds a list of it.
    Callers,
    /// A client that calls a service with keys that other requests have, too.
    SharedKeys,
    /// Instances that register.
    Registrations,
    /// Members that elect a leader.
    Leaders,
    /// Members, whoever leads them.
    Members,
    /// A client that contends for a lock.
    Locks,
    /// A client that writes to what a lock guards.
    GuardedWrites,
    /// A client that calls the registry for keys that others call for, too.
    Keys,
    /// Lists that are numbered in one order, or a client that calls the registry.
    Revisions,
}

impl Need {
    /// What is wrong where it is not there: a whole sentence without its stop.
    pub fn missing(self) -> &'static str {
        match self {
            Need::Clients => "there is no client",
            Need::Callers => "no client calls a service",
            Need::SharedKeys => "no client calls a service with keys that other requests have, too",
            Need::Registrations => "no instance registers",
            Need::Leaders => "the registry elects no leader",
            Need::Members => "the registry has no members",
            Need::Locks => "no client contends for a lock",
            Need::GuardedWrites => "no client writes to what a lock guards",
            Need::Keys => "no client calls the registry for keys that others call for, too",
            Need::Revisions => {
                "the lists of this registry are not numbered in one order, and no client calls it for keys"
            }
        }
    }

    /// What to do about that, without what is in the scenario.
    pub fn remedy(self) -> &'static str {
        match self {
            Need::Clients => "add a [clients.NAME]",
            Need::Callers => "add a [clients.NAME] that calls a service",
            Need::SharedKeys => {
                "write key = { uniform = { keys = 1000 } } in a [clients.NAME] that calls a service"
            }
            Need::Registrations => "add a service, and a registry that instances register with, such as etcd",
            Need::Leaders => "choose a registry that elects leaders, such as etcd",
            Need::Members => "choose a registry that has members, such as etcd",
            Need::Locks => "write calls = \"registry\" and operation = \"lock\" in a [clients.NAME]",
            Need::GuardedWrites => {
                "write lock = { writes = \"NAME\" } in a [clients.NAME] that contends for locks"
            }
            Need::Keys => {
                "write calls = \"registry\" and key = { uniform = { keys = 3 } } in a [clients.NAME]"
            }
            Need::Revisions => "choose a registry that numbers them, such as etcd",
        }
    }
}
