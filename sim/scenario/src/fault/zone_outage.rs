//! `zone-outage`: which zone goes dark, and how it comes back.

use schism_core::Duration;
use schism_models::nemesis::{Batch, Recovery, ZoneOutage};

use super::{Body, Spell};
use crate::grammar::{Argument, Choice, Key, Least, Shape};
use crate::limits;
use crate::reader::{Chosen, Section};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("zone", Shape::Name, "The zone that loses power").required(),
    Key::new("recovery", Shape::Choice(&RECOVERY), "How its hosts come back").or("\"at-once\""),
];

const RECOVERY: Choice = Choice {
    what: "recovery",
    names: || {
        vec![
            ("at-once", "all hosts at one moment"),
            ("waves", "some at a time, in an order drawn; the fault has healed when the last has started"),
        ]
    },
    argument: |name| Argument::Options(if name == "waves" { WAVES } else { &[] }),
    later: &[],
};

const WAVES: &[Key] = &[
    Key::new("size", Shape::Batch(limits::WAVE), "How many hosts at a time, or which share of all")
        .or("\"25%\""),
    Key::new("every", Shape::Duration(Least::Positive), "How long after each other").or("\"10s\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("a zone loses power", r#"zone-outage = { zone = "b" }"#),
    (
        "a zone loses power, and comes back in waves",
        r#"zone-outage = { zone = "b", recovery = { waves = { size = "50%", every = "2s" } } }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<ZoneOutage<TargetSpec>> {
    let zone = body.zone();
    let recovery = body.section.choice("recovery", |chosen| Some(recovery(chosen, &body.section)));
    Some(ZoneOutage { zone: zone?, recovery: recovery?.value })
}

fn recovery(chosen: &Chosen<'_>, section: &Section<'_>) -> Recovery {
    let keys = if chosen.name == "waves" { WAVES } else { &[] };
    let options = chosen.options("recovery", keys, section.report);
    if chosen.name == "at-once" {
        return Recovery::AtOnce;
    }
    Recovery::Waves {
        size: options.value::<Batch>("size").value,
        every: options.value::<Duration>("every").value,
    }
}

pub(super) fn write(fault: &ZoneOutage, names: &dyn Spell) -> String {
    let recovery = match fault.recovery {
        Recovery::AtOnce => "\"at-once\"".to_owned(),
        Recovery::Waves { size, every } => {
            format!("{{ waves = {{ size = {}, every = \"{every}\" }} }}", super::batch(size))
        }
    };
    format!("{{ zone = {}, recovery = {recovery} }}", names.zone(&fault.zone))
}
