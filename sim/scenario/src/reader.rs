//! Reading one table: known keys by name and type, defaults from the grammar, unknown keys reported with a guess.

mod values;

pub(crate) use values::{Bits, Number, PartsPerMillion, PerSecond, Share};

use crate::diagnostics::{Language, Problem, Report, listed, nearest, shorten};
use crate::grammar::{self, Choice, Key, Presence, Shape};
use crate::limits::Limit;
use crate::source::{At, Place};
use crate::tree::{self, Entry, Node, Table, Tree};

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
            let language = report.language();
            let message = format!("`{path}` is {}, not {}", language.table(), language.kind(tree));
            let all = listed(section.names()).map(|names| format!("its keys are: {names}"));
            let help = all.unwrap_or_else(|| "leave it empty: {}".to_owned());
            report.add(Problem::error(tree.place, message).help(help));
        }
        for entry in table.into_iter().flat_map(|table| &table.entries) {
            section.know(entry);
        }
        section
    }

    fn know(&self, entry: &Entry) {
        match self.keys.iter().find(|key| key.name == entry.key) {
            Some(Key { presence: Presence::Later(instead), .. }) => {
                self.report.add(not_built(entry.place, &entry.key, instead));
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
        if let Some(list) = grammar::beside(&self.path, given) {
            return Some(format!("write it on the fault, beside `{list}`"));
        }
        match nearest(given, self.keys.iter().map(|key| key.name)) {
            Some(name) => Some(format!("did you mean `{name}`?")),
            None if self.names().is_empty() => Some(format!("`{}` has no options", self.path)),
            None => listed(self.names()).map(|names| format!("the keys are: {names}")),
        }
    }

    /// The keys that can be written.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.keys.iter().filter(|key| !key.is_later()).map(|key| key.name).collect()
    }

    /// What was written at keys that belong there, in the order of the file.
    pub(crate) fn written(&self) -> Vec<&'t Entry> {
        let entries = self.table.into_iter().flat_map(|table| &table.entries);
        entries.filter(|entry| self.knows(&entry.key)).collect()
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
            (None, Presence::Required | Presence::Optional | Presence::Later(_)) => self.present(name)?,
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
        // A key that is no key was probably meant for the one that is missing.
        if self.tree(name).is_none() && self.table.is_some() && !self.has_strangers() {
            let within = if self.path.is_empty() { String::new() } else { format!(" in `{}`", self.path) };
            let key = self.key(name);
            self.report.add(
                Problem::error(self.place, format!("`{name}` is missing{within}")).help(format!(
                    "{}: {}",
                    example(key, self.report.language()),
                    key.about
                )),
            );
        }
        self.tree(name)
    }

    /// A table within this one; empty if it was not written.
    pub(crate) fn child(&self, name: &str) -> Section<'t> {
        let (Shape::Table(keys) | Shape::CountWith(_, keys)) = self.key(name).shape else {
            panic!("`{name}` is no table")
        };
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
            let language = self.report.language();
            let message = match language {
                Language::Toml => format!("`{path}` is a list of tables, not {}", entry.value.kind()),
                Language::Json => format!("`{path}` is a list, not {}", language.kind(&entry.value)),
            };
            self.report.add(Problem::error(entry.place, message).help(language.tables(&path)));
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

    /// Whether the grammar has this key here.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.keys.iter().any(|key| key.name == name)
    }

    /// Whether it has keys that do not belong there.
    pub(crate) fn has_strangers(&self) -> bool {
        let strange = |entry: &Entry| !self.names().contains(&entry.key.as_str());
        self.table.is_none_or(|table| table.entries.iter().any(strange))
    }
}

/// `count = 3`: how a missing key could be written.
fn example(key: &Key, language: Language) -> String {
    let value = match key.shape {
        Shape::Count(_) => "3",
        Shape::Number | Shape::NumberWithin(..) | Shape::NumberOr(..) => "1.2",
        Shape::Percent(..) => "\"125%\"",
        Shape::Counts(_) => "{ a = 1, b = 2 }",
        Shape::TwoCounts(_) => "[1, 4]",
        Shape::Values => "[3, 5]",
        Shape::Texts => "{ version = \"v2\" }",
        Shape::Labels => "{ version = { v1 = 27, v2 = 3 } }",
        Shape::Lists | Shape::Selectors(_) => "[[\"a\"], [\"b\", \"c\"]]",
        Shape::Duration(_) if ["length", "from", "to"].contains(&key.name) => "\"60s\"",
        Shape::Duration(_) => "\"5ms\"",
        Shape::Factor => "1.5",
        Shape::Distribution => "{ exponential = \"5ms\" }",
        Shape::Choice(choice) if choice.what == "arrivals" => "{ poisson = \"100/s\" }",
        Shape::Choice(choice) if choice.what == "registry" => "\"etcd\"",
        Shape::Choice(choice) if choice.what == "balancer" => "\"p2c\"",
        Shape::List(_) => "[{ .. }]",
        Shape::LiveMetric => "\"success-rate\"",
        Shape::TwoNames => "[\"a\", \"b\"]",
        Shape::Between => "[\"zone:a\", \"zone:b\"]",
        Shape::BitRate => "\"10Mbit/s\"",
        Shape::Size => "\"256KiB\"",
        Shape::Share => "\"5%\"",
        Shape::Text
        | Shape::Flag
        | Shape::DurationOr(_)
        | Shape::CountOr(..)
        | Shape::Offset
        | Shape::PartsPerMillion
        | Shape::Batch(_)
        | Shape::Rate
        | Shape::Word(_)
        | Shape::Direction
        | Shape::WordsOr(..)
        | Shape::SomeWords(_)
        | Shape::WordOr(..)
        | Shape::Short(_)
        | Shape::Name
        | Shape::Oracle(_)
        | Shape::Metric
        | Shape::Names
        | Shape::TwoTimes
        | Shape::Times
        | Shape::Targets
        | Shape::Sides
        | Shape::Pairs
        | Shape::OneWay
        | Shape::Window
        | Shape::When
        | Shape::Wait
        | Shape::Alternatives
        | Shape::Bound
        | Shape::Table(_)
        | Shape::TargetsOr(_)
        | Shape::Named(_)
        | Shape::Bits
        | Shape::ManyBits
        | Shape::CountWith(..)
        | Shape::Varied
        | Shape::Families
        | Shape::Batches(_)
        | Shape::Choice(_) => "\"...\"",
    };
    format!("write {}", language.pair(key.name, value))
}

/// A name of the contract that this version cannot do.
pub(crate) fn not_built(place: Place, name: &str, there: &[&str]) -> Problem {
    Problem::error(place, format!("`{name}` is not built yet in this version")).help(
        match listed(there.iter().copied()) {
            Some(names) => format!("there are: {names}"),
            None => "it is for a version to come: leave it out".to_owned(),
        },
    )
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
                    format!(
                        "`{what}` is a name, or {} with one, not {}",
                        report.language().table(),
                        tree.kind()
                    ),
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
