//! A Gantt chart of faults: one row each, a bar from its start to its end.

use super::axis::Axis;
use super::style::{self, paint};
use super::words::{clean, clip, length, moment, span, width};

/// One row of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The fault's name.
    pub(crate) id: String,
    /// The earliest moment at which it can begin.
    pub(crate) from_s: f64,
    /// The latest; the same unless it is drawn.
    pub(crate) latest_s: f64,
    /// When it ends, if it begins as early as it can; never, if `None`.
    pub(crate) to_s: Option<f64>,
    /// What it is, in a word.
    pub(crate) kind: String,
}

impl Row {
    /// From when to when, in words.
    pub(crate) fn when(&self) -> String {
        if self.latest_s <= self.from_s {
            return span(self.from_s, self.to_s);
        }
        let begins = format!("{}-{}", moment(self.from_s), moment(self.latest_s));
        match self.to_s {
            Some(to) => format!("{begins} for {}", length(to - self.from_s)),
            None => format!("from {begins}"),
        }
    }

    /// The bar, in as many columns as the axis has: where the start is drawn, that stretch is shaded.
    fn bar(&self, axis: &Axis) -> String {
        let to = self.to_s.unwrap_or(f64::MAX);
        let sure = axis.span(self.latest_s, (to + self.latest_s - self.from_s).max(self.latest_s));
        let perhaps = axis.span(self.from_s, self.latest_s);
        bar(axis, |column| match () {
            () if sure.contains(&column) => '━',
            () if self.latest_s > self.from_s && perhaps.contains(&column) => '╌',
            () => '·',
        })
    }
}

/// The bar of something that lasted from one moment to another; never ending if `None`.
pub(crate) fn stretch(axis: &Axis, from_s: f64, to_s: Option<f64>) -> String {
    let span = axis.span(from_s, to_s.unwrap_or(f64::MAX));
    bar(axis, |column| if span.contains(&column) { '━' } else { '·' })
}

/// Characters by column; those of dots are faint, the others have the colour of faults.
fn bar(axis: &Axis, character: impl Fn(usize) -> char) -> String {
    let characters: Vec<char> = (0..axis.columns()).map(character).collect();
    characters
        .chunk_by(|a, b| (*a == '·') == (*b == '·'))
        .map(|run| {
            let style = if run[0] == '·' { style::FAINT } else { style::FAULT };
            paint(style, run.iter().collect::<String>())
        })
        .collect()
}

/// Longer names are clipped.
const ID: usize = 20;
const WHEN: usize = 20;
const KIND: usize = 10;

/// The chart, in lines of at most so many columns.
pub(crate) fn chart(rows: &[Row], length_s: f64, columns: usize) -> Vec<String> {
    let widest = |of: fn(&Row) -> String, most: usize| {
        rows.iter().map(|row| width(&of(row))).max().unwrap_or(0).min(most)
    };
    let id = widest(|row| clean(&row.id), ID);
    let when = widest(Row::when, WHEN);
    let kind = widest(|row| row.kind.clone(), KIND);
    let Some(axis) = Axis::new(length_s, columns.saturating_sub(id + when + kind + 6)) else {
        return vec![];
    };
    let head = format!("{:id$}  {}", "", paint(style::FAINT, axis.ticks()));
    let line = |row: &Row| {
        let name = clip(&clean(&row.id), id);
        let pad = id - width(&name);
        let (bar, from, kind) = (row.bar(&axis), clip(&row.when(), when), clip(&row.kind, kind));
        format!("{name}{:pad$}  {bar}  {from:when$}  {kind}", "")
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}
