//! Snapshot tests of recovery: how a system gets over its faults, written down, and a test that fails when it changes.
//!
//! ```no_run
//! use schism_snapshot::assert_recovery_snapshot;
//!
//! #[test]
//! fn a_zone_is_cut_off_during_a_deploy() {
//!     assert_recovery_snapshot!("scenarios/zone-b.toml", 42);
//! }
//!
//! #[test]
//! fn a_shorter_ttl_converges_sooner() {
//!     assert_recovery_snapshot!("scenarios/zone-b.toml", 42, level = transitions, round = "1s",
//!         digest = false, set = ["registry.etcd.lease-ttl=5s"]);
//! }
//! ```
//!
//! Besides the file of a scenario it takes a [`Scenario`] that has been read, and a [`Live`]: a scenario in which code of
//! yours plays some of the parts, on madsim (`schism-live`).
//!
//! The snapshots are those of [`insta`]: they lie in `snapshots/` beside the test, `cargo insta review` shows what has
//! changed, and every setting of insta's holds. The scenario is found from the folder of the crate's `Cargo.toml`. What is
//! wrong with it is told with its line and the remedy.
//!
//! | option | default | meaning |
//! |---|---|---|
//! | `level` | `phases` | how much is written down: see [`Level`] |
//! | `round` | `"1s"` | every moment is rounded to the nearest multiple of it |
//! | `digest` | `true` | whether the ends of the digest are written down: with them the snapshot changes with any run. Never of a [`Live`], whose digest is another in each build |
//! | `set` | `[]` | values changed, as `schism run --set` takes them; not of a [`Scenario`] |
//! | `name` | of file, seed, level and `set` | what the snapshot is called |

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use schism_core::{Duration, Seed};
use schism_live::Live;
use schism_runner::ledger::Listed;
use schism_runner::{Detail, Report, events_text, phases_text, run, transitions_text, verdict_text};
use schism_scenario::{Override, Scenario};

#[doc(hidden)]
pub use insta;

/// What is run.
#[derive(Clone)]
pub enum Subject {
    /// The scenario of a file, which is found from the folder of the crate.
    File(String),
    /// A scenario that has been read.
    Scenario(Box<Scenario>),
    /// A scenario in which code of the user's plays some of the parts.
    Live(Box<Live>),
}

impl From<&str> for Subject {
    fn from(file: &str) -> Subject {
        Subject::File(file.to_owned())
    }
}

impl From<String> for Subject {
    fn from(file: String) -> Subject {
        Subject::File(file)
    }
}

impl From<Scenario> for Subject {
    fn from(scenario: Scenario) -> Subject {
        Subject::Scenario(Box::new(scenario))
    }
}

impl From<Live> for Subject {
    fn from(live: Live) -> Subject {
        Subject::Live(Box::new(live))
    }
}

impl From<&Live> for Subject {
    fn from(live: &Live) -> Subject {
        Subject::from(live.clone())
    }
}

/// How much of a run is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The verdict of each expectation, and of all.
    Verdict,
    /// The phases of the run, with success and latency, the steps of the recovery, and the verdict.
    Phases,
    /// Every change of a leader, a belief or a registration, with its time, and the verdict.
    Transitions,
    /// Everything that was observed, requests too, and the verdict; the first 2,000 lines.
    Events,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Level::Verdict => "verdict",
            Level::Phases => "phases",
            Level::Transitions => "transitions",
            Level::Events => "events",
        }
    }
}

/// A run that is to be written down.
#[derive(Clone)]
pub struct Recovery {
    folder: PathBuf,
    subject: Subject,
    seed: u64,
    level: Level,
    round: String,
    digest: bool,
    set: Vec<String>,
    name: Option<String>,
}

impl Recovery {
    /// A run of a scenario with a seed; a file is found from the folder.
    pub fn new(folder: &str, subject: impl Into<Subject>, seed: u64) -> Recovery {
        Recovery {
            folder: PathBuf::from(folder),
            subject: subject.into(),
            seed,
            level: Level::Phases,
            round: "1s".to_owned(),
            digest: true,
            set: Vec::new(),
            name: None,
        }
    }

    /// How much is written down.
    #[must_use]
    pub fn level(self, level: Level) -> Recovery {
        Recovery { level, ..self }
    }

    /// What moments are rounded to, such as `1s` or `100ms`.
    #[must_use]
    pub fn round(self, round: impl Into<String>) -> Recovery {
        Recovery { round: round.into(), ..self }
    }

    /// Whether the ends of the digest are written down.
    #[must_use]
    pub fn digest(self, digest: bool) -> Recovery {
        Recovery { digest, ..self }
    }

    /// Values of the scenario that are changed: `clients.web.timeout=100ms`.
    #[must_use]
    pub fn set<S: Into<String>>(self, set: impl IntoIterator<Item = S>) -> Recovery {
        Recovery { set: set.into_iter().map(Into::into).collect(), ..self }
    }

    /// What the snapshot is called.
    #[must_use]
    pub fn name(self, name: impl Into<String>) -> Recovery {
        Recovery { name: Some(name.into()), ..self }
    }

    /// What the snapshot is called: `zone-b__seed-42`, and what else sets it apart.
    pub fn snapshot_name(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let subject = match &self.subject {
            Subject::File(file) => file,
            Subject::Scenario(scenario) => &scenario.title,
            Subject::Live(live) => live.file().unwrap_or(&live.scenario().title),
        };
        // Wherever a test's folder is, what sets its scenarios apart begins in theirs.
        let path = subject.trim_start_matches("./").trim_start_matches("../");
        let path = path.trim_start_matches("scenarios/").trim_end_matches(".toml");
        let engine = if matches!(self.subject, Subject::Live(_)) { "__live" } else { "" };
        let mut name = format!("{}{engine}__seed-{}", plain(path), self.seed);
        if self.level != Level::Phases {
            let _ = write!(name, "__{}", self.level.word());
        }
        for change in &self.set {
            let _ = write!(name, "__{}", plain(change));
        }
        name
    }

