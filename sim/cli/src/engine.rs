//! The floors below: scenarios are loaded and run here, and nowhere else in this package.

use std::path::Path;

use schism_core::{Seed, Time};
use schism_runner::ledger::Listed;
use schism_runner::report::Report;
use schism_runner::{Ledger, Simulation};
use schism_scenario::{Colour, Diagnostics, Loaded, Override, Scenario, limits};

use crate::args::{Beliefs, Input};
use crate::console::Console;
use crate::exit::Trouble;
use crate::files;

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
    let source = files::read(file, limits::FILE_BYTES).map_err(Refusal::Unreadable)?;
    schism_scenario::load(&source.name, &source.bytes, &overrides(set)).map_err(Refusal::Wrong)
}

fn overrides(set: &[String]) -> Vec<Override> {
    set.iter().map(Override::new).collect()
}

/// Reads and checks what a command is about; warnings are said on stderr.
pub(crate) fn open(input: &Input, console: &mut Console) -> Result<Scenario, Trouble> {
    let Loaded { scenario, warnings, .. } = load(&input.file, &input.changes.set)?;
    console.complain(&shown(&warnings));
    Ok(scenario)
}

/// Diagnostics with their places, coloured.
pub(crate) fn shown(diagnostics: &Diagnostics) -> String {
    diagnostics.render(Colour::Ansi)
}

/// Runs a scenario, and says between the steps how much of it is done, from 0 to 1.
pub(crate) fn run(scenario: &Scenario, seed: Seed, beliefs: Beliefs, mut on_step: impl FnMut(f64)) -> Report {
    let listed = match beliefs {
        Beliefs::All => Listed::All,
        Beliefs::Wrong => Listed::Wrong,
    };
    let mut simulation: Simulation<Ledger> =
        Simulation::new(scenario, seed, Ledger::listing(scenario, listed));
    for step in 1..STEPS {
        simulation.run_until(Time::START + scenario.length / STEPS * step);
        on_step(step as f64 / STEPS as f64);
    }
    simulation.run_to_end();
    simulation.into_report(scenario, seed)
}

/// In how many steps a run is told of.
const STEPS: u64 = 1_000;
