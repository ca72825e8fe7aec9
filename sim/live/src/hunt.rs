//! The hunt: a scenario with users' code, run with many seeds, and what failed.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use schism_core::Duration as Span;
use schism_runner::report::Verdict;
use schism_runner::{Detail, Failure, Report, phases_text};

use crate::live::{Live, Told};
use crate::trouble::Trouble;

/// The environment variable with the one seed that a hunt is to run.
pub const SEED: &str = "SCHISM_SEED";

/// What moments are rounded to in a story.
const ROUND: Span = Span::from_millis(100);

/// How many seeds are named of each kind of failure.
const MOST_NAMED: usize = 8;

/// What many seeds came to. It is displayed as a summary, with the command that replays the first seed that failed.
#[derive(Clone, Debug)]
pub struct Hunt {
    title: String,
    seeds: Vec<u64>,
    held: usize,
    vacuous: Vec<u64>,
    catches: Vec<Catch>,
    /// The test that hunts, as `cargo test` calls it.
    test: Option<String>,
    /// What the scenario expects, by id.
    expectations: Vec<String>,
    /// Whether one seed was asked for.
    is_replay: bool,
    /// Seeds that were not run, since one before them went on without ever waiting.
    given_up: usize,
    /// Of the one seed that was asked for.
    story: Option<String>,
}

/// Failures of one kind: the same expectation, broken in the same way, whoever it struck and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catch {
    /// The expectation that did not hold; or `panicked`, `diverged`, `stuck` or `unfit`.
    pub what: String,
    /// Of the first seed, why.
    pub why: String,
    /// The seeds, in the order in which they were given.
    pub seeds: Vec<u64>,
    signature: String,
}

/// What one seed came to.
enum Found {
    Holds,
    Vacuous,
    Fails(Vec<Kind>),
}

/// A failure and what makes it one of a kind.
struct Kind {
    what: String,
    why: String,
    signature: String,
}

impl Hunt {
    pub(crate) fn over(live: &Live, seeds: Vec<u64>) -> Hunt {
        let asked = env::var(SEED).ok().map(|text| {
            text.parse().unwrap_or_else(|_| panic!("{SEED} is the number of a seed, and `{text}` is none"))
        });
        let test = thread::current().name().filter(|name| *name != "main").map(str::to_owned);
        let title = live.scenario().title.clone();
        let hunt = Hunt {
            title,
            seeds: Vec::new(),
            held: 0,
            vacuous: Vec::new(),
            catches: Vec::new(),
            test,
            expectations: live.scenario().expectations.iter().map(|one| one.id.clone()).collect(),
            is_replay: asked.is_some(),
            given_up: 0,
            story: None,
        };
        match asked {
            Some(seed) => hunt.replay(live, seed),
            None => hunt.all(live, seeds),
        }
    }

    fn replay(mut self, live: &Live, seed: u64) -> Hunt {
        let round = Duration::from_nanos(ROUND.as_nanos());
        let told = live.story(seed, Detail::Transitions, round);
        self.story = told.as_ref().ok().map(|Told { report, story }| {
            format!("{}\n{}", story.as_deref().unwrap_or_default(), phases_text(report, ROUND))
        });
        self.count(seed, found(told.map(|told| told.report)));
        self
    }

