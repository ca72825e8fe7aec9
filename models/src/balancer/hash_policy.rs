//! Hash policies: what of a request is hashed.

use super::Call;
use crate::hash::{Hash, combine};
use crate::options::words;

words! {
    /// A part of a request that a hashing balancer goes by.
    pub enum Policy {
        /// What the request is about, as a header or a field of it says.
        Key = "key",
        /// The client that it comes from, as its address says.
        Source = "source",
    }
}

/// A request's hash by these policies, in their order; none if none of them finds anything.
#[inline]
pub(super) fn hash_of(call: &Call<'_>, policies: &[Policy], by: Hash) -> Option<u64> {
    let part = |policy: &Policy| match policy {
        Policy::Key => call.hash(by),
        Policy::Source => Some(by.of(&call.source().to_le_bytes())),
    };
    combine(policies.iter().filter_map(part))
}
