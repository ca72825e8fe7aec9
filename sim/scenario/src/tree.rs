//! A file as a tree in which every key and every value knows its place, whichever text it came from.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostics::{Problem, Report};
use crate::source::Place;

/// A value and where it was written.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    pub(crate) place: Place,
    pub(crate) node: Node,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Text(String),
    /// None if it does not fit in 128 bits.
    Integer(Option<i128>),
    Float(f64),
    Flag(bool),
    Datetime,
    List(Vec<Tree>),
    Table(Table),
}

/// Keys and values, in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) place: Place,
    pub(crate) value: Tree,
}

/// Reads a whole file. What is not TOML is reported, and the rest is read as well as it can be.
pub(crate) fn parse(source: u32, text: &str, report: &Report) -> Tree {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let span = error.span().unwrap_or(0..0);
        report.add(
            Problem::error(Place::new(source, span), syntax(error.message()))
                .maybe_help(remedy(error.message())),
        );
    }
    let place = Place::new(source, 0..0);
    Tree { place, node: Node::Table(of_table(source, 0, table.into_inner())) }
}

/// Reads one value, which begins at byte `offset` of its source. None if it is not TOML.
pub(crate) fn parse_value(source: u32, offset: usize, text: &str) -> Option<Tree> {
    Some(of_value(source, offset, DeValue::parse(text).ok()?))
}

fn of_value(source: u32, offset: usize, value: Spanned<DeValue<'_>>) -> Tree {
    let span = value.span();
    let place = Place::new(source, span.start + offset..span.end + offset);
    let node = match value.into_inner() {
        DeValue::String(text) => Node::Text(text.into_owned()),
        DeValue::Integer(digits) => Node::Integer(i128::from_str_radix(digits.as_str(), digits.radix()).ok()),
        DeValue::Float(digits) => Node::Float(digits.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Node::Flag(flag),
        DeValue::Datetime(_) => Node::Datetime,
        DeValue::Array(items) => {
            Node::List(items.into_iter().map(|item| of_value(source, offset, item)).collect())
        }
        DeValue::Table(table) => Node::Table(of_table(source, offset, table)),
    };
    Tree { place, node }
}

fn of_table(source: u32, offset: usize, table: DeTable<'_>) -> Table {
    let entries = table
        .into_iter()
        .map(|(key, value)| {
            let span = key.span();
            Entry {
                place: Place::new(source, span.start + offset..span.end + offset),
                key: key.into_inner().into_owned(),
                value: of_value(source, offset, value),
            }
        })
        .collect();
    Table { entries }
}

impl Table {
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Tree> {
        self.entry(key).map(|entry| &entry.value)
    }
}

impl Tree {
    /// What kind of value it is, with its article, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.node {
            Node::Text(_) => "a string",
            Node::Integer(_) => "a whole number",
            Node::Float(_) => "a number",
            Node::Flag(_) => "true or false",
            Node::Datetime => "a date",
            Node::List(_) => "a list",
            Node::Table(_) => "a table",
        }
    }

    /// Puts it, with all it holds, at one place: a default stands where its section is.
    pub(crate) fn move_to(&mut self, place: Place) {
        self.place = place;
        match &mut self.node {
            Node::List(items) => items.iter_mut().for_each(|item| item.move_to(place)),
            Node::Table(table) => {
                for entry in &mut table.entries {
                    entry.place = place;
                    entry.value.move_to(place);
                }
            }
            Node::Text(_) | Node::Integer(_) | Node::Float(_) | Node::Flag(_) | Node::Datetime => {}
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Node::Text(text) = &self.node { Some(text) } else { None }
    }

    pub(crate) fn as_table(&self) -> Option<&Table> {
        if let Node::Table(table) = &self.node { Some(table) } else { None }
    }

    pub(crate) fn as_list(&self) -> Option<&[Tree]> {
        if let Node::List(list) = &self.node { Some(list) } else { None }
    }

    /// The number as it would be written, if it is one.
    pub(crate) fn as_number(&self) -> Option<String> {
        match &self.node {
            Node::Integer(Some(number)) => Some(number.to_string()),
            Node::Float(number) => Some(number.to_string()),
            Node::Integer(None)
            | Node::Text(_)
            | Node::Flag(_)
            | Node::Datetime
            | Node::List(_)
            | Node::Table(_) => None,
        }
    }
}

fn syntax(message: &str) -> String {
    format!("not valid TOML: {message}")
}

/// What to do about the mistakes that are made most.
fn remedy(message: &str) -> Option<String> {
    let help = match message {
        m if m.contains("duplicate key") => "a key is given once in a table: remove or rename one of the two",
        m if m.contains("string values must be quoted") => "put text in quotes: \"...\"",
        m if m.contains("recursion") => "nothing in a scenario is nested that deep",
        _ => return None,
    };
    Some(help.to_owned())
}