    fn all(mut self, live: &Live, seeds: Vec<u64>) -> Hunt {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        // What goes on for ever does so in a thread that nobody can end: the next would only be slower.
        let is_stuck = AtomicBool::new(false);
        let workers = thread::available_parallelism().map_or(1, NonZero::get).min(seeds.len());
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    while let Some(&seed) = seeds.get(next.fetch_add(1, Ordering::Relaxed))
                        && !is_stuck.load(Ordering::Relaxed)
                    {
                        let run = live.run(seed);
                        if matches!(run, Err(Trouble::Stuck { .. })) {
                            is_stuck.store(true, Ordering::Relaxed);
                        }
                        let found = found(run);
                        done.lock().expect("nobody panics while it is held").insert(seed, found);
                    }
                });
            }
        });
        let mut done = done.into_inner().expect("nobody panics while it is held");
        for seed in seeds {
            match done.remove(&seed) {
                Some(found) => self.count(seed, found),
                None => self.given_up += 1,
            }
        }
        self
    }

    fn count(&mut self, seed: u64, found: Found) {
        self.seeds.push(seed);
        match found {
            Found::Holds => self.held += 1,
            Found::Vacuous => self.vacuous.push(seed),
            Found::Fails(kinds) => kinds.into_iter().for_each(|kind| self.catch(seed, kind)),
        }
    }

    fn catch(&mut self, seed: u64, Kind { what, why, signature }: Kind) {
        let same = |catch: &&mut Catch| (&catch.what, &catch.signature) == (&what, &signature);
        match self.catches.iter_mut().find(same) {
            Some(catch) => catch.seeds.push(seed),
            None => self.catches.push(Catch { what, why, seeds: vec![seed], signature }),
        }
    }

    /// Each kind of failure, in the order of the first seeds that met it.
    pub fn catches(&self) -> &[Catch] {
        &self.catches
    }

    /// The first seed that failed, if one did.
    pub fn first(&self) -> Option<u64> {
        self.catches.first().map(|catch| catch.seeds[0])
    }

    /// How many seeds were run.
    pub fn seeds(&self) -> usize {
        self.seeds.len()
    }

    /// With how many of them everything held.
    pub fn held(&self) -> usize {
        self.held
    }

    /// The story of the one seed that `SCHISM_SEED` asked for, if it could be told.
    pub fn story(&self) -> Option<&str> {
        self.story.as_deref()
    }

    /// The command that runs the first seed that failed alone, and tells its story.
    pub fn command(&self) -> Option<String> {
        let seed = self.first()?;
        let test = self.test.as_deref().map_or_else(String::new, |test| format!("{test} -- --exact "));
        let test = if test.is_empty() { "-- ".to_owned() } else { test };
        // Of a test that passes cargo shows nothing, unless it is asked to.
        Some(format!("{SEED}={seed} cargo test {test}--nocapture"))
    }

    /// Whether the first failure is one of its seed, and not of the scenario or the build.
    fn is_of_a_seed(&self) -> bool {
        !self.catches.first().is_some_and(|catch| ["unfit", "no-madsim"].contains(&catch.what.as_str()))
    }

    /// Asserts that no seed failed, and that some reached what the scenario is about.
    ///
    /// # Panics
    ///
    /// With all that the hunt has found, and the command that replays the first failure.
    #[track_caller]
    pub fn assert_holds(&self) {
        assert!(self.catches.is_empty() && self.held > 0, "{self}");
    }

    /// Asserts that a seed failed, as this expectation has it: the other half of a test that a bug is found.
    ///
    /// # Panics
    ///
    /// With all that the hunt has found, if it is not that.
    #[track_caller]
    pub fn assert_catches(&self, what: &str) -> &Catch {
        let Some(caught) = self.catches.iter().find(|catch| catch.what == what) else {
            let ids = self.expectations.iter().any(|id| id == what) || is_trouble(what);
            let known = if ids {
                String::new()
            } else {
                format!(", and nothing is called so: there are {}", self.expectations.join(", "))
            };
            panic!("`{what}` did not fail{known}\n{self}");
        };
        caught
    }
}

/// Whether it is what a hunt calls a run that came to no report.
fn is_trouble(what: &str) -> bool {
    ["no-madsim", "unfit", "diverged", "panicked", "stuck"].contains(&what)
}

fn found(run: Result<Report, Trouble>) -> Found {
    let report = match run {
        Ok(report) => report,
        Err(trouble) => {
            let (what, why) = (trouble.word().to_owned(), trouble.to_string());
            let signature = match trouble {
                Trouble::Panicked { message, .. } => message,
                Trouble::Missing | Trouble::Unfit(_) | Trouble::Diverged { .. } | Trouble::Stuck { .. } => {
                    what.clone()
                }
            };
            return Found::Fails(vec![Kind { what, why, signature }]);
        }
    };
    let kind = |Failure { expectation, why, signature, .. }| Kind { what: expectation, why, signature };
    match report.verdict {
        Verdict::Holds => Found::Holds,
        Verdict::Vacuous => Found::Vacuous,
        Verdict::Fails => Found::Fails(report.failures().map(kind).collect()),
    }
}

impl fmt::Display for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (all, vacuous) = (self.seeds.len(), self.vacuous.len());
        let failed = all - self.held - vacuous;
        write!(f, "{} · {all} {} · {} held, {failed} failed", self.title, seeds(all), self.held)?;
        if vacuous > 0 {
            write!(f, ", {vacuous} did not reach their subject: {}", named(&self.vacuous))?;
        }
        for catch in &self.catches {
            let (count, first) = (catch.seeds.len(), catch.seeds[0]);
            write!(f, "\n  {}: {count} {}: {}", catch.what, seeds(count), named(&catch.seeds))?;
            write!(f, "\n    seed {first}: {}", catch.why)?;
        }
        if self.given_up > 0 {
            write!(f, "\n  {} {} not run after that", self.given_up, seeds(self.given_up))?;
        }
        if let Some(story) = &self.story {
            write!(f, "\n\n{story}")?;
        } else if let Some(command) = self.command().filter(|_| !self.is_replay && self.is_of_a_seed()) {
            write!(f, "\n\nreplay it: {command}")?;
        }
        Ok(())
    }
}

fn seeds(count: usize) -> &'static str {
    if count == 1 { "seed" } else { "seeds" }
}

fn named(seeds: &[u64]) -> String {
    let first: Vec<String> = seeds.iter().take(MOST_NAMED).map(u64::to_string).collect();
    match seeds.len().saturating_sub(MOST_NAMED) {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
    }
}
