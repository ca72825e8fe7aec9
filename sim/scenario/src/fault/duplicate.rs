//! `duplicate`: on which links messages arrive twice, and which share of them.

use schism_core::Ratio;
use schism_models::nemesis::Duplicate;

use super::ways::{self, BETWEEN, DIRECTION, TARGET, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units::show_ratio;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::new("rate", Shape::Share, "The share of messages of their own that arrives twice").required(),
    DIRECTION,
    TRAFFIC_KEY,
];

pub(super) const EXAMPLES: &[(&str, &str)] =
    &[("messages arrive twice", r#"duplicate = { between = ["web", "orders"], rate = "5%" }"#)];

pub(super) fn read(body: &Body<'_>) -> Option<Duplicate<TargetSpec>> {
    let ways = ways::read(&body.section);
    let rate = body.section.must::<Ratio>("rate");
    Some(Duplicate { ways: ways?, rate: rate?.value })
}

pub(super) fn write(fault: &Duplicate, names: &dyn Spell) -> String {
    format!("{{ {}, rate = \"{}\" }}", ways::write(&fault.ways, names), show_ratio(fault.rate))
}
