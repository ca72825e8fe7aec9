//! What is wrong with a scenario: the place, the words written there, and the remedy.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde::Serialize;

use crate::limits;
use crate::source::{Place, Sources};
use crate::tree::Tree;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The scenario is refused.
    Error,
    /// The scenario is taken, but is perhaps not what was meant.
    Warning,
}

/// One thing that is wrong, with its place and its remedy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Diagnostic {
    /// An error or a warning.
    pub severity: Severity,
    /// The name of the file, or `--set`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The bytes meant.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// The words written there.
    pub text: String,
    /// The remedy.
    pub help: Option<String>,
    /// Other places that have to do with it.
    pub related: Vec<Related>,
    #[serde(skip)]
    source: u32,
}

/// Another place that has to do with a diagnostic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Related {
    /// The name of the file, or `--set`.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The bytes meant.
    pub span: Range<usize>,
    /// What is there.
    pub label: String,
    #[serde(skip)]
    source: u32,
}

/// All that is wrong with one scenario, in the order of the file.
#[derive(Clone)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    left_out: usize,
    sources: Sources,
}

/// Whether to use the colours of a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Colour {
    /// Plain text.
    Plain,
    /// ANSI escape sequences.
    Ansi,
}

impl Diagnostics {
    /// The diagnostics, in the order of the file.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// The same text with nothing said about it.
    pub(crate) fn cleared(self) -> Diagnostics {
        Diagnostics { list: Vec::new(), left_out: 0, sources: self.sources }
    }

    /// Adds others of the same text.
    pub fn extend(&mut self, others: Diagnostics) {
        self.list.extend(others.list);
        self.left_out += others.left_out;
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many more there were than are listed.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Each with its line of the file and a caret; ends in a newline unless empty.
    pub fn render(&self, colour: Colour) -> String {
        let renderer = match colour {
            Colour::Plain => Renderer::plain(),
            Colour::Ansi => Renderer::styled(),
        };
        let mut out: Vec<String> =
            self.list.iter().map(|one| renderer.render(&[self.group(one)]) + "\n").collect();
        if self.left_out > 0 {
            out.push(format!("and {} more\n", self.left_out));
        }
        out.join("\n")
    }

    fn group<'a>(&'a self, one: &'a Diagnostic) -> Group<'a> {
        let level = match one.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = format!("{}:{}:{}: {}", one.file, one.line, one.column, one.message);
        let mut group = level.primary_title(title).element(self.snippet(one));
        for related in one.related.iter().filter(|related| related.source != one.source) {
            let note = format!("{}: {}", related.file, related.label);
            group = group.element(Level::NOTE.message(note));
        }
        if let Some(help) = &one.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        group
    }

    fn snippet<'a>(&'a self, one: &'a Diagnostic) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let source = self.sources.get(one.source);
        let related = one
            .related
            .iter()
            .filter(|related| related.source == one.source)
            .map(|related| (AnnotationKind::Context, &related.span, Some(related.label.as_str())));
        let marks: Vec<_> =
            std::iter::once((AnnotationKind::Primary, &one.span, None)).chain(related).collect();
        // Only the lines around the marks are handed over: a file may be long, and have very long lines.
        let first = marks.iter().map(|mark| mark.1.start).min().unwrap_or(0);
        let last = marks.iter().map(|mark| mark.1.end).max().unwrap_or(0);
        let window = source.window(first, last);
        let line = source.position(window.start).0;
        Snippet::source(&source.text[window.clone()]).line_start(line).path(one.file.as_str()).annotations(
            marks.into_iter().map(|(kind, span, label)| {
                kind.span(span.start - window.start..span.end - window.start).label(label)
            }),
        )
    }
}

impl fmt::Display for Diagnostics {
    /// As on a terminal without colour.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(Colour::Plain))
    }
}

impl fmt::Debug for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.list).finish()
    }
}

impl std::error::Error for Diagnostics {}

impl Serialize for Diagnostics {
    /// As a list.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.list.serialize(serializer)
    }
}

impl fmt::Display for Diagnostic {
    /// In one line: `split-brain.toml:12:18: unknown key `lod`; did you mean `load`?`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        match &self.help {
            Some(help) => write!(f, "; {}", help.lines().next().unwrap_or_default()),
            None => Ok(()),
        }
    }
}

/// One problem as it is found, before its place is looked up.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    severity: Severity,
    place: Place,
    message: String,
    help: Option<String>,
    related: Vec<(Place, String)>,
}

