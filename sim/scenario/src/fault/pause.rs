//! `pause`: who stands still.

use schism_models::nemesis::Pause;

use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[Key::new("target", Shape::Targets, "Who stands still").required()];

pub(super) const EXAMPLES: &[(&str, &str)] =
    &[("processes stand still and keep their state", r#"pause = { target = "orders:pick(2)" }"#)];

pub(super) fn read(body: &Body<'_>) -> Option<Pause<TargetSpec>> {
    Some(Pause { targets: body.targets()? })
}

pub(super) fn write(fault: &Pause, names: &dyn Spell) -> String {
    names.targets(&fault.targets)
}
