//! `stop`: who is told to end, and how long they have.

use schism_core::Duration;
use schism_models::nemesis::Stop;
use schism_models::plight::Deregister;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who is told to end").required(),
    Key::new(
        "drain",
        Shape::Duration(Least::Zero),
        "How long an instance goes on serving until it is killed",
    )
    .or("\"5s\""),
    Key::new("deregister", Shape::Flag, "Whether an instance takes itself off the list first").or("true"),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "processes are told to end: they leave the list, drain, and end",
    r#"stop = { target = "orders:pick(2)", drain = "5s", deregister = true }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Stop<TargetSpec>> {
    let drain = body.section.value::<Duration>("drain").value;
    let deregister = match body.section.value::<bool>("deregister").value {
        true => Deregister::First,
        false => Deregister::Never,
    };
    Some(Stop { targets: body.targets()?, drain, deregister })
}

pub(super) fn write(fault: &Stop, names: &dyn Spell) -> String {
    let deregister = match fault.deregister {
        Deregister::First => true,
        Deregister::Never => false,
    };
    let (targets, drain) = (names.targets(&fault.targets), fault.drain);
    format!("{{ target = {targets}, drain = \"{drain}\", deregister = {deregister} }}")
}