impl Problem {
    pub(crate) fn error(place: Place, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Error, place, message: message.into(), help: None, related: Vec::new() }
    }

    pub(crate) fn warning(place: Place, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, ..Problem::error(place, message) }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    pub(crate) fn maybe_help(mut self, help: Option<String>) -> Problem {
        self.help = help;
        self
    }

    /// The same, where what `path` may become is to blame: told at that value, unless it is told there already.
    pub(crate) fn because_of(self, value: Place, path: &str) -> Problem {
        if self.place.source == value.source && value.start <= self.place.start && self.place.end <= value.end
        {
            return self;
        }
        let message = format!("with this value of `{path}`: {}", self.message);
        let related = vec![(self.place, "what is wrong then".to_owned())];
        Problem { place: value, message, related, ..self }
    }

    pub(crate) fn related(mut self, place: Place, label: impl Into<String>) -> Problem {
        self.related.push((place, label.into()));
        self
    }
}

/// What has been found so far. Reading goes on after a problem, so that all are told at once.
#[derive(Debug, Default)]
pub(crate) struct Report {
    found: RefCell<Vec<Problem>>,
    language: Language,
}

/// What the text is written in, for examples of what to write instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Language {
    /// A scenario.
    #[default]
    Toml,
    /// A script of `schism pick`.
    Json,
}

impl Language {
    /// A table, with its article.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Language::Toml => "a table",
            Language::Json => "an object",
        }
    }

    /// What kind of value it is, with its article.
    pub(crate) fn kind(self, tree: &Tree) -> &'static str {
        if tree.as_table().is_some() { self.table() } else { tree.kind() }
    }

    /// A key with its value.
    pub(crate) fn pair(self, name: &str, value: &str) -> String {
        match self {
            Language::Toml => format!("{name} = {value}"),
            Language::Json => format!("\"{name}\": {value}"),
        }
    }

    /// How a list of tables is begun.
    pub(crate) fn tables(self, path: &str) -> String {
        match self {
            Language::Toml => format!("write [[{path}]], with two brackets"),
            Language::Json => "write a list of objects: [{ .. }, { .. }]".to_owned(),
        }
    }
}

impl Report {
    /// A report of a text in this language.
    pub(crate) fn of(language: Language) -> Report {
        Report { language, ..Report::default() }
    }

    /// What the text is written in.
    pub(crate) fn language(&self) -> Language {
        self.language
    }

    pub(crate) fn add(&self, problem: Problem) {
        self.found.borrow_mut().push(problem);
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors() > 0
    }

    /// How many errors there are so far.
    pub(crate) fn errors(&self) -> usize {
        self.found.borrow().iter().filter(|problem| problem.severity == Severity::Error).count()
    }

    /// The errors, as they were found.
    pub(crate) fn into_errors(self) -> impl Iterator<Item = Problem> {
        self.found.into_inner().into_iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// All the errors, or, if there are none, all the warnings.
    pub(crate) fn into_diagnostics(self, sources: Sources) -> (Diagnostics, Severity) {
        let severity = if self.has_errors() { Severity::Error } else { Severity::Warning };
        let mut found = self.found.into_inner();
        found.retain(|problem| problem.severity == severity);
        found.sort_by_key(|problem| problem.place);
        found.dedup_by(|b, a| a.place == b.place && a.message == b.message);
        let left_out = found.len().saturating_sub(limits::ERRORS);
        found.truncate(limits::ERRORS);
        let list = found.into_iter().map(|problem| problem.locate(&sources)).collect();
        (Diagnostics { list, left_out, sources }, severity)
    }
}

impl Problem {
    fn locate(self, sources: &Sources) -> Diagnostic {
        let source = sources.get(self.place.source);
        let span = source.clip(self.place.span());
        let (line, column) = source.position(span.start);
        let related = self
            .related
            .into_iter()
            .map(|(place, label)| {
                let source = sources.get(place.source);
                let span = source.clip(place.span());
                let (line, column) = source.position(span.start);
                Related { file: source.name.clone(), line, column, span, label, source: place.source }
            })
            .collect();
        Diagnostic {
            severity: self.severity,
            file: source.name.clone(),
            line,
            column,
            text: shorten(&source.text[span.clone()]),
            span,
            message: self.message,
            help: self.help,
            related,
            source: self.place.source,
        }
    }
}

/// At most so many characters of what was written, so that one error stays one screen.
pub(crate) fn shorten(text: &str) -> String {
    match text.char_indices().nth(limits::SHOWN_CHARS) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// The one of the names that was probably meant.
pub(crate) fn nearest<'n>(given: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if given.len() > limits::NAME_BYTES {
        return None;
    }
    let given = given.to_lowercase().replace('_', "-");
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&given, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= name.len().max(given.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// "did you mean `load`?", or else the names there are.
pub fn suggest<'n>(given: &str, names: impl IntoIterator<Item = &'n str> + Clone) -> Option<String> {
    match nearest(given, names.clone()) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None => listed(names).map(|names| format!("there are: {names}")),
    }
}

/// The names in backticks, with commas; at most twenty of them. None if there are none.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => None,
        1..=20 => Some(names.join(", ")),
        more => Some(format!("{} and {} more", names[..20].join(", "), more - 20)),
    }
}
