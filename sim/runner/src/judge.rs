//! The judge: what became of each expectation, and why, in a sentence.

use schism_core::{Duration, NodeId, Time};
use schism_models::oracle::{Kind, Mood};
use schism_scenario::{Ask, Expectation, Scenario};

use crate::failure;
use crate::figures::secs;
use crate::ledger::{First, Ledger};
use crate::report::{self, Verdict};
use crate::words::Names;

mod metric;

pub(crate) use metric::of_requests;
#[cfg(test)]
mod tests;

/// What a metric is judged by.
#[derive(Clone, Copy)]
struct Case<'a> {
    ledger: &'a Ledger,
    scenario: &'a Scenario,
    end: Time,
    recovery: &'a report::Recovery,
}

/// What became of one expectation.
struct Finding {
    verdict: Verdict,
    at: Option<Time>,
    why: Option<String>,
    /// Whom it is about.
    on: Vec<NodeId>,
}

/// All expectations with what became of them, and of all together. A fault that touched nothing, though it may not
/// miss, comes after them as one that the run did not reach.
pub(crate) fn judge(
    ledger: &Ledger,
    scenario: &Scenario,
    end: Time,
    recovery: &report::Recovery,
) -> (Vec<report::Expectation>, Verdict) {
    let case = Case { ledger, scenario, end, recovery };
    let asked = scenario.expectations.iter().map(|Expectation { id, ask }| {
        let finding = match ask {
            Ask::Oracle { kind, mood, within } => oracle(ledger, scenario, end, *kind, *mood, *within),
            Ask::Metric { metric, during, at_least, at_most } => {
                case.bound(*metric, during, *at_least, *at_most)
            }
        };
        finding.of(id.clone(), &ledger.names)
    });
    let missed = ledger.faults.missed(scenario).map(|index| missed(ledger, scenario, index));
    let expect: Vec<report::Expectation> = asked.chain(missed).collect();
    let verdict = expect.iter().map(|expectation| expectation.verdict).max().unwrap_or(Verdict::Holds);
    (expect, verdict)
}

impl Finding {
    fn holds() -> Finding {
        Finding { verdict: Verdict::Holds, at: None, why: None, on: Vec::new() }
    }

    fn vacuous(why: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Vacuous, at: None, why: Some(why.into()), on: Vec::new() }
    }

    fn fails(at: Option<Time>, why: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Fails, at, why: Some(why.into()), on: Vec::new() }
    }

    fn of(self, id: String, names: &Names) -> report::Expectation {
        let Finding { verdict, at, why, on } = self;
        let signature = match verdict {
            Verdict::Fails => why.as_deref().map(failure::signature),
            Verdict::Holds | Verdict::Vacuous => None,
        };
        let on = on.into_iter().map(|node| names.one(node)).collect();
        report::Expectation { id, verdict, at_s: at.map(secs), why, on, signature }
    }
}

/// Whether the expectation fails however the run goes on.
pub(crate) fn has_failed(ledger: &Ledger, ask: &Ask) -> bool {
    match ask {
        Ask::Oracle { kind, mood: Mood::Always | Mood::Never, .. } => ledger.watch.first(*kind).is_some(),
        Ask::Oracle { mood: Mood::Sometimes | Mood::Eventually, .. } | Ask::Metric { .. } => false,
    }
}

fn missed(ledger: &Ledger, scenario: &Scenario, index: usize) -> report::Expectation {
    let planned = &scenario.faults[index];
    let id = &planned.id;
    let why = match ledger.faults.run(index) {
        Some(run) => {
            format!("fault {id} began at {} and touched nothing; may-miss = true allows that", run.from)
        }
        None if planned.lasts_no_time() => {
            format!("fault {id} lasts no time, and touches nothing; may-miss = true allows that")
        }
        None => format!("fault {id} did not begin within the run; may-miss = true allows that"),
    };
    Finding::vacuous(why).of(format!("{id} touches something"), &ledger.names)
}

