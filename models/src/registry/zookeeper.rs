//! ZooKeeper: an ensemble that keeps a tree of nodes, sessions with ephemeral nodes, and one-shot watches.

pub mod election;
pub mod expiry;
pub mod log;
pub mod tree;
pub mod zxid;
