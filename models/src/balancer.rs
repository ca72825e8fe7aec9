//! Balancers: which endpoint of a view gets the next request. The catalog.

/// The balancer a client group uses, with its options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Config {
    /// Uniformly at random.
    Random,
    /// Each in turn, from a random start.
    RoundRobin,
    /// Of two distinct endpoints drawn at random, the one with fewer requests in flight from this client.
    P2c,
}

/// The names a scenario may write after `balancer`, in the order in which `schism list` shows them.
pub const CATALOG: &[(&str, &str, Config)] = &[
    ("random", "uniformly at random", Config::Random),
    ("round-robin", "each endpoint in turn, from a random start", Config::RoundRobin),
    ("p2c", "of two distinct endpoints drawn at random, the one with fewer requests in flight", Config::P2c),
];
