//! Reading one table: known keys by name and type, defaults from the grammar, unknown keys reported with a guess.

use schism_core::{Duration, Ratio};

use crate::diagnostics::{Problem, Report, listed, nearest, shorten, suggest};
use crate::grammar::{self, Choice, Key, Least, Presence, Shape};
use crate::limits::{self, Limit};
use crate::source::{At, Place};
use crate::tree::{self, Entry, Node, Table, Tree};
use crate::units::{self, Rate, UnitError};

/// A table that is being read.
pub(crate) struct Section<'t> {
    /// Its path from the top, for messages: `clients.web`.
    pub(crate) path: String,
    /// Where its name is.
    pub(crate) place: Place,
    pub(crate) report: &'t Report,
    table: Option<&'t Table>,
    keys: &'static [Key],
}

/// A value that can be read from a tree.
pub(crate) trait Read: Sized {
    /// Reads it, or reports why it cannot be.
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Self>;
}

/// What is being read, for the message.
pub(crate) struct Field<'r> {
    pub(crate) name: &'r str,
    pub(crate) shape: Shape,
    pub(crate) report: &'r Report,
}

/// One strategy chosen by name.
pub(crate) struct Chosen<'t> {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    /// What stands under the name, if anything.
    pub(crate) argument: Option<&'t Tree>,
}

