//! `ip-reuse`: who dies, and what the process answers that gets the address.

use schism_models::nemesis::IpReuse;
use schism_models::plight::Answers;

use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Which instances die").required(),
    Key::word("answers", &["error", "success"], "What another process answers at their addresses")
        .or("\"error\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[(
    "instances die, and others get their addresses",
    r#"ip-reuse = { target = "orders:one", answers = "success" }"#,
)];

pub(super) fn read(body: &Body<'_>) -> Option<IpReuse<TargetSpec>> {
    let answers = match body.section.value::<String>("answers").value.as_str() {
        "success" => Answers::Success,
        _ => Answers::Error,
    };
    Some(IpReuse { targets: body.targets()?, answers })
}

pub(super) fn write(fault: &IpReuse, names: &dyn Spell) -> String {
    let answers = match fault.answers {
        Answers::Error => "error",
        Answers::Success => "success",
    };
    format!("{{ target = {}, answers = \"{answers}\" }}", names.targets(&fault.targets))
}
