//! `disk`: whose disks go bad, and how.

use schism_models::nemesis::{Bad, Disk};

use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::reader::Section;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The keys that say what is bad.
pub(crate) const BADS: &[&str] = &["stall", "slow", "full", "lost-fsync"];

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Whose disks: registry members").required(),
    Key::new("stall", Shape::Table(&[]), "No sync ends before the heal"),
    Key::new("slow", Shape::Factor, "Syncs take so many times as long"),
    Key::new("full", Shape::Table(&[]), "No write succeeds, and who has to write dies of it"),
    Key::new(
        "lost-fsync",
        Shape::Table(&[]),
        "Syncs are claimed and not made: a loss of power takes what was written",
    ),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("no sync ends", r#"disk = { target = "registry:leader", stall = {} }"#),
    ("syncs take longer", r#"disk = { target = "registry", slow = 20 }"#),
    ("no write succeeds", r#"disk = { target = "registry:one", full = {} }"#),
    ("syncs are claimed and not made", r#"disk = { target = "registry", lost-fsync = {} }"#),
];

pub(super) fn read(body: &Body<'_>) -> Option<Disk<TargetSpec>> {
    let targets = body.targets();
    let bad = bad(&body.section);
    Some(Disk { targets: targets?, bad: bad? })
}

fn bad(section: &Section<'_>) -> Option<Bad> {
    let entry = section.only("what is bad about the disks", BADS)?;
    if entry.key == "slow" {
        return section.maybe("slow").map(|at| Bad::Slow(at.value));
    }
    // Whatever stands in the table does not belong there, and is reported.
    section.child(&entry.key);
    Some(match entry.key.as_str() {
        "stall" => Bad::Stall,
        "full" => Bad::Full,
        _ => Bad::LostFsync,
    })
}

pub(super) fn write(fault: &Disk, names: &dyn Spell) -> String {
    let bad = match fault.bad {
        Bad::Stall => "stall = {}".to_owned(),
        Bad::Slow(factor) => format!("slow = {factor}"),
        Bad::Full => "full = {}".to_owned(),
        Bad::LostFsync => "lost-fsync = {}".to_owned(),
    };
    format!("{{ target = {}, {bad} }}", names.targets(&fault.targets))
}
