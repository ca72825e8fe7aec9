//! The scenario language: TOML as written, then as meant, with errors that show the place and the remedy.
//!
//! ```
//! let text = r#"
//!     title    = "Hello"
//!     length   = "10s"
//!     registry = "static"
//!     [services.orders]
//!     instances = 3
//!     service   = { exponential = "5ms" }
//! "#;
//! let loaded = schism_scenario::load("hello.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"));
//! assert_eq!(loaded.scenario.services[0].nodes.len(), 3);
//!
//! let error = schism_scenario::load("hello.toml", text.replace("10s", "10"), &[]).unwrap_err();
//! assert!(error.to_string().contains("hello.toml:3:16: `length`: a duration needs a unit"));
//! ```

mod case;
mod chaos;
mod check;
mod diagnostics;
mod dials;
mod document;
mod family;
mod fault;
mod fit;
mod grammar;
mod json;
mod knobs;
pub mod limits;
mod overrides;
pub mod pick;
mod read;
mod reader;
mod registry;
mod render;
mod scenario;
mod schema;
mod source;
mod spec;
mod swarm;
mod target;
mod tree;
mod units;

use std::str::FromStr;

pub use case::{CASE_FORMAT, Case, Mark};
pub use diagnostics::{Colour, Diagnostic, Diagnostics, Related, Severity, suggest};
pub use dials::{Dial, Quantity};
pub use document::Document;
pub use family::Family;
pub use knobs::oracle_by_default;
pub use overrides::Override;
pub use scenario::{Aide, Ask, Better, Expectation, Group, Line, Metric, Node, Scenario, Spare, Window};
pub use schema::schema;

use diagnostics::{Language, Problem, Report};
use source::{Place, Sources};
use spec::Written;
use tree::Tree;

/// A scenario that can be run, with what is perhaps not as it was meant.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario as meant; of a family, the member of its default seed.
    pub scenario: Scenario,
    /// The scenario of every seed.
    pub family: Family,
    /// The warnings, in the order of the file.
    pub warnings: Diagnostics,
    /// What is recorded of its failure, if the file is a case.
    pub case: Option<Case>,
}

impl Loaded {
    /// Nobody is warned of a case that says what it did when it was kept: a program wrote it, and it means it.
    fn new((scenario, family): (Scenario, Family), warnings: Diagnostics, case: Option<Case>) -> Loaded {
        let as_kept = case.as_ref().is_some_and(|case| case.scenario_digest == scenario.digest);
        let warnings = if as_kept { warnings.cleared() } else { warnings };
        Loaded { scenario, family, warnings, case }
    }
}

/// A scenario as written: its keys are known and its values have the right types, and no more.
#[derive(Clone, Debug)]
pub struct Spec {
    tree: Tree,
    written: Written,
    /// The paths that the command line sets.
    set: Vec<String>,
    sources: Sources,
}

/// Reads a scenario file, with values from the command line put over it, and checks all of it.
///
/// `name` is what the messages call the file. Nothing is read from disk.
///
/// # Errors
///
/// Everything that is wrong, in the order of the file; at most [`limits::ERRORS`] are listed.
pub fn load(name: &str, text: impl AsRef<[u8]>, overrides: &[Override]) -> Result<Loaded, Diagnostics> {
    let report = Report::default();
    let mut sources = Sources::default();
    let loaded = read(name, text.as_ref(), overrides, &mut sources, &report);
    let case = loaded.as_ref().and_then(|(_, written)| written.case.clone());
    let set = overrides::paths(overrides);
    let loaded =
        loaded.and_then(|(tree, written)| family::assemble(&tree, &written, &set, &sources, &report));
    let (diagnostics, severity) = report.into_diagnostics(sources);
    match (loaded, severity) {
        (Some(made), Severity::Warning) => Ok(Loaded::new(made, diagnostics, case)),
        _ => {
            assert!(!diagnostics.is_empty(), "a scenario is refused for a reason");
            Err(diagnostics)
        }
    }
}

impl Spec {
    /// Reads a scenario file, with values from the command line put over it.
    ///
    /// # Errors
    ///
    /// What is no TOML, no key of the language, or of the wrong type.
    pub fn parse(name: &str, text: impl AsRef<[u8]>, overrides: &[Override]) -> Result<Spec, Diagnostics> {
        let report = Report::default();
        let mut sources = Sources::default();
        match read(name, text.as_ref(), overrides, &mut sources, &report) {
            Some((tree, written)) if !report.has_errors() => {
                Ok(Spec { tree, written, set: overrides::paths(overrides), sources })
            }
            _ => Err(report.into_diagnostics(sources).0),
        }
    }

