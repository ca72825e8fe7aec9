//! `config-push`: who gets which configuration, and in which stages.

use schism_models::nemesis::{ConfigPush, Configuration, Stages};

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who gets the configuration").required(),
    Key::new("weight", Shape::Count(limits::WEIGHT), "The weight that instances register with from now on"),
    Key::new(
        "timeout",
        Shape::Duration(Least::Positive),
        "How long one attempt of a client may take from now on",
    ),
    Key::word(
        "bad",
        &["crash", "error"],
        "What reading it does: the process dies, or an instance answers errors",
    ),
    Key::new("staged", Shape::Table(STAGED), "In which stages; by default all at once"),
];

/// The keys that say what is pushed.
pub(crate) const CONFIGS: &[&str] = &["weight", "timeout", "bad"];

const STAGED: &[Key] = &[
    Key::new("batch", Shape::Batch(limits::PICK), "How many at a time").required(),
    Key::new("pause", Shape::Duration(Least::Positive), "How long until the next batch (ours)").or("\"10s\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("instances register with another weight", r#"config-push = { target = "orders:pick(2)", weight = 10 }"#),
    ("clients have less patience", r#"config-push = { target = "web", timeout = "5ms" }"#),
    (
        "a configuration kills who reads it, in stages",
        r#"config-push = { target = "orders", bad = "crash", staged = { batch = "25%", pause = "1s" } }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<ConfigPush<TargetSpec>> {
    let section = &body.section;
    let staged = match section.entry("staged") {
        Some(_) => Some(stages(body)?),
        None => None,
    };
    let what = section.only("what is pushed", CONFIGS);
    let targets = body.targets()?;
    let config = match what?.key.as_str() {
        "weight" => Configuration::Weight(section.maybe("weight")?.value),
        "timeout" => Configuration::Timeout(section.maybe("timeout")?.value),
        _ if section.maybe::<String>("bad")?.value == "crash" => Configuration::Crashes,
        _ => Configuration::Errs,
    };
    Some(ConfigPush { targets, config, staged })
}

fn stages(body: &Body<'_>) -> Option<Stages> {
    let section = body.section.child("staged");
    let pause = section.value("pause").value;
    Some(Stages { batch: section.must("batch")?.value, pause })
}

pub(super) fn write(fault: &ConfigPush, names: &dyn Spell) -> String {
    let config = match fault.config {
        Configuration::Weight(weight) => format!("weight = {weight}"),
        Configuration::Timeout(timeout) => format!("timeout = \"{timeout}\""),
        Configuration::Crashes => "bad = \"crash\"".to_owned(),
        Configuration::Errs => "bad = \"error\"".to_owned(),
    };
    let staged = fault.staged.map_or_else(String::new, |Stages { batch, pause }| {
        format!(", staged = {{ batch = {}, pause = \"{pause}\" }}", super::batch(batch))
    });
    format!("{{ target = {}, {config}{staged} }}", names.targets(&fault.targets))
}
