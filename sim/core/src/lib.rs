//! The kernel: time, luck, queue, topology, network, fault, world, trace. It knows no word of the domain.

pub mod queue;
mod time;

pub use time::{Duration, Time};
