//! Expectations: windows that exist, and heals to count from.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Time};
use schism_models::nemesis::Planned;
use schism_models::oracle::Mood;

use super::fault::{Faults, proper_id};
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::read::spelling;
use crate::source::{At, Place};
use crate::spec::{AskSpec, ExpectSpec, WindowSpec, Written};
use crate::units::said;
use crate::{Ask, Expectation, Metric, Window};

/// What the expectations are checked against.
struct Run<'a> {
    faults: &'a Faults,
    ids: BTreeMap<&'a str, usize>,
    length: Option<At<Duration>>,
    warmup: Duration,
    report: &'a Report,
}

pub(super) fn check(
    written: &Written,
    ids: Vec<Option<String>>,
    faults: &Faults,
    length: Option<At<Duration>>,
    report: &Report,
) -> Vec<Expectation> {
    let known = faults.planned.iter().enumerate();
    let known = known.filter_map(|(index, fault)| Some((fault.as_ref()?.id.as_str(), index)));
    let run = Run { faults, ids: known.collect(), length, warmup: written.warmup.value, report };
    let asked = written.expectations.iter().zip(ids);
    asked.filter_map(|(spec, id)| Some(Expectation { id: id?, ask: run.ask(spec.ask.as_ref()?)? })).collect()
}

/// The id of each expectation: as given, or made from what it asks; `None` where that could not be read.
pub(crate) fn ids(specs: &[ExpectSpec], report: &Report) -> Vec<Option<String>> {
    let mut taken = given_ids(specs, report);
    let mut id = |spec: &ExpectSpec| match (&spec.id, &spec.ask) {
        (Some(id), _) => Some(id.value.clone()),
        (None, Some(ask)) => Some(unused(default_id(&ask.value), &mut taken)),
        (None, None) => None,
    };
    specs.iter().map(&mut id).collect()
}

fn given_ids(specs: &[ExpectSpec], report: &Report) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    for id in specs.iter().filter_map(|spec| spec.id.as_ref()) {
        proper_id(&id.value, id.place, &[], report);
        if let Some(first) = seen.insert(id.value.clone(), id.place) {
            let message = format!("two expectations have the id `{}`", shorten(&id.value));
            report.add(
                Problem::error(id.place, message)
                    .related(first, "the first is here")
                    .help("give each its own"),
            );
        }
    }
    seen.into_keys().collect()
}

/// `always-single-leader`, `success-rate-during-cut`.
fn default_id(ask: &AskSpec) -> String {
    match ask {
        AskSpec::Oracle { oracle, mood, .. } => format!("{}-{}", spelling(*mood), oracle.name()),
        AskSpec::Metric { name, during, .. } => during_id(name, during),
        AskSpec::Slo { during, .. } => during_id("slo", during),
    }
}

fn during_id(name: &str, during: &WindowSpec) -> String {
    match during {
        WindowSpec::All => name.to_owned(),
        WindowSpec::Before => format!("{name}-before"),
        WindowSpec::After => format!("{name}-after"),
        WindowSpec::Fault(id) => format!("{name}-during-{}", id.value),
        WindowSpec::Between(from, to) => format!("{name}-{}-to-{}", from.value, to.value),
    }
}

fn unused(id: String, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|number| format!("{id}-{number}"));
    let free = std::iter::once(id.clone()).chain(numbered).find(|id| !taken.contains(id));
    let id = free.expect("numbers do not run out");
    taken.insert(id.clone());
    id
}

