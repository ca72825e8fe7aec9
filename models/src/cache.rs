//! Registry caches: what a client believes about who is there, and how it keeps that belief fresh. The catalog.

mod ttl;
mod watch;

use std::sync::Arc;

use schism_core::{Duration, Time};

use crate::listing::Listing;

/// One client's memory of who is there.
pub trait Cache: Clone {
    /// The list that may be used now, if there is one.
    fn view(&self, now: Time) -> Option<&Arc<Listing>>;
    /// The registry has told the list as it is now: all of it, or what a watched change led to.
    fn on_listing(&mut self, now: Time, listing: Arc<Listing>);
    /// All that it knew is lost.
    fn forget(&mut self);
}

/// How a cache wants to be fed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feed {
    /// A list whenever a request finds none that may be used.
    OnDemand(Reads),
    /// One list, then a watch.
    Watch,
}

/// A cache of the catalog.
#[derive(Clone, Debug)]
pub enum Any {
    /// A list is good for a while; for no time at all if there is to be no cache.
    Ttl(ttl::Ttl),
    /// Every change as it happens.
    Watch(watch::Watch),
}

impl Any {
    /// A cache as configured, which knows nothing yet.
    pub fn new(config: Config) -> Any {
        match config {
            Config::None(_) => Any::Ttl(ttl::Ttl::new(Duration::ZERO)),
            Config::Ttl { ttl, .. } => Any::Ttl(ttl::Ttl::new(ttl)),
            Config::Watch { on_empty, max_stale } => Any::Watch(watch::Watch::new(on_empty, max_stale)),
        }
    }
}

impl Cache for Any {
    #[inline]
    fn view(&self, now: Time) -> Option<&Arc<Listing>> {
        match self {
            Any::Ttl(cache) => cache.view(now),
            Any::Watch(cache) => cache.view(now),
        }
    }

    fn on_listing(&mut self, now: Time, listing: Arc<Listing>) {
        match self {
            Any::Ttl(cache) => cache.on_listing(now, listing),
            Any::Watch(cache) => cache.on_listing(now, listing),
        }
    }

    fn forget(&mut self) {
        match self {
            Any::Ttl(cache) => cache.forget(),
            Any::Watch(cache) => cache.forget(),
        }
    }
}

impl Config {
    /// How the cache wants to be fed.
    pub fn feed(&self) -> Feed {
        match *self {
            Config::None(reads) | Config::Ttl { reads, .. } => Feed::OnDemand(reads),
            Config::Watch { .. } => Feed::Watch,
        }
    }
}

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
