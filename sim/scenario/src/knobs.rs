//! The options of strategies as the models declare them: as keys of the grammar, as they are read and written.

use std::sync::LazyLock;

use schism_core::{Duration, Ratio};
use schism_models::balancer::{self, Entry};
use schism_models::options::{Clash, Kind, Knob, Value};
use schism_models::{locality, oracle};

use crate::diagnostics::{Problem, Report, listed, nearest, shorten};
use crate::grammar::{Key, Least, Presence, Shape, Words};
use crate::limits::Limit;
use crate::reader::{Chosen, Field, Number, Read, Section};
use crate::source::At;
use crate::tree::{Node, Tree};
use crate::units;

/// The keys of one balancer's table.
pub(crate) fn of_balancer(name: &str) -> &'static [Key] {
    static KEYS: LazyLock<Catalog> = LazyLock::new(|| catalog(balancer::CATALOG));
    find(&KEYS, name)
}

/// The keys of one locality's table.
pub(crate) fn of_locality(name: &str) -> &'static [Key] {
    static KEYS: LazyLock<Catalog> = LazyLock::new(|| catalog(locality::CATALOG));
    find(&KEYS, name)
}

/// The keys of one oracle's table.
pub(crate) fn of_oracle(name: &str) -> &'static [Key] {
    static KEYS: LazyLock<Catalog> =
        LazyLock::new(|| oracle::CATALOG.iter().map(|entry| (entry.name, keys(entry.knobs))).collect());
    find(&KEYS, name)
}

