//! `[[expect]]`: an oracle with its mood, or a bound on a metric.

use schism_core::Duration;
use schism_models::oracle::{self, Mood};

use crate::Metric;
use crate::diagnostics::{Problem, listed, shorten, suggest};
use crate::grammar::{self, Least, Shape};
use crate::reader::{Field, Number, PerSecond, Read, Section, Share, choose};
use crate::source::{At, Place};
use crate::spec::{AskSpec, ExpectSpec, WindowSpec};
use crate::tree::{self, Entry, Tree};
use crate::{knobs, limits};

pub(super) fn read(section: &Section<'_>) -> ExpectSpec {
    let ask = section.only("what is expected", grammar::ASKS).and_then(|entry| {
        let ask = match entry.key.as_str() {
            "metric" => metric(section),
            "slo" => slo(section),
            "always" => oracle(section, "always", Mood::Always),
            "sometimes" => oracle(section, "sometimes", Mood::Sometimes),
            "never" => oracle(section, "never", Mood::Never),
            "breaks" => oracle(section, "breaks", Mood::Breaks),
            _ => oracle(section, "eventually", Mood::Eventually),
        };
        Some(At::new(ask?, entry.value.place))
    });
    ExpectSpec { id: section.maybe("id"), ask }
}

fn oracle(section: &Section<'_>, key: &str, mood: Mood) -> Option<AskSpec> {
    refuse(section, key, &["during", "at-least", "at-most"], "metric");
    if mood != Mood::Eventually {
        refuse(section, key, &["within"], "eventually");
    }
    let tree = section.tree(key)?;
    // What is no oracle may be a metric; the rest is said as of any strategy.
    let named = tree.as_text().filter(|text| Metric::CATALOG.iter().any(|(name, ..)| name == text));
    if let Some(name) = named.filter(|name| !oracle::CATALOG.iter().any(|entry| entry.name == *name)) {
        let message = format!("there is no oracle `{name}`");
        let help = format!("`{name}` is a metric: write metric = \"{name}\" with `at-least` or `at-most`");
        section.report.add(Problem::error(tree.place, message).help(help));
        return None;
    }
    let chosen = choose(&grammar::ORACLE, tree, section.report)?;
    let entry = oracle::CATALOG.iter().find(|entry| entry.name == chosen.name);
    let oracle::Entry { name, moods, .. } = entry.expect("an oracle comes from the catalog");
    if !moods.contains(&mood) {
        let message = format!("`{key}` makes no sense for `{name}`");
        let ways = moods.iter().map(|mood| format!("{} = \"{name}\"", spelling(*mood)));
        let help = format!("write {}", ways.collect::<Vec<_>>().join(" or "));
        section.report.add(Problem::error(chosen.place, message).help(help));
        return None;
    }
    let keys = knobs::of_oracle(name);
    let (read, check) = (oracle::Config::read, oracle::Config::check);
    let oracle = knobs::read(key, &chosen, keys, section.report, read, check)?;
    Some(AskSpec::Oracle { oracle, mood, within: within(section) })
}

/// The key of a mood.
pub(crate) fn spelling(mood: Mood) -> &'static str {
    match mood {
        Mood::Always => "always",
        Mood::Sometimes => "sometimes",
        Mood::Never => "never",
        Mood::Eventually => "eventually",
        Mood::Breaks => "breaks",
    }
}

fn within(section: &Section<'_>) -> At<Duration> {
    section.maybe("within").unwrap_or_else(|| {
        let tree = tree::parse_value(0, 0, grammar::WITHIN).expect("the defaults of the grammar are TOML");
        let field = Field { name: "within", shape: Shape::Duration(Least::Zero), report: section.report };
        let within = Duration::read(&field, &tree).expect("the defaults of the grammar can be read");
        At::new(within, section.place)
    })
}

/// Keys that belong to another kind of expectation.
fn refuse(section: &Section<'_>, kind: &str, keys: &[&str], belong: &str) {
    for entry in keys.iter().filter_map(|key| section.entry(key)) {
        let message = format!("`{}` belongs to `{belong}`, not to `{kind}`", entry.key);
        section.report.add(Problem::error(entry.place, message).help(format!("leave `{}` out", entry.key)));
    }
}

fn metric(section: &Section<'_>) -> Option<AskSpec> {
    refuse(section, "metric", &["within"], "eventually");
    let during = during(section);
    let (name, metric) = named(section)?;
    let (at_least, at_most) = bounds(section, "at-least", "at-most", name, metric)?;
    Some(AskSpec::Metric { name, metric, during: during?, at_least, at_most })
}

/// Metrics with their objectives, all over one part of the run.
fn slo(section: &Section<'_>) -> Option<AskSpec> {
    refuse(section, "slo", &["within"], "eventually");
    refuse(section, "slo", &["at-least", "at-most"], "metric");
    let during = during(section);
    let table = section.child("slo");
    let written = table.written();
    if written.is_empty() && !table.has_strangers() {
        let problem = Problem::error(table.place, "`slo` has no objective");
        section.report.add(problem.help("write a metric with its bound: slo = { success-rate = \"99%\" }"));
        return None;
    }
    let objective = |entry: &Entry| {
        let named = Metric::CATALOG.iter().find(|(name, ..)| *name == entry.key);
        let (name, _, metric) = *named.expect("the keys of an slo are the metrics");
        Some((name, metric, bound(&table, name, metric, &entry.value)?.value))
    };
    let bounds: Option<Vec<_>> = written.into_iter().map(objective).collect();
    Some(AskSpec::Slo { bounds: bounds?, during: during? })
}