impl Run<'_> {
    fn ask(&self, at: &At<AskSpec>) -> Option<Ask> {
        match &at.value {
            AskSpec::Oracle { oracle, mood, within } => {
                if *mood == Mood::Eventually {
                    self.eventually(at.place, *within)?;
                }
                let within = if *mood == Mood::Eventually { within.value } else { Duration::ZERO };
                Some(Ask::Oracle { oracle: oracle.clone(), mood: *mood, within })
            }
            AskSpec::Metric { name, metric, during, at_least, at_most } => {
                self.metric(name, *metric, at.place)?;
                Some(Ask::Metric {
                    metric: *metric,
                    during: self.window(during, at.place)?,
                    at_least: *at_least,
                    at_most: *at_most,
                })
            }
            AskSpec::Slo { bounds, during } => {
                for (name, metric, _) in bounds {
                    self.metric(name, *metric, at.place)?;
                }
                let bounds = bounds.iter().map(|(_, metric, bound)| (*metric, *bound)).collect();
                Some(Ask::Slo { bounds, during: self.window(during, at.place)? })
            }
        }
    }

    /// The last heal, and `within` after it, are part of the run.
    fn eventually(&self, place: Place, within: At<Duration>) -> Option<()> {
        let healed = self.last_heal(place, "`eventually` counts from the last heal")?;
        let length = self.length?;
        let due = healed + within.value;
        if due <= length.value {
            return Some(());
        }
        let message = format!(
            "{} after the last heal at {} is {}, after the end of the run at {}",
            said(within.value),
            said(healed),
            said(due),
            said(length.value)
        );
        let place = if within.place.source == place.source && within.place.start >= place.start {
            within.place
        } else {
            place
        };
        let spare = length.value.saturating_sub(healed);
        let less = if spare > Duration::ZERO { format!(", or within = \"{spare}\"") } else { String::new() };
        self.report.add(
            Problem::error(place, message)
                .related(length.place, "the length")
                .help(format!("write length = \"{due}\"{less}")),
        );
        None
    }

    /// When the last fault has healed at the latest, of those of which that is certain before the run. Reports a fault
    /// that never does.
    fn last_heal(&self, place: Place, why: &str) -> Option<Duration> {
        let length = self.length.filter(|_| self.faults.certain)?.value;
        let mut last = Duration::ZERO;
        let each = self.faults.planned.iter().zip(&self.faults.bounds).zip(&self.faults.places);
        for ((fault, bounds), at) in each {
            let (fault, heals) = (fault.as_ref()?, bounds.as_ref()?.heals);
            let heals = heals.latest.unwrap_or(heals.earliest).since(Time::START);
            if heals > length {
                self.unhealed(fault, heals, *at, (place, why));
                return None;
            }
            last = last.max(heals);
        }
        Some(last)
    }

    fn unhealed(&self, fault: &Planned, heals: Duration, at: Place, (place, why): (Place, &str)) {
        let (how, help) = if fault.is_lasting() {
            ("never heals".to_owned(), "give the fault a `for` or an `until`")
        } else {
            (
                format!("heals at {}, after the end", said(heals)),
                "let the fault heal earlier, or raise `length`",
            )
        };
        let message = format!("{why}, and the fault `{}` {how}", shorten(&fault.id));
        self.report.add(Problem::error(place, message).related(at, "this fault").help(help));
    }

    /// Metrics that count from a fault need one.
    fn metric(&self, name: &str, metric: Metric, place: Place) -> Option<()> {
        let counts_from = match metric {
            Metric::Detect | Metric::Reroute | Metric::Dip => "the first fault",
            Metric::Converge => "the last heal",
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
            | Metric::GhostWindow => return Some(()),
        };
        if self.faults.planned.is_empty() && self.faults.certain {
            let message = format!("`{name}` counts from {counts_from}, and there is no fault");
            self.report.add(Problem::error(place, message).help("add a [[fault]], or bound another metric"));
            return None;
        }
        if metric == Metric::Converge {
            self.last_heal(place, "`converge` counts from the last heal")?;
        }
        Some(())
    }

    fn window(&self, spec: &WindowSpec, place: Place) -> Option<Window> {
        match spec {
            WindowSpec::All => Some(Window::All),
            WindowSpec::Before => self.before(place),
            WindowSpec::After => {
                self.some_fault("after", place)?;
                let healed = self.last_heal(place, "`after` begins at the last heal")?;
                let length = self.length?.value;
                if healed >= length {
                    let message =
                        format!("nothing is after the last heal at {healed}: the run ends at {length}");
                    self.report.add(Problem::error(place, message).help("raise `length`"));
                    return None;
                }
                Some(Window::After)
            }
            WindowSpec::Fault(id) => self.fault(id),
            WindowSpec::Between(from, to) => self.between(*from, *to),
        }
    }

    fn some_fault(&self, word: &str, place: Place) -> Option<()> {
        if self.faults.planned.is_empty() && self.faults.certain {
            let message = format!("there is no fault that anything could be `{word}`");
            self.report.add(Problem::error(place, message).help("leave `during` out for the whole run"));
            return None;
        }
        Some(())
    }

    fn before(&self, place: Place) -> Option<Window> {
        self.some_fault("before", place)?;
        // One that waits for something that nobody can foresee may leave time before it.
        let begins = self.faults.bounds.iter().flatten().map(|bounds| bounds.begins);
        let first = begins.filter(|begins| begins.latest.is_some()).map(|begins| begins.earliest).min();
        let first = first.unwrap_or(Time::END).since(Time::START);
        if first <= self.warmup {
            let message = format!(
                "nothing is before the first fault at {}: the warm-up lasts {}",
                said(first),
                said(self.warmup)
            );
            self.report
                .add(Problem::error(place, message).help("shorten `warmup`, or let the fault begin later"));
            return None;
        }
        Some(Window::Before)
    }

    fn fault(&self, id: &At<String>) -> Option<Window> {
        let found = self.ids.get(id.value.as_str());
        // Where a fault could not be read its id is not known, and may be the one that is missed.
        if found.is_none() && self.faults.certain {
            let names: Vec<&str> = self.ids.keys().copied().chain(["before", "after", "all"]).collect();
            let message = format!("there is no fault `{}`", shorten(&id.value));
            self.report.add(Problem::error(id.place, message).maybe_help(suggest(&id.value, names)));
        }
        found.copied().map(Window::Fault)
    }

    fn between(&self, from: At<Duration>, to: At<Duration>) -> Option<Window> {
        let length = self.length?;
        if from.value >= to.value {
            let message = format!(
                "the window ends at {}, not after its beginning at {}",
                said(to.value),
                said(from.value)
            );
            self.report.add(Problem::error(to.place, message).help("`to` is later than `from`"));
            return None;
        }
        if to.value > length.value {
            let message = format!(
                "the window ends at {}, after the end of the run at {}",
                said(to.value),
                said(length.value)
            );
            self.report.add(
                Problem::error(to.place, message)
                    .related(length.place, "the length")
                    .help("end it earlier, or raise `length`"),
            );
            return None;
        }
        if to.value <= self.warmup {
            let message = format!("the window ends at {}, within the warm-up of {}", to.value, self.warmup);
            self.report.add(
                Problem::error(to.place, message).help("the metrics leave the warm-up out: end it later"),
            );
            return None;
        }
        Some(Window::Between(Time::START + from.value, Time::START + to.value))
    }
}
