//! etcd's replicated log.

use super::store::Command;
use crate::registry::log;

/// One entry of the log.
pub type Entry = log::Entry<Command>;
/// A command and who waits for it.
pub type Proposal = log::Proposal<Command>;
/// Entries by index.
pub type Log = log::Log<Command>;
/// What a member's disk holds: its write-ahead log.
pub type Disk = log::Disk<Command>;
/// One write to the disk.
pub type Record = log::Record<Command>;
