//! The measurements in `data/`, read by column.

use std::path::Path;

/// A table of measurements.
#[derive(Clone, Debug)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Reads `data/NAME.csv`.
    ///
    /// # Panics
    /// If it is not there, or its rows are not as wide as its header.
    pub fn read(name: &str) -> Table {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(format!("{name}.csv"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Table::parse(&text)
    }

    fn parse(text: &str) -> Table {
        let mut lines = text.lines().map(cells);
        let header = lines.next().expect("a table has a header");
        let rows: Vec<Vec<String>> = lines.collect();
        assert!(rows.iter().all(|row| row.len() == header.len()), "every row has every column");
        Table { header, rows }
    }

    /// The rows in which a column says this.
    pub fn with(&self, column: &str, value: &str) -> Table {
        let at = self.at(column);
        let rows = self.rows.iter().filter(|row| row[at] == value).cloned().collect();
        Table { header: self.header.clone(), rows }
    }

    /// The rows in which a column's number is at least this.
    pub fn at_least(&self, column: &str, least: f64) -> Table {
        let at = self.at(column);
        let number = |row: &Vec<String>| row[at].parse::<f64>().expect("a column of numbers");
        let rows = self.rows.iter().filter(|row| number(row) >= least).cloned().collect();
        Table { header: self.header.clone(), rows }
    }

    /// The first row of each trial: rows that follow each other and agree in these columns are one trial.
    pub fn firsts(&self, columns: &[&str]) -> Table {
        let at: Vec<usize> = columns.iter().map(|column| self.at(column)).collect();
        let mut rows = self.rows.clone();
        rows.dedup_by(|a, b| at.iter().all(|&at| a[at] == b[at]));
        Table { header: self.header.clone(), rows }
    }

    /// The numbers of a column.
    pub fn numbers(&self, column: &str) -> Vec<f64> {
        let at = self.at(column);
        self.rows.iter().map(|row| row[at].parse().expect("a column of numbers")).collect()
    }

    fn at(&self, column: &str) -> usize {
        self.header.iter().position(|name| name == column).unwrap_or_else(|| panic!("no column `{column}`"))
    }
}

/// The cells of a line; a quoted one may hold commas.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            _ => cells.last_mut().expect("there is always one").push(character),
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_cells_may_hold_commas() {
        let table = Table::parse("a,b\n1,\"x, y\"\n2,z\n");
        assert_eq!(table.with("b", "x, y").numbers("a").len(), 1);
        assert_eq!(table.firsts(&["b"]).rows.len(), 2);
    }
}
