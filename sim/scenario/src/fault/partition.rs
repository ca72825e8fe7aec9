//! `partition`: who is parted from whom, which ways, how that feels, and how it comes and goes.

mod shape;
mod tempo;

use schism_core::Distribution;
use schism_models::nemesis::{Direction, Existing, Mode, Partition, Shape as Parting};

use self::shape::{BRIDGE, MAJORITY_MINORITY, OF, PLANE_CUT, PLANES, STAR};
use super::ways::{self, DIRECTION};
use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Key, Shape};
use crate::reader::Section;
use crate::source::At;
use crate::target::TargetSpec;

pub(crate) use self::shape::{ONE_WAY, SHAPES};

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("split", Shape::Sides, "Sides that do not reach each other"),
    Key::new("isolate", Shape::Targets, "These reach nobody else, and nobody else reaches them"),
    Key::new("one-way", Shape::OneWay, "The first do not reach the second; the second still reach the first"),
    Key::new("partial", Shape::Pairs, "The two of each pair do not reach each other"),
    Key::new("zone-cut", Shape::TwoNames, "Two zones that do not reach each other"),
    Key::new("halves", Shape::Short(OF), "Two drawn halves of a group that do not reach each other"),
    Key::new("random", Shape::Short(OF), "Two sides of a group, on which each node stands by its own luck"),
    Key::new(
        "majority-minority",
        Shape::Short(MAJORITY_MINORITY),
        "A drawn minority of a group, and the majority",
    ),
    Key::new("bridge", Shape::Short(BRIDGE), "Two drawn halves of a group with these nodes between them"),
    Key::new(
        "majorities-ring",
        Shape::Short(OF),
        "Every node of a group hears a majority, and no two the same",
    ),
    Key::new("star", Shape::Short(STAR), "The nodes of a group reach this hub, and not each other"),
    Key::new("mesh", Shape::Pairs, "Of the nodes named, only the two of each pair reach each other"),
    Key::new(
        "plane-cut",
        Shape::WordOr(PLANES, PLANE_CUT),
        "The registry is cut off, or all but the registry",
    ),
    DIRECTION,
    Key::word("mode", MODES, "What becomes of messages: lost, refused, held until the heal, or slow")
        .or("\"blackhole\""),
    Key::new("latency", Shape::Distribution, "In the mode `slow`: how much longer each message takes")
        .or("\"1s\""),
    Key::word("existing", EXISTING, "What happens to connections that are open").or("\"cut\""),
    Key::new("flap", Shape::Table(tempo::FLAP), "It comes and goes"),
    Key::new("swizzle", Shape::Table(tempo::SWIZZLE), "Node by node is cut off, and healed in another order"),
    Key::new("rolling", Shape::Table(tempo::ROLLING), "The isolation moves from one to the next"),
];

const MODES: &[&str] = &["blackhole", "reject", "hold", "slow"];

