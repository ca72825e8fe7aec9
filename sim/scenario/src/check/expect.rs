//! Expectations: windows that exist, and heals to count from.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Time};
use schism_models::nemesis::{End, Nature, Planned, Start};
use schism_models::oracle::Mood;

use super::fault::proper_id;
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::read::spelling;
use crate::source::{At, Place};
use crate::spec::{AskSpec, ExpectSpec, WindowSpec, Written};
use crate::{Ask, Expectation, Metric, Window};

/// What the expectations are checked against.
struct Run<'a> {
    faults: &'a [Option<Planned>],
    /// Whether they are all right; if not, what an expectation says of them is not judged.
    certain: bool,
    /// Where each fault was written.
    places: Vec<Place>,
    ids: BTreeMap<&'a str, usize>,
    length: Option<At<Duration>>,
    warmup: Duration,
    report: &'a Report,
}

pub(super) fn check(
    written: &Written,
    faults: &[Option<Planned>],
    certain: bool,
    length: Option<At<Duration>>,
    report: &Report,
) -> Vec<Expectation> {
    let places =
        written.faults.iter().map(|fault| fault.id.as_ref().map_or(fault.place, |id| id.place)).collect();
    let known =
        faults.iter().enumerate().filter_map(|(index, fault)| Some((fault.as_ref()?.id.as_str(), index)));
    let specs = &written.expectations;
    let run =
        Run { faults, certain, places, ids: known.collect(), length, warmup: written.warmup.value, report };
    let given = given_ids(specs, report);
    let mut taken = given;
    let mut expectations = Vec::new();
    for spec in specs {
        let Some(at) = &spec.ask else { continue };
        let Some(ask) = run.ask(at) else { continue };
        let id = match &spec.id {
            Some(id) => id.value.clone(),
            None => unused(default_id(&at.value), &mut taken),
        };
        expectations.push(Expectation { id, ask });
    }
    expectations
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
        AskSpec::Oracle { name, mood, .. } => format!("{}-{name}", spelling(*mood)),
        AskSpec::Metric { name, during, .. } => match during {
            WindowSpec::All => (*name).to_owned(),
            WindowSpec::Before => format!("{name}-before"),
            WindowSpec::After => format!("{name}-after"),
            WindowSpec::Fault(id) => format!("{name}-during-{}", id.value),
            WindowSpec::Between(from, to) => format!("{name}-{}-to-{}", from.value, to.value),
        },
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
            AskSpec::Oracle { kind, mood, within, .. } => {
                if *mood == Mood::Eventually {
                    self.eventually(at.place, *within)?;
                }
                let within = if *mood == Mood::Eventually { within.value } else { Duration::ZERO };
                Some(Ask::Oracle { kind: *kind, mood: *mood, within })
            }
            AskSpec::Metric { name, metric, during, at_least, at_most } => {
                self.metric(name, *metric, at.place)?;
                Some(Ask::Metric {
                    metric: *metric,
                    during: self.window(during, at.place)?,
                    at_least: at_least.map(|bound| bound.value),
                    at_most: at_most.map(|bound| bound.value),
                })
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
            "{} after the last heal at {healed} is {due}, after the end of the run at {}",
            within.value, length.value
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

    /// When the last fault has healed at the latest. Reports a fault that never does.
    fn last_heal(&self, place: Place, why: &str) -> Option<Duration> {
        let length = self.length.filter(|_| self.certain)?.value;
        let mut last = Duration::ZERO;
        for (fault, at) in self.faults.iter().zip(&self.places) {
            let fault = fault.as_ref()?;
            let heals = match fault.end {
                End::After(after) => latest(fault) + after,
                End::At(time) => time.since(Time::START),
                // A deploy without an end is over when it is done: when that is, the run shows.
                End::Never if fault.fault.ends_itself() => continue,
                End::Never => Duration::from_nanos(u64::MAX),
            };
            if heals > length {
                let how = if fault.end == End::Never {
                    "never heals".to_owned()
                } else {
                    format!("heals at {heals}, after the end")
                };
                let message = format!("{why}, and the fault `{}` {how}", shorten(&fault.id));
                let help = match fault.end {
                    End::Never => "give the fault a `for` or an `until`".to_owned(),
                    End::After(_) | End::At(_) => "let the fault heal earlier, or raise `length`".to_owned(),
                };
                self.report.add(Problem::error(place, message).related(*at, "this fault").help(help));
                return None;
            }
            last = last.max(heals);
        }
        Some(last)
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
        if self.faults.is_empty() && self.certain {
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
        if self.faults.is_empty() && self.certain {
            let message = format!("there is no fault that anything could be `{word}`");
            self.report.add(Problem::error(place, message).help("leave `during` out for the whole run"));
            return None;
        }
        Some(())
    }

    fn before(&self, place: Place) -> Option<Window> {
        self.some_fault("before", place)?;
        let first = self.faults.iter().map(|fault| fault.as_ref().map(earliest)).min()??;
        if first <= self.warmup {
            let message =
                format!("nothing is before the first fault at {first}: the warm-up lasts {}", self.warmup);
            self.report
                .add(Problem::error(place, message).help("shorten `warmup`, or let the fault begin later"));
            return None;
        }
        Some(Window::Before)
    }

    fn fault(&self, id: &At<String>) -> Option<Window> {
        let found = self.ids.get(id.value.as_str());
        // Where a fault could not be read its id is not known, and may be the one that is missed.
        if found.is_none() && self.certain {
            let names: Vec<&str> = self.ids.keys().copied().chain(["before", "after", "all"]).collect();
            let message = format!("there is no fault `{}`", shorten(&id.value));
            self.report.add(Problem::error(id.place, message).maybe_help(suggest(&id.value, names)));
        }
        found.copied().map(Window::Fault)
    }

    fn between(&self, from: At<Duration>, to: At<Duration>) -> Option<Window> {
        let length = self.length?;
        if from.value >= to.value {
            let message =
                format!("the window ends at {}, not after its beginning at {}", to.value, from.value);
            self.report.add(Problem::error(to.place, message).help("`to` is later than `from`"));
            return None;
        }
        if to.value > length.value {
            let message =
                format!("the window ends at {}, after the end of the run at {}", to.value, length.value);
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

fn earliest(fault: &Planned) -> Duration {
    match fault.start {
        Start::At(at) | Start::Between(at, _) => at.since(Time::START),
        Start::When(..) => Duration::ZERO,
    }
}

fn latest(fault: &Planned) -> Duration {
    match fault.start {
        Start::At(at) | Start::Between(_, at) => at.since(Time::START),
        Start::When(..) => Duration::ZERO,
    }
}
