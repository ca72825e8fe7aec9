//! The registry in a few lines: what it did, and why keys left it.

use std::collections::BTreeMap;

use schism_runner::report::{Lease, Locks, Registry, Report};

use super::style::{self, paint};
use super::text::{Look, hanging};
use super::words::{count, length, many};

/// The lines of the section; none if there was no registry to speak of.
pub(super) fn lines(report: &Report, look: Look) -> Vec<String> {
    if report.leases.is_empty() && report.registry == Registry::default() {
        return vec![];
    }
    let locks = report.locks.as_ref().map_or_else(String::new, held);
    let said = [did(&report.registry), removals(&report.leases), locks];
    let head = paint(style::HEAD, "registry");
    std::iter::once(head).chain(said.iter().flat_map(|line| hanging(line, 2, look))).collect()
}

fn did(registry: &Registry) -> String {
    let leases = &registry.leases;
    format!(
        "{}, {}, {}; leases: {} granted, {} renewed, {} expired",
        many(registry.leaders, "leader"),
        many(registry.writes, "write"),
        many(registry.reads, "read"),
        count(leases.granted),
        count(leases.renewed),
        count(leases.expired),
    )
}

fn held(locks: &Locks) -> String {
    let counts = format!(
        "locks: {} acquired, {} released, {} lost",
        count(locks.acquired),
        count(locks.released),
        count(locks.lost)
    );
    if locks.two_holders_s > 0.0 {
        let long = paint(style::ODD, format!("for {}", length(locks.two_holders_s)));
        return format!("{counts}; two believed that they hold the same one {long}");
    }
    format!("{counts}; never two holders at once")
}

/// Keys that left the registry, by cause; of each cause, how long after the last renewal the first and the last did.
fn removals(leases: &[Lease]) -> String {
    let mut causes: BTreeMap<&str, Vec<Option<f64>>> = BTreeMap::new();
    for lease in leases {
        if let (Some(cause), Some(removed)) = (lease.cause, lease.removed_s) {
            causes.entry(cause).or_default().push(lease.last_renewal_s.map(|renewed| removed - renewed));
        }
    }
    let all: usize = causes.values().map(Vec::len).sum();
    let of = |(cause, waits): (&&str, &Vec<Option<f64>>)| {
        format!("{} {cause}{}", count(waits.len() as u64), between(waits))
    };
    match all {
        0 => String::new(),
        all => format!(
            "{} left: {}",
            many(all as u64, "key"),
            causes.iter().map(of).collect::<Vec<String>>().join(", ")
        ),
    }
}

fn between(waits: &[Option<f64>]) -> String {
    let waits = || waits.iter().flatten().copied();
    match (waits().min_by(f64::total_cmp), waits().max_by(f64::total_cmp)) {
        // A key that was lost without its lease is renewed still.
        (Some(least), Some(_)) if least < 0.0 => " (while they were renewed)".to_owned(),
        (Some(least), Some(most)) => format!(" ({}..{} after the last renewal)", length(least), length(most)),
        (Some(_) | None, _) => String::new(),
    }
}
