//! Registry caches: what a client believes about who is there, and how it keeps that belief fresh. The catalog.

use schism_core::Duration;

/// The cache a client group keeps, with its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Config {
    /// No cache: every request first asks the registry.
    None(Reads),
    /// A list is good for `ttl`; the first request after that asks the registry and waits for the answer.
    Ttl {
        /// How long an answer is used.
        ttl: Duration,
        /// How it asks.
        reads: Reads,
    },
    /// One list, then every change as it happens.
    Watch {
        /// What an empty list does.
        on_empty: OnEmpty,
        /// How long a view is used after the registry was last heard of; `None` is for ever.
        max_stale: Option<Duration>,
    },
}

/// How the registry is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reads {
    /// Through the leader and a quorum: never older than the request.
    Linearizable,
    /// From the member that was asked, however old its state.
    Serializable,
}

/// What a watch cache does when the registry says that nobody is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnEmpty {
    /// Keep the last view that was not empty.
    Keep,
    /// Believe it.
    Accept,
}

/// The names a scenario may write after `cache`, in the order in which `schism list` shows them.
pub const CATALOG: &[(&str, &str)] = &[
    ("none", "no cache: every request first asks the registry"),
    ("ttl", "a list is good for its ttl; the first request after that asks again and waits"),
    ("watch", "one list, then every change as it happens"),
];
