//! Events waiting for their time.

use crate::Time;

mod key;
mod ladder;
mod quad;
mod radix;
mod reference;
mod slab;
#[cfg(test)]
mod tests;

pub use ladder::Ladder;
pub use quad::Quad;
pub use radix::Radix;
pub use reference::Reference;

/// Events waiting for their time; those of one instant leave in the order in which they were scheduled.
pub trait Queue<E>: Clone + Default {
    /// Schedules `event` at `at`, which may be the present but not the past.
    ///
    /// # Panics
    ///
    /// If the last event to leave was due after `at`.
    fn push(&mut self, at: Time, event: E);

    /// Takes the earliest event if it is due before `end`; otherwise nothing leaves and the present stays as it was.
    fn pop_until(&mut self, end: Time) -> Option<(Time, E)>;

    /// When the earliest event is due.
    fn next_at(&mut self) -> Option<Time>;

    /// How many events wait.
    fn len(&self) -> usize;

    /// Whether no event waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Hands the name and the type of every queue to the macro `$each`: the tests and the benchmarks run them all.
#[macro_export]
macro_rules! each_queue {
    ($each:ident) => {
        $each!(reference, Reference);
        $each!(quad, Quad);
        $each!(radix, Radix);
        $each!(ladder, Ladder);
    };
}
