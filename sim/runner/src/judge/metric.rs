//! Metrics: their values over a window, and whether they keep within a bound.

use schism_core::Time;
use schism_scenario::{Better, Metric, Node, Scenario, Window};

use super::{Case, Finding};
use crate::figures::{millis, share};
use crate::ledger::{Cell, peak_to_mean};
use crate::report::Verdict;

impl Case<'_> {
    /// Whether a metric keeps within its bounds. Without a value it says nothing.
    pub(super) fn bound(
        self,
        metric: Metric,
        during: &Window,
        at_least: Option<f64>,
        at_most: Option<f64>,
    ) -> Finding {
        let value = match self.value(metric, during) {
            Value::Is(value) => value,
            Value::Never => {
                let bound =
                    at_most.map(|most| format!("; at most {} is allowed", metric.show(most, DECIMALS)));
                return Finding::fails(
                    None,
                    format!("the views never came to agree{}", bound.unwrap_or_default()),
                );
            }
            Value::Unknown(why) => return Finding::vacuous(why),
        };
        let is = |limit: f64, word: &str| {
            let (name, part) = (metric.name(), during.words(self.scenario));
            // A miss by a hair is shown with as many decimals as it takes to see it.
            let shown = |decimals| (metric.show(value, decimals), metric.show(limit, decimals));
            let apart = (DECIMALS..12).map(shown).find(|(value, limit)| value != limit);
            let (value, limit) = apart.unwrap_or_else(|| shown(DECIMALS));
            Finding::fails(None, format!("{name} {part} was {value}; {word} {limit} is asked"))
        };
        match (at_least, at_most) {
            (Some(least), _) if value < least => is(least, "at least"),
            (_, Some(most)) if value > most => is(most, "at most"),
            (_, _) => {
                let rooms = [at_least, at_most].into_iter().flatten().map(|limit| (limit - value).abs());
                let margin = rooms.reduce(f64::min).map(|room| metric.show(room, DECIMALS));
                Finding { margin, ..Finding::holds() }
            }
        }
    }

    /// Whether all metrics keep within their bounds; of those that do not, the one that is furthest off is told.
    pub(super) fn slo(self, bounds: &[(Metric, f64)], during: &Window) -> Finding {
        let findings: Vec<(f64, Metric, Finding)> = bounds
            .iter()
            .map(|&(metric, bound)| {
                let (at_least, at_most) = match metric.better() {
                    Better::More => (Some(bound), None),
                    Better::Less => (None, Some(bound)),
                };
                (self.off(metric, bound, during), metric, self.bound(metric, during, at_least, at_most))
            })
            .collect();
        let failed = |(_, _, finding): &&(f64, Metric, Finding)| finding.verdict == Verdict::Fails;
        let names: Vec<&str> = findings.iter().filter(failed).map(|(_, metric, _)| metric.name()).collect();
        let worst = match names.len() {
            // What could not be measured is not kept.
            0 => findings.into_iter().max_by_key(|(_, _, finding)| finding.verdict),
            _ => {
                let mut failed = findings.into_iter().filter(|finding| failed(&finding));
                let first = failed.next();
                failed
                    .fold(first, |worst, next| worst.map(|worst| if next.0 > worst.0 { next } else { worst }))
            }
        };
        let (_, metric, finding) = worst.expect("a scenario asks for some objective");
        let others: Vec<&str> = names.iter().copied().filter(|name| *name != metric.name()).collect();
        match (others.is_empty(), finding.why.clone()) {
            (false, Some(why)) => {
                let others = others.join(", ");
                Finding { why: Some(format!("{why}; missed, too, by less: {others}")), ..finding }
            }
            // Of several objectives none has the one margin.
            (true, _) | (false, None) => Finding { margin: None, ..finding },
        }
    }

    /// How far a metric is off its objective, in parts of that: more than nothing if it misses it.
    fn off(self, metric: Metric, bound: f64, during: &Window) -> f64 {
        let value = match self.value(metric, during) {
            Value::Is(value) => value,
            Value::Never => return f64::INFINITY,
            Value::Unknown(_) => return 0.0,
        };
        match metric.better() {
            Better::More => (bound - value) / bound,
            Better::Less => (value - bound) / bound,
        }
    }

    /// Recovery is of the whole run, whatever the window; evictions are too if the window is all of it.
    fn value(self, metric: Metric, during: &Window) -> Value {
        let recovery = self.recovery;
        let or =
            |value: Option<f64>, why: &str| value.map_or_else(|| Value::Unknown(why.to_owned()), Value::Is);
        match metric {
            Metric::Detect => {
                or(recovery.detect_s, "after the first fault nobody came to believe that anything was gone")
            }
            Metric::Reroute => or(recovery.reroute_s, "no attempt went to an instance that could not answer"),
            Metric::Dip => or(recovery.dip, "no request was over that was offered after the first fault"),
            Metric::GhostWindow => or(recovery.ghost_window_s, "no instance died"),
            Metric::Converge if self.ledger.faults.last_heal().is_some() => {
                recovery.converge_s.map_or(Value::Never, Value::Is)
            }
            Metric::Converge => Value::Unknown("no fault healed".to_owned()),
            Metric::FalseEviction if *during == Window::All => Value::Is(recovery.false_evictions as f64),
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
            | Metric::FalseEviction => self.value_over(metric, during),
        }
    }

    fn value_over(self, metric: Metric, during: &Window) -> Value {
        let words = || during.words(self.scenario);
        let Some(span) = self.ledger.faults.span(during, self.ledger.warmup(), self.end) else {
            return Value::Unknown(format!("there was no time {}", words()));
        };
        let value = over(&self.ledger.requests.sum(span), span, self.scenario, metric);
        value.map_or_else(|| Value::Unknown(format!("{} {}", lack(metric), words())), Value::Is)
    }
}

