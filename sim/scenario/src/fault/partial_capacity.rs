//! `partial-capacity`: who has how much of its capacity left.

use schism_core::Ratio;
use schism_models::nemesis::PartialCapacity;

use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Which instances have lost capacity").required(),
    Key::new(
        "share",
        Shape::Share,
        "What is left of their slots, one at least; without slots, of their speed",
    )
    .required(),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "instances serve fewer requests at once",
    r#"partial-capacity = { target = "orders:pick(2)", share = "50%" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<PartialCapacity<TargetSpec>> {
    let share = body.section.must::<Ratio>("share");
    let (targets, share) = (body.targets()?, share?);
    if share.value.is_zero() {
        body.wrong("`share` is 0%: nothing is left", "write a larger share, or a crash");
        return None;
    }
    Some(PartialCapacity { targets, share: share.value })
}

pub(super) fn write(fault: &PartialCapacity, names: &dyn Spell) -> String {
    format!(
        "{{ target = {}, share = \"{}\" }}",
        names.targets(&fault.targets),
        units::show_ratio(fault.share)
    )
}