/// The keys of each strategy, by its name.
type Catalog = Vec<(&'static str, Vec<Key>)>;

fn catalog(entries: &'static [Entry]) -> Catalog {
    entries.iter().map(|entry| (entry.name, keys(entry.knobs))).collect()
}

fn find(catalog: &'static Catalog, name: &str) -> &'static [Key] {
    catalog.iter().find(|(it, _)| *it == name).map_or(&[], |(_, keys)| keys)
}

/// The keys for these options.
pub(crate) fn keys(knobs: &'static [Knob]) -> Vec<Key> {
    knobs.iter().map(key).collect()
}

fn key(knob: &'static Knob) -> Key {
    let default = (knob.default)();
    let presence = if default.is_empty() {
        Presence::Optional
    } else {
        // One for each option that there is, once.
        Presence::Default(written(&default, knob.kind).leak())
    };
    Key { name: knob.name, about: knob.about, shape: shape(knob), presence }
}

fn shape(knob: &'static Knob) -> Shape {
    let limit = |least, most| Limit { of: knob.name, least, most, why: knob.about };
    match knob.kind {
        Kind::Count(least, most) => Shape::Count(limit(least, most)),
        Kind::CountOr(least, most, word) => Shape::CountOr(limit(least, most), word),
        Kind::Number(least, most) => Shape::NumberWithin(least, most),
        Kind::NumberOr(least, most, word) => Shape::NumberOr(least, most, word),
        Kind::Flag => Shape::Flag,
        Kind::Time => Shape::Duration(Least::Positive),
        Kind::TimeOr(word) => Shape::DurationOr(word),
        Kind::Share => Shape::Share,
        Kind::Percent(least, most) => Shape::Percent(limit(least, most), None),
        Kind::PercentOr(least, most, word) => Shape::Percent(limit(least, most), Some(word)),
        Kind::Word(there) => Shape::Word(Words { there, later: &[] }),
        Kind::Words(words) => Shape::SomeWords(words),
        Kind::Text => Shape::Text,
        Kind::Names => Shape::Names,
        Kind::Lists => Shape::Lists,
        Kind::Table(least, most) => Shape::Counts(limit(least, most)),
    }
}

/// Reads the options of the strategy that was chosen, and reports those that contradict each other.
pub(crate) fn read<T>(
    what: &str,
    chosen: &Chosen<'_>,
    keys: &'static [Key],
    report: &Report,
    make: impl FnOnce(&str, &mut dyn FnMut(&'static Knob) -> Value) -> Option<T>,
    check: impl FnOnce(&T) -> Result<(), Clash>,
) -> Option<T> {
    let section = chosen.options(what, keys, report);
    let made = make(chosen.name, &mut |knob| value(&section, knob))?;
    if let Err(Clash { option, message, help }) = check(&made) {
        let place = section.entry(option).map_or(section.place, |entry| entry.value.place);
        report.add(Problem::error(place, message).help(help));
    }
    Some(made)
}

/// What was written for an option, or its default.
fn value(section: &Section<'_>, knob: &'static Knob) -> Value {
    let name = knob.name;
    let written = match knob.kind {
        Kind::Count(..) => section.maybe::<u64>(name).map(|at| Value::Count(at.value)),
        Kind::CountOr(..) => section
            .maybe::<Option<u32>>(name)
            .map(|at| at.value.map_or(Value::None, |count| Value::Count(u64::from(count)))),
        Kind::Number(..) => section.maybe::<Number>(name).map(|at| Value::Number(at.value.0)),
        Kind::NumberOr(..) => section
            .maybe::<Option<Number>>(name)
            .map(|at| at.value.map_or(Value::None, |number| Value::Number(number.0))),
        Kind::Flag => section.maybe::<bool>(name).map(|at| Value::Flag(at.value)),
        Kind::Time => section.maybe::<Duration>(name).map(|at| Value::Time(at.value)),
        Kind::TimeOr(_) => {
            section.maybe::<Option<Duration>>(name).map(|at| at.value.map_or(Value::None, Value::Time))
        }
        Kind::Share => section.maybe::<Ratio>(name).map(|at| Value::Share(at.value)),
        Kind::Percent(..) | Kind::PercentOr(..) => {
            section.maybe::<Percent>(name).map(|at| at.value.0.map_or(Value::None, Value::Count))
        }
        Kind::Word(words) => section
            .maybe::<String>(name)
            .and_then(|at| words.iter().find(|word| **word == at.value).map(|word| Value::Word(word))),
        Kind::Words(_) => section.maybe::<SomeWords>(name).map(|at| Value::Words(at.value.0)),
        Kind::Text => section.maybe::<String>(name).map(|at| Value::Text(at.value)),
        Kind::Names => section
            .maybe::<Vec<At<String>>>(name)
            .map(|at| Value::Names(at.value.into_iter().map(|name| name.value).collect())),
        Kind::Lists => section.maybe::<Lists>(name).map(|at| Value::Lists(at.value.0)),
        Kind::Table(..) => section.maybe::<Counts>(name).map(|at| Value::Table(at.value.0)),
    };
    written.unwrap_or_else(|| (knob.default)())
}

/// How a value is written in TOML.
pub(crate) fn written(value: &Value, kind: Kind) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    match (value, kind) {
        (
            Value::None,
            Kind::CountOr(_, _, word)
            | Kind::NumberOr(_, _, word)
            | Kind::TimeOr(word)
            | Kind::PercentOr(_, _, word),
        ) => quoted(word),
        (Value::Count(percent), Kind::Percent(..) | Kind::PercentOr(..)) => quoted(&format!("{percent}%")),
        (Value::Count(count), _) => count.to_string(),
        (Value::Number(number), _) => format!("{number:?}"),
        (Value::Flag(flag), _) => flag.to_string(),
        (Value::Time(time), _) => quoted(&time.to_string()),
        (Value::Share(share), _) => quoted(&units::show_ratio(*share)),
        (Value::Word(word), _) => quoted(word),
        (Value::Words(words), _) => list(words.iter().map(|word| quoted(word)).collect()),
        (Value::Text(text), _) => quoted(text),
        (Value::Names(names), _) => list(names.iter().map(|name| quoted(name)).collect()),
        (Value::Lists(lists), _) => {
            let names = |names: &Vec<String>| list(names.iter().map(|name| quoted(name)).collect());
            list(lists.iter().map(names).collect())
        }
        (Value::Table(table), _) => table_of(table.iter().map(|(name, count)| (name, count.to_string()))),
        (Value::None, kind) => unreachable!("a {kind:?} has no word for none"),
    }
}

/// A table of these keys and values, on one line.
pub(crate) fn table_of<'n>(entries: impl Iterator<Item = (&'n String, String)>) -> String {
    let entries: Vec<String> = entries.map(|(name, value)| format!("{} = {value}", key_of(name))).collect();
    format!("{{ {} }}", entries.join(", "))
}

/// A key as TOML wants it: in quotes unless it is plain.
fn key_of(name: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if !name.is_empty() && name.chars().all(plain) {
        name.to_owned()
    } else {
        toml::Value::from(name).to_string()
    }
}

/// A strategy with its options, as a scenario writes it.
pub(crate) fn strategy(name: &str, knobs: &'static [Knob], values: &[Value]) -> String {
    let options: Vec<String> = (knobs.iter().zip(values))
        .filter(|(_, value)| !value.is_empty())
        .map(|(knob, value)| format!("{} = {}", knob.name, written(value, knob.kind)))
        .collect();
    if options.is_empty() {
        return format!("\"{name}\"");
    }
    format!("{{ {name} = {{ {} }} }}", options.join(", "))
}

/// How a scenario writes an oracle with the options that it has by default.
pub fn oracle_by_default(of: &oracle::Entry) -> String {
    let values: Vec<Value> = of.knobs.iter().map(|knob| (knob.default)()).collect();
    strategy(of.name, of.knobs, &values)
}

/// A whole percentage, or none.
struct Percent(Option<u64>);

impl Read for Percent {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Percent> {
        let Shape::Percent(limit, word) = field.shape else { panic!("`{}` is no percentage", field.name) };
        if let (Some(text), Some(word)) = (tree.as_text(), word)
            && text == word
        {
            return Some(Percent(None));
        }
        // 1.25 is 125%, and 125 is, too.
        let example = |number: &str| match number.parse::<f64>() {
            Ok(factor) if factor > 0.0 && factor <= 10.0 => {
                format!("write it in percent: \"{:.0}%\"", factor * 100.0)
            }
            Ok(_) | Err(_) => format!("write it in percent: \"{number}%\""),
        };
        let number = match tree.as_text() {
            Some(text) => text.strip_suffix('%').and_then(|digits| digits.parse::<u64>().ok()),
            None => None,
        };
        let Some(number) = number else {
            let problem = match (tree.as_text(), tree.as_number()) {
                (Some(text), _) => Problem::error(
                    tree.place,
                    format!("`{}` is a whole percentage, not \"{}\"", field.name, shorten(text)),
                )
                .help(example("125")),
                (None, Some(number)) => {
                    Problem::error(tree.place, format!("`{}` is a percentage and needs a unit", field.name))
                        .help(example(&number))
                }
                (None, None) => field.wrong(tree, "a percentage").help(example("125")),
            };
            field.report.add(problem);
            return None;
        };
        if !limit.range().contains(&number) {
            let message = format!("`{}` is {number}%", field.name);
            let help = format!("it can be from {}% to {}%", limit.least, limit.most);
            field.report.add(Problem::error(tree.place, message).help(help));
            return None;
        }
        Some(Percent(Some(number)))
    }
}

/// Some of the words that a shape knows, each once.
struct SomeWords(Vec<&'static str>);

impl Read for SomeWords {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<SomeWords> {
        let Shape::SomeWords(words) = field.shape else { panic!("`{}` is no list of words", field.name) };
        let help = || listed(words.iter().copied()).map(|words| format!("its words are: {words}"));
        let Some(items) = tree.as_list() else {
            field.report.add(field.wrong(tree, "a list of words").maybe_help(help()));
            return None;
        };
        let mut read = Vec::new();
        for item in items {
            let text = item.as_text().unwrap_or_default();
            match words.iter().find(|word| **word == text) {
                Some(word) if read.contains(word) => {
                    let message = format!("`{}` has `{word}` twice", field.name);
                    field.report.add(Problem::error(item.place, message).help("leave one of them out"));
                    return None;
                }
                Some(word) => read.push(*word),
                None => {
                    let near = nearest(text, words.iter().copied()).map(|it| format!("did you mean `{it}`?"));
                    let message = format!("`{}` has no word `{}`", field.name, shorten(text));
                    field.report.add(Problem::error(item.place, message).maybe_help(near.or_else(help)));
                    return None;
                }
            }
        }
        Some(SomeWords(read))
    }
}

/// Lists of names.
struct Lists(Vec<Vec<String>>);

impl Read for Lists {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Lists> {
        let Some(items) = tree.as_list() else {
            let help = "write a list of lists: [[\"a\"], [\"b\", \"c\"]]";
            field.report.add(field.wrong(tree, "a list of lists").help(help));
            return None;
        };
        let inner = Field { name: field.name, shape: Shape::Names, report: field.report };
        let list = |item: &Tree| Vec::<At<String>>::read(&inner, item);
        let lists = items.iter().map(list).collect::<Option<Vec<_>>>()?;
        let plain = |list: Vec<At<String>>| list.into_iter().map(|name| name.value).collect();
        Some(Lists(lists.into_iter().map(plain).collect()))
    }
}

/// A whole number for each of some names.
pub(crate) struct Counts(pub(crate) Vec<(String, u32)>);

impl Read for Counts {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Counts> {
        let Shape::Counts(limit) = field.shape else { panic!("`{}` is no table of counts", field.name) };
        let Node::Table(table) = &tree.node else {
            let example = |name, number| field.report.language().pair(name, number);
            let help =
                format!("write a number for each name: {{ {}, {} }}", example("a", "1"), example("b", "2"));
            field.report.add(field.wrong(tree, "a table").help(help));
            return None;
        };
        let count = |entry: &crate::tree::Entry| {
            let field = Field { name: &entry.key, shape: Shape::Count(limit), report: field.report };
            Some((entry.key.clone(), u32::read(&field, &entry.value)?))
        };
        Some(Counts(table.entries.iter().map(count).collect::<Option<_>>()?))
    }
}