/// What a metric came to.
enum Value {
    Is(f64),
    /// It is a time that never came.
    Never,
    /// There was nothing to measure, and why.
    Unknown(String),
}

/// A metric over a window, or `None` if there was nothing to measure.
fn over(cell: &Cell, span: (Time, Time), scenario: &Scenario, metric: Metric) -> Option<f64> {
    if metric != Metric::PeakToMean {
        return of_requests(cell, span, metric);
    }
    let attempts = |node: &Node| u64::from(cell.attempts_to.get(node.id.index()).copied().unwrap_or(0));
    let services = 0..scenario.services.len();
    services.filter_map(|service| peak_to_mean(scenario, service, attempts)).reduce(f64::max)
}

/// A metric that is made of counts of requests alone, or `None` if there was nothing to measure.
pub(crate) fn of_requests(
    Cell { tally, reads, false_evictions, .. }: &Cell,
    (from, to): (Time, Time),
    metric: Metric,
) -> Option<f64> {
    let count = |count: u64| (tally.offered > 0).then_some(count as f64);
    match metric {
        Metric::SuccessRate => {
            (tally.finished() > 0).then(|| tally.succeeded as f64 / tally.finished() as f64)
        }
        Metric::Goodput => Some(count(tally.succeeded)? / to.since(from).as_secs_f64()),
        Metric::LatencyQuantile(thousandths) => tally.latencies.quantile(thousandths).map(millis),
        Metric::LatencyMean => tally.latencies.mean().map(millis),
        Metric::StaleRequests => count(tally.stale),
        Metric::Misrouted => count(tally.misrouted),
        Metric::CrossZoneShare => share(tally.cross_zone, tally.attempts),
        Metric::AttemptsPerRequest => share(tally.attempts, tally.offered),
        Metric::RegistryReads => Some(*reads as f64),
        Metric::FalseEviction => Some(*false_evictions as f64),
        Metric::PeakToMean
        | Metric::Detect
        | Metric::Reroute
        | Metric::Converge
        | Metric::Dip
        | Metric::GhostWindow => None,
    }
}

/// What was lacking where a metric has no value.
fn lack(metric: Metric) -> &'static str {
    match metric {
        Metric::SuccessRate => "no request was over that was offered",
        Metric::LatencyQuantile(_) | Metric::LatencyMean => "no request succeeded that was offered",
        Metric::CrossZoneShare | Metric::PeakToMean => "no attempt was sent",
        Metric::Goodput
        | Metric::StaleRequests
        | Metric::Misrouted
        | Metric::AttemptsPerRequest
        | Metric::RegistryReads
        | Metric::Detect
        | Metric::Reroute
        | Metric::Converge
        | Metric::Dip
        | Metric::FalseEviction
        | Metric::GhostWindow => "no request was offered",
    }
}

/// How the judge speaks of a metric.
trait Spoken {
    /// A value of it, with its unit, to so many decimals at most.
    fn show(self, value: f64, decimals: usize) -> String;
}

impl Spoken for Metric {
    fn show(self, value: f64, decimals: usize) -> String {
        let figure = |value| figure(value, decimals);
        match self {
            Metric::SuccessRate | Metric::CrossZoneShare | Metric::Dip => {
                format!("{}%", figure(value * 100.0))
            }
            Metric::LatencyQuantile(_) | Metric::LatencyMean => format!("{}ms", figure(value)),
            Metric::Detect | Metric::Reroute | Metric::Converge | Metric::GhostWindow => {
                format!("{}s", figure(value))
            }
            Metric::Goodput => format!("{}/s", figure(value)),
            Metric::StaleRequests
            | Metric::Misrouted
            | Metric::PeakToMean
            | Metric::AttemptsPerRequest
            | Metric::RegistryReads
            | Metric::FalseEviction => figure(value),
        }
    }
}

/// How many decimals are shown, as a rule.
const DECIMALS: usize = 3;

/// A number to at most so many decimals.
fn figure(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How the judge speaks of a window.
trait Part {
    fn words(&self, scenario: &Scenario) -> String;
}

impl Part for Window {
    fn words(&self, scenario: &Scenario) -> String {
        match self {
            Window::All => "over the whole run".to_owned(),
            Window::Before => "before the first fault".to_owned(),
            Window::After => "after the last heal".to_owned(),
            Window::Fault(index) => format!("during {}", scenario.faults[*index].id),
            Window::Between(from, to) => format!("between {from} and {to}"),
        }
    }
}