impl<'t> Section<'t> {
    /// Opens a table and reports every key that does not belong there. Whatever is no table reads as an empty one.
    pub(crate) fn open(
        path: &str,
        place: Place,
        tree: Option<&'t Tree>,
        keys: &'static [Key],
        report: &'t Report,
    ) -> Section<'t> {
        let table = tree.and_then(Tree::as_table);
        let section = Section { path: path.to_owned(), place, report, table, keys };
        if let (Some(tree), None) = (tree, table) {
            report.add(
                Problem::error(tree.place, format!("`{path}` is a table, not {}", tree.kind()))
                    .help(format!("its keys are: {}", listed(section.names()).unwrap_or_default())),
            );
        }
        for entry in table.into_iter().flat_map(|table| &table.entries) {
            section.know(entry);
        }
        section
    }

    fn know(&self, entry: &Entry) {
        match self.keys.iter().find(|key| key.name == entry.key) {
            Some(Key { presence: Presence::Later, .. }) => {
                self.report.add(not_built(entry.place, &entry.key, &self.names()))
            }
            Some(_) => {}
            None => {
                let path = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
                let message = format!("unknown key `{}`{path}", shorten(&entry.key));
                self.report.add(Problem::error(entry.place, message).maybe_help(self.suggest(&entry.key)));
            }
        }
    }

    fn suggest(&self, given: &str) -> Option<String> {
        match nearest(given, self.keys.iter().map(|key| key.name)) {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None if self.names().is_empty() => Some(format!("`{}` has no options", self.path)),
            None => listed(self.names()).map(|names| format!("the keys are: {names}")),
        }
    }

    /// The keys that can be written.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().filter(|key| key.presence != Presence::Later).map(|key| key.name).collect()
    }

    /// The path of a key.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn key(&self, name: &str) -> &'static Key {
        self.keys.iter().find(|key| key.name == name).expect("the grammar has every key that is read")
    }

    /// The key and what stands there, if it was written.
    pub(crate) fn entry(&self, name: &str) -> Option<&'t Entry> {
        debug_assert_eq!(self.key(name).name, name);
        self.table.and_then(|table| table.entry(name))
    }

    /// What stands at a key, if anything.
    pub(crate) fn tree(&self, name: &str) -> Option<&'t Tree> {
        self.entry(name).map(|entry| &entry.value)
    }

    fn field<'a>(&self, name: &'a str) -> Field<'a>
    where
        't: 'a,
    {
        Field { name, shape: self.key(name).shape, report: self.report }
    }

    /// What was written, if it was and could be read.
    pub(crate) fn maybe<T: Read>(&self, name: &str) -> Option<At<T>> {
        let tree = self.tree(name)?;
        Some(At::new(T::read(&self.field(name), tree)?, tree.place))
    }

    /// What must have been written; reports it if it is missing.
    pub(crate) fn must<T: Read>(&self, name: &str) -> Option<At<T>> {
        self.present(name)?;
        self.maybe(name)
    }

    /// What was written, or the default of the grammar.
    pub(crate) fn value<T: Read>(&self, name: &str) -> At<T> {
        self.maybe(name).unwrap_or_else(|| {
            let tree = self.default_tree(name);
            At::new(
                T::read(&self.field(name), &tree).expect("the defaults of the grammar can be read"),
                self.place,
            )
        })
    }

    /// What was written at the key of a choice, or its default, read by `f`.
    pub(crate) fn choice<T>(&self, name: &str, f: impl Fn(&Chosen<'_>) -> Option<T>) -> Option<At<T>> {
        let Shape::Choice(choice) = self.key(name).shape else { panic!("`{name}` is no choice") };
        let default;
        let tree = match (self.tree(name), self.key(name).presence) {
            (Some(tree), _) => tree,
            (None, Presence::Default(_)) => {
                default = self.default_tree(name);
                &default
            }
            (None, Presence::Required | Presence::Optional | Presence::Later) => self.present(name)?,
        };
        Some(At::new(f(&choose(choice, tree, self.report)?)?, tree.place))
    }

    fn default_tree(&self, name: &str) -> Tree {
        let Presence::Default(text) = self.key(name).presence else { panic!("`{name}` has no default") };
        let mut tree = tree::parse_value(0, 0, text).expect("the defaults of the grammar are TOML");
        tree.move_to(self.place);
        tree
    }

    /// What stands at a key that must be there; reports it if it is missing.
    pub(crate) fn present(&self, name: &str) -> Option<&'t Tree> {
        if self.tree(name).is_none() && self.table.is_some() {
            let within =
                if self.path.is_empty() { "the scenario".to_owned() } else { format!("`{}`", self.path) };
            let key = self.key(name);
            self.report.add(
                Problem::error(self.place, format!("`{name}` is missing in {within}")).help(format!(
                    "{}: {}",
                    example(key),
                    key.about
                )),
            );
        }
        self.tree(name)
    }

    /// A table within this one; empty if it was not written.
    pub(crate) fn child(&self, name: &str) -> Section<'t> {
        let Shape::Table(keys) = self.key(name).shape else { panic!("`{name}` is no table") };
        let place = self.entry(name).map_or(self.place, |entry| entry.place);
        Section::open(&self.path_of(name), place, self.tree(name), keys, self.report)
    }

    /// The tables under `name`, each with the name it was given.
    pub(crate) fn named(&self, name: &str) -> Vec<(At<String>, Section<'t>)> {
        let Shape::Named(keys) = self.key(name).shape else { panic!("`{name}` is no table of tables") };
        let Some(entry) = self.entry(name) else { return Vec::new() };
        let Some(table) = entry.value.as_table() else {
            let message = format!("`{name}` is a table of named tables, not {}", entry.value.kind());
            self.report.add(Problem::error(entry.place, message).help(format!("write [{name}.some-name]")));
            return Vec::new();
        };
        let open = |one: &'t Entry| {
            let path = format!("{}.{}", self.path_of(name), shorten(&one.key));
            let section = Section::open(&path, one.place, Some(&one.value), keys, self.report);
            (At::new(one.key.clone(), one.place), section)
        };
        table.entries.iter().map(open).collect()
    }

    /// The tables of the list at `name`. At most so many of them.
    pub(crate) fn list(&self, name: &str, limit: Limit) -> Option<Vec<Section<'t>>> {
        let Shape::List(keys) = self.key(name).shape else { panic!("`{name}` is no list of tables") };
        let entry = self.entry(name)?;
        let path = self.path_of(name);
        let Some(items) = entry.value.as_list() else {
            let message = format!("`{path}` is a list of tables, not {}", entry.value.kind());
            self.report.add(
                Problem::error(entry.place, message).help(format!("write [[{path}]], with two brackets")),
            );
            return None;
        };
        if items.len() as u64 > limit.most {
            self.report.add(too_many(entry.place, limit, items.len() as u64));
            return None;
        }
        Some(
            items
                .iter()
                .map(|item| Section::open(&path, item.place, Some(item), keys, self.report))
                .collect(),
        )
    }

    /// The only one of these keys that was written. Reports none and several.
    pub(crate) fn only(&self, what: &str, names: &[&str]) -> Option<&'t Entry> {
        let written: Vec<&'t Entry> = names.iter().filter_map(|name| self.entry(name)).collect();
        let all = listed(names.iter().copied()).unwrap_or_default();
        match written[..] {
            [one] => Some(one),
            [] => {
                // A key that was mistyped, or is not built yet, has been reported already.
                if !self.has_strangers() {
                    self.report.add(
                        Problem::error(self.place, format!("`{}` does not say {what}", self.path))
                            .help(format!("write one of: {all}")),
                    );
                }
                None
            }
            [first, second, ..] => {
                self.report.add(
                    Problem::error(second.place, format!("both `{}` and `{}`", first.key, second.key))
                        .related(first.place, "the first is here")
                        .help(format!("keep one of them, which says {what}")),
                );
                None
            }
        }
    }

    /// Whether it has keys that do not belong there.
    pub(crate) fn has_strangers(&self) -> bool {
        let strange = |entry: &Entry| !self.names().contains(&entry.key.as_str());
        self.table.is_none_or(|table| table.entries.iter().any(strange))
    }
}

