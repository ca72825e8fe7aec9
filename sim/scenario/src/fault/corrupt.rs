//! `corrupt`: on which links messages are damaged, and which share of them.

use schism_core::Ratio;
use schism_models::nemesis::Corrupt;

use super::ways::{self, BETWEEN, DIRECTION, TARGET, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units::show_ratio;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::new("rate", Shape::Share, "The share of messages that is damaged, found out and dropped").required(),
    DIRECTION,
    TRAFFIC_KEY,
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "messages are damaged, found out and dropped",
    r#"corrupt = { between = ["zone:a", "zone:b"], rate = "5%" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Corrupt<TargetSpec>> {
    let ways = ways::read(&body.section);
    let rate = body.section.must::<Ratio>("rate");
    Some(Corrupt { ways: ways?, rate: rate?.value })
}

pub(super) fn write(fault: &Corrupt, names: &dyn Spell) -> String {
    format!("{{ {}, rate = \"{}\" }}", ways::write(&fault.ways, names), show_ratio(fault.rate))
}
