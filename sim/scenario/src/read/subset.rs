//! `subset`, `match` and the labels that they look at.

use schism_models::service::Label;
use schism_models::subset::{Config, Fallback, Labels as Wanted, Selector};

use crate::diagnostics::Report;
use crate::grammar::{self, Shape};
use crate::knobs::Counts;
use crate::limits;
use crate::reader::{Chosen, Field, Read, Section};
use crate::source::At;
use crate::tree::{Entry, Node, Tree};

/// `subset`; what the client asks for is written beside it.
pub(crate) fn read(chosen: &Chosen<'_>, report: &Report) -> Option<Config> {
    let section = chosen.options("subset", grammar::keys_of((grammar::SUBSET.argument)(chosen.name)), report);
    if chosen.name == "random" {
        return Some(Config::Random { size: section.must("size")?.value });
    }
    Some(Config::Labels(Wanted {
        wanted: Vec::new(),
        selectors: section.maybe::<Selectors>("selectors").map_or_else(Vec::new, |at| at.value.0),
        fallback: fallback(&section).unwrap_or_default(),
        default: section.maybe::<Texts>("default").map_or_else(Vec::new, |at| at.value.0),
    }))
}

fn fallback(section: &Section<'_>) -> Option<Fallback> {
    section.maybe::<String>("fallback").and_then(|word| Fallback::of_word(&word.value))
}

/// A text for each of some names, by name.
pub(crate) struct Texts(pub(crate) Vec<(String, String)>);

impl Read for Texts {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Texts> {
        let Node::Table(table) = &tree.node else {
            let help = "write a text for each name: { version = \"v2\" }";
            field.report.add(field.wrong(tree, "a table").help(help));
            return None;
        };
        let text = |entry: &Entry| {
            let field = Field { name: &entry.key, shape: Shape::Text, report: field.report };
            Some((entry.key.clone(), String::read(&field, &entry.value)?))
        };
        let mut texts: Vec<(String, String)> = table.entries.iter().map(text).collect::<Option<_>>()?;
        texts.sort();
        Some(Texts(texts))
    }
}

/// The labels of a service.
pub(crate) struct Labels(pub(crate) Vec<Label>);

impl Read for Labels {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Labels> {
        let Node::Table(table) = &tree.node else {
            let help = "write how many instances have each value: { version = { v1 = 27, v2 = 3 } }";
            field.report.add(field.wrong(tree, "a table").help(help));
            return None;
        };
        let label = |entry: &Entry| {
            let shape = Shape::Counts(limits::LABELS);
            let field = Field { name: &entry.key, shape, report: field.report };
            Some(Label { name: entry.key.clone(), values: Counts::read(&field, &entry.value)?.0 })
        };
        Some(Labels(table.entries.iter().map(label).collect::<Option<_>>()?))
    }
}

/// Names that may be asked for together.
struct Selectors(Vec<Selector>);

impl Read for Selectors {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Selectors> {
        let Shape::Selectors(keys) = field.shape else { panic!("`{}` is no list of selectors", field.name) };
        let Some(items) = tree.as_list() else {
            let help = "write a list: [[\"version\"], { keys = [\"stage\"], fallback = \"no-fallback\" }]";
            field.report.add(field.wrong(tree, "a list of selectors").help(help));
            return None;
        };
        let names = |names: Vec<At<String>>| names.into_iter().map(|name| name.value).collect();
        let selector = |item: &Tree| {
            if item.as_table().is_none() {
                let field = Field { name: field.name, shape: Shape::Names, report: field.report };
                return Some(Selector { keys: names(Vec::read(&field, item)?), fallback: None });
            }
            let section = Section::open(field.name, item.place, Some(item), keys, field.report);
            let fallback = fallback(&section);
            Some(Selector { keys: names(section.must("keys")?.value), fallback })
        };
        Some(Selectors(items.iter().map(selector).collect::<Option<_>>()?))
    }
}
