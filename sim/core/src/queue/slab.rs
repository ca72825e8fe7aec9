//! Events at rest, each in a numbered slot from which it does not move until it is taken.

use super::key::Key;

/// Slots, of which the vacated are used again, last one first.
#[derive(Clone)]
pub(super) struct Slab<E> {
    slots: Vec<Option<E>>,
    free: Vec<u32>,
}

impl<E> Slab<E> {
    pub(super) fn put(&mut self, event: E) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Some(event);
            return slot;
        }
        let slot = self.slots.len();
        assert!(slot <= Key::LAST_SLOT as usize, "a queue holds 2^24 events at once");
        self.slots.push(Some(event));
        slot as u32
    }

    pub(super) fn take(&mut self, slot: u32) -> E {
        self.free.push(slot);
        self.slots[slot as usize].take().expect("a key's slot holds its event")
    }
}

impl<E> Default for Slab<E> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}
