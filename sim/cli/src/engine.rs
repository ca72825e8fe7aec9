//! The floors below: scenarios are loaded and run here, and nowhere else in this package.

use std::path::Path;

use schism_core::{Seed, Time, Witness};
use schism_models::nemesis::Audience;
use schism_models::node::Node;
use schism_runner::ledger::Listed;
use schism_runner::report::Report;
use schism_runner::{Ledger, Simulation, Trace};
use schism_scenario::{Case, Colour, Diagnostics, Family, Loaded, Override, Scenario, limits};

use crate::args::{Beliefs, Engine, Input};
use crate::console::Console;
use crate::exit::Trouble;
use crate::files::{self, Source};

/// Why a file is not a scenario.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It could not be read.
    Unreadable(Trouble),
    /// It was read and found wanting.
    Wrong(Diagnostics),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Trouble {
        match refusal {
            Refusal::Unreadable(trouble) => trouble,
            Refusal::Wrong(diagnostics) => Trouble::as_shown(shown(&diagnostics)),
        }
    }
}

/// Reads and checks a scenario with changes.
pub(crate) fn load(file: &Path, set: &[String]) -> Result<Loaded, Refusal> {
    load_for(Engine::Des, file, set)
}

/// The same, for an engine: what that cannot do is refused, too.
pub(crate) fn load_for(engine: Engine, file: &Path, set: &[String]) -> Result<Loaded, Refusal> {
    let source = files::read(file, limits::FILE_BYTES).map_err(Refusal::Unreadable)?;
    let mut loaded = check(&source, set)?;
    match engine {
        Engine::Des => {}
        Engine::Madsim => {
            let lost = schism_scenario::fit_for_madsim(&source.name, &source.bytes, &overrides(set));
            loaded.warnings.extend(lost.map_err(Refusal::Wrong)?);
        }
    }
    Ok(loaded)
}

/// Checks a scenario that has been read, with changes.
pub(crate) fn check(source: &Source, set: &[String]) -> Result<Loaded, Refusal> {
    schism_scenario::load(&source.name, &source.bytes, &overrides(set)).map_err(Refusal::Wrong)
}

fn overrides(set: &[String]) -> Vec<Override> {
    set.iter().map(Override::new).collect()
}

/// Reads and checks what a command is about; warnings are said on stderr. Of a family it is the member of the seed asked
/// for, or of the default seed; either way that is the seed that the scenario then has.
pub(crate) fn open(input: &Input, seed: Option<u64>, console: &mut Console) -> Result<Scenario, Trouble> {
    open_for(Engine::Des, input, seed, console)
}

/// The same, for an engine.
pub(crate) fn open_for(
    engine: Engine,
    input: &Input,
    seed: Option<u64>,
    console: &mut Console,
) -> Result<Scenario, Trouble> {
    Ok(opened(load_for(engine, &input.file, &input.changes.set)?, seed, console)?.0)
}

/// The same, with what a case was kept for, if it is one.
pub(crate) fn open_case(
    input: &Input,
    seed: Option<u64>,
    console: &mut Console,
) -> Result<(Scenario, Option<Case>), Trouble> {
    opened(load(&input.file, &input.changes.set)?, seed, console)
}

fn opened(
    loaded: Loaded,
    seed: Option<u64>,
    console: &mut Console,
) -> Result<(Scenario, Option<Case>), Trouble> {
    let Loaded { scenario, family, warnings, case } = loaded;
    console.complain(&shown(&warnings));
    let scenario = match seed {
        None => scenario,
        Some(seed) => member(&family, Seed(seed))?,
    };
    Ok((scenario, case))
}

/// The scenario of one seed.
pub(crate) fn member(family: &Family, seed: Seed) -> Result<Scenario, Trouble> {
    family
        .member(seed)
        .map_err(|why| Trouble::from(Refusal::Wrong(why)).help(format!("seed {} draws this", seed.0)))
}

/// Diagnostics with their places, coloured.
pub(crate) fn shown(diagnostics: &Diagnostics) -> String {
    diagnostics.render(Colour::Ansi)
}

/// Runs a scenario, and says between the steps how much of it is done, from 0 to 1.
pub(crate) fn run(scenario: &Scenario, seed: Seed, beliefs: Beliefs, on_step: impl FnMut(f64)) -> Report {
    played(scenario, seed, ledger(scenario, beliefs), on_step).into_report(scenario, seed)
}

/// The same, with a trace of so many entries.
pub(crate) fn run_traced(
    scenario: &Scenario,
    seed: Seed,
    beliefs: Beliefs,
    entries: usize,
    on_step: impl FnMut(f64),
) -> (Report, Trace<()>) {
    let witness = Trace::new(entries, ledger(scenario, beliefs));
    played(scenario, seed, witness, on_step).into_report_and_trace(scenario, seed)
}

fn ledger(scenario: &Scenario, beliefs: Beliefs) -> Ledger {
    Ledger::listing(scenario, beliefs.into())
}

fn played<W: Witness<Node> + Audience>(
    scenario: &Scenario,
    seed: Seed,
    witness: W,
    mut on_step: impl FnMut(f64),
) -> Simulation<W> {
    let mut simulation: Simulation<W> = Simulation::new(scenario, seed, witness);
    for step in 1..STEPS {
        simulation.run_until(Time::START + scenario.length / STEPS * step);
        on_step(step as f64 / STEPS as f64);
    }
    simulation.run_to_end();
    simulation
}

impl From<Beliefs> for Listed {
    fn from(beliefs: Beliefs) -> Listed {
        match beliefs {
            Beliefs::All => Listed::All,
            Beliefs::Wrong => Listed::Wrong,
        }
    }
}

/// In how many steps a run is told of.
const STEPS: u64 = 1_000;
