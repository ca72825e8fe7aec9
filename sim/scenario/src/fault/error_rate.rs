//! `error-rate`: whose requests fail, how many, and what that does to the process.

use schism_models::nemesis::ErrorRate;
use schism_models::plight::Harm;

use super::slow::{PROBES, SELECTIVE, probes, write_probes, write_selective};
use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::target::TargetSpec;
use crate::units;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Which instances fail requests").required(),
    Key::new("rate", Shape::Share, "How many of them").required(),
    Key::new("latency", Shape::Duration(Least::Zero), "How long it takes until the error is answered (ours)")
        .or("\"1ms\""),
    Key::new("fatal", Shape::Flag, "Whether the process dies of it, instead of answering").or("false"),
    RESTART_AFTER,
    PROBES,
    SELECTIVE,
];

/// How long a process that died of a gray failure stays dead.
pub(super) const RESTART_AFTER: Key = Key::new(
    "restart-after",
    Shape::Duration(Least::Zero),
    "How long a process that died of it stays dead (ours)",
)
.or("\"1s\"");

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "instances fail requests quickly, and look idle",
        r#"error-rate = { target = "orders:one", rate = "30%" }"#,
    ),
    (
        "requests that kill who serves them",
        r#"error-rate = { target = "orders", rate = "1%", fatal = true, restart-after = "2s" }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<ErrorRate<TargetSpec>> {
    let (section, probes) = (&body.section, probes(body));
    let selective = section.maybe("selective").map(|at| at.value);
    let harm = if section.value("fatal").value { Harm::Fatal } else { Harm::ToRequest };
    let (latency, restart_after) = (section.value("latency").value, section.value("restart-after").value);
    let rate = section.must("rate");
    let (targets, rate) = (body.targets()?, rate?.value);
    Some(ErrorRate { targets, rate, latency, harm, restart_after, probes, selective })
}

pub(super) fn write(fault: &ErrorRate, names: &dyn Spell) -> String {
    let ErrorRate { targets, rate, latency, harm, restart_after, probes, selective } = fault;
    let fatal = *harm == Harm::Fatal;
    let (probes, selective) = (write_probes(*probes), write_selective(selective.as_deref(), names));
    format!(
        "{{ target = {}, rate = \"{}\", latency = \"{latency}\", fatal = {fatal}, \
         restart-after = \"{restart_after}\"{probes}{selective} }}",
        names.targets(targets),
        units::show_ratio(*rate)
    )
}
