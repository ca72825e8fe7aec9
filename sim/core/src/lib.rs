//! The kernel: time, luck, queue, topology, network, fault, world, trace. It knows no word of the domain.

mod ratio;
mod time;

pub use ratio::{Ratio, ratio};
pub use time::{Duration, Time};
