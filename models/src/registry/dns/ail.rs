//! What may ail a DNS server.

use std::sync::Arc;

use schism_core::{Duration, NodeId, Ratio};

/// What a DNS server does wrong until it heals. What it keeps in its cache, and what clients keep in theirs, outlives that.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// It answers from the list of so long ago.
    Stale {
        /// How old that is.
        age: Duration,
    },
    /// It does not answer this share of the questions.
    Timeout {
        /// The share.
        share: Ratio,
    },
    /// It says of this share of what it looks up that there is no such name.
    NxDomain {
        /// The share.
        share: Ratio,
        /// For how long that may be remembered; by default as the zone says.
        ttl: Option<Duration>,
    },
    /// Each answer has only this share of the records, drawn anew, one at least.
    Shuffle {
        /// The share.
        share: Ratio,
    },
    /// This share of what it looks up names other instances in place of the right ones.
    Poison {
        /// The share.
        share: Ratio,
        /// The instances.
        to: Arc<[NodeId]>,
        /// For how long that may be remembered; by default as the zone says.
        ttl: Option<Duration>,
    },
}
