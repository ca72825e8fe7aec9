//! `vm-stall`: whose machines stand still.

use schism_models::nemesis::VmStall;

use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] =
    &[Key::new("target", Shape::Targets, "Whose machines stand still, and their clocks with them")
        .required()];

pub(super) const EXAMPLES: &[(&str, &str)] =
    &[("machines stand still, and their clocks with them", r#"vm-stall = { target = "orders:pick(2)" }"#)];

pub(super) fn read(body: &Body<'_>) -> Option<VmStall<TargetSpec>> {
    Some(VmStall { targets: body.targets()? })
}

pub(super) fn write(fault: &VmStall, names: &dyn Spell) -> String {
    names.targets(&fault.targets)
}
