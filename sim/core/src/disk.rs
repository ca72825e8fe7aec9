//! Disks: what is durable, and what has only been handed to the operating system.

use std::borrow::Cow;

use crate::{Durable, Toll};

/// A node's disk, with the page cache before it.
#[derive(Clone, Debug)]
pub(crate) struct Disk<D: Durable> {
    durable: D,
    /// Written and not synced, in order.
    written: Vec<D::Record>,
    syncs: Syncs,
}

/// What comes of a sync.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Syncs {
    /// All that was written is durable.
    Made,
    /// The disk says so, and it is not.
    Faked,
}

impl<D: Durable> Default for Disk<D> {
    fn default() -> Self {
        Disk { durable: D::default(), written: Vec::new(), syncs: Syncs::Made }
    }
}

impl<D: Durable> Disk<D> {
    pub(crate) fn write(&mut self, record: D::Record) {
        self.written.push(record);
    }

    pub(crate) fn sync(&mut self) {
        match self.syncs {
            Syncs::Made => self.written.drain(..).for_each(|record| self.durable.apply(record)),
            Syncs::Faked => {}
        }
    }

    /// What becomes of syncs now.
    pub(crate) fn syncs(&self) -> Syncs {
        self.syncs
    }

    /// What becomes of syncs from now on.
    pub(crate) fn set_syncs(&mut self, syncs: Syncs) {
        self.syncs = syncs;
    }

    pub(crate) fn suffer(&mut self, toll: Toll) {
        match toll {
            Toll::Nothing => {}
            Toll::Unsynced => self.written.clear(),
            Toll::Everything => *self = Disk { syncs: self.syncs, ..Disk::default() },
        }
    }

    /// What a process reads: a page cache does not tell what is durable.
    pub(crate) fn read(&self) -> Cow<'_, D> {
        if self.written.is_empty() {
            return Cow::Borrowed(&self.durable);
        }
        let mut seen = self.durable.clone();
        self.written.iter().for_each(|record| seen.apply(record.clone()));
        Cow::Owned(seen)
    }
}
