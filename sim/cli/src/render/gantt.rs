//! A Gantt chart of faults: one row each, a bar from its start to its end.

use std::ops::Range;

use super::axis::Axis;
use super::style::{self, paint, paint_each};
use super::words::{clean, clip, elide, span, width};

/// One row of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// The fault's name.
    pub(crate) id: String,
    /// When it begins; `None` if nobody can say before the run.
    pub(crate) from_s: Option<f64>,
    /// When it ends; if `None`, never, or when it is done.
    pub(crate) to_s: Option<f64>,
    /// Whether it lasts until it is done, which the run shows.
    pub(crate) until_done: bool,
    /// Between which moments the seed draws its beginning, if it does.
    pub(crate) drawn_from: Option<(f64, f64)>,
    /// If it waits: from when what it waits for has happened, or could have.
    pub(crate) heard_s: Option<f64>,
    /// What it waits for.
    pub(crate) waits_for: Option<String>,
    /// What it is, in a word.
    pub(crate) kind: String,
}

impl Row {
    /// From when to when, in words.
    pub(crate) fn when(&self) -> String {
        match (self.from_s, &self.waits_for) {
            (Some(from), _) if self.until_done => format!("{}, until done", span(from, None)),
            (Some(from), _) => span(from, self.to_s),
            (None, Some(what)) => format!("waits for {}", clean(what)),
            (None, None) => String::new(),
        }
    }

    /// The bar, in as many columns as the axis has, with a mark where it heals. Dashes show where else the seed could
    /// have let it begin, and how long it could last until it is done; an arrow leads to what waited, or away from where it
    /// could begin if nobody knows.
    fn bar(&self, axis: &Axis) -> String {
        let heals =
            self.to_s.filter(|to| axis.has(*to)).map(|to| axis.span(self.from_s.unwrap_or(to), to).end - 1);
        let lasts = self.from_s.map_or(0..0, |from| axis.span(from, self.known_to()));
        let perhaps = if self.until_done { lasts.end..axis.columns() } else { 0..0 };
        let (arrow, dashes) = match (self.drawn_from, self.heard_s) {
            (Some((from, to)), _) => (None, axis.span(from, to)),
            (None, Some(heard)) => self.waiting(axis, heard, lasts.start),
            (None, None) => (None, 0..0),
        };
        bar(axis, |column| match column {
            column if Some(column) == heals => '┫',
            column if lasts.contains(&column) => '━',
            column if Some(column) == arrow => '→',
            column if dashes.contains(&column) || perhaps.contains(&column) => '╌',
            _ => '·',
        })
    }

    /// Until when it is known to last: its first moment at least.
    fn known_to(&self) -> f64 {
        match (self.to_s, self.from_s) {
            (Some(to), _) => to,
            (None, Some(from)) if self.until_done => from,
            (None, _) => f64::MAX,
        }
    }

    /// The arrow and the dashes of a fault that waits.
    fn waiting(&self, axis: &Axis, heard: f64, begins: usize) -> (Option<usize>, Range<usize>) {
        if self.from_s.is_none() {
            return (Some(axis.column(heard)), axis.column(heard)..axis.columns());
        }
        (begins.checked_sub(1), axis.column(heard).min(begins)..begins)
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

/// Of longer names the middle is left out.
const ID: usize = 20;
const WHEN: usize = 24;

/// The chart, in lines of at most so many columns.
pub(crate) fn chart(rows: &[Row], length_s: f64, columns: usize) -> Vec<String> {
    let widest = |of: fn(&Row) -> String, most: usize| {
        rows.iter().map(|row| width(&of(row))).max().unwrap_or(0).min(most)
    };
    let id = widest(|row| clean(&row.id), ID);
    let when = widest(Row::when, WHEN);
    // No kind is so long that its column must be cut.
    let kind = widest(|row| row.kind.clone(), usize::MAX);
    let Some(axis) = Axis::new(length_s, columns.saturating_sub(id + when + kind + 6)) else {
        return vec![];
    };
    let head = format!("{:id$}  {}", "", paint(style::FAINT, axis.ticks()));
    let line = |row: &Row| {
        let name = elide(&clean(&row.id), id);
        let pad = id - width(&name);
        let (bar, from, kind) = (row.bar(&axis), clip(&row.when(), when), &row.kind);
        format!("{name}{:pad$}  {bar}  {from:when$}  {kind}", "")
    };
    std::iter::once(head).chain(rows.iter().map(line)).collect()
}
