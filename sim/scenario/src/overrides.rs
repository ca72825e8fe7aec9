//! `--set clients.web.timeout=100ms`: values from the command line, put over those of the file before it is read.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;

use crate::diagnostics::{Problem, Report, listed, nearest, shorten, suggest};
use crate::grammar::{self, Argument, Choice, Key, Presence, Shape};
use crate::limits;
use crate::reader::not_built;
use crate::source::{Place, Sources};
use crate::tree::{self, Entry, Node, Table, Tree};

/// One value from the command line: a path from the top of the file, `=`, and a value.
///
/// The value is TOML if it can be read as such, and text if not, so that `timeout=100ms` needs no quotes. A fault or an
/// expectation is addressed by its id or by its number from 0: `fault.cut.for=20s`. Naming another strategy chooses it:
/// `registry=static`, `clients.web.arrivals.constant=10/s`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    text: String,
}

impl Override {
    /// An override as it was written, without `--set`. What is wrong with it is told when it is applied.
    pub fn new(text: impl Into<String>) -> Override {
        Override { text: text.into() }
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Override {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Override, Infallible> {
        Ok(Override::new(text))
    }
}

/// The paths that are set, as they were written.
pub(crate) fn paths(overrides: &[Override]) -> Vec<String> {
    let path = |one: &Override| Some(one.text.split_once('=')?.0.trim().to_owned());
    overrides.iter().filter_map(path).collect()
}

/// What the messages call the source.
const SOURCE: &str = "--set";

/// Puts the overrides into the tree, in their order.
pub(crate) fn apply(tree: &mut Tree, overrides: &[Override], sources: &mut Sources, report: &Report) {
    for one in overrides {
        let source = sources.add(SOURCE, &one.text);
        if let Err(problem) = put(tree, source, &one.text) {
            report.add(problem);
        }
    }
}

/// Puts a value at a path from the top of the file. `place` is where the path was written.
pub(crate) fn place(tree: &mut Tree, path: &str, place: Place, value: Tree) -> Result<(), Problem> {
    let segments: Vec<Segment<'_>> =
        path.split('.').map(|part| Segment { name: part.trim().trim_matches('"'), place }).collect();
    if segments.iter().any(|segment| segment.name.is_empty()) {
        let problem = Problem::error(place, format!("a part of the path `{}` is empty", shorten(path)));
        return Err(problem.help("write \"fault.cut.for\", for instance"));
    }
    let text = value.as_text().map(str::to_owned).or_else(|| value.as_number()).unwrap_or_default();
    let as_text = Tree { place: value.place, node: Node::Text(text) };
    set(tree, Shape::Table(grammar::SCENARIO), &segments, New { value, as_text })
}

/// One part of a path.
struct Segment<'t> {
    name: &'t str,
    place: Place,
}

fn put(tree: &mut Tree, source: u32, text: &str) -> Result<(), Problem> {
    let whole = Place::new(source, 0..text.len());
    let Some((path, value)) = text.split_once('=') else {
        return Err(Problem::error(whole, "an override is a path, `=` and a value")
            .help("write --set clients.web.timeout=100ms"));
    };
    let mut segments = Vec::new();
    let mut at = 0;
    for part in path.split('.') {
        let name = part.trim().trim_matches('"');
        segments.push(Segment { name, place: Place::new(source, at..at + part.len()) });
        at += part.len() + 1;
    }
    if segments.iter().any(|segment| segment.name.is_empty()) {
        return Err(Problem::error(whole, "a part of the path is empty")
            .help("write --set clients.web.timeout=100ms"));
    }
    let offset = path.len() + 1;
    let place = Place::new(source, offset..text.len());
    let as_text = || Tree { place, node: Node::Text(value.trim().to_owned()) };
    let value = tree::parse_value(source, offset, value).unwrap_or_else(as_text);
    set(tree, Shape::Table(grammar::SCENARIO), &segments, New { value, as_text: as_text() })
}

/// The value, and how it reads if it is taken as text.
struct New {
    value: Tree,
    as_text: Tree,
}

/// Walks down the path and puts the value at its end.
fn set(slot: &mut Tree, shape: Shape, path: &[Segment<'_>], new: New) -> Result<(), Problem> {
    let Some((head, rest)) = path.split_first() else {
        let wants_text = matches!(
            shape,
            Shape::Text
                | Shape::Word(_)
                | Shape::Direction
                | Shape::Name
                | Shape::Oracle(_)
                | Shape::Metric
                | Shape::LiveMetric
        );
        *slot = if wants_text && new.value.as_text().is_none() { new.as_text } else { new.value };
        return Ok(());
    };
    match shape {
        Shape::Table(keys) => in_table(slot, keys, head, rest, new),
        Shape::TargetsOr(keys) => {
            if slot.as_table().is_none() {
                let target = Entry { key: "target".to_owned(), place: slot.place, value: slot.clone() };
                slot.node = Node::Table(Table { entries: vec![target] });
            }
            in_table(slot, keys, head, rest, new)
        }
        Shape::Short(keys) | Shape::WordOr(_, keys) => {
            if slot.as_table().is_none() {
                // `true` is a table in which nothing is written.
                let short = !matches!(slot.node, Node::Flag(_));
                let bare = Entry { key: keys[0].name.to_owned(), place: slot.place, value: slot.clone() };
                slot.node = Node::Table(Table { entries: short.then_some(bare).into_iter().collect() });
            }
            in_table(slot, keys, head, rest, new)
        }
        Shape::Window => in_table(slot, grammar::BETWEEN, head, rest, new),
        Shape::When => in_table(slot, grammar::LINE, head, rest, new),
        Shape::OneWay => in_table(slot, crate::fault::ONE_WAY, head, rest, new),
        Shape::Named(keys) => in_named(slot, keys, head, rest, new),
        Shape::List(keys) => in_list(slot, keys, head, rest, new),
        Shape::Alternatives => in_list(slot, grammar::ALTERNATIVE, head, rest, new),
        Shape::Choice(choice) => in_choice(slot, choice, head, rest, new),
        Shape::Distribution => in_choice(slot, &grammar::DISTRIBUTION, head, rest, new),
        Shape::Labels => set(entry(slot, head), Shape::Counts(limits::LABELS), rest, new),
        Shape::Texts => set(entry(slot, head), Shape::Text, rest, new),
        Shape::Counts(limit) => set(entry(slot, head), Shape::Count(limit), rest, new),
        Shape::Batches(limit) => set(entry(slot, head), Shape::Batch(limit), rest, new),
        Shape::Text
        | Shape::Flag
        | Shape::Count(_)
        | Shape::Number
        | Shape::NumberWithin(..)
        | Shape::NumberOr(..)
        | Shape::Percent(..)
        | Shape::SomeWords(_)
        | Shape::Duration(_)
        | Shape::DurationOr(_)
        | Shape::CountOr(..)
        | Shape::Share
        | Shape::Offset
        | Shape::PartsPerMillion
        | Shape::Factor
        | Shape::Batch(_)
        | Shape::Rate
        | Shape::Word(_)
        | Shape::Name
        | Shape::Oracle(_)
        | Shape::Metric
        | Shape::LiveMetric
        | Shape::Wait
        | Shape::Names
        | Shape::Lists
        | Shape::Selectors(_)
        | Shape::TwoTimes
        | Shape::Times
        | Shape::Targets
        | Shape::Between
        | Shape::Direction
        | Shape::WordsOr(..)
        | Shape::BitRate
        | Shape::Size
        | Shape::Sides
        | Shape::Pairs
        | Shape::TwoNames
        | Shape::Bits
        | Shape::ManyBits
        | Shape::CountWith(..)
        | Shape::Varied
        | Shape::Values
        | Shape::Families
        | Shape::TwoCounts(_)
        | Shape::Bound => {
            let message = format!("`{}` is within a single value", shorten(head.name));
            Err(Problem::error(head.place, message).help("leave it out, and set the whole value"))
        }
    }
}

fn in_table(
    slot: &mut Tree,
    keys: &[Key],
    head: &Segment<'_>,
    rest: &[Segment<'_>],
    new: New,
) -> Result<(), Problem> {
    let names = || keys.iter().filter(|key| !key.is_later()).map(|key| key.name);
    let Some(key) = keys.iter().find(|key| key.name == head.name) else {
        let message = format!("unknown key `{}`", shorten(head.name));
        return Err(Problem::error(head.place, message).maybe_help(suggest(head.name, names())));
    };
    if let Presence::Later(instead) = key.presence {
        return Err(not_built(head.place, key.name, instead));
    }
    give_way(slot, head.name);
    set(entry(slot, head), key.shape, rest, new)
}

/// Keys of which one says what the other does: whoever sets one means it instead of the other.
const EITHER: [(&str, &str); 2] = [("for", "until"), ("at", "between")];

/// Takes away what is said otherwise now.
fn give_way(slot: &mut Tree, key: &str) {
    let other = EITHER.iter().find_map(|&(one, other)| match key {
        key if key == one => Some(other),
        key if key == other => Some(one),
        _ => None,
    });
    if let (Some(other), Node::Table(table)) = (other, &mut slot.node) {
        table.entries.retain(|entry| entry.key != other);
    }
}

/// What stands at a key; an empty table is put there if there is nothing.
fn entry<'s>(slot: &'s mut Tree, head: &Segment<'_>) -> &'s mut Tree {
    if slot.as_table().is_none() {
        slot.node = Node::Table(Table::default());
    }
    let Node::Table(table) = &mut slot.node else { unreachable!("it has just been made a table") };
    let at = table.entries.iter().position(|entry| entry.key == head.name).unwrap_or_else(|| {
        let value = Tree { place: head.place, node: Node::Table(Table::default()) };
        table.entries.push(Entry { key: head.name.to_owned(), place: head.place, value });
        table.entries.len() - 1
    });
    &mut table.entries[at].value
}

fn in_named(
    slot: &mut Tree,
    keys: &'static [Key],
    head: &Segment<'_>,
    rest: &[Segment<'_>],
    new: New,
) -> Result<(), Problem> {
    let table = slot.as_table().map_or(&[][..], |table| &table.entries);
    if !table.iter().any(|entry| entry.key == head.name) {
        let message = format!("there is no `{}` in the file", shorten(head.name));
        let names: Vec<&str> = table.iter().map(|entry| entry.key.as_str()).collect();
        return Err(Problem::error(head.place, message).maybe_help(suggest(head.name, names)));
    }
    set(entry(slot, head), Shape::Table(keys), rest, new)
}

fn in_list(
    slot: &mut Tree,
    keys: &'static [Key],
    head: &Segment<'_>,
    rest: &[Segment<'_>],
    new: New,
) -> Result<(), Problem> {
    let ids: Vec<String> = slot.as_list().map(ids).unwrap_or_default();
    let by_id = ids.iter().position(|id| id == head.name);
    let by_number = || head.name.parse::<usize>().ok().filter(|number| *number < ids.len());
    let (Some(index), Node::List(items)) = (by_id.or_else(by_number), &mut slot.node) else {
        let message = format!("there is no `{}` in the file", shorten(head.name));
        let near =
            nearest(head.name, ids.iter().map(String::as_str)).map(|id| format!("did you mean `{id}`?"));
        let all = || listed(ids.iter().map(String::as_str)).map(|ids| format!("there are: {ids}"));
        return Err(Problem::error(head.place, message).maybe_help(near.or_else(all)));
    };
    set(&mut items[index], Shape::Table(keys), rest, new)
}

/// The ids of faults and expectations, given or by default.
fn ids(items: &[Tree]) -> Vec<String> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut id_of = |item: &Tree| {
        let text = |key: &str| item.as_table().and_then(|table| table.get(key)).and_then(Tree::as_text);
        if let Some(ask) = grammar::ASKS.iter().find_map(|ask| Some((*ask, text(ask)?))) {
            return text("id").map_or_else(|| expected(ask, text("during")), str::to_owned);
        }
        let has = |key: &&&str| item.as_table().is_some_and(|table| table.get(key).is_some());
        let kind = grammar::WHATS.iter().find(has).copied().unwrap_or("fault");
        let count = counts.entry(kind.to_owned()).or_default();
        *count += 1;
        text("id").map_or_else(|| format!("{kind}-{count}"), str::to_owned)
    };
    items.iter().map(&mut id_of).collect()
}

fn expected((ask, name): (&str, &str), during: Option<&str>) -> String {
    match (ask, during) {
        ("metric", None | Some("all")) => name.to_owned(),
        ("metric", Some(word @ ("before" | "after"))) => format!("{name}-{word}"),
        ("metric", Some(fault)) => format!("{name}-during-{fault}"),
        _ => format!("{ask}-{name}"),
    }
}

fn in_choice(
    slot: &mut Tree,
    choice: &Choice,
    head: &Segment<'_>,
    rest: &[Segment<'_>],
    new: New,
) -> Result<(), Problem> {
    let names = grammar::names_of(choice);
    if !names.contains(&head.name) {
        if choice.later.contains(&head.name) {
            return Err(not_built(head.place, head.name, &names));
        }
        let message = format!("there is no {} `{}`", choice.what, shorten(head.name));
        return Err(Problem::error(head.place, message).maybe_help(suggest(head.name, names.iter().copied())));
    }
    // Another strategy, or a bare name, gives way to this one.
    let stays =
        slot.as_table().is_some_and(|table| matches!(&table.entries[..], [one] if one.key == head.name));
    if !stays {
        *slot = Tree { place: head.place, node: Node::Table(Table::default()) };
    }
    let shape = match (choice.argument)(head.name) {
        Argument::Options(keys) | Argument::Table(keys) => Shape::Table(keys),
        Argument::Value(shape) => shape,
        Argument::ValueOr(shape, _) if rest.is_empty() => shape,
        Argument::ValueOr(_, keys) => Shape::Table(keys),
    };
    set(entry(slot, head), shape, rest, new)
}