/// `count = 3`: how a missing key could be written.
fn example(key: &Key) -> String {
    let value = match key.shape {
        Shape::Count(_) => "3",
        Shape::Duration(_) => "\"60s\"",
        Shape::Distribution => "{ exponential = \"5ms\" }",
        Shape::Choice(choice) if choice.what == "arrivals" => "{ poisson = \"100/s\" }",
        Shape::Choice(choice) if choice.what == "registry" => "\"etcd\"",
        Shape::TwoNames => "[\"a\", \"b\"]",
        _ => "\"...\"",
    };
    format!("write {} = {value}", key.name)
}

/// A name of the contract that this version cannot do.
pub(crate) fn not_built<'n>(place: Place, name: &str, there: &[&'n str]) -> Problem {
    Problem::error(place, format!("`{name}` is not built yet in this version"))
        .maybe_help(listed(there.iter().copied()).map(|names| format!("there are: {names}")))
}

/// Something of which there is more than the language allows.
pub(crate) fn too_many(place: Place, limit: Limit, given: u64) -> Problem {
    Problem::error(place, format!("{given} {}: the limit is {}", limit.of, limit.most)).help(limit.why)
}

/// Reads a strategy: a bare name, or a table with one key.
pub(crate) fn choose<'t>(choice: &Choice, tree: &'t Tree, report: &Report) -> Option<Chosen<'t>> {
    let what = choice.what;
    let (given, place, argument) = match &tree.node {
        Node::Text(name) => (name, tree.place, None),
        Node::Table(Table { entries }) => match &entries[..] {
            [one] => (&one.key, one.place, Some(&one.value)),
            [] => {
                report.add(
                    Problem::error(tree.place, format!("`{what}` names nothing")).maybe_help(choices(choice)),
                );
                return None;
            }
            [first, second, ..] => {
                report.add(
                    Problem::error(
                        second.place,
                        format!(
                            "`{what}` is one of `{}` and `{}`, not both",
                            shorten(&first.key),
                            shorten(&second.key)
                        ),
                    )
                    .related(first.place, "the first is here")
                    .help("keep one of them"),
                );
                return None;
            }
        },
        Node::Integer(_) | Node::Float(_) | Node::Flag(_) | Node::Datetime | Node::List(_) => {
            report.add(
                Problem::error(
                    tree.place,
                    format!("`{what}` is a name, or a table with one, not {}", tree.kind()),
                )
                .maybe_help(choices(choice)),
            );
            return None;
        }
    };
    let names = grammar::names_of(choice);
    let Some(name) = names.iter().find(|name| *name == given) else {
        report.add(if choice.later.contains(&given.as_str()) {
            not_built(place, given, &names)
        } else {
            let every = names.iter().chain(choice.later).copied();
            let near = nearest(given, every).map(|name| format!("did you mean `{name}`?"));
            Problem::error(place, format!("there is no {what} `{}`", shorten(given)))
                .maybe_help(near.or_else(|| choices(choice)))
        });
        return None;
    };
    Some(Chosen { name, place, argument })
}

