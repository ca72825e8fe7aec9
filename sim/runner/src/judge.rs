//! The judge: what became of each expectation, and why, in a sentence.

use schism_core::{Duration, NodeId, Time};
use schism_models::oracle::{self, Mood, Standing};
use schism_scenario::{Ask, Expectation, Scenario};

use crate::failure;
use crate::figures::secs;
use crate::ledger::{First, Ledger};
use crate::report::{self, Verdict};
use crate::words::Names;

mod metric;

pub(crate) use metric::of_requests;
#[cfg(test)]
mod oracle_tests;
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
    /// By how much it held, if that is a figure.
    margin: Option<String>,
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
            Ask::Oracle { oracle, mood, within } => case.oracle(oracle, *mood, *within),
            Ask::Metric { metric, during, at_least, at_most } => {
                case.bound(*metric, during, *at_least, *at_most)
            }
            Ask::Slo { bounds, during } => case.slo(bounds, during),
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
        Finding { verdict: Verdict::Holds, at: None, why: None, on: Vec::new(), margin: None }
    }

    fn vacuous(why: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Vacuous, at: None, why: Some(why.into()), on: Vec::new(), margin: None }
    }

    fn fails(at: Option<Time>, why: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Fails, at, why: Some(why.into()), on: Vec::new(), margin: None }
    }

    fn of(self, id: String, names: &Names) -> report::Expectation {
        let Finding { verdict, at, why, on, margin } = self;
        let signature = match verdict {
            Verdict::Fails => why.as_deref().map(failure::signature),
            Verdict::Holds | Verdict::Vacuous => None,
        };
        let on = on.into_iter().map(|node| names.one(node)).collect();
        report::Expectation { id, verdict, at_s: at.map(secs), why, margin, on, signature }
    }
}

/// Whether the expectation fails however the run goes on.
pub(crate) fn has_failed(ledger: &Ledger, ask: &Ask) -> bool {
    match ask {
        Ask::Oracle { oracle, mood: Mood::Always | Mood::Never, .. } => ledger.watch.first(oracle).is_some(),
        Ask::Oracle { mood: Mood::Sometimes | Mood::Eventually | Mood::Breaks, .. } => false,
        Ask::Metric { .. } | Ask::Slo { .. } => false,
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

impl Case<'_> {
    fn oracle(self, config: &oracle::Config, mood: Mood, within: Duration) -> Finding {
        let (oracle, first) = (self.ledger.watch.oracle(config), self.ledger.watch.first(config));
        let told = self.ledger.told(self.scenario, self.end);
        match (mood, first) {
            (Mood::Always | Mood::Never, Some(First { at, seen })) => {
                Finding { on: seen.on.clone(), ..Finding::fails(Some(*at), seen.why.clone()) }
            }
            (Mood::Always | Mood::Never, None) => match oracle.untested(&told) {
                Some(why) => Finding::vacuous(why),
                None => Finding::holds(),
            },
            (Mood::Sometimes | Mood::Breaks, Some(First { at, .. })) => {
                Finding { at: Some(*at), ..Finding::holds() }
            }
            (Mood::Sometimes | Mood::Breaks, None) => Finding::vacuous(oracle.instead(&told)),
            (Mood::Eventually, _) => self.eventually(oracle.standing(&self.ledger.record), within),
        }
    }

    /// What lasts must have begun by the time given, counted from the last heal, and have lasted to the end.
    fn eventually(self, standing: Standing, within: Duration) -> Finding {
        let Case { ledger, end, .. } = self;
        let (from, word) = match (ledger.faults.first(), ledger.faults.last_heal()) {
            (None, _) => (ledger.warmup(), "the warm-up"),
            (Some(_), Some(heal)) if ledger.faults.all_healed() => (heal, "the last heal"),
            (Some(_), _) => {
                return Finding::vacuous(format!("{} never healed", unhealed(ledger, self.scenario)));
            }
        };
        let due = from + within;
        match standing {
            Standing::Holds { since, .. } if since <= due => {
                let margin = Some(due.since(since.max(from)).to_string());
                Finding { at: Some(since.max(from)), margin, ..Finding::holds() }
            }
            Standing::Holds { since, what } => {
                let late = since.since(from);
                Finding::fails(Some(due), format!("{what} {late} after {word}; {within} was allowed"))
            }
            Standing::Broken(seen) if end < due => {
                let (left, why) = (end.since(from), seen.why);
                Finding::vacuous(format!(
                    "the run ended {left} after {word}, before the {within} allowed; {why}"
                ))
            }
            Standing::Broken(seen) => {
                let why = format!("{} still at the end, {} after {word}", seen.why, end.since(from));
                Finding { on: seen.on, ..Finding::fails(Some(due), why) }
            }
        }
    }
}

fn unhealed(ledger: &Ledger, scenario: &Scenario) -> String {
    let open = |index: &usize| ledger.faults.run(*index).is_some_and(|run| run.to.is_none());
    let first = (0..scenario.faults.len()).find(open).expect("some fault is open");
    format!("fault {}", scenario.faults[first].id)
}
