//! The kernel: time, luck, queue, topology, network, fault, world, trace. It knows no word of the domain.
//!
//! A world is a value. Running it is a pure function. Everything else is printing.

mod actor;
mod clock;
mod death;
mod digest;
mod disk;
mod distribution;
mod fault;
mod hosts;
mod impair;
mod luck;
mod network;
mod node;
pub mod queue;
mod ranks;
mod ratio;
mod stream;
mod time;
mod topology;
mod traced;
mod witness;
mod world;
mod wounds;

pub use actor::{Actor, Ctx, Durable, Effect};
pub use clock::{Rate, Setting, Skew};
pub use death::{Death, Farewell, Toll};
pub use digest::{
    Checkpoint, Checkpoints, DIGEST_VERSION, Digest, DigestValue, NotADigest, Parting, first_difference,
    parting,
};
pub use distribution::{Distribution, DistributionError, Law};
pub use fault::{
    Class, Classes, Cut, Fault, FaultId, Feel, Flows, GilbertElliott, Harm, Impairment, NodeSet,
};
pub use hosts::Hosts;
pub use luck::{Draw, Draws, Luck, Seed};
pub use network::Network;
pub use node::{Life, NodeId};
pub use ranks::Ranks;
pub use ratio::{Ratio, ratio};
pub use time::{Duration, Time};
pub use topology::{Link, Topology, ZoneId};
pub use traced::{Cause, Deed, Doing, Finds, Happening, Over, Swallowed, Taker, Then, Traced};
pub use witness::{Scene, Status, Witness};
pub use world::{Birth, Coming, Connection, Event, Held, Part, Ran, Stalled, Waits, World};
pub use wounds::{Wound, Wounds};
