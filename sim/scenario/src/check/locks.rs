//! How clients use locks: what guards what.

use schism_models::client::{Callee, Fencing, Locking, Writes};

use super::callee::LOCK;
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::source::At;
use crate::spec::{ClientSpec, Written};

/// How a client group uses locks, if it does; nothing, if there is something wrong with that.
pub(super) fn of(
    spec: &ClientSpec,
    calls: Option<Callee>,
    written: &Written,
    report: &Report,
) -> Option<Option<Locking>> {
    let wants_locks = spec.operation.as_ref().is_some_and(|at| at.value == LOCK);
    if let Some(place) = spec.lock.place
        && !wants_locks
    {
        let message = format!("`lock` is for clients of locks, and `{}` are none", spec.name.value);
        let help = "leave it out, or write calls = \"registry\" and operation = \"lock\"";
        report.add(Problem::error(place, message).help(help));
    }
    if calls != Some(Callee::Locks) {
        return Some(None);
    }
    let lock = &spec.lock;
    let registry = &written.registry.as_ref()?.value;
    let ttl = lock.ttl.or_else(|| registry.lock_ttl())?;
    let (least, most) = registry.lock_ttls();
    if ttl < least || ttl > most {
        let message = format!("{} takes no time to live of {ttl} for a lock", registry.name());
        let help = format!("write between \"{least}\" and \"{most}\"");
        report.add(Problem::error(lock.place.unwrap_or(spec.name.place), message).help(help));
    }
    let writes = match &lock.writes {
        None => None,
        Some(name) => Some(Writes {
            service: service(name, written, report)?,
            every: lock.every,
            fencing: lock.fencing,
        }),
    };
    if writes.is_none() && lock.fencing == Fencing::On {
        let message = "`fencing` is what a store does with writes, and there are none";
        let help = "write writes = \"NAME\", the service that the lock guards";
        report.add(Problem::error(lock.place.unwrap_or(spec.name.place), message).help(help));
    }
    Some(Some(Locking { ttl, hold: lock.hold.clone(), writes }))
}

/// The service whose instances a lock guards.
fn service(name: &At<String>, written: &Written, report: &Report) -> Option<usize> {
    let found = written.services.iter().position(|service| service.name.value == name.value);
    if found.is_none() {
        let names: Vec<&str> = written.services.iter().map(|service| service.name.value.as_str()).collect();
        let message = format!("there is no service `{}`", shorten(&name.value));
        report.add(Problem::error(name.place, message).maybe_help(suggest(&name.value, names)));
    }
    found
}
