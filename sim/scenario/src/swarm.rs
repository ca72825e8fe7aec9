//! `[swarm]`: which faults a seed may leave out, and which values it draws.

pub(crate) mod quantity;
mod vary;

use std::collections::BTreeSet;

use schism_core::{Seed, ratio};

pub(crate) use self::vary::Varied;
use crate::Metric;
use crate::check::{default_ids, expectation_ids};
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::limits;
use crate::reader::{Section, too_many};
use crate::source::At;
use crate::spec::{AskSpec, ExpectSpec, FaultSpec, StartSpec, WhenSpec, WindowSpec, Written};

/// What says which scenarios there are, or what they are called, and is no part of any of them.
const FIXED: [&str; 7] = ["title", "why", "source", "seed", "swarm", "chaos", "case"];

/// `[swarm]`, as written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Swarm {
    toggle: Vec<At<String>>,
    pub(crate) vary: Vec<Varied>,
}

/// Reads `[swarm]`. A path that the command line sets does not vary.
pub(crate) fn read(section: &Section<'_>, set: &[String]) -> Swarm {
    let report = section.report;
    let toggle: Option<At<Vec<At<String>>>> = section.maybe("toggle");
    let mut vary = Vec::new();
    if let Some(tree) = section.tree("vary") {
        match tree.as_table() {
            Some(table) if table.entries.len() as u64 > limits::VARIED.most => {
                report.add(too_many(tree.place, limits::VARIED, table.entries.len() as u64));
            }
            Some(table) => {
                let free = table.entries.iter().filter(|entry| !set.contains(&entry.key));
                vary.extend(free.filter_map(|entry| Varied::read(entry, report)));
            }
            None => {
                let message = format!("`swarm.vary` is a table of paths, not {}", tree.kind());
                let help = "write vary.\"fault.cut.for\" = [\"1s\", \"90s\"]";
                report.add(Problem::error(tree.place, message).help(help));
            }
        }
    }
    Swarm { toggle: toggle.map_or_else(Vec::new, |at| at.value), vary }
}

impl Swarm {
    /// Whether each id is that of a fault.
    pub(crate) fn check(&self, written: &Written, report: &Report) {
        let ids = default_ids(&written.faults);
        for id in self.toggle.iter().filter(|id| !ids.contains(&id.value)) {
            let message = format!("there is no fault `{}` to leave out", shorten(&id.value));
            let help = suggest(&id.value, ids.iter().map(String::as_str).collect::<Vec<_>>());
            let help =
                help.unwrap_or_else(|| "write [[fault]] with this id, or leave `toggle` out".to_owned());
            report.add(Problem::error(id.place, message).help(help));
        }
        for Varied { path, .. } in &self.vary {
            let top = path.value.split('.').next().unwrap_or_default();
            if FIXED.contains(&top.trim().trim_matches('"')) {
                let message = format!("`{top}` is the same for all seeds: it does not vary");
                let help = "vary what is simulated, such as \"fault.cut.for\" or \"clients.web.timeout\"";
                report.add(Problem::error(path.place, message).help(help));
            }
        }
    }

    /// Leaves out the faults that this seed turns off, half of them in the long run, each by its own luck; with them what
    /// waits for one of them, and what is measured during it. What is left keeps its name, and so its luck.
    pub(crate) fn leave_out(&self, written: &mut Written, seed: Seed) {
        let turned_off = |id: &&At<String>| seed.luck(&id.value, "swarm toggle", 0).chance(ratio(1, 2));
        let mut off: BTreeSet<String> =
            self.toggle.iter().filter(turned_off).map(|id| id.value.clone()).collect();
        if off.is_empty() {
            return;
        }
        let faults = name_faults(&mut written.faults);
        name_expectations(&mut written.expectations);
        loop {
            let before = written.faults.len() + written.expectations.len();
            let is_off = |id: &str, off: &BTreeSet<String>| off.contains(&owner(id, &faults));
            written.expectations.retain(|expectation| {
                let stays = during(expectation).is_none_or(|fault| !is_off(fault, &off));
                if let (false, Some(id)) = (stays, &expectation.id) {
                    off.insert(expected(&id.value));
                }
                stays
            });
            written.faults.retain(|fault| {
                let id = fault.id.as_ref().map(|id| id.value.clone()).unwrap_or_default();
                let gone = off.contains(&id)
                    || waits_for(fault).is_some_and(|(other, what)| match what {
                        "fails" => off.contains(&expected(other)),
                        _ => is_off(other, &off),
                    });
                if gone {
                    off.insert(id);
                }
                !gone
            });
            if written.faults.len() + written.expectations.len() == before {
                return;
            }
        }
    }
}

