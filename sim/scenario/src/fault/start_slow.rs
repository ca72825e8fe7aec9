//! `start-slow`: who is slow after a start, how much, and for how long.

use schism_core::Duration;
use schism_models::nemesis::{Restart, StartSlow};
use schism_models::plight::Factor;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who is slow after a start").required(),
    Key::new("factor", Shape::Factor, "How many times as long a request takes just after the start").or("5"),
    Key::new(
        "for-each",
        Shape::Duration(Least::Positive),
        "How long it takes until an instance is as fast as ever",
    )
    .or("\"30s\""),
    Key::new("restart", Shape::Flag, "Whether the fault restarts them as it begins; else others must")
        .or("false"),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "instances that start while it lasts are slow for a while",
    r#"start-slow = { target = "orders:one", factor = 5, for-each = "30s", restart = true }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<StartSlow<TargetSpec>> {
    let factor = body.section.value::<Factor>("factor").value;
    let lasts = body.section.value::<Duration>("for-each").value;
    let restart = match body.section.value::<bool>("restart").value {
        true => Restart::AsItBegins,
        false => Restart::Others,
    };
    Some(StartSlow { targets: body.targets()?, factor, lasts, restart })
}

pub(super) fn write(fault: &StartSlow, names: &dyn Spell) -> String {
    let StartSlow { targets, factor, lasts, restart } = fault;
    let restart = match restart {
        Restart::AsItBegins => true,
        Restart::Others => false,
    };
    let targets = names.targets(targets);
    format!("{{ target = {targets}, factor = {factor}, for-each = \"{lasts}\", restart = {restart} }}")
}
