//! Keys: what each request is about, for balancers that send a key to the same endpoint.

use schism_core::{Draw, Ranks};

/// Which keys a client group's requests have. Its clients share the keys: the same number is the same key.
#[derive(Clone, Debug, PartialEq)]
pub enum Keys {
    /// Every request has a key of its own.
    Unique,
    /// Each of so many keys is as likely as the others.
    Uniform(u32),
    /// The first keys are the likeliest, by Zipf's law.
    Zipf(Ranks),
}

impl Keys {
    /// The key that a draw stands for: below the number of keys, or any 64 bits where each request has its own.
    #[inline]
    pub fn of(&self, draw: Draw) -> u64 {
        match self {
            Keys::Unique => draw.word(),
            Keys::Uniform(keys) => u64::from(draw.below(*keys)),
            Keys::Zipf(ranks) => u64::from(ranks.of(draw)),
        }
    }
}
