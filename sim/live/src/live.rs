//! A scenario in which users' own code plays some of the parts, and the rest stay models.

use std::fmt;
use std::fs;
use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use schism_core::Seed;
use schism_runner::{Detail, Report};
use schism_scenario::{Family, Override, Scenario};

use crate::fit;
use crate::guests::{self, Ending, Guests};
use crate::hunt::Hunt;
use crate::part::{Client, Instance, Member, listed};
use crate::trouble::Trouble;

/// How long a run may take by the machine's own clock, unless more is allowed: two minutes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A scenario in which async functions of a user's own play some of the parts.
///
/// ```no_run
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let live = schism_live::Live::open("scenarios/orders.toml")?
///     .service("orders", |me: schism_live::Instance| async move {
///         loop {
///             let request = me.asked().await;
///             request.done();
///         }
///     });
/// let report = live.run(17)?;
/// live.hunt(0..200).assert_holds();
/// # Ok(())
/// # }
/// ```
///
/// Each function is called once for each process and once more for each of its lives: a crash ends all that it has spawned
/// and drops it, and a restart calls it anew. It must do all that it does with what madsim simulates: `madsim-tokio` in the
/// place of `tokio`, and what is made for that.
///
/// A value: it can be cloned, and run with many seeds at once.
#[derive(Clone)]
pub struct Live {
    /// As the file has it, or the member of its own seed.
    scenario: Arc<Scenario>,
    family: Family,
    source: Option<Arc<Source>>,
    guests: Guests,
    patience: Duration,
}

/// What a scenario was read from, for places.
struct Source {
    name: String,
    text: Vec<u8>,
    set: Vec<String>,
}

/// Why a scenario cannot be played: what is wrong with it, where, and the remedy.
#[derive(Clone, PartialEq, Eq)]
pub struct Refused(String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The same as is displayed: a test that ends with an error shows this.
impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::error::Error for Refused {}

/// A run, told.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// What happened, in numbers and verdicts.
    pub report: Report,
    /// What happened, in lines, if it was asked for.
    pub story: Option<String>,
}

impl Live {
    /// The scenario of a file. A path that is not absolute begins where the process was started: of a test, at the folder of
    /// its crate.
    ///
    /// # Errors
    ///
    /// If there is no such file, or what is in it is no scenario, or none that fits madsim: with each place and the remedy.
    pub fn open(path: impl AsRef<Path>) -> Result<Live, Refused> {
        let path = path.as_ref();
        let text = fs::read(path)
            .map_err(|error| Refused(format!("cannot read the scenario {}: {error}", path.display())))?;
        Live::parse(&path.display().to_string(), text)
    }

    /// The scenario of a text, which messages call by this name.
    ///
    /// # Errors
    ///
    /// If it is no scenario, or none that fits madsim: with each place and the remedy.
    pub fn parse(name: &str, text: impl Into<Vec<u8>>) -> Result<Live, Refused> {
        Live::read(Source { name: name.to_owned(), text: text.into(), set: Vec::new() })
    }

    /// A scenario that has been read before, and [fits](schism_scenario::fit_for_madsim) madsim.
    pub fn of(scenario: Scenario) -> Live {
        Live::with(scenario.clone(), Family::one(scenario), None)
    }

    fn read(source: Source) -> Result<Live, Refused> {
        let Source { name, text, set } = &source;
        let set: Vec<Override> = set.iter().map(Override::new).collect();
        let refused = |diagnostics| Refused(format!("{name} cannot be played\n\n{diagnostics}"));
        let loaded = schism_scenario::load(name, text, &set).map_err(refused)?;
        schism_scenario::fit_for_madsim(name, text, &set).map_err(refused)?;
        Ok(Live::with(loaded.scenario, loaded.family, Some(Arc::new(source))))
    }

    fn with(scenario: Scenario, family: Family, source: Option<Arc<Source>>) -> Live {
        Live { scenario: Arc::new(scenario), family, source, guests: Guests::default(), patience: PATIENCE }
    }

    /// The same with a value changed, as `schism run --set` takes it: `clients.web.timeout=100ms`.
    ///
    /// # Errors
    ///
    /// If the scenario that comes of it is none, or none that fits madsim.
    pub fn set(self, change: &str) -> Result<Live, Refused> {
        let Some(source) = &self.source else {
            return Err(Refused(
                "only of a scenario that was read from a text values can be changed".to_owned(),
            ));
        };
        let Source { name, text, set } = &**source;
        let set = set.iter().cloned().chain([change.to_owned()]).collect();
        let changed = Live::read(Source { name: name.clone(), text: text.clone(), set })?;
        Ok(Live { guests: self.guests, patience: self.patience, ..changed })
    }

