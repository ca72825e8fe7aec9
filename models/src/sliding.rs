//! A sliding window: what came lately, in slots of equal length of which the oldest is forgotten first.

use schism_core::{Duration, Time};

/// So many slots, each of the same length. A window of a second in ten slots covers between 0.9 and 1 s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sliding<T, const SLOTS: usize> {
    slots: [T; SLOTS],
    /// The number of the newest slot, counted from the start of the run.
    newest: u64,
    each: Duration,
}

impl<T: Copy + Default, const SLOTS: usize> Sliding<T, SLOTS> {
    /// An empty window of this length. Lengths that the slots do not divide are rounded down, to 1 ns each at least.
    pub(crate) fn new(length: Duration) -> Sliding<T, SLOTS> {
        let each = Duration::from_nanos((length.as_nanos() / SLOTS as u64).max(1));
        Sliding { slots: [T::default(); SLOTS], newest: 0, each }
    }

    /// The slot of this moment, in which what happens now is counted.
    pub(crate) fn now(&mut self, now: Time) -> &mut T {
        self.forget(now);
        &mut self.slots[(self.newest % SLOTS as u64) as usize]
    }

    /// All that is left in the window at this moment, in no order.
    pub(crate) fn recent(&mut self, now: Time) -> impl Iterator<Item = &T> {
        self.forget(now);
        self.slots.iter()
    }

    /// How much time the window covers at this moment: the slots before this one, and the part of this one so far.
    pub(crate) fn covers(&self, now: Time) -> Duration {
        let each = self.each.as_nanos();
        let whole = (now.as_nanos() / each).min(SLOTS as u64 - 1);
        Duration::from_nanos(whole * each + now.as_nanos() % each)
    }

    /// Empties the slots that have slid out of the window.
    fn forget(&mut self, now: Time) {
        let newest = now.as_nanos() / self.each.as_nanos();
        let passed = newest.saturating_sub(self.newest).min(SLOTS as u64);
        for slot in 0..passed {
            self.slots[((newest - slot) % SLOTS as u64) as usize] = T::default();
        }
        self.newest = self.newest.max(newest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn sum(window: &mut Sliding<u32, 10>, at: u64) -> u32 {
        window.recent(ms(at)).sum()
    }

    #[test]
    fn what_is_a_window_old_is_forgotten_slot_by_slot() {
        let mut window = Sliding::<u32, 10>::new(Duration::from_secs(1));
        *window.now(ms(50)) += 1;
        *window.now(ms(150)) += 10;
        assert_eq!(sum(&mut window, 999), 11);
        assert_eq!(sum(&mut window, 1_000), 10);
        assert_eq!(sum(&mut window, 1_099), 10);
        assert_eq!(sum(&mut window, 1_100), 0);
    }

    #[test]
    fn a_long_silence_empties_it() {
        let mut window = Sliding::<u32, 10>::new(Duration::from_secs(1));
        for at in 0..10 {
            *window.now(ms(at * 100)) += 1;
        }
        assert_eq!(sum(&mut window, 950), 10);
        assert_eq!(sum(&mut window, 60_000), 0);
    }

    #[test]
    fn it_covers_the_time_since_the_start_and_then_its_length() {
        let window = Sliding::<u32, 10>::new(Duration::from_secs(1));
        assert_eq!(window.covers(ms(250)), Duration::from_millis(250));
        assert_eq!(window.covers(ms(950)), Duration::from_millis(950));
        assert_eq!(window.covers(ms(1_050)), Duration::from_millis(950));
    }
}
