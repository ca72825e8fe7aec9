//! A Gantt chart of faults: one row each, a bar from its start to its end.

use super::axis::Axis;
use super::style::{self, paint, paint_each};
use super::words::{clean, clip, span, width};

/// One row of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The fault's name.
    pub(crate) id: String,
    /// When it begins.
    pub(crate) from_s: f64,
    /// When it ends; never, if `None`.
    pub(crate) to_s: Option<f64>,
    /// Between which moments the seed draws its beginning, if it does.
    pub(crate) drawn_from: Option<(f64, f64)>,
    /// What it is, in a word.
    pub(crate) kind: String,
}

impl Row {
    /// From when to when, in words.
    pub(crate) fn when(&self) -> String {
        span(self.from_s, self.to_s)
    }

    /// The bar, in as many columns as the axis has; dashes show where else the seed could have let it begin.
    fn bar(&self, axis: &Axis) -> String {
        let lasts = axis.span(self.from_s, self.to_s.unwrap_or(f64::MAX));
        let drawn = self.drawn_from.map(|(from, to)| axis.span(from, to)).unwrap_or_default();
        bar(axis, |column| match (lasts.contains(&column), drawn.contains(&column)) {
            (true, _) => '━',
            (false, true) => '╌',
            (false, false) => '·',
        })
    }
}

/// The bar of something that lasted from one moment to another; never ending if `None`.
pub(crate) fn stretch(axis: &Axis, from_s: f64, to_s: Option<f64>) -> String {
    let span = axis.span(from_s, to_s.unwrap_or(f64::MAX));
    bar(axis, |column| if span.contains(&column) { '━' } else { '·' })
}

/// Characters by column; dots are faint, the others have the colour of faults.
fn bar(axis: &Axis, character: impl Fn(usize) -> char) -> String {
    let style = |character| if character == '·' { style::FAINT } else { style::FAULT };
    paint_each((0..axis.columns()).map(character).map(|character| (character, style(character))))
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
