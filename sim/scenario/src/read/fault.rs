//! `[[fault]]`: when, how long, what, and to whom.

use schism_core::Duration;
use schism_models::nemesis::{Fault, OnMiss};

use crate::diagnostics::{Problem, Report};
use crate::fault::{self, Body};
use crate::grammar::{self, Least, Shape};
use crate::limits;
use crate::reader::{Field, Read, Section, too_many};
use crate::source::{At, Place};
use crate::spec::{EndSpec, FaultSpec, StartSpec};
use crate::target::{self, TargetSpec};
use crate::tree::{Entry, Node, Tree};

pub(super) fn read(section: &Section<'_>) -> FaultSpec {
    let kind = section.only("what goes wrong", fault::KINDS);
    let end = end(section);
    // A key that is no key may have been meant to say when it ends.
    let unsure = section.has_strangers() && matches!(end, EndSpec::Never);
    FaultSpec {
        place: section.place,
        id: section.maybe("id"),
        start: start(section).filter(|_| !unsure),
        end,
        kind: kind.and_then(|entry| self::kind(section, entry)),
        on_miss: if section.value("may-miss").value { OnMiss::Fine } else { OnMiss::Vacuous },
    }
}

fn start(section: &Section<'_>) -> Option<At<StartSpec>> {
    let entry = section.only("when it begins", grammar::STARTS)?;
    if entry.key == "at" {
        return section.maybe("at").map(|at| at.map(StartSpec::At));
    }
    let times: At<Vec<At<Duration>>> = section.maybe("between")?;
    let [from, to] = &times.value[..] else {
        let message = format!("`between` is two times, not {}", times.value.len());
        section.report.add(Problem::error(times.place, message).help("write between = [\"10s\", \"30s\"]"));
        return None;
    };
    if from.value > to.value {
        let message = format!("`between` ends at {} before it begins at {}", to.value, from.value);
        let help = format!("write between = [\"{}\", \"{}\"]", to.value, from.value);
        section.report.add(Problem::error(times.place, message).help(help));
        return None;
    }
    Some(At::new(StartSpec::Between(from.value, to.value), times.place))
}

/// `for`, `until`, or `restart-after` of a crash: one of them at most.
fn end(section: &Section<'_>) -> EndSpec {
    let crash = section.tree("crash").filter(|tree| tree.as_table().is_some());
    let restart = crash.and_then(|tree| tree.as_table()?.entry("restart-after"));
    let ends: Vec<&Entry> =
        [section.entry("for"), section.entry("until"), restart].into_iter().flatten().collect();
    if let [first, second, ..] = ends[..] {
        let (first, second) = if first.place < second.place { (first, second) } else { (second, first) };
        section.report.add(
            Problem::error(
                second.place,
                format!("both `{}` and `{}` say when the fault ends", first.key, second.key),
            )
            .related(first.place, "the first is here")
            .help("keep one of them"),
        );
    }
    let restart = || {
        let shape = Shape::Duration(Least::Zero);
        let field = Field { name: "restart-after", shape, report: section.report };
        restart.and_then(|entry| Some(At::new(Duration::read(&field, &entry.value)?, entry.value.place)))
    };
    let lasts = section.maybe("for").or_else(restart).map(EndSpec::For);
    lasts.or_else(|| section.maybe("until").map(EndSpec::Until)).unwrap_or(EndSpec::Never)
}

fn kind(section: &Section<'_>, entry: &Entry) -> Option<At<Fault<TargetSpec>>> {
    let kind = fault::CATALOG.iter().find(|kind| kind.key.name == entry.key).expect("it is one of the kinds");
    let body = Body::open(section, entry, kind.key.shape);
    Some(At::new((kind.read)(&body)?, entry.place))
}

impl Read for Vec<TargetSpec> {
    /// One target, or a list of at least one.
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Vec<TargetSpec>> {
        match &tree.node {
            Node::Text(text) => one_target(text, tree.place, field.report).map(|target| vec![target]),
            Node::List(items) if items.is_empty() => {
                field.report.add(Problem::error(tree.place, format!("`{}` names nobody", field.name)));
                None
            }
            Node::List(items) if items.len() as u64 > limits::TARGETS.most => {
                field.report.add(too_many(tree.place, limits::TARGETS, items.len() as u64));
                None
            }
            Node::List(items) => {
                let targets: Vec<_> = items.iter().map(|item| target_of(field, item)).collect();
                targets.into_iter().collect()
            }
            Node::Integer(_) | Node::Float(_) | Node::Flag(_) | Node::Datetime | Node::Table(_) => {
                target_of(field, tree).map(|target| vec![target])
            }
        }
    }
}

fn target_of(field: &Field<'_>, tree: &Tree) -> Option<TargetSpec> {
    match tree.as_text() {
        Some(text) => one_target(text, tree.place, field.report),
        None => {
            field.report.add(
                field
                    .wrong(tree, "a target or a list of them")
                    .help("write \"orders-3\", \"zone:b\" or [\"orders\", \"web\"]"),
            );
            None
        }
    }
}

fn one_target(text: &str, place: Place, report: &Report) -> Option<TargetSpec> {
    target::parse(text, place).map_err(|problem| report.add(problem)).ok()
}
