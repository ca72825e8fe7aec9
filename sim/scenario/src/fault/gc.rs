//! `gc`: who stands still again and again, how often, and how long.

use schism_core::Distribution;
use schism_models::nemesis::Gc;

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Key, Shape};
use crate::limits;
use crate::render::distribution;
use crate::source::At;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

/// The defaults are ours: about what a service on a virtual machine with a stop-the-world collector and a heap of some
/// gigabytes logs.
const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who collects garbage").required(),
    Key::new("every", Shape::Distribution, "How long a process runs until the next pause, drawn for each")
        .or("{ exponential = \"10s\" }"),
    Key::new("pause", Shape::Distribution, "How long a pause lasts, drawn for each")
        .or("{ lognormal = { p50 = \"50ms\", p99 = \"500ms\" } }"),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "processes stand still for short times, again and again",
    r#"gc = { target = "orders", every = { exponential = "5s" }, pause = { lognormal = { p50 = "50ms", p99 = "500ms" } } }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Gc<TargetSpec>> {
    let every: At<Distribution> = body.section.value("every");
    let pause = body.section.value::<Distribution>("pause").value;
    let median = every.value.median();
    if median < limits::TURN {
        let message = format!("`every` has a median of {median}; the limit is {}", limits::TURN);
        let problem = Problem::error(every.place, message);
        body.section.report.add(problem.help("every pause is an event of the run"));
        return None;
    }
    Some(Gc { targets: body.targets()?, every: every.value, pause })
}

pub(super) fn write(fault: &Gc, names: &dyn Spell) -> String {
    let (targets, every, pause) =
        (names.targets(&fault.targets), distribution(&fault.every), distribution(&fault.pause));
    format!("{{ target = {targets}, every = {every}, pause = {pause} }}")
}
