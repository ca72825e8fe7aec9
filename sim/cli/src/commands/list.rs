//! `schism list`: what a scenario can be made of, from the catalogs of the models.

use schism_models::failpoint::Point;
use schism_models::oracle::{self, Mood};
use schism_models::{balancer, cache, locality, registry};
use schism_scenario::Metric;
use serde_json::{Map, Value, json};

use crate::args::{Catalog, Format, List};
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::render::style::{self, paint};
use crate::render::table::{Cell, Side, Table};
use crate::render::words;

/// One name of a catalog.
struct Entry {
    name: &'static str,
    about: &'static str,
    /// How it is written, where the name alone does not say.
    written: Option<String>,
}

/// One catalog with its names, and where in a scenario they stand.
struct Section {
    name: &'static str,
    place: &'static str,
    entries: Vec<Entry>,
}

pub(crate) fn execute(list: &List, console: &mut Console) -> Result<Ending, Trouble> {
    let sections = sections(list.catalog);
    let text = match list.answer.format {
        Format::Text => text(&sections, console.width(), console.room()),
        Format::Json => pretty(&json(&sections)),
    };
    console.deliver(&text, &list.answer.destination)?;
    Ok(Ending::Holds)
}

fn sections(catalog: Catalog) -> Vec<Section> {
    match catalog {
        Catalog::Balancers => vec![balancers()],
        Catalog::Localities => vec![localities()],
        Catalog::Caches => vec![caches()],
        Catalog::Registries => vec![registries()],
        Catalog::Faults => vec![faults()],
        Catalog::Oracles => vec![oracles()],
        Catalog::Metrics => vec![metrics()],
        Catalog::Failpoints => vec![failpoints()],
        Catalog::Distributions => vec![distributions()],
        Catalog::All => {
            vec![
                registries(),
                balancers(),
                localities(),
                caches(),
                faults(),
                failpoints(),
                oracles(),
                metrics(),
                distributions(),
            ]
        }
    }
}

fn balancers() -> Section {
    let entries = balancer::CATALOG.iter().map(|entry| bare(entry.name, entry.about)).collect();
    Section { name: "balancers", place: "clients.NAME.balancer", entries }
}

fn localities() -> Section {
    let entries = locality::CATALOG.iter().map(|entry| bare(entry.name, entry.about)).collect();
    Section { name: "localities", place: "clients.NAME.locality", entries }
}

fn caches() -> Section {
    let entries = cache::CATALOG.iter().map(|entry| bare(entry.0, entry.1)).collect();
    Section { name: "caches", place: "clients.NAME.cache", entries }
}

fn registries() -> Section {
    let entries = registry::CATALOG.iter().map(|entry| bare(entry.0, entry.1)).collect();
    Section { name: "registries", place: "registry.NAME", entries }
}

/// Each with its options as they are by default, where it has any.
fn oracles() -> Section {
    let entry = |of: &oracle::Entry| {
        let moods: Vec<&str> = of.moods.iter().copied().map(mood).collect();
        let written = format!("{} = {}", moods.join(" | "), schism_scenario::oracle_by_default(of));
        Entry { name: of.name, about: of.about, written: Some(written) }
    };
    let entries = oracle::CATALOG.iter().map(entry).collect();
    Section { name: "oracles", place: "[[expect]]", entries }
}

fn metrics() -> Section {
    let entries = Metric::CATALOG.iter().map(|entry| bare(entry.0, entry.1)).collect();
    Section { name: "metrics", place: "metric in [[expect]]", entries }
}

fn faults() -> Section {
    Section {
        name: "faults",
        place: "[[fault]]",
        entries: schism_scenario::faults().map(|fault| Entry::from(&fault)).collect(),
    }
}

fn failpoints() -> Section {
    let entries = Point::CATALOG.iter().map(|entry| bare(entry.0, entry.1)).collect();
    Section { name: "failpoints", place: "failpoint.point in [[fault]]", entries }
}

fn distributions() -> Section {
    let entries = DISTRIBUTIONS.iter().map(Entry::from).collect();
    Section { name: "distributions", place: "wherever things take time", entries }
}

fn bare(name: &'static str, about: &'static str) -> Entry {
    Entry { name, about, written: None }
}

fn mood(mood: Mood) -> &'static str {
    match mood {
        Mood::Always => "always",
        Mood::Sometimes => "sometimes",
        Mood::Never => "never",
        Mood::Eventually => "eventually",
        Mood::Breaks => "breaks",
    }
}

/// A name, what it means, and how it is written.
type Spelt = (&'static str, &'static str, &'static str);

impl From<&Spelt> for Entry {
    fn from((name, about, written): &Spelt) -> Entry {
        Entry { name, about, written: Some((*written).to_owned()) }
    }
}

/// The distributions; a test loads each as it is written here.
const DISTRIBUTIONS: &[Spelt] = &[
    ("constant", "always the same time", r#""5ms""#),
    ("uniform", "any time between two", r#"{ uniform = { from = "1ms", to = "9ms" } }"#),
    ("exponential", "memoryless, by its mean", r#"{ exponential = "5ms" }"#),
    ("normal", "the bell, cut at zero", r#"{ normal = { mean = "5ms", sd = "1ms" } }"#),
    ("lognormal", "long-tailed, by two percentiles", r#"{ lognormal = { p50 = "4ms", p99 = "40ms" } }"#),
    ("lognormal", "the same, by its moments", r#"{ lognormal = { mean = "6ms", sd = "8ms" } }"#),
    ("pareto", "heavy-tailed", r#"{ pareto = { scale = "2ms", shape = 1.5, cap = "1s" } }"#),
    ("empirical", "drawn from observed times", r#"{ empirical = ["3ms", "4ms", "4ms", "55ms"] }"#),
];

/// Prose is wrapped to the width; what can be copied is cut only where there is no room for it.
fn text(sections: &[Section], width: usize, room: usize) -> String {
    let sections: Vec<String> = sections.iter().map(|section| section_text(section, width, room)).collect();
    sections.join("\n")
}

fn section_text(section: &Section, width: usize, room: usize) -> String {
    let head = format!("{}  {}", paint(style::HEAD, section.name), paint(style::FAINT, section.place));
    let mut table = Table::new([("", Side::Left), ("", Side::Left)]);
    let longest = section.entries.iter().map(|entry| words::width(entry.name)).max().unwrap_or(0);
    let prose = width.saturating_sub(2 + longest + 2);
    for entry in &section.entries {
        let mut about = words::wrap(entry.about, prose).into_iter();
        table.row([Cell::styled(entry.name, style::NAME), Cell::new(about.next().unwrap_or_default())]);
        about.for_each(|line| table.row([Cell::new(""), Cell::new(line)]));
        if let Some(written) = &entry.written {
            table.row([Cell::new(""), Cell::styled(words::clean(written), style::FAINT)]);
        }
    }
    let lines = table.lines(room - 2).into_iter().map(|line| format!("  {line}\n"));
    format!("{head}\n{}", lines.collect::<String>())
}

fn json(sections: &[Section]) -> Value {
    let entry = |entry: &Entry| match &entry.written {
        Some(written) => json!({ "name": entry.name, "about": entry.about, "toml": written }),
        None => json!({ "name": entry.name, "about": entry.about }),
    };
    let sections: Map<String, Value> = sections
        .iter()
        .map(|section| (section.name.to_owned(), section.entries.iter().map(entry).collect()))
        .collect();
    Value::Object(sections)
}
