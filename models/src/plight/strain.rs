//! Strains: what makes a client ask for more than it would, or otherwise than it would.

use schism_core::{Duration, Ratio};

use crate::factor::Factor;

/// What strains a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strain {
    /// It has more requests.
    Surge {
        /// How many times as many.
        factor: Factor,
        /// How long it takes until there are so many, from none more on, evenly.
        over: Duration,
    },
    /// A share of its requests are about one key.
    HotKey {
        /// Which share.
        share: Ratio,
        /// Which key.
        key: u64,
    },
    /// It does something, once, beside all that it does.
    Rush {
        /// What.
        what: Rush,
        /// At some moment within this time.
        within: Duration,
    },
}

/// What a client may do once, beside all that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rush {
    /// Ask the registry for the list.
    Refresh,
    /// Drop the connection to the registry, and open one to the next member.
    Reconnect,
    /// Send again what is under way.
    Retry,
    /// Forget the list.
    Forget,
}
