//! The transaction log: what leaders have proposed, in order, and what a member's disk keeps of it.

use std::sync::Arc;

use schism_core::Durable;

use super::tree::{Tree, Txn};
use super::zxid::Zxid;

/// A server's number: its place among the members. A greater one wins an election that is otherwise undecided.
pub type Sid = u8;

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Its number.
    pub zxid: Zxid,
    /// What it does.
    pub txn: Txn,
    /// The server that waits for it, and that server's number for the request; nobody waits for the leader's own.
    pub by: Option<(Sid, u64)>,
}

/// Proposals in the order of their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Log {
    entries: Vec<Entry>,
    /// So many of them have been handed to the disk.
    handed: usize,
}

impl Log {
    /// The number of the last proposal.
    pub fn last(&self) -> Zxid {
        self.entries.last().map_or(Zxid::ZERO, |entry| entry.zxid)
    }

    /// How many proposals there are up to a number, and with it.
    pub fn count(&self, upto: Zxid) -> usize {
        self.entries.partition_point(|entry| entry.zxid <= upto)
    }

    /// The greatest number in the log that is not beyond this one.
    pub fn floor(&self, zxid: Zxid) -> Zxid {
        self.count(zxid).checked_sub(1).map_or(Zxid::ZERO, |at| self.entries[at].zxid)
    }

    /// The first proposal after a number.
    pub fn next(&self, after: Zxid) -> Option<&Entry> {
        self.entries.get(self.count(after))
    }

    /// All proposals after a number.
    pub fn after(&self, zxid: Zxid) -> Arc<[Entry]> {
        self.entries[self.count(zxid)..].into()
    }

    /// Adds a proposal at the end.
    pub fn push(&mut self, entry: Entry) {
        assert!(entry.zxid > self.last(), "proposals come in order");
        self.entries.push(entry);
    }

    /// Drops all proposals after a number, and takes these instead.
    pub fn replace_after(&mut self, zxid: Zxid, entries: &[Entry]) {
        let kept = self.count(zxid);
        self.entries.truncate(kept);
        self.handed = self.handed.min(kept);
        self.entries.extend_from_slice(entries);
    }

    /// Whether the disk has been handed everything.
    pub fn is_handed_over(&self) -> bool {
        self.handed == self.entries.len()
    }

    /// What the disk has not been handed, and the number before it. It counts as handed from now on.
    pub fn hand_over(&mut self) -> (Zxid, Arc<[Entry]>) {
        let before = std::mem::replace(&mut self.handed, self.entries.len());
        let after = before.checked_sub(1).map_or(Zxid::ZERO, |at| self.entries[at].zxid);
        (after, self.entries[before..].into())
    }

    /// The tree after all proposals up to a number.
    pub fn replay(&self, services: u16, upto: Zxid) -> Tree {
        let mut tree = Tree::new(services);
        for entry in &self.entries[..self.count(upto)] {
            tree.apply(entry.zxid, &entry.txn, |earlier| self.replay(services, earlier));
        }
        tree
    }
}

/// What a member's disk holds: the log, and the two files of epochs (server/quorum/QuorumPeer.java, `acceptedEpoch` and
/// `currentEpoch`, 3.8.0).
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// The latest epoch that it has accepted.
    pub accepted: u32,
    /// The latest epoch that it has followed a leader of.
    pub current: u32,
    /// Up to where it knew the log to be committed. Real servers do not write that down, and take all of their log for
    /// committed when they boot; it is how the model knows when a transaction has been seen for the first time.
    pub committed: Zxid,
    /// Its log.
    pub log: Log,
}

/// One write to the disk: the epochs, and the entries after a number.
#[derive(Clone, Debug)]
pub struct Record {
    /// The accepted epoch.
    pub accepted: u32,
    /// The current epoch.
    pub current: u32,
    /// Up to where the log is committed.
    pub committed: Zxid,
    /// The number that the entries follow.
    pub after: Zxid,
    /// The entries.
    pub entries: Arc<[Entry]>,
}

impl Durable for Disk {
    type Record = Record;

    fn apply(&mut self, record: Record) {
        self.accepted = record.accepted;
        self.current = record.current;
        self.committed = record.committed;
        self.log.replace_after(record.after, &record.entries);
        self.log.handed = self.log.entries.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(epoch: u32, counter: u32) -> Entry {
        Entry { zxid: Zxid::new(epoch, counter), txn: Txn::Put(None), by: None }
    }

    fn log(entries: &[(u32, u32)]) -> Log {
        let mut log = Log::default();
        entries.iter().for_each(|&(epoch, counter)| log.push(entry(epoch, counter)));
        log
    }

    #[test]
    fn what_a_deposed_leader_has_proposed_alone_is_cut_off() {
        let mut old = log(&[(1, 1), (1, 2), (1, 3)]);
        let new = log(&[(1, 1), (1, 2), (2, 1)]);
        let common = new.floor(old.last());
        assert_eq!(common, Zxid::new(1, 2));
        old.replace_after(common, &new.after(common));
        assert_eq!(old, new);
    }

    #[test]
    fn the_disk_is_handed_what_has_come_since_and_what_was_replaced() {
        let mut log = log(&[(1, 1), (1, 2)]);
        assert_eq!(log.hand_over().1.len(), 2);
        assert!(log.is_handed_over());
        log.replace_after(Zxid::new(1, 1), &[entry(2, 1)]);
        let (after, entries) = log.hand_over();
        assert_eq!((after, entries.len()), (Zxid::new(1, 1), 1));
    }
}
