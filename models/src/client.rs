//! Clients: they offer load, look up whom to call, pick an endpoint, and wait no longer than their timeout.

use schism_core::{Distribution, Duration};

use crate::{balancer, cache};

/// One client group: all its members are alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What they call.
    pub calls: Callee,
    /// When they call.
    pub arrivals: Arrivals,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long one request may take, with the time spent finding an endpoint; `None` is no bound of its own.
    pub deadline: Option<Duration>,
    /// How an endpoint is picked.
    pub balancer: balancer::Config,
    /// How endpoints are learnt.
    pub cache: cache::Config,
}

/// What a client group calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// The service with this index in the scenario.
    Service(usize),
    /// The registry itself, as a key-value store.
    Registry(Operation),
}

/// One operation on the registry as a key-value store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Write a key of the client's own.
    Put,
    /// Read through the leader and a quorum.
    Get,
    /// Read what the member that was asked has.
    GetSerializable,
}

/// When requests arrive, per client.
#[derive(Clone, Debug, PartialEq)]
pub enum Arrivals {
    /// Independent arrivals: exponential gaps with this mean.
    Poisson(Duration),
    /// One every so long, from a random phase.
    Constant(Duration),
    /// The next request a think time after the last has ended.
    Closed(Distribution),
}