fn oracle(
    ledger: &Ledger,
    scenario: &Scenario,
    end: Time,
    kind: Kind,
    mood: Mood,
    within: Duration,
) -> Finding {
    let first = ledger.watch.first(kind);
    match (mood, first) {
        (Mood::Always | Mood::Never, Some(First { at, seen })) => {
            Finding { on: seen.on.clone(), ..Finding::fails(Some(*at), seen.why.clone()) }
        }
        (Mood::Always | Mood::Never, None) => match untested(ledger, scenario, kind) {
            Some(why) => Finding::vacuous(why),
            None => Finding::holds(),
        },
        (Mood::Sometimes, Some(First { at, .. })) => Finding { at: Some(*at), ..Finding::holds() },
        (Mood::Sometimes, None) => Finding::vacuous(instead(ledger, kind)),
        (Mood::Eventually, _) => eventually(ledger, scenario, end, kind, within),
    }
}

/// Why it says nothing that an oracle saw nothing, if there was nothing to see.
fn untested(ledger: &Ledger, scenario: &Scenario, kind: Kind) -> Option<String> {
    let counts = &ledger.leases.counts;
    match kind {
        Kind::SingleLeader if scenario.registry.has_leader() && counts.leaders == 0 => {
            Some("no leader was ever elected".to_owned())
        }
        Kind::StaleRequest | Kind::MisroutedRequest if ledger.attempts() == 0 => {
            Some("no attempt was sent after the warm-up".to_owned())
        }
        Kind::NeverEmpty if !ledger.beliefs.client_heard => {
            Some("no client ever had an endpoint to call".to_owned())
        }
        Kind::SingleLeader
        | Kind::ViewsAgree
        | Kind::StaleRequest
        | Kind::MisroutedRequest
        | Kind::FalseEviction
        | Kind::LeaderChange
        | Kind::LeaseExpiry
        | Kind::NeverEmpty => None,
    }
}

/// What happened instead of something that was hoped for.
fn instead(ledger: &Ledger, kind: Kind) -> String {
    let attempts = ledger.attempts();
    let report::Registry { leases, leaders, .. } = &ledger.leases.counts;
    let report::LeaseCounts { granted, renewed, expired } = leases;
    match kind {
        Kind::SingleLeader => format!("no term had two leaders; {leaders} were elected"),
        Kind::ViewsAgree => "no two observers ever held lists that agreed while all did".to_owned(),
        Kind::StaleRequest => {
            format!("all {attempts} attempts went to instances that were registered and not dead")
        }
        Kind::MisroutedRequest => format!("all {attempts} attempts went to instances that could answer"),
        Kind::FalseEviction => format!("{expired} leases expired, none of an instance that was alive"),
        Kind::LeaderChange => match ledger.faults.first() {
            Some(first) => {
                format!("no leader was elected after the first fault at {first}; {leaders} were before")
            }
            None => format!("there was no fault; {leaders} leaders were elected"),
        },
        Kind::LeaseExpiry => {
            format!("{granted} leases were granted and {renewed} renewals answered; none expired")
        }
        Kind::NeverEmpty => "no client lost its last endpoint".to_owned(),
    }
}

/// What lasts must have begun by the time given, counted from the last heal, and have lasted to the end.
fn eventually(ledger: &Ledger, scenario: &Scenario, end: Time, kind: Kind, within: Duration) -> Finding {
    assert!(kind == Kind::ViewsAgree, "a scenario asks for `eventually` only of what lasts, not of {kind:?}");
    let (from, word) = match (ledger.faults.first(), ledger.faults.last_heal()) {
        (None, _) => (ledger.warmup(), "the warm-up"),
        (Some(_), Some(heal)) if ledger.faults.all_healed() => (heal, "the last heal"),
        (Some(_), _) => return Finding::vacuous(format!("{} never healed", unhealed(ledger, scenario))),
    };
    let due = from + within;
    match ledger.agreement.since() {
        Some(since) if since <= due => Finding { at: Some(since.max(from)), ..Finding::holds() },
        Some(since) => {
            let late = since.since(from);
            Finding::fails(Some(due), format!("the views agreed {late} after {word}; {within} was allowed"))
        }
        None if end < due => {
            let left = end.since(from);
            Finding::vacuous(format!(
                "the run ended {left} after {word}, before the {within} allowed; views differed"
            ))
        }
        None => Finding::fails(
            Some(due),
            format!("the views still differed at the end, {} after {word}", end.since(from)),
        ),
    }
}

fn unhealed(ledger: &Ledger, scenario: &Scenario) -> String {
    let open = |index: &usize| ledger.faults.run(*index).is_some_and(|run| run.to.is_none());
    let first = (0..scenario.faults.len()).find(open).expect("some fault is open");
    format!("fault {}", scenario.faults[first].id)
}
