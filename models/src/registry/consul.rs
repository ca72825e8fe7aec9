//! Consul: catalog servers on Raft, agents beside the instances, and gossip among them all.

pub mod gossip;