/// The metric that is named, if it was written.
pub(super) fn named(section: &Section<'_>) -> Option<(&'static str, Metric)> {
    let given: At<String> = section.maybe("metric")?;
    let found = Metric::CATALOG.iter().find(|(name, ..)| *name == given.value);
    if found.is_none() {
        let message = format!("there is no metric `{}`", shorten(&given.value));
        let names = Metric::CATALOG.iter().map(|(name, ..)| *name);
        section.report.add(Problem::error(given.place, message).maybe_help(suggest(&given.value, names)));
    }
    found.map(|(name, _, metric)| (*name, *metric))
}

/// A metric that a fault cannot wait for.
pub(crate) fn not_live(place: Place, name: &str) -> Problem {
    let live = Metric::CATALOG.iter().filter(|(.., metric)| metric.is_live()).map(|(name, ..)| *name);
    Problem::error(place, format!("`{name}` is known only when the run is over: no fault can wait for it"))
        .maybe_help(listed(live).map(|names| format!("those that can be read on the way: {names}")))
}

/// The least and the most that is allowed of a metric, at these keys: at least one of the two.
pub(super) fn bounds(
    section: &Section<'_>,
    least: &str,
    most: &str,
    name: &str,
    metric: Metric,
) -> Option<(Option<f64>, Option<f64>)> {
    let bound = |key: &str| section.tree(key).map(|tree| bound(section, key, metric, tree));
    let (at_least, at_most) = (bound(least), bound(most));
    if at_least.is_none() && at_most.is_none() {
        let place = section.tree("metric").map_or(section.place, |tree| tree.place);
        let help = format!("write {least} = {0} or {most} = {0}", metric.example());
        section.report.add(Problem::error(place, format!("`{name}` has no bound")).help(help));
        return None;
    }
    let (at_least, at_most) =
        (at_least.map_or(Some(None), |b| b.map(Some))?, at_most.map_or(Some(None), |b| b.map(Some))?);
    if let (Some(low), Some(high)) = (&at_least, &at_most)
        && low.value > high.value
    {
        let problem = Problem::error(low.place.max(high.place), format!("`{least}` is more than `{most}`"));
        let other = low.place.min(high.place);
        section
            .report
            .add(problem.related(other, "the other bound").help("nothing can be both: swap or change them"));
        return None;
    }
    Some((at_least.map(|at| at.value), at_most.map(|at| at.value)))
}

/// A bound in the metric's unit.
fn bound(section: &Section<'_>, key: &str, metric: Metric, tree: &Tree) -> Option<At<f64>> {
    let shape = match metric.unit() {
        Unit::Count => Shape::Count(limits::BOUND),
        Unit::Share | Unit::PerSecond | Unit::Number | Unit::Seconds | Unit::Milliseconds => {
            Shape::Duration(Least::Zero)
        }
    };
    let field = Field { name: key, shape, report: section.report };
    let value = match metric.unit() {
        Unit::Share => Share::read(&field, tree)?.0,
        Unit::PerSecond => PerSecond::read(&field, tree)?.0,
        Unit::Count => u64::read(&field, tree)? as f64,
        Unit::Number => Number::read(&field, tree)?.0,
        Unit::Seconds => Duration::read(&field, tree)?.as_secs_f64(),
        Unit::Milliseconds => Duration::read(&field, tree)?.as_millis_f64(),
    };
    Some(At::new(value, tree.place))
}

/// The unit of a metric.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    /// Percent.
    Share,
    /// A rate.
    PerSecond,
    /// A whole number.
    Count,
    /// A quotient.
    Number,
    /// A time, reported in seconds.
    Seconds,
    /// A time, reported in milliseconds.
    Milliseconds,
}

impl Metric {
    /// What its values are counted in.
    pub(crate) fn unit(self) -> Unit {
        match self {
            Metric::SuccessRate | Metric::CrossZoneShare | Metric::Dip => Unit::Share,
            Metric::Goodput => Unit::PerSecond,
            Metric::LatencyQuantile(_) | Metric::LatencyMean => Unit::Milliseconds,
            Metric::StaleRequests | Metric::Misrouted | Metric::RegistryReads | Metric::FalseEviction => {
                Unit::Count
            }
            Metric::PeakToMean | Metric::AttemptsPerRequest => Unit::Number,
            Metric::Detect | Metric::Reroute | Metric::Converge | Metric::GhostWindow => Unit::Seconds,
        }
    }

    fn example(self) -> &'static str {
        match self.unit() {
            Unit::Share => "\"99%\"",
            Unit::PerSecond => "\"100/s\"",
            Unit::Count => "10",
            Unit::Number => "1.5",
            Unit::Seconds => "\"30s\"",
            Unit::Milliseconds => "\"50ms\"",
        }
    }
}

fn during(section: &Section<'_>) -> Option<WindowSpec> {
    let Some(tree) = section.tree("during") else { return Some(WindowSpec::All) };
    if tree.as_table().is_some() {
        let path = section.path_of("during");
        let table = Section::open(&path, tree.place, Some(tree), grammar::BETWEEN, section.report);
        let (from, to) = (table.must("from"), table.must("to"));
        return Some(WindowSpec::Between(from?, to?));
    }
    let Some(text) = tree.as_text() else {
        let message = format!("`during` is a part of the run, not {}", tree.kind());
        let help = "write a fault's id, \"before\", \"after\", \"all\", or { from = \"45s\", to = \"70s\" }";
        section.report.add(Problem::error(tree.place, message).help(help));
        return None;
    };
    Some(match text {
        "all" => WindowSpec::All,
        "before" => WindowSpec::Before,
        "after" => WindowSpec::After,
        id => WindowSpec::Fault(At::new(id.to_owned(), tree.place)),
    })
}
