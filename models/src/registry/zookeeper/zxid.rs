//! Transaction numbers: the epoch of the leader that proposed one, and its place in that epoch.

use std::fmt;

/// A zxid: the epoch in the upper 32 bits, a counter in the lower (server/util/ZxidUtils.java, 3.8.0).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Zxid(u64);

impl Zxid {
    /// Before the first.
    pub const ZERO: Zxid = Zxid(0);

    /// The number at a place in an epoch; the place 0 is before the epoch's first proposal.
    pub fn new(epoch: u32, counter: u32) -> Zxid {
        Zxid(u64::from(epoch) << 32 | u64::from(counter))
    }

    /// The epoch of the leader that proposed it.
    pub fn epoch(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Its place in that epoch.
    pub fn counter(self) -> u32 {
        self.0 as u32
    }

    /// The next in its epoch.
    pub fn next(self) -> Zxid {
        assert!(self.counter() < u32::MAX, "an epoch has no more than 2^32 - 1 proposals");
        Zxid(self.0 + 1)
    }

    /// What a revision of a list is of.
    pub fn of_revision(revision: u64) -> Zxid {
        Zxid(revision)
    }

    /// As the revision of a list.
    pub fn revision(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Zxid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.epoch(), self.counter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_epoch_is_greater_whatever_its_counter() {
        let (old, new) = (Zxid::new(1, u32::MAX), Zxid::new(2, 0));
        assert!(old < new && new < new.next());
        assert_eq!((new.next().epoch(), new.next().counter()), (2, 1));
    }
}
