//! Hash functions that balancers place keys and endpoints by.

use twox_hash::XxHash64;

use crate::options::words;

words! {
    /// A hash function of 64 bits.
    pub enum Hash {
        /// XXH64 with seed 0: that of Envoy's and gRPC's ring hash.
        Xxh64 = "xxh64",
    }
}

impl Hash {
    /// The hash of these bytes.
    pub fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Hash::Xxh64 => XxHash64::oneshot(0, bytes),
        }
    }
}
