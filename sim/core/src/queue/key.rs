//! When an event is due, in which order it was scheduled and where it is kept, in sixteen bytes that compare as one.

use crate::Time;

const SLOT_BITS: u32 = 24;

/// `time << 64 | order << 24 | slot`: keys compare by time, then by order of scheduling; the slot never decides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(u128);

impl Key {
    /// The last slot there is: 16,777,215 events wait at most.
    pub(super) const LAST_SLOT: u32 = (1 << SLOT_BITS) - 1;

    /// The key of the `order`-th event ever scheduled; there may be a million million of them.
    pub(super) fn new(at: Time, order: u64, slot: u32) -> Key {
        assert!(order >> (64 - SLOT_BITS) == 0, "a queue schedules 2^40 events in its life");
        assert!(slot <= Key::LAST_SLOT, "a queue holds 2^24 events at once");
        Key(u128::from(at.as_nanos()) << 64 | u128::from(order << SLOT_BITS | u64::from(slot)))
    }

    pub(super) fn at(self) -> Time {
        Time::from_nanos((self.0 >> 64) as u64)
    }

    pub(super) fn order(self) -> u64 {
        self.0 as u64 >> SLOT_BITS
    }

    pub(super) fn slot(self) -> u32 {
        self.0 as u32 & Key::LAST_SLOT
    }
}
