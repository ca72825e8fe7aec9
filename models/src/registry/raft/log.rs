//! The replicated log: what was proposed, in order, and what a member's disk keeps of it.

use std::fmt::Debug;
use std::sync::Arc;

use schism_core::Durable;

use super::Peer;

/// One entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Entry<C> {
    /// The term in which a leader appended it.
    pub term: u64,
    /// What was proposed.
    pub proposal: Proposal<C>,
}

/// A command and who waits for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Proposal<C> {
    /// The member that proposed it, and its number there; nobody waits for the empty entry of a new term.
    pub by: Option<(Peer, u64)>,
    /// What it does; nothing, for that entry.
    pub command: Option<C>,
}

impl<C> Proposal<C> {
    /// What a new leader proposes first.
    pub fn empty() -> Proposal<C> {
        Proposal { by: None, command: None }
    }
}

/// Entries by index, from 1; index 0 is before the first, and of term 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log<C> {
    entries: Vec<Entry<C>>,
    /// Entries after this index have not been handed to the disk.
    handed: u64,
}

impl<C> Default for Log<C> {
    fn default() -> Self {
        Log { entries: Vec::new(), handed: 0 }
    }
}

impl<C: Clone> Log<C> {
    /// The index of the last entry; 0 if there is none.
    pub fn last_index(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Term and index of the last entry: of two logs, the one with the greater is the more complete.
    pub fn last(&self) -> (u64, u64) {
        (self.entries.last().map_or(0, |entry| entry.term), self.last_index())
    }

    /// The term of the entry at an index, if there is one.
    pub fn term_at(&self, index: u64) -> Option<u64> {
        match index {
            0 => Some(0),
            _ => self.entries.get(index as usize - 1).map(|entry| entry.term),
        }
    }

    /// The entry at an index, from 1.
    pub fn get(&self, index: u64) -> Option<&Entry<C>> {
        self.entries.get((index as usize).checked_sub(1)?)
    }

    /// Up to `most` entries after an index.
    pub fn after(&self, index: u64, most: usize) -> Arc<[Entry<C>]> {
        let rest = &self.entries[index as usize..];
        rest[..rest.len().min(most)].into()
    }

    /// Adds an entry at the end.
    pub fn push(&mut self, entry: Entry<C>) {
        self.entries.push(entry);
    }

    /// Whether the disk has been handed everything.
    pub fn is_handed_over(&self) -> bool {
        self.handed == self.last_index()
    }

    /// What the disk has not been handed, and the index before it. It counts as handed from now on.
    pub fn hand_over(&mut self) -> (u64, Arc<[Entry<C>]>) {
        let last = self.last_index();
        let after = std::mem::replace(&mut self.handed, last);
        (after, self.entries[after as usize..].into())
    }

    /// Puts entries after an index, keeping those that are the same. Where one differs, it and all that follow it are
    /// replaced, and the index of the last that was kept is returned.
    pub fn merge(&mut self, index: u64, entries: &[Entry<C>]) -> Option<u64> {
        let here = index as usize;
        let same = self.entries[here..].iter().zip(entries).take_while(|(a, b)| a.term == b.term).count();
        let fresh = &entries[same..];
        let replaced = !fresh.is_empty() && self.entries.len() > here + same;
        if !fresh.is_empty() {
            self.handed = self.handed.min((here + same) as u64);
            self.entries.truncate(here + same);
            self.entries.extend_from_slice(fresh);
        }
        replaced.then_some((here + same) as u64)
    }
}

/// What a member's disk holds: its write-ahead log.
#[derive(Clone, Debug)]
pub struct Disk<C> {
    /// The last term it knew.
    pub term: u64,
    /// Whom it voted for in it.
    pub vote: Option<Peer>,
    /// Up to where it knew the log to be committed.
    pub commit: u64,
    /// Its log.
    pub log: Log<C>,
}

/// One write to the disk: the term, the vote, the commit index, and the entries after an index.
#[derive(Clone, Debug)]
pub struct Record<C> {
    /// The current term.
    pub term: u64,
    /// The vote in it.
    pub vote: Option<Peer>,
    /// The commit index.
    pub commit: u64,
    /// The index that the entries follow.
    pub after: u64,
    /// The entries.
    pub entries: Arc<[Entry<C>]>,
}

impl<C> Default for Disk<C> {
    fn default() -> Self {
        Disk { term: 0, vote: None, commit: 0, log: Log::default() }
    }
}

impl<C: Clone + Debug> Durable for Disk<C> {
    type Record = Record<C>;

    fn apply(&mut self, record: Record<C>) {
        self.term = record.term;
        self.vote = record.vote;
        self.commit = record.commit;
        self.log.merge(record.after, &record.entries);
        self.log.handed = self.log.last_index();
    }
}
