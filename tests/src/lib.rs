//! What the tests share: the repository's scenarios, its recorded digests, and the command as each profile builds it;
//! measurements, statistics, the two engines held against each other, what runs let be seen, a plain stage, and a toy world.

pub mod binary;
pub mod cross;
pub mod data;
pub mod faults;
pub mod follow;
pub mod gossips;
pub mod nondeterminism;
pub mod pickers;
pub mod picks;
pub mod plain;
pub mod planted;
pub mod puppet;
pub mod real;
pub mod registries;
pub mod repository;
pub mod runs;
pub mod scenarios;
pub mod statistics;
pub mod toy;
