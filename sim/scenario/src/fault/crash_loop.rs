//! `crash-loop`: who dies again and again, after how long, and how long they wait between.

use schism_core::{Distribution, Duration};
use schism_models::nemesis::{Backoff, CrashLoop};

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::reader::Section;
use crate::render::distribution;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who dies, again and again").required(),
    Key::new("up", Shape::Distribution, "How long each life lasts, drawn for each victim").or("\"2s\""),
    Key::new("backoff", Shape::Table(BACKOFF), "How long it takes until the next life begins"),
];

/// The defaults are those of Kubernetes; see [`Backoff`].
const BACKOFF: &[Key] = &[
    Key::new("base", Shape::Duration(Least::Positive), "The first wait").or("\"10s\""),
    Key::new("factor", Shape::Count(limits::BACKOFF), "How many times as long each is as the one before")
        .or("2"),
    Key::new(
        "cap",
        Shape::Duration(Least::Positive),
        "The longest wait; a life of twice that is a new beginning",
    )
    .or("\"5m\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "processes die again and again, and are started again ever later",
    r#"crash-loop = { target = "orders:one", up = "2s", backoff = { base = "1s", factor = 2, cap = "5m" } }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<CrashLoop<TargetSpec>> {
    let up = body.section.value::<Distribution>("up").value;
    let backoff = backoff(&body.section.child("backoff"))?;
    Some(CrashLoop { targets: body.targets()?, up, backoff })
}

fn backoff(section: &Section<'_>) -> Option<Backoff> {
    let base = section.value::<Duration>("base");
    let cap = section.value::<Duration>("cap");
    super::turn("base", base, "start and death", section.report)?;
    if cap.value < base.value {
        let message = format!("`cap` is {}, and less than `base`, which is {}", cap.value, base.value);
        section.report.add(
            Problem::error(cap.place, message)
                .related(base.place, "the first wait")
                .help(format!("write cap = \"{}\" or more", base.value)),
        );
        return None;
    }
    Some(Backoff { base: base.value, factor: section.value::<u32>("factor").value, cap: cap.value })
}

pub(super) fn write(fault: &CrashLoop, names: &dyn Spell) -> String {
    let Backoff { base, factor, cap } = fault.backoff;
    let backoff = format!("{{ base = \"{base}\", factor = {factor}, cap = \"{cap}\" }}");
    let (targets, up) = (names.targets(&fault.targets), distribution(&fault.up));
    format!("{{ target = {targets}, up = {up}, backoff = {backoff} }}")
}
