//! The kernel's workloads, through the same actor, effects and world as the models: what `workloads` times.

pub mod crowd;
pub mod hold;
pub mod scenario;
pub mod service;
