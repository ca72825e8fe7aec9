//! `load`: how clients ask for more, or otherwise, than they would.

use schism_core::Duration;
use schism_models::nemesis::{Herd, How, Load};

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::limits;
use crate::reader::Section;
use crate::target::TargetSpec;
use crate::units;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The keys that say how clients are strained.
pub(crate) const HOWS: &[&str] = &["burst", "ramp", "herd", "hot-key", "cold-cache"];

const KEYS: &[Key] = &[
    Key::new("burst", Shape::Table(BURST), "So many times as many requests, at once"),
    Key::new("ramp", Shape::Table(RAMP), "More and more requests, up to so many times as many"),
    Key::new("herd", Shape::Table(HERD), "Each client does the same thing once"),
    Key::new("hot-key", Shape::Table(HOT_KEY), "A share of the requests are about one key"),
    Key::new("cold-cache", Shape::Table(COLD_CACHE), "Clients forget their list"),
];

const TARGET: Key = Key::new("target", Shape::Targets, "Which clients").required();
const FACTOR: Key = Key::new("factor", Shape::Factor, "How many times as many requests").required();

const BURST: &[Key] = &[TARGET, FACTOR];

const RAMP: &[Key] = &[
    TARGET,
    FACTOR,
    Key::new(
        "over",
        Shape::Duration(Least::Zero),
        "How long they get more; by default as long as the fault lasts",
    ),
];

/// What a herd may do.
const HERDS: &[&str] = &["refresh", "reconnect", "retry"];

const HERD: &[Key] = &[
    TARGET,
    Key::word("of", HERDS, "What each does").or("\"refresh\""),
    Key::new("within", Shape::Duration(Least::Zero), "Each at a moment of its own within this time")
        .or("\"0s\""),
];

const HOT_KEY: &[Key] = &[
    TARGET,
    Key::new("share", Shape::Share, "Which share of the requests").or("\"50%\""),
    Key::new("key", Shape::Count(limits::KEY), "The key that they are about").or("0"),
];

const COLD_CACHE: &[Key] = &[TARGET];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    ("so many times as many requests", r#"load = { burst = { target = "web", factor = 5 } }"#),
    ("more and more requests", r#"load = { ramp = { target = "web", factor = 3, over = "10s" } }"#),
    (
        "all clients ask for the list, reconnect to the registry, or send again what is under way, at once",
        r#"load = { herd = { target = "web", of = "refresh", within = "0s" } }"#,
    ),
    (
        "a share of the requests are about one key",
        r#"load = { hot-key = { target = "web", share = "50%", key = 0 } }"#,
    ),
    ("clients forget their list", r#"load = { cold-cache = { target = "web" } }"#),
];

pub(super) fn read(body: &Body<'_>) -> Option<Load<TargetSpec>> {
    let entry = body.section.only("how clients are strained", HOWS)?;
    let section = body.section.child(&entry.key);
    let targets = section.must("target");
    let how = how(&entry.key, &section);
    Some(Load { targets: targets?.value, how: how? })
}

fn how(key: &str, section: &Section<'_>) -> Option<How> {
    match key {
        "burst" => section.must("factor").map(|factor| How::Burst(factor.value)),
        "ramp" => {
            let over = section.maybe("over").map(|over| over.value);
            section.must("factor").map(|factor| How::Ramp { factor: factor.value, over })
        }
        "herd" => {
            let of = match section.value::<String>("of").value.as_str() {
                "reconnect" => Herd::Reconnect,
                "retry" => Herd::Retry,
                _ => Herd::Refresh,
            };
            Some(How::Herd { of, within: section.value("within").value })
        }
        "hot-key" => {
            Some(How::HotKey { share: section.value("share").value, key: section.value("key").value })
        }
        _ => Some(How::ColdCache),
    }
}

pub(super) fn write(fault: &Load, names: &dyn Spell) -> String {
    let time = |time: Duration| format!("\"{time}\"");
    let (key, options) = match fault.how {
        How::Burst(factor) => ("burst", format!(", factor = {factor}")),
        How::Ramp { factor, over } => {
            let over = over.map_or_else(String::new, |over| format!(", over = {}", time(over)));
            ("ramp", format!(", factor = {factor}{over}"))
        }
        How::Herd { of, within } => {
            let of = match of {
                Herd::Refresh => "refresh",
                Herd::Reconnect => "reconnect",
                Herd::Retry => "retry",
            };
            ("herd", format!(", of = \"{of}\", within = {}", time(within)))
        }
        How::HotKey { share, key } => {
            ("hot-key", format!(", share = \"{}\", key = {key}", units::show_ratio(share)))
        }
        How::ColdCache => ("cold-cache", String::new()),
    };
    format!("{{ {key} = {{ target = {}{options} }} }}", names.targets(&fault.targets))
}
