//! `scale`: which service, by how many, and how gracefully.

use schism_models::nemesis::{Scale, Way};

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "The service").required(),
    Key::new("out", Shape::Count(limits::SCALED), "How many instances it gets"),
    Key::new("in", Shape::Count(limits::SCALED), "How many instances it loses: the newest ones"),
    Key::new(
        "drain",
        Shape::Duration(Least::Positive),
        "How long an instance that ends drains, off the list (ours)",
    )
    .or("\"5s\""),
];

/// The keys that say in which direction.
pub(crate) const WAYS: &[&str] = &["out", "in"];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("a service gets more instances", r#"scale = { target = "orders", out = 2 }"#),
    ("a service loses its newest instances", r#"scale = { target = "orders", in = 2, drain = "1s" }"#),
];

pub(super) fn read(body: &Body<'_>) -> Option<Scale<TargetSpec>> {
    let section = &body.section;
    let drain = section.value("drain").value;
    let way = section.only("in which direction", WAYS);
    let targets = body.targets()?;
    let way = match way?.key.as_str() {
        "out" => Way::Out(section.maybe("out")?.value),
        _ => Way::In(section.maybe("in")?.value),
    };
    Some(Scale { targets, way, drain, spares: Vec::new() })
}

pub(super) fn write(fault: &Scale, names: &dyn Spell) -> String {
    let way = match fault.way {
        Way::Out(count) => format!("out = {count}"),
        Way::In(count) => format!("in = {count}"),
    };
    format!("{{ target = {}, {way}, drain = \"{}\" }}", names.targets(&fault.targets), fault.drain)
}
