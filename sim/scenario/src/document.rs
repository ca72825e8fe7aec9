//! A scenario as a text that can be changed by name: this fault away, that value another.
//!
//! ```
//! use schism_scenario::Document;
//! let text = r#"
//!     title    = "Hello"
//!     length   = "10s"
//!     registry = "static"
//!     [services.orders]
//!     instances = 3
//!     service   = { exponential = "5ms" }
//!     [[fault]]
//!     id = "die"
//!     at = "5s"
//!     crash = "orders-0"
//! "#;
//! let scenario = schism_scenario::load("hello.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}")).scenario;
//! let document = Document::of(&scenario);
//! assert_eq!(document.faults(), ["die"]);
//! let calm = document.without_fault("die").with("services.orders.instances", "2").expect("both are there");
//! assert_eq!(calm.load().unwrap_or_else(|errors| panic!("{errors}")).services[0].nodes.len(), 2);
//! ```

use std::fmt;

use toml_edit::{DocumentMut, Item, TableLike, Value};

use crate::{Diagnostics, Scenario};

/// A scenario in TOML, with its comments and in its order. It need not be one that can be run: [`load`](Document::load)
/// says.
#[derive(Clone, Debug)]
pub struct Document {
    toml: DocumentMut,
}

/// What a document is called where a message has to call it something.
const NAME: &str = "scenario.toml";

/// The two lists whose items have ids.
const FAULT: &str = "fault";
const EXPECT: &str = "expect";

impl Document {
    /// A scenario with every default spelled out, as [`Scenario::to_toml`] writes it.
    pub fn of(scenario: &Scenario) -> Document {
        Document::parse(&scenario.to_toml()).expect("what we write is TOML")
    }

    /// A text that is TOML; `None` if it is not.
    pub fn parse(text: &str) -> Option<Document> {
        Some(Document { toml: text.parse().ok()? })
    }

    /// The scenario that it means.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn load(&self) -> Result<Scenario, Diagnostics> {
        crate::load(NAME, self.to_string(), &[]).map(|loaded| loaded.scenario)
    }

    /// The ids of the faults, in the order of the text.
    pub fn faults(&self) -> Vec<String> {
        self.ids(FAULT)
    }

    /// The ids of the expectations, in the order of the text.
    pub fn expectations(&self) -> Vec<String> {
        self.ids(EXPECT)
    }

    /// The names in a table: those of the services, or of the client groups.
    pub fn names(&self, table: &str) -> Vec<String> {
        let table = self.toml.get(table).and_then(Item::as_table_like);
        table.into_iter().flat_map(TableLike::iter).map(|(name, _)| name.to_owned()).collect()
    }

    /// The same without a fault. Expectations that look at the time of that fault go with it.
    pub fn without_fault(&self, id: &str) -> Document {
        let mut without = self.clone();
        without.strike(FAULT, |item| is_called(item, id));
        without.strike(EXPECT, |item| item.get("during").and_then(Item::as_str) == Some(id));
        without
    }

    /// The same without an expectation.
    pub fn without_expectation(&self, id: &str) -> Document {
        let mut without = self.clone();
        without.strike(EXPECT, |item| is_called(item, id));
        without
    }

    /// The same without what stands at a path, such as `clients.web`; `None` if nothing does.
    pub fn without(&self, path: &str) -> Option<Document> {
        let mut without = self.clone();
        let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
        at_mut(without.toml.as_item_mut(), table)?.as_table_like_mut()?.remove(key)?;
        Some(without)
    }

    /// What stands at a path, in TOML, if it is a value: `clients.web.timeout`, `fault.cut.for`.
    pub fn get(&self, path: &str) -> Option<String> {
        let value = at(self.toml.as_item(), path)?.as_value()?;
        Some(value.clone().decorated("", "").to_string())
    }

    /// The text that stands at a path, if it is one: `"2s"` without its quotes.
    pub fn text(&self, path: &str) -> Option<String> {
        at(self.toml.as_item(), path)?.as_str().map(str::to_owned)
    }

    /// The texts of a list of texts, or the one text that stands in its place.
    pub fn texts(&self, path: &str) -> Option<Vec<String>> {
        let item = at(self.toml.as_item(), path)?;
        if let Some(text) = item.as_str() {
            return Some(vec![text.to_owned()]);
        }
        item.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
    }

    /// The paths of all that stands below a path and has nothing below itself, in the order of the text: the values of
    /// tables under their keys, those of lists under their numbers.
    pub fn leaves(&self, path: &str) -> Vec<String> {
        let mut leaves = Vec::new();
        if let Some(item) = at(self.toml.as_item(), path) {
            below(item, path, &mut |path, item| {
                if item.as_table_like().is_none() && item.as_array().is_none() {
                    leaves.push(path.to_owned());
                }
            });
        }
        leaves
    }

    /// The paths of all lists below a path, with how many items each has.
    pub fn lists(&self, path: &str) -> Vec<(String, usize)> {
        let mut lists = Vec::new();
        if let Some(item) = at(self.toml.as_item(), path) {
            below(item, path, &mut |path, item| {
                lists.extend(item.as_array().map(|array| (path.to_owned(), array.len())));
            });
        }
        lists
    }

    /// The same without one item of the list at a path; `None` if it has no such item.
    pub fn without_item(&self, path: &str, number: usize) -> Option<Document> {
        let mut without = self.clone();
        let list = at_mut(without.toml.as_item_mut(), path)?.as_array_mut()?;
        (number < list.len()).then(|| list.remove(number))?;
        Some(without)
    }

    /// The keys of the table that stands at a path, in their order.
    pub fn keys(&self, path: &str) -> Vec<String> {
        let table = at(self.toml.as_item(), path).and_then(Item::as_table_like);
        table.into_iter().flat_map(TableLike::iter).map(|(key, _)| key.to_owned()).collect()
    }

    /// Every value with its path, in the order of the text; faults and expectations by their ids, items of other lists by
    /// their numbers.
    pub fn values(&self) -> Vec<(String, String)> {
        let mut values = Vec::new();
        self.toml.iter().for_each(|(key, item)| gather(key.to_owned(), item, &mut values));
        values
    }

    /// The same with another value at a path, in TOML; what is no TOML is taken as text. Faults and expectations are
    /// addressed by their ids. `None` if there is no table at the path for it to stand in.
    pub fn with(&self, path: &str, value: &str) -> Option<Document> {
        let mut with = self.clone();
        let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
        let value = value.parse::<Value>().unwrap_or_else(|_| Value::from(value));
        let place = at_mut(with.toml.as_item_mut(), table)?;
        if let Some(list) = place.as_array_mut() {
            *list.get_mut(key.parse::<usize>().ok()?)? = value;
            return Some(with);
        }
        let table = place.as_table_like_mut()?;
        match table.get_mut(key) {
            Some(slot) if slot.is_value() => *slot = Item::Value(value),
            Some(_) => return None,
            None => {
                table.insert(key, Item::Value(value));
            }
        }
        Some(with)
    }

    fn ids(&self, list: &str) -> Vec<String> {
        let tables = self.toml.get(list).and_then(Item::as_array_of_tables);
        let id = |table: &toml_edit::Table| table.get("id").and_then(Item::as_str).map(str::to_owned);
        tables.into_iter().flat_map(|tables| tables.iter().filter_map(id)).collect()
    }

    fn strike(&mut self, list: &str, goes: impl Fn(&toml_edit::Table) -> bool) {
        if let Some(tables) = self.toml.get_mut(list).and_then(Item::as_array_of_tables_mut) {
            tables.retain(|table| !goes(table));
        }
    }
}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.toml.fmt(f)
    }
}

