//! `partition`: who is parted from whom, which ways, and how that feels.

use schism_models::nemesis::{Direction, Mode, Partition, Shape as Parting, Target};

use super::{Body, Spell};
use crate::diagnostics::{Problem, Report};
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::reader::{Field, Read, Section, too_many};
use crate::source::{At, Place};
use crate::target::{self, BaseSpec, TargetSpec};
use crate::tree::{Entry, Tree};

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The keys that say who is parted from whom.
pub(crate) const SHAPES: &[&str] = &["split", "isolate", "one-way", "partial", "zone-cut"];

const KEYS: &[Key] = &[
    Key::new("split", Shape::Sides, "Sides that do not reach each other"),
    Key::new("isolate", Shape::Targets, "These reach nobody else, and nobody else reaches them"),
    Key::new("one-way", Shape::OneWay, "The first do not reach the second; the second still reach the first"),
    Key::new("partial", Shape::Pairs, "The two of each pair do not reach each other"),
    Key::new("zone-cut", Shape::TwoNames, "Two zones that do not reach each other"),
    Key::word("direction", DIRECTIONS, "Which ways are cut; forward is from an earlier side to a later")
        .or("\"both\""),
    Key::word("mode", MODES, "What a sender notices: nothing, or a refusal").or("\"blackhole\""),
    Key::word("existing", &["cut"], "What happens to connections that are open").or("\"cut\""),
    Key::later("halves", SHAPES),
    Key::later("random", SHAPES),
    Key::later("majority-minority", SHAPES),
    Key::later("bridge", SHAPES),
    Key::later("majorities-ring", SHAPES),
    Key::later("star", SHAPES),
    Key::later("mesh", SHAPES),
    Key::later("plane-cut", SHAPES),
];

const DIRECTIONS: &[&str] = &["both", "forward", "backward"];

const MODES: &[&str] = &["blackhole", "reject"];

/// `one-way` as a table.
pub(crate) const ONE_WAY: &[Key] = &[
    Key::new("from", Shape::Targets, "Who does not reach").required(),
    Key::new("to", Shape::Targets, "Whom").required(),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "sides that do not reach each other",
        r#"partition = { split = [["zone:b"], ["rest"]], direction = "both", mode = "blackhole" }"#,
    ),
    ("some reach nobody else", r#"partition = { isolate = "registry:leader" }"#),
    ("one zone does not reach another", r#"partition = { one-way = "zone:b->zone:a" }"#),
    (
        "single pairs do not reach each other",
        r#"partition = { partial = [["web-0", "orders-0"]], mode = "reject" }"#,
    ),
    ("two zones do not reach each other", r#"partition = { zone-cut = ["a", "b"] }"#),
];

pub(super) fn read(body: &Body<'_>) -> Option<Partition<TargetSpec>> {
    let section = &body.section;
    let direction = section.value::<String>("direction");
    let mode = section.value::<String>("mode");
    let _: At<String> = section.value("existing");
    let entry = section.only("who is parted from whom", SHAPES)?;
    let shape = parting(section, entry)?;
    let one_way = matches!(shape, Parting::OneWay(..));
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
    Some(Partition { shape, direction, mode })
}

fn parting(section: &Section<'_>, entry: &Entry) -> Option<Parting<TargetSpec>> {
    match entry.key.as_str() {
        "split" => section.maybe::<Sides>("split").and_then(|at| split(section, at)),
        "isolate" => section.maybe("isolate").map(|at| Parting::Isolate(at.value)),
        "partial" => section.maybe::<Sides>("partial").and_then(|at| partial(section, at)),
        "zone-cut" => section.maybe("zone-cut").and_then(|at| zone_cut(section, at)),
        _ => one_way(section, &entry.value),
    }
}

fn split(section: &Section<'_>, sides: At<Sides>) -> Option<Parting<TargetSpec>> {
    if sides.value.0.len() < 2 {
        let problem = Problem::error(sides.place, "`split` needs at least two sides");
        section.report.add(problem.help("write split = [[\"zone:b\"], [\"rest\"]]"));
        return None;
    }
    Some(Parting::Split(sides.value.0))
}

fn partial(section: &Section<'_>, pairs: At<Sides>) -> Option<Parting<TargetSpec>> {
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
    Some(Parting::Partial(list))
}

/// Two zones that do not reach each other: a split of the two.
fn zone_cut(section: &Section<'_>, zones: At<Vec<At<String>>>) -> Option<Parting<TargetSpec>> {
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
    Some(Parting::Split(vec![side(a), side(b)]))
}

/// `"zone:b->zone:a"`, or a table of the two.
fn one_way(section: &Section<'_>, tree: &Tree) -> Option<Parting<TargetSpec>> {
    if tree.as_table().is_some() {
        let path = section.path_of("one-way");
        let table = Section::open(&path, tree.place, Some(tree), ONE_WAY, section.report);
        let (from, to) = (table.must("from"), table.must("to"));
        return Some(Parting::OneWay(from?.value, to?.value));
    }
    let Some((from, to)) = tree.as_text().and_then(|text| text.split_once("->")) else {
        let problem = Problem::error(tree.place, "`one-way` is two targets with an arrow between them");
        section.report.add(problem.help("write one-way = \"zone:b->zone:a\", or { from = [..], to = [..] }"));
        return None;
    };
    let parse = |text: &str| one_target(text.trim(), tree.place, section.report);
    let (from, to) = (parse(from), parse(to));
    Some(Parting::OneWay(vec![from?], vec![to?]))
}

fn one_target(text: &str, place: Place, report: &Report) -> Option<TargetSpec> {
    target::parse(text, place).map_err(|problem| report.add(problem)).ok()
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

pub(super) fn write(partition: &Partition, names: &dyn Spell) -> String {
    let list = |items: Vec<String>| format!("[{}]", items.join(", "));
    let shape = match &partition.shape {
        Parting::Split(sides) => {
            format!("split = {}", list(sides.iter().map(|side| names.targets(side)).collect()))
        }
        Parting::Isolate(targets) => format!("isolate = {}", names.targets(targets)),
        Parting::OneWay(from, to) => {
            format!("one-way = {{ from = {}, to = {} }}", names.targets(from), names.targets(to))
        }
        Parting::Partial(pairs) => {
            let pair = |(a, b): &(Target, Target)| list(vec![names.target(a), names.target(b)]);
            format!("partial = {}", list(pairs.iter().map(pair).collect()))
        }
    };
    let direction = match partition.direction {
        _ if matches!(partition.shape, Parting::OneWay(..)) => "",
        Direction::Both => ", direction = \"both\"",
        Direction::Forward => ", direction = \"forward\"",
        Direction::Backward => ", direction = \"backward\"",
    };
    let mode = match partition.mode {
        Mode::Blackhole => "blackhole",
        Mode::Reject => "reject",
    };
    format!("{{ {shape}{direction}, mode = \"{mode}\", existing = \"cut\" }}")
}
