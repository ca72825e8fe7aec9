//! How a partition comes and goes.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::{Flap, Shape as Parting, Tempo};

use crate::diagnostics::Problem;
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::reader::Section;
use crate::target::TargetSpec;
use crate::units::show_ratio;

/// The keys that say how a partition comes and goes.
const TEMPOS: &[&str] = &["flap", "swizzle", "rolling"];

/// `flap`.
pub(super) const FLAP: &[Key] = &[
    Key::new("up", Shape::Duration(Least::Positive), "How long all get through, each time").required(),
    Key::new("down", Shape::Duration(Least::Positive), "How long it is there, each time").required(),
    Key::new("jitter", Shape::Share, "By what share of itself each of the two is drawn longer or shorter")
        .or("\"0%\""),
    Key::new("count", Shape::Count(limits::FLAPS), "How many times it comes; by default until it heals"),
];

/// `swizzle`.
pub(super) const SWIZZLE: &[Key] = &[Key::new(
    "over",
    Shape::Duration(Least::Positive),
    "How long it takes until all are cut off, and as long before the end to heal them",
)
.required()];

/// `rolling`.
pub(super) const ROLLING: &[Key] =
    &[Key::new("each", Shape::Duration(Least::Positive), "How long each is isolated").required()];

pub(super) fn read(section: &Section<'_>) -> Option<Tempo> {
    let mut written = TEMPOS.iter().filter_map(|name| section.entry(name));
    let Some(entry) = written.next() else { return Some(Tempo::Steady) };
    if let Some(second) = written.next() {
        let message = format!("both `{}` and `{}` say how it comes and goes", entry.key, second.key);
        section.report.add(
            Problem::error(second.place, message)
                .related(entry.place, "the first is here")
                .help("keep one of them"),
        );
        return None;
    }
    let table = section.child(&entry.key);
    match entry.key.as_str() {
        "flap" => flap(&table).map(Tempo::Flap),
        "swizzle" => table.must("over").map(|at| Tempo::Swizzle { over: at.value }),
        _ => turn(&table, "each").map(|each| Tempo::Rolling { each }),
    }
}

fn flap(table: &Section<'_>) -> Option<Flap> {
    let (up, down) = (turn(table, "up"), turn(table, "down"));
    let jitter = table.value::<Ratio>("jitter").value;
    let count = table.maybe("count").map(|at| at.value);
    Some(Flap { up: up?, down: down?, jitter, count })
}

/// A time that is not so short that a run would be nothing but turns.
fn turn(table: &Section<'_>, name: &str) -> Option<Duration> {
    let time = table.must::<Duration>(name)?;
    if time.value < limits::TURN {
        let message = format!("`{name}` is {}: the shortest turn is {}", time.value, limits::TURN);
        table.report.add(Problem::error(time.place, message).help("each turn is an event"));
        return None;
    }
    Some(time.value)
}

/// Only an isolation moves on.
pub(super) fn fits(section: &Section<'_>, shape: &Parting<TargetSpec>) {
    if let Some(entry) = section.entry("rolling")
        && !matches!(shape, Parting::Isolate(_))
    {
        let problem = Problem::error(entry.place, "`rolling` moves an isolation from one to the next");
        section.report.add(problem.help("write isolate = \"orders\" beside it"));
    }
}

pub(super) fn write(tempo: &Tempo) -> String {
    match tempo {
        Tempo::Steady => String::new(),
        Tempo::Flap(Flap { up, down, jitter, count }) => {
            let count = count.map_or_else(String::new, |count| format!(", count = {count}"));
            let jitter = show_ratio(*jitter);
            format!(", flap = {{ up = \"{up}\", down = \"{down}\", jitter = \"{jitter}\"{count} }}")
        }
        Tempo::Swizzle { over } => format!(", swizzle = {{ over = \"{over}\" }}"),
        Tempo::Rolling { each } => format!(", rolling = {{ each = \"{each}\" }}"),
    }
}
