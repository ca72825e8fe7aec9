//! The time axis: which column of a chart a moment falls into.

use super::words::{moment, width};

/// A run's length laid out over the columns of a chart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    length_s: f64,
    columns: usize,
}

/// Distances between ticks that people can read, in seconds; for longer runs, whole days.
const STEPS: [f64; 26] = [
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0,
    300.0, 600.0, 1_200.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0, 43_200.0,
];
const DAY: f64 = 86_400.0;
/// Columns between two ticks at least.
const APART: usize = 10;

impl Axis {
    /// `None` of a run that has no length.
    pub(crate) fn new(length_s: f64, columns: usize) -> Option<Axis> {
        (length_s > 0.0 && columns > 0).then_some(Axis { length_s, columns })
    }

    /// How many columns there are.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Whether a moment is part of the run.
    pub(crate) fn has(&self, at_s: f64) -> bool {
        at_s <= self.length_s
    }

    /// The column that a moment falls into; the first or the last if it lies outside.
    pub(crate) fn column(&self, at_s: f64) -> usize {
        let column = (at_s / self.length_s * self.columns as f64).max(0.0) as usize;
        column.min(self.columns - 1)
    }

    /// The columns that a span of time touches; at least one.
    pub(crate) fn span(&self, from_s: f64, to_s: f64) -> std::ops::Range<usize> {
        let first = self.column(from_s);
        let end = (to_s / self.length_s * self.columns as f64).ceil() as usize;
        first..end.clamp(first + 1, self.columns)
    }

    /// When a column begins; the number of columns gives the end of the last.
    pub(crate) fn begins(&self, column: usize) -> f64 {
        self.length_s * column as f64 / self.columns as f64
    }

    /// A line of ticks: each moment is written from its column on.
    pub(crate) fn ticks(&self) -> String {
        let step = self.step();
        let mut line = String::new();
        for at in (0..).map(|n| f64::from(n) * step).take_while(|at| *at < self.length_s) {
            let (column, label) = (self.column(at), moment(at));
            if column + width(&label) > self.columns {
                break;
            }
            line.extend(std::iter::repeat_n(' ', column.saturating_sub(width(&line))));
            line.push_str(&label);
        }
        line
    }

    fn step(&self) -> f64 {
        let least = self.length_s * APART as f64 / self.columns as f64;
        let step = STEPS.into_iter().find(|step| *step >= least);
        step.unwrap_or_else(|| DAY * (least / DAY).ceil().max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_stand_at_round_moments() {
        let ticks = |length, columns| Axis::new(length, columns).unwrap().ticks();
        assert_eq!(ticks(180.0, 60), "0s        30s       60s       90s       120s      150s");
        assert_eq!(ticks(2_592_000.0, 40), "0s        8d00h00m   16d00h00m");
        assert_eq!(ticks(1.0, 40), "0s                  0.5s");
    }

    #[test]
    fn a_span_touches_at_least_one_column_and_none_beyond_the_last() {
        let axis = Axis::new(100.0, 50).unwrap();
        assert_eq!(axis.span(40.0, 60.0), 20..30);
        assert_eq!(axis.span(40.0, 40.0), 20..21);
        assert_eq!(axis.span(40.1, 41.9), 20..21);
        assert_eq!(axis.span(100.0, 120.0), 49..50);
        assert!(Axis::new(0.0, 50).is_none());
    }
}
