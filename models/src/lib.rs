//! Registries, caches, balancers, services, clients, nemeses and oracles: sans-IO state machines that ask through
//! effects and are told through messages and timers. They know no TOML and no terminal.

pub mod balancer;
pub mod cache;
pub mod client;
pub mod dice;
pub mod factor;
pub mod failpoint;
pub mod hash;
pub mod holdings;
pub mod keys;
pub mod listing;
pub mod load;
pub mod locality;
pub mod nemesis;
pub mod node;
pub mod observation;
pub mod options;
pub mod oracle;
pub mod picker;
pub mod plight;
pub mod registry;
pub mod service;
mod sliding;
pub mod state;
pub mod subset;
pub mod waits;