    /// The registry is played by users' code: each of its members by this. All who ask it must be users' code, too.
    #[must_use]
    pub fn registry<F, R>(mut self, act: F) -> Live
    where
        F: Fn(Member) -> R + Send + Sync + 'static,
        R: Future<Output: Ending> + Send + 'static,
    {
        self.guests.registry = Some(guests::act(act));
        self
    }

    /// A service is played by users' code: each of its instances by this.
    ///
    /// # Panics
    ///
    /// If the scenario has no such service.
    #[must_use]
    #[track_caller]
    pub fn service<F, R>(mut self, name: &str, act: F) -> Live
    where
        F: Fn(Instance) -> R + Send + Sync + 'static,
        R: Future<Output: Ending> + Send + 'static,
    {
        let names = self.scenario.services.iter().map(|service| service.name.as_str());
        let number = find("service", name, names);
        self.guests.services.insert(number, guests::act(act));
        self
    }

    /// A client group is played by users' code: each of its clients by this.
    ///
    /// # Panics
    ///
    /// If the scenario has no such clients.
    #[must_use]
    #[track_caller]
    pub fn client<F, R>(mut self, name: &str, act: F) -> Live
    where
        F: Fn(Client) -> R + Send + Sync + 'static,
        R: Future<Output: Ending> + Send + 'static,
    {
        let names = self.scenario.clients.iter().map(|group| group.name.as_str());
        let number = find("client group", name, names);
        self.guests.clients.insert(number, guests::act(act));
        self
    }

    /// How long a run may take by the machine's own clock, instead of two minutes: one that takes longer goes on for ever,
    /// and is given up. It goes on beside, until the process ends.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Live {
        Live { patience, ..self }
    }

    /// The scenario; of a family, that of its own seed.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The file that the scenario is from, if it is from one.
    pub fn file(&self) -> Option<&str> {
        self.source.as_ref().map(|source| source.name.as_str())
    }

    /// Runs the scenario with a seed, twice, each time on a fresh thread, and says what happened.
    ///
    /// # Errors
    ///
    /// If this build has no madsim; if the scenario asks for what cannot be; if the two runs differ; if users' code panics or
    /// goes on for ever.
    pub fn run(&self, seed: u64) -> Result<Report, Trouble> {
        self.perform(seed, None).map(|told| told.report)
    }

    /// The same, with all that happened told in lines, every moment rounded to a multiple of `round`.
    ///
    /// # Errors
    ///
    /// As [`run`](Live::run).
    pub fn story(&self, seed: u64, detail: Detail, round: Duration) -> Result<Told, Trouble> {
        self.perform(seed, Some((detail, schism_core::Duration::from_nanos(nanos(round)))))
    }

    /// Runs the scenario with each of these seeds, on all processors, and says which failed and how. With the environment
    /// variable `SCHISM_SEED` set, it runs that seed alone and tells its story.
    ///
    /// # Panics
    ///
    /// If `SCHISM_SEED` is no number.
    pub fn hunt(&self, seeds: impl IntoIterator<Item = u64>) -> Hunt {
        Hunt::over(self, seeds.into_iter().collect())
    }

    fn perform(&self, seed: u64, story: Option<(Detail, schism_core::Duration)>) -> Result<Told, Trouble> {
        let member = self.family.member(Seed(seed));
        let scenario = member.map_err(|diagnostics| Trouble::Unfit(diagnostics.to_string()))?;
        let drawn = schism_scenario::misfits_for_madsim(&scenario);
        let misfits: Vec<String> = drawn.into_iter().chain(fit::misfits(&scenario, &self.guests)).collect();
        if !misfits.is_empty() {
            return Err(Trouble::Unfit(misfits.join("\n")));
        }
        let play = Play { scenario, guests: self.guests.clone(), story, patience: Some(self.patience) };
        play.twice(Seed(seed))
    }
}

/// All that decides a run but its seed.
#[derive(Clone)]
pub(crate) struct Play {
    pub(crate) scenario: Scenario,
    pub(crate) guests: Guests,
    pub(crate) story: Option<(Detail, schism_core::Duration)>,
    /// How long it may take; for ever, if none.
    pub(crate) patience: Option<Duration>,
}

#[cfg(not(madsim))]
impl Play {
    fn twice(self, _: Seed) -> Result<Told, Trouble> {
        Err(Trouble::Missing)
    }
}

#[cfg(madsim)]
impl Play {
    fn twice(self, seed: Seed) -> Result<Told, Trouble> {
        crate::engine::played_twice(&self, seed)
    }
}

#[track_caller]
fn find<'n>(what: &str, name: &str, names: impl Iterator<Item = &'n str>) -> usize {
    let names: Vec<&str> = names.collect();
    if let Some(number) = names.iter().position(|other| *other == name) {
        return number;
    }
    panic!("there is no {what} `{name}` in this scenario: it has {}", listed(&names))
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
