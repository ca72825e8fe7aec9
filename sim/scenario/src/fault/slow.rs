//! `slow`: whose work takes how many times as long, and who notices.

use schism_models::nemesis::{Slow, Target};
use schism_models::plight::Probes;

use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Which instances are slow").required(),
    Key::new("factor", Shape::Factor, "How many times as long their work takes").required(),
    PROBES,
    SELECTIVE,
];

/// Whether probes see a gray failure.
pub(super) const PROBES: Key = Key::word(
    "probes",
    &["pass", "fail"],
    "Whether health checks pass; where they fail, leases are not renewed",
)
.or("\"pass\"");

/// For whom alone a gray failure is there.
pub(super) const SELECTIVE: Key =
    Key::new("selective", Shape::Targets, "The clients whose requests alone suffer; by default all");

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "instances work more slowly, and health checks see nothing",
        r#"slow = { target = "orders:pick(2)", factor = 12 }"#,
    ),
    (
        "the same for some clients only",
        r#"slow = { target = "orders:one", factor = 12, selective = "web:50%" }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Slow<TargetSpec>> {
    let (probes, selective) = (probes(body), body.section.maybe("selective").map(|at| at.value));
    let factor = body.section.must("factor");
    Some(Slow { targets: body.targets()?, factor: factor?.value, probes, selective })
}

/// What stands at `probes`.
pub(super) fn probes(body: &Body<'_>) -> Probes {
    match body.section.value::<String>("probes").value.as_str() {
        "fail" => Probes::Fail,
        _ => Probes::Pass,
    }
}

pub(super) fn write(fault: &Slow, names: &dyn Spell) -> String {
    let (probes, selective) =
        (write_probes(fault.probes), write_selective(fault.selective.as_deref(), names));
    format!("{{ target = {}, factor = {}{probes}{selective} }}", names.targets(&fault.targets), fault.factor)
}

pub(super) fn write_probes(probes: Probes) -> &'static str {
    match probes {
        Probes::Pass => ", probes = \"pass\"",
        Probes::Fail => ", probes = \"fail\"",
    }
}

pub(super) fn write_selective(targets: Option<&[Target]>, names: &dyn Spell) -> String {
    targets.map_or_else(String::new, |targets| format!(", selective = {}", names.targets(targets)))
}
