//! `zombie`: who comes back in the belief that nothing has happened, and for how long.

use schism_core::Duration;
use schism_models::nemesis::Zombie;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who stands still, and comes back").required(),
    Key::new(
        "believes",
        Shape::Duration(Least::Zero),
        "How long it does not look at its lease once it is back",
    )
    .or("\"10s\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "instances stand still, and come back in the belief that they still hold their lease",
    r#"zombie = { target = "orders:one", believes = "10s" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Zombie<TargetSpec>> {
    let believes = body.section.value::<Duration>("believes").value;
    Some(Zombie { targets: body.targets()?, believes })
}

pub(super) fn write(fault: &Zombie, names: &dyn Spell) -> String {
    format!("{{ target = {}, believes = \"{}\" }}", names.targets(&fault.targets), fault.believes)
}
