//! `clock`: whose clocks go wrong, which of the two, and how.

use schism_core::Duration;
use schism_models::nemesis::{Clock, Of, Offset, Wrong};

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Key, Least, Shape};
use crate::reader::{PartsPerMillion, Section};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The keys that say what is wrong.
pub(crate) const WRONGS: &[&str] = &["skew", "drift", "jump", "strobe", "freeze", "backwards"];

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Whose clocks").required(),
    Key::new("skew", Shape::Offset, "The wall clock is off by this; \"-5s\" is behind"),
    Key::new("drift", Shape::PartsPerMillion, "The clocks gain so many parts per million; lose, if negative"),
    Key::new("jump", Shape::Offset, "The clock jumps by this, once; only the wall clock jumps back"),
    Key::new("strobe", Shape::Table(STROBE), "The wall clock jumps ahead and back again, over and over"),
    Key::new("freeze", Shape::Table(&[]), "The clocks stand"),
    Key::new("backwards", Shape::Duration(Least::Zero), "The wall clock steps back by this, once"),
    Key::word(
        "of",
        CLOCKS,
        "Which clock; by default both drift and freeze, and the wall clock does the rest",
    ),
];

const STROBE: &[Key] = &[
    Key::new("by", Shape::Duration(Least::Zero), "How far it jumps").or("\"200ms\""),
    Key::new("every", Shape::Duration(Least::Positive), "How long it stays on either side").or("\"100ms\""),
];

const CLOCKS: &[&str] = &["wall", "monotonic", "both"];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "the wall clock is off by as much all the time",
        r#"clock = { target = "registry:leader", skew = "-5s" }"#,
    ),
    ("clocks gain parts per million", r#"clock = { target = "orders:one", drift = 500 }"#),
    ("clocks jump, once", r#"clock = { target = "registry:leader", jump = "20s", of = "both" }"#),
    (
        "the wall clock jumps ahead and back again",
        r#"clock = { target = "orders:one", strobe = { by = "200ms", every = "100ms" } }"#,
    ),
    ("clocks stand", r#"clock = { target = "orders:one", freeze = {} }"#),
    ("the wall clock steps back", r#"clock = { target = "registry:leader", backwards = "5s" }"#),
];

pub(super) fn read(body: &Body<'_>) -> Option<Clock<TargetSpec>> {
    let targets = body.targets();
    let wrong = wrong(&body.section);
    Some(Clock { targets: targets?, wrong: wrong? })
}

fn wrong(section: &Section<'_>) -> Option<Wrong> {
    let entry = section.only("what is wrong with the clocks", WRONGS)?;
    match entry.key.as_str() {
        "skew" => {
            wall_alone(section, "skew")?;
            section.maybe("skew").map(|at| Wrong::Skew(at.value))
        }
        "drift" => {
            let of = of(section, Of::Both)?;
            section.maybe::<PartsPerMillion>("drift").map(|at| Wrong::Drift(at.value.0, of))
        }
        "jump" => jump(section),
        "strobe" => {
            wall_alone(section, "strobe")?;
            strobe(&section.child("strobe"))
        }
        "freeze" => {
            // Whatever stands in the table does not belong there, and is reported.
            section.child("freeze");
            of(section, Of::Both).map(Wrong::Freeze)
        }
        _ => {
            wall_alone(section, "backwards")?;
            section.maybe("backwards").map(|at| Wrong::Backwards(at.value))
        }
    }
}

/// Which clock is meant; `None` if that could not be read.
fn of(section: &Section<'_>, default: Of) -> Option<Of> {
    if section.entry("of").is_none() {
        return Some(default);
    }
    section.maybe::<String>("of").map(|at| match at.value.as_str() {
        "wall" => Of::Wall,
        "monotonic" => Of::Monotonic,
        _ => Of::Both,
    })
}

/// The monotonic clock cannot do this: it is refused by name.
fn wall_alone(section: &Section<'_>, wrong: &str) -> Option<()> {
    match of(section, Of::Wall)? {
        Of::Wall => Some(()),
        Of::Monotonic | Of::Both => {
            refuse(
                section,
                format!("`{wrong}` is of the wall clock: a monotonic clock has no time to be wrong by"),
            );
            None
        }
    }
}

fn refuse(section: &Section<'_>, message: String) {
    let place = section.entry("of").map_or(section.place, |entry| entry.value.place);
    section.report.add(Problem::error(place, message).help("leave `of` out, or write of = \"wall\""));
}

fn jump(section: &Section<'_>) -> Option<Wrong> {
    let of = of(section, Of::Wall)?;
    let offset = section.maybe::<Offset>("jump")?.value;
    match (of, offset) {
        (Of::Monotonic | Of::Both, Offset::Behind(_)) => {
            refuse(section, format!("`jump` is {offset}, and a monotonic clock never goes back"));
            None
        }
        (Of::Wall, _) | (Of::Monotonic | Of::Both, Offset::Ahead(_)) => Some(Wrong::Jump(offset, of)),
    }
}

fn strobe(section: &Section<'_>) -> Option<Wrong> {
    let by = section.value::<Duration>("by").value;
    let every = super::turn("every", section.value("every"), "flip", section.report)?;
    Some(Wrong::Strobe { by, every })
}

pub(super) fn write(fault: &Clock, names: &dyn Spell) -> String {
    let wrong = match fault.wrong {
        Wrong::Skew(offset) => format!("skew = \"{offset}\", of = \"wall\""),
        Wrong::Drift(ppm, of) => format!("drift = {ppm}, of = \"{}\"", word(of)),
        Wrong::Jump(offset, of) => format!("jump = \"{offset}\", of = \"{}\"", word(of)),
        Wrong::Strobe { by, every } => {
            format!("strobe = {{ by = \"{by}\", every = \"{every}\" }}, of = \"wall\"")
        }
        Wrong::Freeze(of) => format!("freeze = {{}}, of = \"{}\"", word(of)),
        Wrong::Backwards(by) => format!("backwards = \"{by}\", of = \"wall\""),
    };
    format!("{{ target = {}, {wrong} }}", names.targets(&fault.targets))
}

fn word(of: Of) -> &'static str {
    match of {
        Of::Wall => "wall",
        Of::Monotonic => "monotonic",
        Of::Both => "both",
    }
}
