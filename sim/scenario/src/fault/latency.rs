//! `latency`: on which links messages take longer, and by how much.

use schism_core::{Distribution, Ratio};
use schism_models::nemesis::Latency;

use super::ways::{self, BETWEEN, DIRECTION, TARGET, TRAFFIC_KEY};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;
use crate::units::show_ratio;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::new("extra", Shape::Distribution, "By how much each message takes longer").required(),
    Key::new(
        "correlation",
        Shape::Share,
        "How much of a draw is that of the message before, as in tc-netem(8)",
    )
    .or("\"0%\""),
    DIRECTION,
    TRAFFIC_KEY,
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "messages between two ends take longer",
        r#"latency = { between = ["zone:a", "zone:b"], extra = { normal = { mean = "50ms", sd = "10ms" } }, correlation = "25%" }"#,
    ),
    (
        "what some nodes send takes longer",
        r#"latency = { target = "orders:one", extra = "50ms", direction = "forward", traffic = ["request"] }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Latency<TargetSpec>> {
    let section = &body.section;
    let ways = ways::read(section);
    let extra = section.must::<Distribution>("extra");
    let correlation = section.value::<Ratio>("correlation").value;
    Some(Latency { ways: ways?, extra: extra?.value, correlation })
}

pub(super) fn write(fault: &Latency, names: &dyn Spell) -> String {
    let (ways, extra) = (ways::write(&fault.ways, names), ways::distribution(&fault.extra));
    format!("{{ {ways}, extra = {extra}, correlation = \"{}\" }}", show_ratio(fault.correlation))
}