fn choices(choice: &Choice) -> Option<String> {
    listed(grammar::names_of(choice)).map(|names| format!("there are: {names}"))
}

impl<'t> Chosen<'t> {
    /// The options under the name; all defaults if it stands alone.
    pub(crate) fn options(&self, what: &str, keys: &'static [Key], report: &'t Report) -> Section<'t> {
        Section::open(&format!("{what}.{}", self.name), self.place, self.argument, keys, report)
    }
}

impl<'r> Field<'r> {
    pub(crate) fn wrong(&self, tree: &Tree, needs: &str) -> Problem {
        Problem::error(tree.place, format!("`{}` is {needs}, not {}", self.name, tree.kind()))
    }

    fn unit(&self, tree: &Tree, error: UnitError) {
        let given = shorten(tree.as_text().unwrap_or_default());
        let message = format!("`{}`: {} (\"{given}\")", self.name, error.message);
        self.report.add(Problem::error(tree.place, message).maybe_help(error.help));
    }

    /// Reads text with a unit; a bare number is shown with one.
    fn quantity<T>(
        &self,
        tree: &Tree,
        needs: &str,
        parse: impl Fn(&str) -> Result<T, UnitError>,
        help: impl Fn(&str) -> String,
    ) -> Option<T> {
        let Some(text) = tree.as_text() else {
            self.report.add(match tree.as_number() {
                Some(number) if number.starts_with('-') => {
                    Problem::error(tree.place, format!("`{}`: {needs} cannot be negative", self.name))
                }
                Some(number) => {
                    Problem::error(tree.place, format!("`{}` is {needs} and needs a unit", self.name))
                        .help(help(&number))
                }
                None => self.wrong(tree, needs).help(help("")),
            });
            return None;
        };
        parse(text).map_err(|error| self.unit(tree, error)).ok()
    }

    fn count(&self, tree: &Tree, limit: Limit) -> Option<u64> {
        let Node::Integer(number) = tree.node else {
            let quoted = tree.as_text().filter(|text| text.parse::<i64>().is_ok());
            let help = quoted.map_or_else(
                || "write a whole number".to_owned(),
                |text| format!("write it without quotes: {text}"),
            );
            self.report.add(self.wrong(tree, "a whole number").help(help));
            return None;
        };
        let within = number
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| limit.range().contains(number));
        if within.is_none() {
            self.report.add(match number {
                Some(number) if number < i128::from(limit.least) => {
                    let message = format!("`{}` is {number}, which is too few", self.name);
                    Problem::error(tree.place, message).help(format!("write at least {}", limit.least))
                }
                Some(_) | None => {
                    let shown = number.map_or_else(|| "too large".to_owned(), |number| number.to_string());
                    Problem::error(
                        tree.place,
                        format!("`{}` is {shown}; the limit is {}", self.name, limit.most),
                    )
                    .help(limit.why)
                }
            });
        }
        within
    }
}

impl Read for String {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<String> {
        let Some(text) = tree.as_text() else {
            let needs = if let Shape::Word(_) = field.shape { "one of some words" } else { "text" };
            let quoted = tree.as_number().map(|number| format!("write it in quotes: \"{number}\""));
            let words =
                if let Shape::Word(words) = field.shape { listed(words.iter().copied()) } else { None };
            let help = quoted.or_else(|| words.map(|words| format!("it is one of {words}")));
            field.report.add(field.wrong(tree, needs).maybe_help(help));
            return None;
        };
        if let Shape::Word(words) = field.shape
            && !words.contains(&text)
        {
            let message = format!("`{}` cannot be `{}`", field.name, shorten(text));
            field
                .report
                .add(Problem::error(tree.place, message).maybe_help(suggest(text, words.iter().copied())));
            return None;
        }
        Some(text.to_owned())
    }
}

impl Read for bool {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<bool> {
        if let Node::Flag(flag) = tree.node {
            return Some(flag);
        }
        field.report.add(field.wrong(tree, "true or false").help("write true or false, without quotes"));
        None
    }
}

impl Read for u64 {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<u64> {
        let Shape::Count(limit) = field.shape else { panic!("`{}` is no count", field.name) };
        field.count(tree, limit)
    }
}

