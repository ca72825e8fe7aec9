//! Cells: the run after the warm-up, cut where a window begins or ends, so that every window is some cells in a row.

use schism_core::{NodeId, Time};

use super::tally::Tally;

/// What happened between two cuts. A request belongs to the cell in which it was offered; an attempt, a read or an
/// eviction to that in which it happened.
#[derive(Clone, Default)]
pub(crate) struct Cell {
    pub(crate) from: Time,
    pub(crate) tally: Tally,
    pub(crate) reads: u64,
    pub(crate) false_evictions: u64,
    /// Attempts by node; kept only if some window asks how even they were.
    pub(crate) attempts_to: Vec<u32>,
}

/// Cells in a row, the last of them open.
#[derive(Clone)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
    /// Cuts that are known beforehand, the next at the end.
    planned: Vec<Time>,
    next: Time,
    /// A cell whose beginning matters only if no fault begins or heals after it.
    tentative: Option<usize>,
    spread: Spread,
}

/// Whether cells count the attempts to each node.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spread {
    Ignored,
    Kept,
}

/// For how long a cut matters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// A window begins or ends there.
    Always,
    /// A window begins there unless another fault begins or heals.
    UntilNextFault,
}

impl Cells {
    /// One cell from the warm-up on, to be cut at these moments.
    pub(crate) fn new(warmup: Time, mut planned: Vec<Time>, spread: Spread) -> Cells {
        planned.retain(|&at| at > warmup);
        planned.sort_unstable_by(|a, b| b.cmp(a));
        planned.dedup();
        let next = planned.pop().unwrap_or(Time::END);
        let first = Cell { from: warmup, ..Cell::default() };
        Cells { cells: vec![first], planned, next, tentative: None, spread }
    }

    /// The cell of now.
    #[inline]
    pub(crate) fn at_now(&mut self, now: Time) -> &mut Cell {
        if now >= self.next {
            self.roll(now);
        }
        self.cells.last_mut().expect("there is always a cell")
    }

    /// The cell of a moment that has passed.
    #[inline]
    pub(crate) fn at(&mut self, moment: Time, now: Time) -> &mut Cell {
        let last = self.at_now(now).from;
        let found = if moment >= last {
            self.cells.len() - 1
        } else {
            self.cells.partition_point(|cell| cell.from <= moment) - 1
        };
        &mut self.cells[found]
    }

    /// An attempt is sent to a node.
    #[inline]
    pub(crate) fn on_attempt(&mut self, now: Time, to: NodeId) {
        if self.spread == Spread::Kept {
            let counts = &mut self.at_now(now).attempts_to;
            if counts.len() <= to.index() {
                counts.resize(to.index() + 1, 0);
            }
            counts[to.index()] += 1;
        }
    }

    /// A fault begins or heals: what only mattered until then is joined to what came before.
    pub(crate) fn on_fault(&mut self, now: Time) {
        self.at_now(now);
        if let Some(tentative) = self.tentative.filter(|&cell| self.cells[cell].from < now) {
            let cell = self.cells.remove(tentative);
            self.cells[tentative - 1].add(&cell);
            self.tentative = None;
        }
    }

    /// A window begins or ends now. During the warm-up nothing is counted and nothing needs a cut.
    pub(crate) fn cut(&mut self, now: Time, keep: Keep) {
        let last = self.at_now(now).from;
        if now > last {
            self.cells.push(Cell { from: now, ..Cell::default() });
            if keep == Keep::UntilNextFault {
                self.tentative = Some(self.cells.len() - 1);
            }
        } else if keep == Keep::Always {
            self.tentative = self.tentative.filter(|&cell| self.cells[cell].from < now);
        }
    }

    /// The sum of the cells of a window, which must begin and end at cuts, or end with the run.
    pub(crate) fn sum(&self, from: Time, to: Time) -> Cell {
        let mut sum = Cell { from, ..Cell::default() };
        let within = self.cells.iter().filter(|cell| from <= cell.from && cell.from < to);
        within.for_each(|cell| sum.add(cell));
        sum
    }

    #[cold]
    fn roll(&mut self, now: Time) {
        while now >= self.next {
            if self.cells.last().is_some_and(|cell| cell.from < self.next) {
                self.cells.push(Cell { from: self.next, ..Cell::default() });
            }
            self.tentative = self.tentative.filter(|&cell| self.cells[cell].from < self.next);
            self.next = self.planned.pop().unwrap_or(Time::END);
        }
    }
}

impl Cell {
    /// All of another's too.
    pub(crate) fn add(&mut self, other: &Cell) {
        self.tally.add(&other.tally);
        self.reads += other.reads;
        self.false_evictions += other.false_evictions;
        if self.attempts_to.len() < other.attempts_to.len() {
            self.attempts_to.resize(other.attempts_to.len(), 0);
        }
        self.attempts_to.iter_mut().zip(&other.attempts_to).for_each(|(sum, count)| *sum += count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: u64) -> Time {
        Time::from_nanos(secs * 1_000_000_000)
    }

    fn offer(cells: &mut Cells, secs: std::ops::Range<u64>) {
        secs.for_each(|second| cells.at_now(at(second)).tally.offered += 1);
    }

    fn offered(cells: &Cells, from: u64, to: u64) -> u64 {
        cells.sum(at(from), at(to)).tally.offered
    }

    #[test]
    fn a_window_is_the_sum_of_its_cells() {
        let mut cells = Cells::new(at(10), vec![at(20), at(50), at(5)], Spread::Ignored);
        offer(&mut cells, 10..30);
        cells.cut(at(30), Keep::Always);
        offer(&mut cells, 30..60);
        assert_eq!(offered(&cells, 10, 100), 50);
        assert_eq!(offered(&cells, 20, 50), 30);
        assert_eq!(offered(&cells, 30, 50), 20);
        assert_eq!(offered(&cells, 50, 100), 10);
    }

    #[test]
    fn what_is_over_late_belongs_to_when_it_was_offered() {
        let mut cells = Cells::new(at(0), vec![at(20)], Spread::Ignored);
        cells.at(at(19), at(21)).tally.succeeded += 1;
        cells.at(at(20), at(21)).tally.succeeded += 2;
        assert_eq!(cells.sum(at(0), at(20)).tally.succeeded, 1);
        assert_eq!(cells.sum(at(20), at(99)).tally.succeeded, 2);
    }

    #[test]
    fn ten_thousand_heals_leave_one_cut() {
        let mut cells = Cells::new(at(0), vec![], Spread::Ignored);
        for second in 1..=10_000 {
            cells.on_fault(at(second));
            cells.cut(at(second), Keep::UntilNextFault);
            offer(&mut cells, second..second + 1);
        }
        assert_eq!(cells.cells.len(), 2);
        assert_eq!(offered(&cells, 0, 20_000), 10_000);
        assert_eq!(offered(&cells, 10_000, 20_000), 1);
    }

    #[test]
    fn a_cut_that_is_wanted_twice_stays_if_either_wants_it_to() {
        let mut cells = Cells::new(at(0), vec![], Spread::Ignored);
        cells.cut(at(5), Keep::UntilNextFault);
        cells.cut(at(5), Keep::Always);
        cells.on_fault(at(6));
        assert_eq!(cells.cells.len(), 2);
    }
}
