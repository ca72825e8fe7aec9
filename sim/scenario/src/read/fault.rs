//! `[[fault]]`: when, how long, what, and to whom.

use schism_core::Duration;
use schism_models::nemesis::{Direction, Mode, OnMiss};

use crate::diagnostics::{Problem, Report};
use crate::grammar::{self, Key, Least, Shape};
use crate::limits;
use crate::reader::{Field, Read, Section, too_many};
use crate::source::{At, Place};
use crate::spec::{EndSpec, FaultSpec, KindSpec, ShapeSpec, StartSpec};
use crate::target::{self, BaseSpec, TargetSpec};
use crate::tree::{Entry, Node, Tree};

pub(super) fn read(section: &Section<'_>) -> FaultSpec {
    let kind = section.only("what goes wrong", grammar::FAULT_KINDS);
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

fn kind(section: &Section<'_>, entry: &Entry) -> Option<At<KindSpec>> {
    let kind = match entry.key.as_str() {
        "partition" => partition(&section.child("partition"))?,
        "crash" => KindSpec::Crash(victims(section, entry, grammar::CRASH)?),
        _ => KindSpec::Pause(victims(section, entry, grammar::PAUSE)?),
    };
    Some(At::new(kind, entry.place))
}

/// The targets of a fault that is written as a target, a list of them, or a table with `target`.
fn victims(section: &Section<'_>, entry: &Entry, keys: &'static [Key]) -> Option<Vec<TargetSpec>> {
    if entry.value.as_table().is_none() {
        return Vec::read(
            &Field { name: &entry.key, shape: Shape::Targets, report: section.report },
            &entry.value,
        );
    }
    let path = section.path_of(&entry.key);
    let table = Section::open(&path, entry.place, Some(&entry.value), keys, section.report);
    table.must("target").map(|at| at.value)
}

fn partition(section: &Section<'_>) -> Option<KindSpec> {
    let direction = section.value::<String>("direction");
    let mode = section.value::<String>("mode");
    let _: At<String> = section.value("existing");
    let entry = section.only("who is parted from whom", grammar::SHAPES)?;
    let shape = shape(section, entry)?;
    let one_way = matches!(shape, ShapeSpec::OneWay(..));
    if one_way && let Some(entry) = section.entry("direction") {
        let problem = Problem::error(entry.place, "`one-way` has its direction in it");
        section.report.add(problem.help("leave `direction` out"));
    }
    let direction = match direction.value.as_str() {
        _ if one_way => Direction::Forward,
        "forward" => Direction::Forward,
        "backward" => Direction::Backward,
        _ => Direction::Both,
    };
    let mode = if mode.value == "reject" { Mode::Reject } else { Mode::Blackhole };
    Some(KindSpec::Partition { shape: At::new(shape, entry.place), direction, mode })
}

fn shape(section: &Section<'_>, entry: &Entry) -> Option<ShapeSpec> {
    match entry.key.as_str() {
        "split" => section.maybe::<Sides>("split").and_then(|at| split(section, at)),
        "isolate" => section.maybe("isolate").map(|at| ShapeSpec::Isolate(at.value)),
        "partial" => section.maybe::<Sides>("partial").and_then(|at| partial(section, at)),
        "zone-cut" => section.maybe("zone-cut").and_then(|at| zone_cut(section, at)),
        _ => one_way(section, &entry.value),
    }
}

fn split(section: &Section<'_>, sides: At<Sides>) -> Option<ShapeSpec> {
    if sides.value.0.len() < 2 {
        let problem = Problem::error(sides.place, "`split` needs at least two sides");
        section.report.add(problem.help("write split = [[\"zone:b\"], [\"rest\"]]"));
        return None;
    }
    Some(ShapeSpec::Split(sides.value.0))
}

fn partial(section: &Section<'_>, pairs: At<Sides>) -> Option<ShapeSpec> {
    let mut list = Vec::new();
    for pair in pairs.value.0 {
        let place = pair.first().map_or(pairs.place, |target| target.place);
        let Ok([a, b]) = <[TargetSpec; 2]>::try_from(pair) else {
            let problem = Problem::error(place, "`partial` is a list of pairs");
            section.report.add(problem.help("write partial = [[\"a-0\", \"b-0\"], [\"a-1\", \"b-1\"]]"));
            return None;
        };
        list.push((a, b));
    }
    if list.is_empty() {
        section.report.add(Problem::error(pairs.place, "`partial` has no pairs"));
        return None;
    }
    Some(ShapeSpec::Partial(list))
}

/// Two zones that do not reach each other: a split of the two.
fn zone_cut(section: &Section<'_>, zones: At<Vec<At<String>>>) -> Option<ShapeSpec> {
    let [a, b] = &zones.value[..] else {
        let message = format!("`zone-cut` is two zones, not {}", zones.value.len());
        section.report.add(Problem::error(zones.place, message).help("write zone-cut = [\"a\", \"b\"]"));
        return None;
    };
    let side = |zone: &At<String>| {
        let name = zone.value.strip_prefix("zone:").unwrap_or(&zone.value);
        vec![TargetSpec {
            place: zone.place,
            text: format!("zone:{name}"),
            base: BaseSpec::Zone(name.to_owned()),
            select: None,
        }]
    };
    Some(ShapeSpec::Split(vec![side(a), side(b)]))
}

/// `"zone:b->zone:a"`, or a table of the two.
fn one_way(section: &Section<'_>, tree: &Tree) -> Option<ShapeSpec> {
    if tree.as_table().is_some() {
        let path = section.path_of("one-way");
        let table = Section::open(&path, tree.place, Some(tree), grammar::ONE_WAY, section.report);
        let (from, to) = (table.must("from"), table.must("to"));
        return Some(ShapeSpec::OneWay(from?.value, to?.value));
    }
    let Some((from, to)) = tree.as_text().and_then(|text| text.split_once("->")) else {
        let problem = Problem::error(tree.place, "`one-way` is two targets with an arrow between them");
        section.report.add(problem.help("write one-way = \"zone:b->zone:a\", or { from = [..], to = [..] }"));
        return None;
    };
    let parse = |text: &str| one_target(text.trim(), tree.place, section.report);
    let (from, to) = (parse(from), parse(to));
    Some(ShapeSpec::OneWay(vec![from?], vec![to?]))
}

/// Lists of targets.
struct Sides(Vec<Vec<TargetSpec>>);

impl Read for Sides {
    fn read(field: &Field<'_>, tree: &Tree) -> Option<Sides> {
        let lists = tree.as_list().filter(|items| items.iter().all(|item| item.as_list().is_some()));
        let Some(lists) = lists else {
            let message = format!("`{}` is a list of lists", field.name);
            let help = format!("write {} = [[\"orders-0\"], [\"web-0\"]]", field.name);
            field.report.add(Problem::error(tree.place, message).help(help));
            return None;
        };
        if lists.len() as u64 > limits::TARGETS.most {
            field.report.add(too_many(tree.place, limits::TARGETS, lists.len() as u64));
            return None;
        }
        lists.iter().map(|list| Vec::read(field, list)).collect::<Option<_>>().map(Sides)
    }
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
