//! `deploy`: which service gets a new version, in which order, and what that brings.

use schism_core::{Duration, Ratio};
use schism_models::nemesis::{Batch, Brings, Deploy, Strategy};

use super::{Body, Spell};
use crate::diagnostics::Problem;
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::target::TargetSpec;
use crate::units;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The defaults are ours, but for the strategy and the batch: a Deployment of Kubernetes rolls, and takes down 25% at a
/// time (`maxUnavailable`).
const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "The instances of one service that get the new version").required(),
    Key::word("strategy", STRATEGIES, "In which order instances are replaced").or("\"rolling\""),
    Key::new("batch", Shape::Batch(limits::PICK), "How many at a time").or("\"25%\""),
    Key::new("pause", Shape::Duration(Least::Positive), "How long a batch that is registered is looked at")
        .or("\"10s\""),
    Key::new("drain", Shape::Duration(Least::Zero), "How long an old instance drains, off the list")
        .or("\"5s\""),
    Key::new("restart-after", Shape::Duration(Least::Zero), "How long the new version takes to start")
        .or("\"1s\""),
    Key::new("canary", Shape::Batch(limits::PICK), "How many a canary deploy replaces first; by default 10%"),
    Key::new("bake", Shape::Duration(Least::Positive), "For how long those are looked at; by default 30s"),
    Key::new("new", Shape::Table(NEW), "What the new version brings"),
];

const STRATEGIES: &[&str] = &["rolling", "canary", "blue-green"];

const NEW: &[Key] = &[
    Key::new("slow", Shape::Factor, "How many times as long its work takes").or("1"),
    Key::new("error-rate", Shape::Share, "How many of its requests fail, after 1ms").or("\"0%\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "a new version, batch by batch",
        r#"deploy = { target = "orders", batch = 2, pause = "1s", drain = "1s" }"#,
    ),
    (
        "a bad new version, a few first",
        r#"deploy = { target = "orders", strategy = "canary", canary = 1, bake = "5s", new = { error-rate = "5%" } }"#,
    ),
    (
        "a new version beside the old",
        r#"deploy = { target = "orders", strategy = "blue-green", pause = "1s" }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Deploy<TargetSpec>> {
    let section = &body.section;
    let new = section.child("new");
    let brings = Brings { slow: new.value("slow").value, error_rate: new.value("error-rate").value };
    let strategy = strategy(body);
    Some(Deploy {
        targets: body.targets()?,
        strategy: strategy?,
        batch: section.value("batch").value,
        pause: section.value("pause").value,
        drain: section.value("drain").value,
        restart_after: section.value("restart-after").value,
        brings,
        spares: Vec::new(),
    })
}

fn strategy(body: &Body<'_>) -> Option<Strategy> {
    let section = &body.section;
    let first = section.maybe("canary");
    let bake = section.maybe("bake");
    let name = section.value::<String>("strategy").value;
    let stray = ["canary", "bake"].into_iter().find_map(|key| section.entry(key));
    if let Some(entry) = stray.filter(|_| name != "canary") {
        let problem = Problem::error(entry.place, format!("`{}` is for a canary deploy", entry.key));
        section.report.add(problem.help("leave it out, or write strategy = \"canary\""));
        return None;
    }
    Some(match name.as_str() {
        "canary" => Strategy::Canary {
            first: first.map_or(Batch::Share(Ratio::new(1, 10)), |at| at.value),
            bake: bake.map_or(Duration::from_secs(30), |at| at.value),
        },
        "blue-green" => Strategy::BlueGreen,
        _ => Strategy::Rolling,
    })
}

pub(super) fn write(fault: &Deploy, names: &dyn Spell) -> String {
    let Deploy { targets, strategy, batch, pause, drain, restart_after, brings, .. } = fault;
    let strategy = match strategy {
        Strategy::Rolling => "\"rolling\"".to_owned(),
        Strategy::Canary { first, bake } => {
            format!("\"canary\", canary = {}, bake = \"{bake}\"", super::batch(*first))
        }
        Strategy::BlueGreen => "\"blue-green\"".to_owned(),
    };
    let Brings { slow, error_rate } = brings;
    format!(
        "{{ target = {}, strategy = {strategy}, batch = {}, pause = \"{pause}\", drain = \"{drain}\", \
         restart-after = \"{restart_after}\", new = {{ slow = {slow}, error-rate = \"{}\" }} }}",
        names.targets(targets),
        super::batch(*batch),
        units::show_ratio(*error_rate)
    )
}