    /// Runs the scenario and writes down what happened.
    ///
    /// # Panics
    ///
    /// If there is no such file, or it is no scenario: with what is wrong, where, and the remedy. If code of the user's
    /// panics, or is not the same twice.
    #[track_caller]
    pub fn text(&self) -> String {
        let round = self.rounding();
        match &self.subject {
            Subject::File(file) => self.simulated(&self.load(file), round),
            Subject::Scenario(scenario) => {
                assert!(
                    self.set.is_empty(),
                    "`set` changes what is read from a file; this scenario has been read"
                );
                self.simulated(scenario, round)
            }
            Subject::Live(live) => self.played(live, round),
        }
    }

    fn simulated(&self, scenario: &Scenario, round: Duration) -> String {
        let seed = Seed(self.seed);
        let report = run(scenario, seed, Listed::Wrong);
        let text = self.written(&report, round, |detail| match detail {
            Detail::Transitions => transitions_text(scenario, seed, round),
            Detail::Events => events_text(scenario, seed, round),
        });
        if self.digest { text } else { without_digest(text) }
    }

    #[track_caller]
    fn played(&self, live: &Live, round: Duration) -> String {
        let set =
            |live: Live, change: &String| live.set(change).unwrap_or_else(|refused| panic!("{refused}"));
        let live = self.set.iter().fold(live.clone(), set);
        let detail = if self.level == Level::Events { Detail::Events } else { Detail::Transitions };
        let rounded = std::time::Duration::from_nanos(round.as_nanos());
        let told = live.story(self.seed, detail, rounded).unwrap_or_else(|trouble| panic!("{trouble}"));
        without_digest(self.written(&told.report, round, |_| told.story.clone().unwrap_or_default()))
    }

    fn written(&self, report: &Report, round: Duration, story: impl FnOnce(Detail) -> String) -> String {
        let verdict = verdict_text(report, round);
        let ending = verdict.split_once('\n').map_or("", |(_, rest)| rest);
        match self.level {
            Level::Verdict => verdict,
            Level::Phases => phases_text(report, round),
            Level::Transitions => story(Detail::Transitions) + ending,
            Level::Events => story(Detail::Events) + ending,
        }
    }

    #[track_caller]
    fn load(&self, file: &str) -> Scenario {
        let path = self.folder.join(file);
        let bytes = read(&path);
        let set: Vec<Override> = self.set.iter().map(Override::new).collect();
        match schism_scenario::load(file, &bytes, &set) {
            Ok(loaded) => loaded.scenario,
            Err(diagnostics) => panic!("{} is no scenario\n\n{diagnostics}", path.display()),
        }
    }

    #[track_caller]
    fn rounding(&self) -> Duration {
        match schism_scenario::duration(&self.round) {
            Ok(round) if round > Duration::ZERO => round,
            Ok(_) => panic!("`round` is longer than nothing, such as \"1s\""),
            Err(why) => panic!("`round`: {why}"),
        }
    }
}

#[track_caller]
fn read(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| {
        panic!("cannot read the scenario {}: {error}; it is looked for from the folder of the crate's Cargo.toml", path.display())
    })
}

fn without_digest(text: String) -> String {
    match text.rsplit_once(" · digest ") {
        Some((before, _)) => format!("{before}\n"),
        None => text,
    }
}

/// A text as part of a file's name.
fn plain(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    text.replace(['/', '\\'], "__").chars().map(kept).collect()
}

/// Runs a scenario with a seed, and asserts that it gets over its faults as the snapshot says; see the
/// [crate](crate) for its options.
///
/// # Panics
///
/// If the snapshot says otherwise, or there is no such scenario.
#[macro_export]
macro_rules! assert_recovery_snapshot {
    ($subject:expr, $seed:expr $(, $option:ident = $value:tt)* $(,)?) => {{
        let recovery = $crate::Recovery::new(env!("CARGO_MANIFEST_DIR"), $subject, $seed)
            $(.$option($crate::option!($option = $value)))*;
        let mut settings = $crate::insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.bind(|| $crate::insta::assert_snapshot!(recovery.snapshot_name(), recovery.text()));
    }};
}

/// The value of an option, as its method takes it.
#[doc(hidden)]
#[macro_export]
macro_rules! option {
    (level = verdict) => {
        $crate::Level::Verdict
    };
    (level = phases) => {
        $crate::Level::Phases
    };
    (level = transitions) => {
        $crate::Level::Transitions
    };
    (level = events) => {
        $crate::Level::Events
    };
    (level = $other:tt) => {
        compile_error!("`level` is `verdict`, `phases`, `transitions` or `events`")
    };
    ($option:ident = $value:tt) => {
        $value
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_called_after_all_that_sets_it_apart() {
        let recovery = Recovery::new(".", "scenarios/zones/b.toml", 42);
        assert_eq!(recovery.snapshot_name(), "zones__b__seed-42");
        let other = recovery.level(Level::Events).set(["clients.web.timeout=100ms"]);
        assert_eq!(other.snapshot_name(), "zones__b__seed-42__events__clients.web.timeout-100ms");
        assert_eq!(other.name("mine").snapshot_name(), "mine");
    }
}
