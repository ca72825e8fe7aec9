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
mod check;
mod diagnostics;
mod dials;
mod document;
mod fault;
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
mod target;
mod tree;
mod units;

use std::str::FromStr;

pub use case::{CASE_FORMAT, Case, Mark};
pub use diagnostics::{Colour, Diagnostic, Diagnostics, Related, Severity};
pub use dials::{Dial, Quantity};
pub use document::Document;
pub use overrides::Override;
pub use scenario::{Aide, Ask, Expectation, Group, Line, Metric, Node, Scenario, Spare, Window};
pub use schema::schema;

use diagnostics::{Language, Problem, Report};
use source::{Place, Sources};
use spec::Written;

/// A scenario that can be run, with what is perhaps not as it was meant.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The scenario as meant.
    pub scenario: Scenario,
    /// The warnings, in the order of the file.
    pub warnings: Diagnostics,
    /// What is recorded of its failure, if the file is a case.
    pub case: Option<Case>,
}

/// A scenario as written: its keys are known and its values have the right types, and no more.
#[derive(Clone, Debug)]
pub struct Spec {
    written: Written,
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
    let written = read(name, text.as_ref(), overrides, &mut sources, &report);
    let case = written.as_ref().and_then(|written| written.case.clone());
    let scenario = written.and_then(|written| check::scenario(&written, &report));
    let (diagnostics, severity) = report.into_diagnostics(sources);
    match (scenario, severity) {
        (Some(scenario), Severity::Warning) => Ok(Loaded { scenario, warnings: diagnostics, case }),
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
        let written = read(name, text.as_ref(), overrides, &mut sources, &report);
        match written {
            Some(written) if !report.has_errors() => Ok(Spec { written, sources }),
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
        let scenario = check::scenario(&self.written, &report);
        let (diagnostics, _) = report.into_diagnostics(self.sources);
        match scenario {
            Some(scenario) => Ok(Loaded { scenario, warnings: diagnostics, case: self.written.case }),
            None => Err(diagnostics),
        }
    }
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

/// From bytes to the scenario as written. None if there is nothing to read.
fn read(
    name: &str,
    bytes: &[u8],
    overrides: &[Override],
    sources: &mut Sources,
    report: &Report,
) -> Option<Written> {
    let (file, text) = text(name, bytes, limits::FILE_BYTES, sources, report)?;
    let mut tree = tree::parse(file, text, report);
    if report.has_errors() {
        return None;
    }
    overrides::apply(&mut tree, overrides, sources, report);
    Some(read::scenario(&tree, report))
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
