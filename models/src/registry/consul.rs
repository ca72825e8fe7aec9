//! Consul: servers that agree on a catalog by Raft, and an agent on each host that says what runs there.

pub mod raft;
pub mod stagger;
