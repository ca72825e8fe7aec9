//! The kernel: time, luck, queue, topology, network, fault, world, trace. It knows no word of the domain.

mod digest;
mod distribution;
mod luck;
mod ratio;
mod time;

pub use digest::{
    Checkpoint, Checkpoints, DIGEST_VERSION, Digest, DigestValue, NotADigest, Parting, first_difference,
};
pub use distribution::{Distribution, DistributionError};
pub use luck::{Draw, Luck, Seed};
pub use ratio::{Ratio, ratio};
pub use time::{Duration, Time};
