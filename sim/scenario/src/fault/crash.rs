//! `crash`: who dies and how, and when they start anew.

use schism_core::{Death, Farewell, Toll};
use schism_models::nemesis::Crash;

use super::{Body, Spell};
use crate::grammar::{Key, Least, Shape};
use crate::source::At;
use crate::target::TargetSpec;

pub(super) const SHAPE: Shape = Shape::TargetsOr(KEYS);

const KEYS: &[Key] = &[
    Key::new("target", Shape::Targets, "Who dies").required(),
    Key::new("restart-after", Shape::Duration(Least::Zero), "Another spelling of the fault's `for`"),
    Key::word("disk", DISKS, "What is left on the disk: all, what was synced, or nothing").or("\"keep\""),
    Key::word(
        "host",
        HOSTS,
        "Whether the host lives and resets connections, or falls silent; by default it dies if the disk loses anything",
    ),
];

const DISKS: &[&str] = &["keep", "lose-unsynced", "lose-all"];

const HOSTS: &[&str] = &["stays", "dies"];

pub(super) const EXAMPLES: &[(&str, &str)] = &[
    (
        "processes die: all that is not on disk is lost, and peers see a reset",
        r#"crash = { target = "registry:leader", restart-after = "8s" }"#,
    ),
    (
        "hosts lose power: nobody answers for them, and what was not synced is gone",
        r#"crash = { target = "registry:one", disk = "lose-unsynced" }"#,
    ),
];

pub(super) fn read(body: &Body<'_>) -> Option<Crash<TargetSpec>> {
    let disk: At<String> = body.section.value("disk");
    let disk = match disk.value.as_str() {
        "lose-unsynced" => Toll::Unsynced,
        "lose-all" => Toll::Everything,
        _ => Toll::Nothing,
    };
    let host = body.section.maybe::<String>("host").map(|at| at.value);
    let farewell = match (host.as_deref(), disk) {
        (Some("dies"), _) | (None, Toll::Unsynced | Toll::Everything) => Farewell::Silence,
        (Some(_), _) | (None, Toll::Nothing) => Farewell::Reset,
    };
    Some(Crash { targets: body.targets()?, death: Death { farewell, disk } })
}

pub(super) fn write(fault: &Crash, names: &dyn Spell) -> String {
    let disk = match fault.death.disk {
        Toll::Nothing => "keep",
        Toll::Unsynced => "lose-unsynced",
        Toll::Everything => "lose-all",
    };
    let host = match fault.death.farewell {
        Farewell::Reset => "stays",
        Farewell::Silence => "dies",
    };
    format!("{{ target = {}, disk = \"{disk}\", host = \"{host}\" }}", names.targets(&fault.targets))
}
