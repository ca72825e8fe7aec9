//! `bandwidth`: which links have little room, and how much waits before them.

use schism_models::nemesis::Bandwidth;

use super::ways::{self, BETWEEN, DIRECTION, TARGET, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units::{BitRate, Size};

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

pub(super) const BUFFER: Key = Key::new(
    "buffer",
    Shape::Size,
    "How much may wait before each link (ours); what finds it full is dropped",
)
.or("\"256KiB\"");

const KEYS: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::new("rate", Shape::BitRate, "The capacity of each link, in each direction").required(),
    BUFFER,
    DIRECTION,
    TRAFFIC_KEY,
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "a link has little room, and a finite buffer",
    r#"bandwidth = { between = ["zone:a", "zone:b"], rate = "10Mbit/s", buffer = "256KiB" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<Bandwidth<TargetSpec>> {
    let ways = ways::read(&body.section);
    let rate = body.section.must::<BitRate>("rate");
    let buffer = body.section.value::<Size>("buffer").value.0;
    Some(Bandwidth { ways: ways?, bytes_per_second: rate?.value.0, buffer })
}

pub(super) fn write(fault: &Bandwidth, names: &dyn Spell) -> String {
    let (ways, rate) = (ways::write(&fault.ways, names), BitRate(fault.bytes_per_second));
    format!("{{ {ways}, rate = \"{rate}\", buffer = \"{}\" }}", Size(fault.buffer))
}
