//! Expectations of what nothing in the scenario could ever show: they would be vacuous in every run.

use schism_models::oracle::Need;

use super::callee::LOCK;
use crate::diagnostics::{Problem, Report};
use crate::registry::Spec;
use crate::source::At;
use crate::spec::{AskSpec, ClientSpec, KeysSpec, Written};

/// Warns of each oracle that misses something.
pub(super) fn check(written: &Written, report: &Report) {
    let Some(At { value: registry, .. }) = &written.registry else { return };
    for At { value: ask, place } in written.expectations.iter().filter_map(|expected| expected.ask.as_ref()) {
        let AskSpec::Oracle { oracle, .. } = ask else { continue };
        let Some(need) = oracle.needs().iter().find(|need| !is_there(**need, registry, written)) else {
            continue;
        };
        let message = format!("`{}` has nothing to look at: {}", oracle.name(), need.missing());
        let help = format!("{}, or leave the expectation out", need.remedy());
        report.add(Problem::warning(*place, message).help(help));
    }
}

fn is_there(need: Need, registry: &Spec, written: &Written) -> bool {
    let any = |is: &dyn Fn(&ClientSpec) -> bool| written.clients.iter().any(is);
    match need {
        Need::Clients => !written.clients.is_empty(),
        Need::Callers => any(&|client| !calls_registry(client)),
        Need::SharedKeys => any(&|client| !calls_registry(client) && shares_keys(client)),
        Need::Registrations => !registry.is_fixed() && !written.services.is_empty(),
        Need::Leaders => registry.has_leader(),
        Need::Members => !matches!(registry, Spec::Static),
        Need::Locks => any(&contends),
        Need::GuardedWrites => any(&|client| contends(client) && client.lock.writes.is_some()),
        Need::Keys => any(&|client| calls_for_keys(client) && shares_keys(client)),
        Need::Revisions => registry.numbers_lists() || any(&calls_for_keys),
    }
}

fn calls_registry(client: &ClientSpec) -> bool {
    client.calls.as_ref().is_some_and(|calls| calls.value == "registry")
}

fn contends(client: &ClientSpec) -> bool {
    calls_registry(client) && client.operation.as_ref().is_some_and(|operation| operation.value == LOCK)
}

fn calls_for_keys(client: &ClientSpec) -> bool {
    calls_registry(client) && !contends(client)
}

fn shares_keys(client: &ClientSpec) -> bool {
    match client.keys {
        Some(KeysSpec::Uniform(_) | KeysSpec::Zipf { .. }) => true,
        Some(KeysSpec::Unique) | None => false,
    }
}