const EXISTING: &[&str] = &["cut", "keep"];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "sides that do not reach each other",
        r#"partition = { split = [["zone:b"], ["rest"]], direction = "zone:b->rest", mode = "blackhole" }"#,
    ),
    ("some reach nobody else", r#"partition = { isolate = "registry:leader" }"#),
    ("one zone does not reach another", r#"partition = { one-way = "zone:b->zone:a" }"#),
    (
        "single pairs do not reach each other",
        r#"partition = { partial = [["web-0", "orders-0"]], mode = "reject" }"#,
    ),
    ("two zones do not reach each other", r#"partition = { zone-cut = ["a", "b"], existing = "cut" }"#),
    ("two drawn halves of a group", r#"partition = { halves = "registry" }"#),
    ("two random sides of a group", r#"partition = { random = "registry" }"#),
    (
        "a drawn minority, with or without the leader",
        r#"partition = { majority-minority = { of = "registry", leader = "minority", rest = "majority" } }"#,
    ),
    (
        "two halves with a bridge between them",
        r#"partition = { bridge = { over = "registry", of = ["web", "orders"] } }"#,
    ),
    ("each hears another majority", r#"partition = { majorities-ring = "registry" }"#),
    (
        "spokes that reach the hub only",
        r#"partition = { star = { hub = "registry", of = ["web", "orders"] } }"#,
    ),
    (
        "only these pairs reach each other",
        r#"partition = { mesh = [["web", "registry"], ["orders", "registry"]] }"#,
    ),
    ("the registry is cut off, and requests get through", r#"partition = { plane-cut = "control" }"#),
    (
        "requests are cut off, and the registry is not",
        r#"partition = { plane-cut = { plane = "data", of = "orders:one" } }"#,
    ),
    (
        "messages are held, and delivered at the heal",
        r#"partition = { isolate = "registry:leader", mode = "hold" }"#,
    ),
    ("messages take longer", r#"partition = { zone-cut = ["a", "b"], mode = "slow", latency = "200ms" }"#),
    (
        "it comes and goes",
        r#"partition = { isolate = "zone:b", flap = { up = "2s", down = "1s", jitter = "20%", count = 5 } }"#,
    ),
    (
        "node by node is cut off, and healed in another order",
        r#"partition = { split = [["orders"], ["web"]], swizzle = { over = "3s" } }"#,
    ),
    ("the isolation moves on", r#"partition = { isolate = "orders", rolling = { each = "2s" } }"#),
];

pub(super) fn read(body: &Body<'_>) -> Option<Partition<TargetSpec>> {
    let section = &body.section;
    let mode = mode(section);
    let existing = existing(section, &mode);
    let entry = section.only("who is parted from whom", SHAPES);
    let tempo = tempo::read(section);
    let shape = shape::read(section, entry?)?;
    tempo::fits(section, &shape);
    let direction = direction(section, &shape)?;
    Some(Partition { shape, direction, mode, existing, tempo: tempo? })
}

/// As written; of a shape that has its direction in it, that one.
fn direction(section: &Section<'_>, shape: &Parting<TargetSpec>) -> Option<Direction> {
    if !shape.is_directed() {
        return ways::direction(section, &shape.sides());
    }
    if let Some(entry) = section.entry("direction") {
        let name = SHAPES.iter().find(|name| section.entry(name).is_some()).expect("a shape was read");
        let problem = Problem::error(entry.place, format!("`{name}` has its direction in it"));
        section.report.add(problem.help("leave `direction` out"));
    }
    Some(Direction::Forward)
}

fn mode(section: &Section<'_>) -> Mode {
    let mode: At<String> = section.value("mode");
    let latency: At<Distribution> = section.value("latency");
    if mode.value != "slow"
        && let Some(entry) = section.entry("latency")
    {
        let message = format!("`latency` is for the mode `slow`, not for `{}`", mode.value);
        section.report.add(Problem::error(entry.place, message).help("write mode = \"slow\" beside it"));
    }
    match mode.value.as_str() {
        "reject" => Mode::Reject,
        "hold" => Mode::Hold,
        "slow" => Mode::Slow(latency.value),
        _ => Mode::Blackhole,
    }
}

fn existing(section: &Section<'_>, mode: &Mode) -> Existing {
    let existing: At<String> = section.value("existing");
    if existing.value == "cut" {
        return Existing::Cut;
    }
    if matches!(mode, Mode::Slow(_)) {
        let problem =
            Problem::error(existing.place, "the mode `slow` slows every connection, the new and the old");
        section.report.add(problem.help("leave `existing` out"));
    }
    Existing::Keep
}

pub(super) fn write(partition: &Partition, names: &dyn Spell) -> String {
    let shape = shape::write(&partition.shape, names);
    let direction = if partition.shape.is_directed() {
        String::new()
    } else {
        format!(", direction = \"{}\"", ways::spelt(partition.direction))
    };
    let mode = match &partition.mode {
        Mode::Blackhole => "\"blackhole\"".to_owned(),
        Mode::Reject => "\"reject\"".to_owned(),
        Mode::Hold => "\"hold\"".to_owned(),
        Mode::Slow(by) => format!("\"slow\", latency = {}", ways::distribution(by)),
    };
    let existing = match partition.existing {
        Existing::Cut => "cut",
        Existing::Keep => "keep",
    };
    let tempo = tempo::write(&partition.tempo);
    format!("{{ {shape}{direction}, mode = {mode}, existing = \"{existing}\"{tempo} }}")
}
