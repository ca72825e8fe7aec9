//! Oracles: what must hold always, sometimes or eventually. The catalog.

/// What an oracle looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Never two leaders of one term.
    SingleLeader,
    /// All observers' views of every service are the same.
    ViewsAgree,
    /// An attempt went to an instance that had died or had left the registry.
    StaleRequest,
    /// An attempt went to an instance that could not answer: dead, paused or cut off from the sender.
    MisroutedRequest,
    /// The registry dropped an instance that was alive.
    FalseEviction,
    /// A new leader was elected after the first fault.
    LeaderChange,
    /// A lease expired.
    LeaseExpiry,
    /// A client that had an endpoint to call always has one.
    NeverEmpty,
}

/// How an oracle can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mood {
    /// At every event.
    Always,
    /// At least once.
    Sometimes,
    /// Not once.
    Never,
    /// Within some time after the last fault has healed.
    Eventually,
}

/// The names a scenario may write, what they mean, and the moods that make sense for each.
pub const CATALOG: &[(&str, &str, Kind, &[Mood])] = {
    use Mood::{Always, Eventually, Never, Sometimes};
    &[
        ("single-leader", "never two registry leaders in one term", Kind::SingleLeader, &[Always]),
        (
            "views-agree",
            "all observers hold the same list of every service",
            Kind::ViewsAgree,
            &[Eventually, Sometimes],
        ),
        (
            "stale-request",
            "a request goes to an instance that has died or left the registry",
            Kind::StaleRequest,
            &[Sometimes, Never],
        ),
        (
            "misrouted-request",
            "a request goes to an instance that cannot answer: dead, paused or cut off",
            Kind::MisroutedRequest,
            &[Sometimes, Never],
        ),
        (
            "false-eviction",
            "the registry drops an instance that is alive",
            Kind::FalseEviction,
            &[Sometimes, Never],
        ),
        (
            "leader-change",
            "a new registry leader is elected after the first fault",
            Kind::LeaderChange,
            &[Sometimes, Never],
        ),
        ("lease-expiry", "a lease expires", Kind::LeaseExpiry, &[Sometimes, Never]),
        (
            "never-empty",
            "a client that has had an endpoint to call always has one",
            Kind::NeverEmpty,
            &[Always],
        ),
    ]
};
