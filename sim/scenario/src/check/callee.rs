//! Whom clients call: a service, or the registry for its keys or its locks.

use schism_models::client::{Callee, Connections, Operation};

use super::cast;
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::source::At;
use crate::spec::{ClientSpec, Written};

/// The operation of clients that contend for locks.
pub(super) const LOCK: &str = "lock";

/// Whom a client group calls.
pub(super) fn of(spec: &ClientSpec, written: &Written, report: &Report) -> Option<Callee> {
    let calls = spec.calls.as_ref()?;
    if calls.value == "registry" {
        return registry_callee(spec, written, calls, report);
    }
    if let Some(operation) = &spec.operation {
        let message = format!(
            "`operation` is for clients of the registry, and `{}` calls `{}`",
            spec.name.value,
            shorten(&calls.value)
        );
        report.add(
            Problem::error(operation.place, message).help("leave it out, or write calls = \"registry\""),
        );
    }
    let found = written.services.iter().position(|service| service.name.value == calls.value);
    if found.is_none() {
        let names = || written.services.iter().map(|service| service.name.value.as_str()).chain(["registry"]);
        let message = format!("there is no service `{}`", shorten(&calls.value));
        report.add(
            Problem::error(calls.place, message)
                .maybe_help(suggest(&calls.value, names().collect::<Vec<_>>())),
        );
    }
    found.map(Callee::Service)
}

fn registry_callee(
    spec: &ClientSpec,
    written: &Written,
    calls: &At<String>,
    report: &Report,
) -> Option<Callee> {
    let wants_locks = spec.operation.as_ref().is_some_and(|at| at.value == LOCK);
    if let Some(name) = cast::cannot_be_called(written, wants_locks) {
        let message = match name {
            "static" => "`registry` is static: it has no member to call".to_owned(),
            name if wants_locks => format!("{name} has no locks"),
            name => format!("clients do not call {name} as a key-value store"),
        };
        report.add(
            Problem::error(calls.place, message)
                .help("call a service, or choose another registry, such as etcd"),
        );
        return None;
    }
    if let Some(At { value: Connections::Pooled(_), place }) = spec.connections {
        let message = "`connections` are those to instances, and these clients call the registry";
        report.add(Problem::error(place, message).help("leave it out: its clients always keep a connection"));
    }
    if wants_locks {
        return Some(Callee::Locks);
    }
    let operation = spec.operation.as_ref().map_or("get", |at| at.value.as_str());
    Some(Callee::Registry(match operation {
        "put" => Operation::Put,
        "get-serializable" => Operation::GetSerializable,
        _ => Operation::Get,
    }))
}
