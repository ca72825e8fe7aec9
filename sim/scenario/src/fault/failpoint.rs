//! `failpoint`: at which point, what happens there, and how often.

use schism_core::{Duration, Ratio};
use schism_models::failpoint::{self, Action, Hits, Point};
use schism_models::nemesis::{Failpoint, Wants};

use super::{Body, Spell};
use crate::diagnostics::{Problem, listed, nearest, shorten};
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::source::At;
use crate::target::{self, TargetSpec};
use crate::units;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("point", Shape::Text, "Where: one of `schism list failpoints`").required(),
    Key::word("action", &["fail", "delay", "panic"], "What happens there").required(),
    Key::new("delay", Shape::Duration(Least::Zero), "For `delay`: by how much later it is done"),
    Key::new("probability", Shape::Share, "At which share of the passes; by default all"),
    Key::new("nth", Shape::Count(limits::PASSES), "At which pass of each process, counted from 1"),
    Key::new("target", Shape::Targets, "Whose passes; by default all members, where members pass it"),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "what is done at a point fails",
        r#"failpoint = { point = "registry.list", action = "fail", probability = "50%" }"#,
    ),
    ("it is done later", r#"failpoint = { point = "registry.fsync", action = "delay", delay = "50ms" }"#),
    ("the process ends", r#"failpoint = { point = "registry.propose", action = "panic", nth = 3 }"#),
    (
        "a point that instances pass",
        r#"failpoint = { point = "instance.serve", action = "fail", probability = "10%", target = "orders" }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Failpoint<TargetSpec>> {
    let section = &body.section;
    let (point, action) = (point(body), action(body));
    let hits = hits(body);
    let (point, targets) = (point?, section.maybe::<Vec<TargetSpec>>("target"));
    let targets = match targets {
        Some(targets) => targets.value,
        None if point.value.wants() == Wants::Members => {
            vec![target::parse("registry", section.place).expect("it is a target")]
        }
        None => section.must("target")?.value,
    };
    Some(Failpoint {
        targets,
        failpoint: failpoint::Failpoint { point: point.value, action: action?, hits: hits? },
    })
}

fn point(body: &Body<'_>) -> Option<At<Point>> {
    let written: At<String> = body.section.must("point")?;
    // An instance is a client of the registry, and so it is sometimes called.
    let name = if written.value == "client.renew" { "instance.renew" } else { written.value.as_str() };
    let names = || Point::CATALOG.iter().map(|(name, ..)| *name);
    if let Some((.., point)) = Point::CATALOG.iter().find(|(known, ..)| *known == name) {
        return Some(At::new(*point, written.place));
    }
    let near = nearest(name, names()).map(|name| format!("did you mean `{name}`?"));
    let all = || listed(names()).map(|names| format!("there are: {names}"));
    let message = format!("there is no failpoint `{}`", shorten(&written.value));
    body.section.report.add(Problem::error(written.place, message).maybe_help(near.or_else(all)));
    None
}

fn action(body: &Body<'_>) -> Option<Action> {
    let section = &body.section;
    let action: At<String> = section.must("action")?;
    let delay: Option<At<Duration>> = section.maybe("delay");
    match (action.value.as_str(), delay) {
        ("delay", Some(delay)) => Some(Action::Delay(delay.value)),
        ("delay", None) => {
            let problem = Problem::error(action.place, "a delay of how long?");
            section.report.add(problem.help("write delay = \"2s\" beside it"));
            None
        }
        (_, Some(delay)) => {
            let problem = Problem::error(delay.place, format!("`{}` has no delay", action.value));
            section.report.add(problem.help("leave it out, or write action = \"delay\""));
            None
        }
        ("panic", None) => Some(Action::Panic),
        (_, None) => Some(Action::Fail),
    }
}

fn hits(body: &Body<'_>) -> Option<Hits> {
    let section = &body.section;
    let share: Option<At<Ratio>> = section.maybe("probability");
    let nth: Option<At<u64>> = section.maybe("nth");
    match (share, nth) {
        (Some(share), Some(nth)) => {
            let problem = Problem::error(nth.place, "both `probability` and `nth` say at which passes");
            section.report.add(problem.related(share.place, "the first is here").help("keep one of them"));
            None
        }
        (None, Some(nth)) => Some(Hits::Nth(nth.value)),
        (Some(share), None) => Some(Hits::Share(share.value)),
        (None, None) => Some(Hits::Share(Ratio::ONE)),
    }
}

pub(super) fn write(fault: &Failpoint, names: &dyn Spell) -> String {
    let failpoint::Failpoint { point, action, hits } = fault.failpoint;
    let action = match action {
        Action::Fail => "action = \"fail\"".to_owned(),
        Action::Delay(delay) => format!("action = \"delay\", delay = \"{delay}\""),
        Action::Panic => "action = \"panic\"".to_owned(),
    };
    let hits = match hits {
        Hits::Share(share) => format!("probability = \"{}\"", units::show_ratio(share)),
        Hits::Nth(nth) => format!("nth = {nth}"),
    };
    let targets = names.targets(&fault.targets);
    format!("{{ point = \"{}\", {action}, {hits}, target = {targets} }}", point.name())
}
