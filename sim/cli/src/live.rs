//! Runs on madsim: what it cannot do is refused before one begins, and what it did not repeat is said.

use schism_core::Seed;
use schism_live::Trouble as Failed;
use schism_runner::report::Report;
use schism_scenario::Scenario;

use crate::args::{Beliefs, Engine, Input};
use crate::console::Console;
use crate::engine;
use crate::exit::Trouble;

/// Reads and checks a scenario for a run on madsim: what that cannot do is refused, and what is lost on the way is said.
pub(crate) fn open(input: &Input, seed: Option<u64>, console: &mut Console) -> Result<Scenario, Trouble> {
    if !schism_live::is_here() {
        return Err(missing());
    }
    let scenario = engine::open_for(Engine::Madsim, input, seed, console)?;
    // What the file itself asks for has been refused above, with its place: these faults are drawn.
    match &schism_scenario::misfits_for_madsim(&scenario)[..] {
        [] => Ok(scenario),
        misfits => Err(Trouble::new(misfits.join("\n")).help("another seed draws other faults")),
    }
}

/// Runs a scenario; none if two runs with one seed differed, which has been said.
pub(crate) fn run(
    scenario: &Scenario,
    seed: Seed,
    beliefs: Beliefs,
    console: &mut Console,
) -> Result<Option<Report>, Trouble> {
    match schism_live::run(scenario, seed, beliefs.into()) {
        Ok(report) => Ok(Some(report)),
        Err(Failed::Missing) => Err(missing()),
        Err(failed @ (Failed::Unfit(_) | Failed::Panicked { .. } | Failed::Stuck { .. })) => {
            Err(Trouble::new(failed.to_string()))
        }
        Err(failed @ Failed::Diverged { .. }) => {
            console.complain(&format!("{failed}\n"));
            Ok(None)
        }
    }
}

fn missing() -> Trouble {
    Trouble::new(Failed::Missing.to_string()).help(schism_live::REMEDY)
}