    /// Looks up every name, compares what has to fit together, and keeps the limits.
    ///
    /// # Errors
    ///
    /// Everything that is wrong, in the order of the file.
    pub fn check(self) -> Result<Loaded, Diagnostics> {
        let report = Report::default();
        let loaded = family::assemble(&self.tree, &self.written, &self.set, &self.sources, &report);
        let (diagnostics, _) = report.into_diagnostics(self.sources);
        match loaded {
            Some(made) => Ok(Loaded::new(made, diagnostics, self.written.case)),
            None => Err(diagnostics),
        }
    }
}

/// Whether a scenario file asks for nothing that [madsim](https://docs.rs/madsim) cannot do: what is only lost, as warnings.
///
/// # Errors
///
/// What it cannot do, in the order of the file; and what is wrong with the file anyway, as far as it can be read.
pub fn fit_for_madsim(
    name: &str,
    text: impl AsRef<[u8]>,
    overrides: &[Override],
) -> Result<Diagnostics, Diagnostics> {
    let Spec { written, sources, .. } = Spec::parse(name, text, overrides)?;
    let report = Report::default();
    fit::check(&written, &report);
    match report.into_diagnostics(sources) {
        (warnings, Severity::Warning) => Ok(warnings),
        (errors, Severity::Error) => Err(errors),
    }
}

/// What madsim cannot do of a scenario some of whose faults are drawn, and so stand nowhere in its file: each of them, and
/// why.
pub fn misfits_for_madsim(scenario: &Scenario) -> Vec<String> {
    fit::of(scenario)
}

impl FromStr for Spec {
    type Err = Diagnostics;

    fn from_str(text: &str) -> Result<Spec, Diagnostics> {
        Spec::parse("scenario.toml", text, &[])
    }
}

/// Every way to write a fault: the kind, what it does, and an example of it in TOML. Each kind has at least one.
pub fn faults() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    fault::CATALOG
        .iter()
        .flat_map(|kind| kind.examples.iter().map(|&(about, toml)| (kind.key.name, about, toml)))
}

/// The distributions that can be written, with what they mean.
pub fn distributions() -> Vec<(&'static str, &'static str)> {
    (grammar::DISTRIBUTION.names)()
}

/// A length of time as scenarios write it, such as `1s` or `1m30s`.
///
/// # Errors
///
/// Why the text is none, and what to write instead.
pub fn duration(text: &str) -> Result<schism_core::Duration, String> {
    units::duration(text).map_err(|error| match error.help {
        Some(help) => format!("{}; {help}", error.message),
        None => error.message,
    })
}

/// From bytes to the scenario as written. None if there is nothing to read.
fn read(
    name: &str,
    bytes: &[u8],
    overrides: &[Override],
    sources: &mut Sources,
    report: &Report,
) -> Option<(Tree, Written)> {
    let (file, text) = text(name, bytes, limits::FILE_BYTES, sources, report)?;
    let mut tree = tree::parse(file, text, report);
    if report.has_errors() {
        return None;
    }
    overrides::apply(&mut tree, overrides, sources, report);
    let written = read::scenario(&tree, report);
    Some((tree, written))
}

/// The text of a file of at most so many bytes, under which its places are found. None if it has been refused.
fn text<'a>(
    name: &str,
    bytes: &'a [u8],
    most: usize,
    sources: &mut Sources,
    report: &Report,
) -> Option<(u32, &'a str)> {
    if bytes.len() > most {
        let file = sources.add(name, "");
        let message = format!("the file has {} bytes; the limit is {most}", bytes.len());
        let help = match report.language() {
            Language::Toml => "is it a scenario?",
            Language::Json => "is it a script?",
        };
        report.add(Problem::error(Place::new(file, 0..0), message).help(help));
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some((sources.add(name, text), text)),
        Err(error) => {
            let file = sources.add(name, &String::from_utf8_lossy(bytes));
            // What is before the bad byte is the same in both.
            let at = error.valid_up_to();
            let message = format!("not UTF-8: byte {at} is 0x{:02x}", bytes[at]);
            report.add(
                Problem::error(Place::new(file, at..at + '\u{fffd}'.len_utf8()), message)
                    .help("save the file as UTF-8"),
            );
            None
        }
    }
}
