//! etcd's log: Raft's, of commands to the store.

use super::store::Command;
use crate::registry::raft;

/// One entry of the log.
pub type Entry = raft::log::Entry<Command>;
/// A command and who waits for it.
pub type Proposal = raft::log::Proposal<Command>;
/// The replicated log.
pub type Log = raft::log::Log<Command>;
/// What a member's disk holds: its write-ahead log.
pub type Disk = raft::log::Disk<Command>;
/// One write to the disk.
pub type Record = raft::log::Record<Command>;
/// One member's Raft.
pub type Raft = raft::Raft<Command>;
/// What members tell each other.
pub type Message = raft::Message<Command>;
/// What Raft asks of whoever runs it.
pub type Output = raft::Output<Command>;