impl Read for u32 {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<u32> {
        u64::read(field, tree).map(|count| u32::try_from(count).expect("the limit is within 32 bits"))
    }
}

impl Read for Option<u32> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Option<u32>> {
        let Shape::CountOr(limit, word) = field.shape else { panic!("`{}` is no count", field.name) };
        match tree.as_text() {
            Some(text) if text == word => Some(None),
            Some(_) if tree.as_text().is_some_and(|text| text.parse::<i64>().is_err()) => {
                field.report.add(
                    field.wrong(tree, "a whole number").help(format!("write a whole number, or \"{word}\"")),
                );
                None
            }
            Some(_) | None => field
                .count(tree, limit)
                .map(|count| Some(u32::try_from(count).expect("the limit is within 32 bits"))),
        }
    }
}

impl Read for Duration {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Duration> {
        let duration = field.quantity(tree, "a duration", units::duration, |number| match number {
            "" => "write a number and a unit in quotes: \"250ms\"".to_owned(),
            number => units::unit_help(number),
        })?;
        let positive = matches!(field.shape, Shape::Duration(Least::Positive) | Shape::DurationOr(_));
        if positive && duration == Duration::ZERO {
            let message = format!("`{}` cannot be zero", field.name);
            field.report.add(Problem::error(tree.place, message).help("write at least \"1ns\""));
            return None;
        }
        Some(duration)
    }
}

impl Read for Option<Duration> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Option<Duration>> {
        let Shape::DurationOr(word) = field.shape else { panic!("`{}` is no duration", field.name) };
        if tree.as_text() == Some(word) {
            return Some(None);
        }
        Duration::read(field, tree).map(Some)
    }
}

impl Read for Ratio {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Ratio> {
        field.quantity(tree, "a share", units::ratio, units::share_help)
    }
}

impl Read for Rate {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Rate> {
        field.quantity(tree, "a rate", units::rate, units::rate_help)
    }
}

/// A share as a float, for a bound.
pub(crate) struct Share(pub(crate) f64);

impl Read for Share {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Share> {
        field.quantity(tree, "a share", units::share, units::share_help).map(Share)
    }
}

/// A rate in events per second, for a bound.
pub(crate) struct PerSecond(pub(crate) f64);

impl Read for PerSecond {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<PerSecond> {
        field.quantity(tree, "a rate", units::per_second, units::rate_help).map(PerSecond)
    }
}

/// A number that need not be whole, and is not negative.
pub(crate) struct Number(pub(crate) f64);

impl Read for Number {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Number> {
        let number = match tree.node {
            Node::Integer(Some(number)) => number as f64,
            Node::Float(number) => number,
            Node::Integer(None)
            | Node::Text(_)
            | Node::Flag(_)
            | Node::Datetime
            | Node::List(_)
            | Node::Table(_) => {
                field.report.add(
                    field.wrong(tree, "a number").help("write a number, without quotes and without a unit"),
                );
                return None;
            }
        };
        if number.is_finite() && number >= 0.0 && number <= limits::BOUND.most as f64 {
            return Some(Number(number));
        }
        let message = format!("`{}` cannot be {number}", field.name);
        field.report.add(
            Problem::error(tree.place, message).help("write a number that is neither negative nor huge"),
        );
        None
    }
}

impl<T: Read> Read for Vec<At<T>> {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Vec<At<T>>> {
        let Some(items) = tree.as_list() else {
            let help = match &tree.node {
                Node::Text(text) => format!("write a list: [\"{}\"]", shorten(text)),
                Node::Integer(_)
                | Node::Float(_)
                | Node::Flag(_)
                | Node::Datetime
                | Node::List(_)
                | Node::Table(_) => "write a list: [.., ..]".to_owned(),
            };
            field.report.add(field.wrong(tree, "a list").help(help));
            return None;
        };
        let shape = match field.shape {
            Shape::TwoTimes | Shape::Times => Shape::Duration(Least::Zero),
            _ => Shape::Name,
        };
        let field = Field { shape, ..*field };
        items.iter().map(|item| Some(At::new(T::read(&field, item)?, item.place))).collect()
    }
}