/// Leaves out what cannot be asked where nothing goes wrong: what is counted from a fault.
pub(crate) fn without_faults(written: &mut Written) {
    if !written.faults.is_empty() {
        return;
    }
    name_expectations(&mut written.expectations);
    written.expectations.retain(|expectation| !counts_from_a_fault(expectation));
}

fn counts_from_a_fault(expectation: &ExpectSpec) -> bool {
    match expectation.ask.as_ref().map(|ask| &ask.value) {
        Some(AskSpec::Metric { metric, during, .. }) => is_of_a_fault(*metric, during),
        Some(AskSpec::Slo { bounds, during }) => {
            bounds.iter().any(|(_, metric, _)| is_of_a_fault(*metric, during))
        }
        Some(AskSpec::Oracle { .. }) | None => false,
    }
}

fn is_of_a_fault(metric: Metric, during: &WindowSpec) -> bool {
    let by_metric = match metric {
        Metric::Detect | Metric::Reroute | Metric::Dip | Metric::Converge => true,
        Metric::SuccessRate
        | Metric::Goodput
        | Metric::LatencyQuantile(_)
        | Metric::LatencyMean
        | Metric::StaleRequests
        | Metric::Misrouted
        | Metric::CrossZoneShare
        | Metric::PeakToMean
        | Metric::AttemptsPerRequest
        | Metric::RegistryReads
        | Metric::FalseEviction
        | Metric::GhostWindow => false,
    };
    by_metric || matches!(during, WindowSpec::Before | WindowSpec::After)
}

/// Gives every fault the id that it has by default, so that it keeps it whoever else is left out.
fn name_faults(specs: &mut [FaultSpec]) -> Vec<String> {
    let ids = default_ids(specs);
    for (spec, id) in specs.iter_mut().zip(&ids) {
        let place = spec.place;
        spec.id.get_or_insert_with(|| At::new(id.clone(), place));
    }
    ids
}

/// The same of expectations.
fn name_expectations(specs: &mut [ExpectSpec]) {
    let ids = expectation_ids(specs, &Report::default());
    for (spec, id) in specs.iter_mut().zip(ids) {
        if let (None, Some(id), Some(ask)) = (&spec.id, id, &spec.ask) {
            spec.id = Some(At::new(id, ask.place));
        }
    }
}

/// The fault that an expectation is measured during.
fn during(expectation: &ExpectSpec) -> Option<&str> {
    match &expectation.ask.as_ref()?.value {
        AskSpec::Metric { during: WindowSpec::Fault(id), .. }
        | AskSpec::Slo { during: WindowSpec::Fault(id), .. } => Some(&id.value),
        AskSpec::Metric { .. } | AskSpec::Slo { .. } | AskSpec::Oracle { .. } => None,
    }
}

/// Whose turn a fault waits for, and which.
fn waits_for(fault: &FaultSpec) -> Option<(&str, &str)> {
    match &fault.start.as_ref()?.value {
        StartSpec::When(WhenSpec::Word(word), _) => word.rsplit_once('.'),
        StartSpec::When(WhenSpec::Crosses(_), _) | StartSpec::At(_) | StartSpec::Between(..) => None,
    }
}

/// The fault whose strike has this id: of `flap-2` that may be `flap`.
fn owner(id: &str, faults: &[String]) -> String {
    let is_fault = |id: &str| faults.iter().any(|fault| fault == id);
    match id.rsplit_once('-') {
        Some((stem, _)) if !is_fault(id) && is_fault(stem) => stem.to_owned(),
        Some(_) | None => id.to_owned(),
    }
}

/// How an expectation is told from a fault of the same id; ids have no dots.
fn expected(id: &str) -> String {
    format!("{id}.fails")
}
