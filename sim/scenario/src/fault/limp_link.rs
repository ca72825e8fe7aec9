//! `limp-link`: whose network card limps, and how.

use schism_core::{Distribution, Ratio};
use schism_models::nemesis::{Ends, LimpLink, Ways};

use super::bandwidth::BUFFER;
use super::ways::{self, DIRECTION, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units::{BitRate, Size, show_ratio};

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Whose card limps").required(),
    Key::new("rate", Shape::BitRate, "What is left of its capacity, in each direction").or("\"1Mbit/s\""),
    BUFFER,
    Key::new("latency", Shape::Distribution, "How much longer every message takes beside that").or("\"0s\""),
    Key::new("loss", Shape::Share, "The share of messages that is lost beside what the buffer drops")
        .or("\"0%\""),
    DIRECTION,
    TRAFFIC_KEY,
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "network cards still work, far too slowly",
    r#"limp-link = { target = "orders:one", rate = "1Mbit/s", latency = "10ms", loss = "1%" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<LimpLink<TargetSpec>> {
    let section = &body.section;
    let bytes_per_second = section.value::<BitRate>("rate").value.0;
    let buffer = section.value::<Size>("buffer").value.0;
    let latency = section.value::<Distribution>("latency").value;
    let loss = section.value::<Ratio>("loss").value;
    let traffic = ways::traffic(section);
    let ends = Ends::Of(body.targets()?);
    let direction = ways::direction(section, &ends.sides())?;
    Some(LimpLink { ways: Ways { ends, direction, traffic }, bytes_per_second, buffer, latency, loss })
}

pub(super) fn write(fault: &LimpLink, names: &dyn Spell) -> String {
    let (ways, rate) = (ways::write(&fault.ways, names), BitRate(fault.bytes_per_second));
    let (buffer, latency) = (Size(fault.buffer), ways::distribution(&fault.latency));
    let loss = show_ratio(fault.loss);
    format!("{{ {ways}, rate = \"{rate}\", buffer = \"{buffer}\", latency = {latency}, loss = \"{loss}\" }}")
}
