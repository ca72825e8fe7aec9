//! What `-v` adds: a table for each client group, service, fault, lease and belief.

use schism_runner::report::{Belief, Client, Fault, Lease, Report, Service};

use super::style::{self, paint};
use super::table::{Cell, Side, Table};
use super::text::{Look, failures, hanging};
use super::words::{clean, count, latency, length, many, moment, share, span};

/// Lines of one table at most.
const LINES: usize = 300;

/// The sections, in the order in which they are shown.
pub(super) fn sections(report: &Report, look: Look) -> Vec<Vec<String>> {
    vec![
        section("clients", clients(report), report.clients.len(), look),
        errors(report),
        section("services", services(report), report.services.len(), look),
        section("instances", instances(report), all_instances(report).count(), look),
        faults(&report.faults, look),
        section("leases", leases(&report.leases), report.leases.len(), look),
        section("all beliefs", every_belief(&report.beliefs), report.beliefs.len(), look),
    ]
}

/// A table under its name; nothing, if it would be empty.
fn section(name: &str, table: Table, rows: usize, look: Look) -> Vec<String> {
    if rows == 0 {
        return vec![];
    }
    let mut lines = vec![paint(style::HEAD, name)];
    lines.extend(table.lines(look.width - 2).into_iter().map(|line| format!("  {line}")));
    if rows > LINES {
        let rest = format!("and {}; --format json has all", many((rows - LINES) as u64, "more line"));
        lines.push(format!("  {}", paint(style::FAINT, rest)));
    }
    lines
}

fn clients(report: &Report) -> Table {
    use Side::{Left, Right};
    let mut table = Table::new([
        ("group", Left),
        ("offered", Right),
        ("success", Right),
        ("attempts", Right),
        ("stale", Right),
        ("misrouted", Right),
        ("x-zone", Right),
        ("p50", Right),
        ("p99", Right),
        ("p99.9", Right),
        ("max", Right),
    ]);
    for (name, Client { requests, latency_ms }) in report.clients.iter().take(LINES) {
        table.row([
            Cell::new(name),
            Cell::new(count(requests.offered)),
            Cell::new(share(requests.succeeded, requests.offered - requests.unfinished)),
            Cell::new(count(requests.attempts)),
            Cell::new(count(requests.stale)),
            Cell::new(count(requests.misrouted)),
            Cell::new(share(requests.cross_zone, requests.attempts)),
            Cell::new(latency(latency_ms.p50)),
            Cell::new(latency(latency_ms.p99)),
            Cell::new(latency(latency_ms.p999)),
            Cell::new(latency(latency_ms.max)),
        ]);
    }
    table
}

/// Why requests failed, for each client group in which some did.
fn errors(report: &Report) -> Vec<String> {
    let failed = report.clients.iter().filter(|(_, client)| client.requests.failed > 0).take(LINES);
    let lines: Vec<String> =
        failed.map(|(name, client)| format!("  {}: {}", clean(name), failures(&client.requests))).collect();
    if lines.is_empty() { lines } else { [vec![paint(style::HEAD, "errors")], lines].concat() }
}

fn services(report: &Report) -> Table {
    let mut table =
        Table::new([("service", Side::Left), ("instances", Side::Right), ("peak to mean", Side::Right)]);
    for (name, Service { peak_to_mean, instances }) in report.services.iter().take(LINES) {
        table.row([name.into(), instances.len().to_string().into(), format!("{peak_to_mean:.2}").into()]);
    }
    table
}

fn all_instances(report: &Report) -> impl Iterator<Item = (&String, &serde_json::Value)> {
    report.services.values().flat_map(|service| service.instances.iter())
}

fn instances(report: &Report) -> Table {
    let mut table = Table::new([
        ("instance", Side::Left),
        ("attempts", Side::Right),
        ("slots busy", Side::Right),
        ("mean queue", Side::Right),
    ]);
    for (name, instance) in all_instances(report).take(LINES) {
        let mean = |field: &str| format!("{:.2}", instance[field].as_f64().unwrap_or_default());
        table.row([
            name.into(),
            count(instance["attempts"].as_u64().unwrap_or_default()).into(),
            mean("busy").into(),
            mean("queue_mean").into(),
        ]);
    }
    table
}

/// Each fault, what it was, and whom it struck.
pub(super) fn faults(faults: &[Fault], look: Look) -> Vec<String> {
    if faults.is_empty() {
        return vec![];
    }
    let mut lines = vec![paint(style::HEAD, "faults")];
    for fault in faults.iter().take(LINES) {
        let when = span(fault.from_s, fault.to_s);
        let head = format!("{} · {when} · {}", fault.id, fault.what);
        lines.extend(hanging(&head, 2, look));
        let touched = format!("touched {}", count(fault.touched));
        let between = if fault.islands.is_empty() { ", " } else { "  |  " };
        let on = if fault.on.is_empty() { touched } else { format!("{touched}; {}", fault.on.join(between)) };
        lines.extend(hanging(&on, 6, look));
        // The sides are the islands, unless something goes round the cut, or another cut lasts.
        let mut islands: Vec<&String> = fault.islands.iter().collect();
        islands.sort_unstable();
        let mut sides: Vec<&String> = fault.on.iter().collect();
        sides.sort_unstable();
        if islands != sides && islands.len() > 1 {
            let islands = format!("islands {}", fault.islands.join("  |  "));
            lines.extend(hanging(&islands, 6, look));
        }
    }
    lines
}

fn leases(leases: &[Lease]) -> Table {
    let mut table = Table::new([
        ("instance", Side::Left),
        ("registered", Side::Right),
        ("last renewal", Side::Right),
        ("removed", Side::Right),
        ("cause", Side::Left),
    ]);
    let at = |moment_s: Option<f64>| moment_s.map_or_else(|| "-".to_owned(), moment);
    for lease in leases.iter().take(LINES) {
        table.row([
            Cell::new(&lease.instance),
            Cell::new(moment(lease.registered_s)),
            Cell::new(at(lease.last_renewal_s)),
            Cell::new(at(lease.removed_s)),
            Cell::new(lease.cause.unwrap_or_default()),
        ]);
    }
    table
}

fn every_belief(beliefs: &[Belief]) -> Table {
    let mut table = Table::new([
        ("who", Side::Left),
        ("held", Side::Left),
        ("to be", Side::Left),
        ("from", Side::Right),
        ("until", Side::Right),
        ("for", Side::Right),
        ("", Side::Left),
    ]);
    for belief in beliefs.iter().take(LINES) {
        table.row([
            Cell::new(&belief.observer),
            Cell::new(&belief.subject),
            Cell::new(belief.believes),
            Cell::new(moment(belief.from_s)),
            Cell::new(belief.to_s.map_or_else(|| "the end".to_owned(), moment)),
            Cell::new(belief.to_s.map_or_else(String::new, |to| length(to - belief.from_s))),
            if belief.is_true {
                Cell::styled("true", style::GOOD)
            } else {
                Cell::styled("wrong", style::ODD)
            },
        ]);
    }
    table
}
