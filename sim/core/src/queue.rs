//! Events waiting for their time.
//!
//! Nanoseconds per hold (one pop and one push) with 48-byte events, by how many wait. *Exponential*: the next event is
//! 1 ms away on average. *Mix*: half of that, 30% log-normal about 0.3 ms, 20% timers of exactly 100 ms. The harness,
//! that is a random number and a look into a table, is included. `cargo bench -p schism-benches --bench queues` on two
//! shared cores of an AMD EPYC with 2 MiB of second-level cache in all said:
//!
//! | ns per hold       | exponential 1,000 | 16,000 | 100,000 | mix 1,000 | 16,000 | 100,000 |
//! |-------------------|------------------:|-------:|--------:|----------:|-------:|--------:|
//! | [`Reference`]     |                57 |     90 |     244 |        65 |     93 |     219 |
//! | [`Ladder`]        |                22 |     31 |     125 |        21 |     27 |      50 |
//! | 4-ary heap, slab  |                34 |     47 |     157 |        44 |     56 |     126 |
//! | radix heap, slab  |                39 |     46 |     121 |        32 |     41 |      79 |
//!
//! The last two passed the same tests, were measured in an earlier run and were not kept. At 100,000 the events no longer
//! fit the second-level cache; those columns vary by a third and more from run to run.

use crate::Time;

mod key;
mod ladder;
mod reference;
#[cfg(test)]
mod tests;

pub use ladder::Ladder;
pub use reference::Reference;

/// Events waiting for their time; those of one instant leave in the order in which they were scheduled.
pub trait Queue<E>: Clone + Default {
    /// Schedules `event` at `at`, which may be the present but not the past. How many had been scheduled before it: a
    /// number that no other event of this queue has.
    ///
    /// # Panics
    ///
    /// If the last event to leave was due after `at`.
    fn push(&mut self, at: Time, event: E) -> u64;

    /// Takes the earliest event if it is due before `end`; otherwise nothing leaves and the present stays as it was.
    fn pop_until(&mut self, end: Time) -> Option<(Time, E)>;

    /// When the earliest event is due.
    fn next_at(&mut self) -> Option<Time>;

    /// The number of the event that [`pop_until`](Queue::pop_until) would take.
    fn next_number(&mut self, end: Time) -> Option<u64>;

    /// All events that wait, with when they are due and their numbers, in the order in which they will leave. It sorts them.
    fn waiting(&self) -> Vec<(Time, u64, &E)>;

    /// How many events wait.
    fn len(&self) -> usize;

    /// Whether no event waits.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The queue the kernel uses: the fastest of the table on the mix, however many events wait.
pub type Best<E> = Ladder<E>;

/// The catalog: hands the name and the type of every queue to the macro `$each`, which sees the types in its own scope.
///
/// The tests and the benchmarks run them all.
#[macro_export]
macro_rules! each_queue {
    ($each:ident) => {
        $each!(reference, Reference);
        $each!(ladder, Ladder);
    };
}
