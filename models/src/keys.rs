//! Keys: what each request is about, for balancers that send a key to the same endpoint.

use schism_core::{Draw, Ranks};

use crate::hash::Hash;

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

/// What one request is about. All its attempts are about the same.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A key that is drawn only if somebody asks for it.
    Drawn(&'a Keys, Draw),
    /// A key.
    Key(u64),
    /// A key that is a text.
    Text(&'a str),
    /// Something that has been hashed already.
    Hash(u64),
    /// Nothing.
    Nothing,
}

impl<'a> Subject<'a> {
    /// What a request of this luck is about: a key of its own, which nobody may want to know, or one of those that
    /// requests share.
    #[inline]
    pub fn of(keys: &'a Keys, luck: Draw) -> Subject<'a> {
        match keys {
            Keys::Unique => Subject::Drawn(keys, luck),
            Keys::Uniform(_) | Keys::Zipf(_) => Subject::Key(keys.of(luck)),
        }
    }

    /// Its hash: the one it came with, or that of its bytes, which of a number are eight, little-endian.
    #[inline]
    pub fn hash(&self, by: Hash) -> Option<u64> {
        match *self {
            Subject::Drawn(keys, luck) => Some(by.of(&keys.of(luck).to_le_bytes())),
            Subject::Key(key) => Some(by.of(&key.to_le_bytes())),
            Subject::Text(text) => Some(by.of(text.as_bytes())),
            Subject::Hash(hash) => Some(hash),
            Subject::Nothing => None,
        }
    }
}
