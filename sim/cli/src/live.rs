//! Runs on madsim: what it cannot do is refused before one begins, and what it did not repeat is said.

use schism_core::Seed;
use schism_live::Trouble as Failed;
use schism_runner::report::Report;
use schism_scenario::Scenario;

use crate::args::{Beliefs, Input};
use crate::console::Console;
use crate::engine;
use crate::exit::Trouble;

/// Refuses a scenario that asks for what madsim cannot do, and says what is lost on the way.
pub(crate) fn fit(input: &Input, scenario: &Scenario, console: &mut Console) -> Result<(), Trouble> {
    if !schism_live::is_here() {
        return Err(missing());
    }
    console.complain(&engine::shown(&engine::fit_for_madsim(&input.file, &input.changes.set)?));
    // What the file itself asks for has been refused above, with its place: these faults are drawn.
    match &schism_scenario::misfits_for_madsim(scenario)[..] {
        [] => Ok(()),
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
        Err(failed @ Failed::Diverged { .. }) => {
            console.complain(&format!("{failed}\n"));
            Ok(None)
        }
    }
}

fn missing() -> Trouble {
    Trouble::new(Failed::Missing.to_string()).help(schism_live::REMEDY)
}
