//! `connection`: whose connections break, and how.

use schism_models::nemesis::{Answer, Connection, Failure};

use super::ways::{self, BETWEEN, TARGET};
use super::{Body, Spell};
use crate::grammar::{Key, Shape};
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::Table(KEYS);

/// The keys that say how connections break.
pub(crate) const FAILURES: &[&str] = &["reset", "half-open", "connect-hang"];

const KEYS: &[Key] = &[
    Key::new("reset", Shape::Table(ENDS), "Connections are torn down, once, and both ends learn of it"),
    Key::new("half-open", Shape::Table(ENDS), "Connections that are open carry nothing more; new ones work"),
    Key::new(
        "connect-hang",
        Shape::Table(HANG),
        "New connections do not come about; those that are open work",
    ),
];

const ENDS: &[Key] = &[BETWEEN, TARGET];

const HANG: &[Key] = &[
    BETWEEN,
    TARGET,
    Key::word(
        "mode",
        &["blackhole", "reject"],
        "What becomes of an attempt: nobody answers, or it is refused",
    )
    .or("\"blackhole\""),
];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "connections are torn down, once, and both ends learn of it",
        r#"connection = { reset = { between = ["orders", "registry"] } }"#,
    ),
    (
        "connections that are open carry nothing more; new ones work",
        r#"connection = { half-open = { between = ["orders", "registry"] } }"#,
    ),
    (
        "new connections do not come about",
        r#"connection = { connect-hang = { target = "registry", mode = "reject" } }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Connection<TargetSpec>> {
    let entry = body.section.only("how connections break", FAILURES)?;
    let section = body.section.child(&entry.key);
    let ends = ways::ends(&section);
    let failure = match entry.key.as_str() {
        "reset" => Failure::Reset,
        "half-open" => Failure::HalfOpen,
        _ if section.value::<String>("mode").value == "reject" => Failure::ConnectHang(Answer::Refusal),
        _ => Failure::ConnectHang(Answer::Silence),
    };
    Some(Connection { ends: ends?, failure })
}

pub(super) fn write(fault: &Connection, names: &dyn Spell) -> String {
    let (name, mode) = match fault.failure {
        Failure::Reset => ("reset", ""),
        Failure::HalfOpen => ("half-open", ""),
        Failure::ConnectHang(Answer::Silence) => ("connect-hang", ", mode = \"blackhole\""),
        Failure::ConnectHang(Answer::Refusal) => ("connect-hang", ", mode = \"reject\""),
    };
    format!("{{ {name} = {{ {}{mode} }} }}", ways::write_ends(&fault.ends, names))
}
