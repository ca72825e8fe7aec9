//! `crash`: who dies, and when they start anew.

use schism_models::nemesis::Crash;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who dies").required(),
    Key::new("restart-after", Shape::Duration(Least::Zero), "Another spelling of the fault's `for`"),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "processes die: all that is not on disk is lost, and peers see a reset",
    r#"crash = { target = "registry:leader", restart-after = "8s" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Crash<TargetSpec>> {
    Some(Crash { targets: body.targets()? })
}

pub(super) fn write(fault: &Crash, names: &dyn Spell) -> String {
    names.targets(&fault.targets)
}
