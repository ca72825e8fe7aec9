//! One path that varies: what may stand there, and what a seed draws for it.

use schism_core::Seed;

use super::quantity::{Quantity, Unit, between};
use crate::diagnostics::{Problem, Report, shorten};
use crate::grammar;
use crate::limits;
use crate::reader::{Section, too_many};
use crate::source::At;
use crate::tree::{Entry, Node, Tree};

/// A path, and what may stand there.
#[derive(Clone, Debug)]
pub(crate) struct Varied {
    pub(crate) path: At<String>,
    over: Over,
}

#[derive(Clone, Debug)]
enum Over {
    /// Any quantity between two, with the two as they were written.
    Range([Tree; 2], [Quantity; 2]),
    OneOf(Vec<Tree>),
}

impl Varied {
    pub(super) fn read(entry: &Entry, report: &Report) -> Option<Varied> {
        let path = At::new(entry.key.clone(), entry.place);
        let over = match &entry.value.node {
            Node::List(items) => match &items[..] {
                [from, to] => match range(from, to) {
                    Some(range) => Some(upward([from, to], range, report)?),
                    None => one_of(&entry.value, items, report),
                },
                items => one_of(&entry.value, items, report),
            },
            Node::Table(table) if table.get("one-of").is_some() => {
                let section =
                    Section::open(&entry.key, entry.place, Some(&entry.value), grammar::VARIED, report);
                match section.tree("one-of").map(|tree| (tree, &tree.node)) {
                    Some((tree, Node::List(items))) => one_of(tree, items, report),
                    Some((tree, _)) => wrong(tree, report),
                    None => None,
                }
            }
            Node::Table(_) => {
                let message =
                    format!("`{}` is the beginning of a path, and a path is one key", shorten(&entry.key));
                let help = "put the whole path in quotes: vary.\"fault.cut.for\" = [\"1s\", \"90s\"]";
                report.add(Problem::error(entry.place, message).help(help));
                None
            }
            Node::Text(_) | Node::Integer(_) | Node::Float(_) | Node::Flag(_) | Node::Datetime => {
                wrong(&entry.value, report)
            }
        };
        Some(Varied { path, over: over? })
    }

    /// The values that are tried before any is drawn: both ends, or all to choose from.
    pub(crate) fn ends(&self) -> &[Tree] {
        match &self.over {
            Over::Range(ends, _) => ends,
            Over::OneOf(values) => values,
        }
    }

    /// What this seed draws. Of the same seed, another throw draws anew.
    pub(crate) fn draw(&self, seed: Seed, throw: u32) -> Tree {
        let draw = seed.luck(&self.path.value, "swarm vary", throw).draw();
        match &self.over {
            Over::Range([from, _], [least, most]) => {
                Tree { place: from.place, node: between(*least, *most, draw).node() }
            }
            Over::OneOf(values) => values[draw.below(values.len() as u32) as usize].clone(),
        }
    }
}

/// Two quantities of one unit.
fn range(from: &Tree, to: &Tree) -> Option<[Quantity; 2]> {
    let (from, to) = (Quantity::of(from)?, Quantity::of(to)?);
    let (from, to) = match (from.unit, to.unit) {
        (Unit::Count, Unit::Number) | (Unit::Number, Unit::Count) => (from.as_number(), to.as_number()),
        _ => (from, to),
    };
    (from.unit == to.unit).then_some([from, to])
}

fn upward(ends: [&Tree; 2], [from, to]: [Quantity; 2], report: &Report) -> Option<Over> {
    if from.parts > to.parts {
        let place = ends[0].place;
        let shown = |end: &Tree| {
            end.as_text().map_or_else(|| end.as_number().unwrap_or_default(), |text| format!("\"{text}\""))
        };
        let (first, second) = (shown(ends[0]), shown(ends[1]));
        let problem = Problem::error(place, format!("the range goes from {first} down to {second}"));
        report.add(problem.help(format!("write [{second}, {first}]")));
        return None;
    }
    Some(Over::Range(ends.map(Clone::clone), [from, to]))
}

fn one_of(tree: &Tree, items: &[Tree], report: &Report) -> Option<Over> {
    let count = items.len() as u64;
    if count == 0 {
        report.add(Problem::error(tree.place, "there is nothing to choose from").help(HELP));
        return None;
    }
    if count > limits::VALUES.most {
        report.add(too_many(tree.place, limits::VALUES, count));
        return None;
    }
    Some(Over::OneOf(items.to_vec()))
}

fn wrong(tree: &Tree, report: &Report) -> Option<Over> {
    let message = format!("what varies is a range or a list of values, not {}", tree.kind());
    report.add(Problem::error(tree.place, message).help(HELP));
    None
}

const HELP: &str =
    "write [\"1s\", \"90s\"] for a range, or [\"p2c\", \"random\", \"ring-hash\"] to choose from";
