//! A turn of 4,096 buckets, each a list of slots, with a tree of bits that finds the first bucket that is not empty.

/// A turn has `1 << BITS` buckets: sixty-four words of sixty-four bits.
pub(super) const BITS: u32 = 12;
pub(super) const BUCKETS: usize = 1 << BITS;
/// The end of a list.
pub(super) const NONE: u32 = u32::MAX;

/// Knows the first slot of each list; the rest of it is kept with the events.
#[derive(Clone)]
pub(super) struct Wheel {
    /// Which of `buckets` are not zero.
    words: u64,
    /// Which of `heads` are not `NONE`.
    buckets: [u64; BUCKETS / 64],
    heads: [u32; BUCKETS],
}

impl Wheel {
    pub(super) fn is_empty(&self) -> bool {
        self.words == 0
    }

    /// The first bucket that is not empty; there is one.
    pub(super) fn first(&self) -> usize {
        let word = self.words.trailing_zeros() as usize;
        word * 64 + self.buckets[word].trailing_zeros() as usize
    }

    /// Makes `slot` the head of a bucket's list; returns the former head, which follows it.
    pub(super) fn put(&mut self, bucket: usize, slot: u32) -> u32 {
        self.buckets[bucket / 64] |= 1 << (bucket % 64);
        self.words |= 1 << (bucket / 64);
        std::mem::replace(&mut self.heads[bucket], slot)
    }

    /// Empties a bucket; returns the head of what was its list.
    pub(super) fn take(&mut self, bucket: usize) -> u32 {
        self.buckets[bucket / 64] &= !(1 << (bucket % 64));
        if self.buckets[bucket / 64] == 0 {
            self.words &= !(1 << (bucket / 64));
        }
        std::mem::replace(&mut self.heads[bucket], NONE)
    }
}

impl Default for Wheel {
    fn default() -> Self {
        Wheel { words: 0, buckets: [0; BUCKETS / 64], heads: [NONE; BUCKETS] }
    }
}
