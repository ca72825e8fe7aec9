//! `zone-brownout`: which zone limps, and how much.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::ZoneBrownout;
use schism_models::plight::Factor;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;
use crate::units::show_ratio;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The defaults are ours: a zone that is clearly ill, and not dead.
const KEYS: &[Key] = &[
    Key::new("zone", Shape::Name, "The zone that limps").required(),
    Key::new("slow", Shape::Factor, "How many times as long its instances work, and its members' disks sync")
        .or("5"),
    Key::new("latency", Shape::Duration(Least::Zero), "How much longer a message takes to or from there")
        .or("\"20ms\""),
    Key::new("loss", Shape::Share, "The share of the messages to or from there that is lost").or("\"1%\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "a zone limps: all in it is slower and loses more",
    r#"zone-brownout = { zone = "b", slow = 5, latency = "20ms", loss = "1%" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<ZoneBrownout<TargetSpec>> {
    let zone = body.zone();
    let slow = body.section.value::<Factor>("slow").value;
    let latency = body.section.value::<Duration>("latency").value;
    let loss = body.section.value::<Ratio>("loss").value;
    Some(ZoneBrownout { zone: zone?, slow, latency, loss })
}

pub(super) fn write(fault: &ZoneBrownout, names: &dyn Spell) -> String {
    let ZoneBrownout { zone, slow, latency, loss } = fault;
    let (zone, loss) = (names.zone(zone), show_ratio(*loss));
    format!("{{ zone = {zone}, slow = {slow}, latency = \"{latency}\", loss = \"{loss}\" }}")
}
