//! Tables: columns side by side, two spaces apart, within a width.

use anstyle::Style;

use super::style::{self, paint};
use super::words::{clean, clip, width};

/// Which side of a column its cells keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Names.
    Left,
    /// Numbers.
    Right,
}

/// One cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

/// Rows of cells under a head.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<Cell>>,
}

const GAP: usize = 2;
/// No column is made narrower than this to fit the others in.
const NARROWEST: usize = 6;

impl Cell {
    pub(crate) fn new(text: impl AsRef<str>) -> Cell {
        Cell::styled(text, style::PLAIN)
    }

    pub(crate) fn styled(text: impl AsRef<str>, style: Style) -> Cell {
        Cell { text: clean(text.as_ref()), style }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::new(text)
    }
}

impl Table {
    /// A table with these columns: the head of each, and its side. A table whose heads are all empty has no head row.
    pub(crate) fn new<const N: usize>(columns: [(&str, Side); N]) -> Table {
        let head: Vec<Cell> = columns.iter().map(|(head, _)| Cell::styled(head, style::FAINT)).collect();
        let rows = if head.iter().all(|cell| cell.text.is_empty()) { vec![] } else { vec![head] };
        Table { sides: columns.iter().map(|(_, side)| *side).collect(), rows }
    }

    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        assert_eq!(N, self.sides.len(), "a row has a cell for each column");
        self.rows.push(cells.into());
    }

    /// The rows as lines of at most so many columns; the widest columns give way first.
    pub(crate) fn lines(&self, columns: usize) -> Vec<String> {
        let widths = self.widths(columns);
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn widths(&self, columns: usize) -> Vec<usize> {
        let widest = |column: usize| self.rows.iter().map(|row| width(&row[column].text)).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..self.sides.len()).map(widest).collect();
        let room = columns.saturating_sub(GAP * widths.len().saturating_sub(1));
        while widths.iter().sum::<usize>() > room {
            let widest = widths.iter_mut().max().expect("a table has columns");
            if *widest <= NARROWEST {
                break;
            }
            *widest -= 1;
        }
        widths
    }

    fn line(&self, row: &[Cell], widths: &[usize]) -> String {
        let mut line = String::new();
        // Spaces are owed until something follows, so that no line ends in them.
        let mut owed = 0;
        for ((cell, &columns), side) in row.iter().zip(widths).zip(&self.sides) {
            let text = clip(&cell.text, columns);
            let spare = columns - width(&text);
            let (before, after) = match side {
                Side::Left => (0, spare),
                Side::Right => (spare, 0),
            };
            if !text.is_empty() {
                line.extend(std::iter::repeat_n(' ', owed + before));
                line.push_str(&paint(cell.style, &text));
                owed = 0;
            }
            owed += after + GAP + if text.is_empty() { before } else { 0 };
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_keep_to_their_sides_and_no_line_ends_in_spaces() {
        let mut table = Table::new([("name", Side::Left), ("count", Side::Right), ("why", Side::Left)]);
        table.row(["a".into(), "1".into(), "".into()]);
        table.row(["longer".into(), "".into(), "because".into()]);
        let lines: Vec<String> = table.lines(80).iter().map(|line| crate::console::plain(line)).collect();
        assert_eq!(lines, ["name    count  why", "a           1", "longer         because"]);
    }

    #[test]
    fn the_widest_column_gives_way() {
        let mut table = Table::new([("", Side::Left), ("", Side::Left)]);
        table.row(["short".into(), "a very long text indeed".into()]);
        assert_eq!(table.lines(17), ["short  a very lo…"]);
    }
}
