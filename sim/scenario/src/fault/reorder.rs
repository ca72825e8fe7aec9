//! `reorder`: on which links messages overtake each other.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::Reorder;

use super::ways::{self, BETWEEN, DIRECTION, TARGET, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;
use crate::units::show_ratio;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::new("rate", Shape::Share, "The share of messages that is held back").required(),
    Key::new(
        "gap",
        Shape::Duration(Least::Zero),
        "For how long each is held back, so that later ones overtake",
    )
    .required(),
    DIRECTION,
    TRAFFIC_KEY,
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "some messages are held back, and later ones overtake",
    r#"reorder = { between = ["zone:a", "zone:b"], rate = "10%", gap = "20ms" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Reorder<TargetSpec>> {
    let ways = ways::read(&body.section);
    let rate = body.section.must::<Ratio>("rate");
    let gap = body.section.must::<Duration>("gap");
    Some(Reorder { ways: ways?, rate: rate?.value, gap: gap?.value })
}

pub(super) fn write(fault: &Reorder, names: &dyn Spell) -> String {
    let ways = ways::write(&fault.ways, names);
    format!("{{ {ways}, rate = \"{}\", gap = \"{}\" }}", show_ratio(fault.rate), fault.gap)
}