/// The values below a path.
fn gather(path: String, item: &Item, values: &mut Vec<(String, String)>) {
    if let Some(tables) = item.as_array_of_tables() {
        for (number, table) in tables.iter().enumerate() {
            let id = table.get("id").and_then(Item::as_str).map_or(number.to_string(), str::to_owned);
            table.iter().for_each(|(key, item)| gather(format!("{path}.{id}.{key}"), item, values));
        }
    } else if let Some(table) = item.as_table_like() {
        table.iter().for_each(|(key, item)| gather(format!("{path}.{key}"), item, values));
    } else if let Some(value) = item.as_value() {
        values.push((path, value.clone().decorated("", "").to_string()));
    }
}

fn is_called(item: &toml_edit::Table, id: &str) -> bool {
    item.get("id").and_then(Item::as_str) == Some(id)
}

/// The parts of a path; none of the empty path.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('.').filter(|part| !part.is_empty())
}

fn at<'d>(top: &'d Item, path: &str) -> Option<&'d Item> {
    parts(path).try_fold(top, |item, part| match step(item, part)? {
        Step::Number(number) => item.get(number),
        Step::Key => item.get(part),
    })
}

fn at_mut<'d>(top: &'d mut Item, path: &str) -> Option<&'d mut Item> {
    parts(path).try_fold(top, |item, part| match step(item, part)? {
        Step::Number(number) => item.get_mut(number),
        Step::Key => item.get_mut(part),
    })
}

/// How one part of a path is looked up.
enum Step {
    Number(usize),
    Key,
}

/// Tables of a list are found by their ids, other items by their numbers.
fn step(item: &Item, part: &str) -> Option<Step> {
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().position(|table| is_called(table, part)).map(Step::Number);
    }
    if item.is_array() { part.parse().ok().map(Step::Number) } else { Some(Step::Key) }
}

/// Shows a value and all below it, each with its path.
fn below(item: &Item, path: &str, show: &mut dyn FnMut(&str, &Item)) {
    show(path, item);
    if let Some(table) = item.as_table_like() {
        table.iter().for_each(|(key, item)| below(item, &format!("{path}.{key}"), show));
    }
    for number in 0..item.as_array().map_or(0, toml_edit::Array::len) {
        below(&item[number], &format!("{path}.{number}"), show);
    }
}
