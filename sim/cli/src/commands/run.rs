//! `schism run`: one run, one report.

use std::panic;
use std::path::Path;

use schism_core::Seed;
use schism_runner::{Report, case};
use schism_scenario::Scenario;

use crate::args::{Format, Run};
use crate::console::{self, Colour, Console};
use crate::exit::{Ending, Trouble};
use crate::progress::Progress;
use crate::render::text::{self, Detail, Look, Subject};
use crate::{engine, files, replay};

pub(crate) fn execute(run: &Run, console: &mut Console) -> Result<Ending, Trouble> {
    let scenario = engine::open(&run.input, console)?;
    let seed = run.seed.map_or(scenario.seed, Seed);
    let replay = replay::command(&run.input.file, seed.0, &run.input.changes.set);
    blame_ourselves(&replay);
    let mut progress = Progress::begin("simulated");
    let report = engine::run(&scenario, seed, run.beliefs, |done| progress.tell(done));
    progress.end();
    let text = match run.format {
        Format::Json => report.to_json() + "\n",
        Format::Text => {
            let subject = Subject {
                why: scenario.why.clone(),
                nodes: nodes(&scenario),
                warmup_s: scenario.warmup.as_secs_f64(),
                replay,
            };
            text::report(&report, &subject, look(run, console))
        }
    };
    if let Some(path) = &run.keep {
        keep(&scenario, seed, &report, path, console)?;
    }
    match run.output.as_deref() {
        Some(path) if !files::is_dash(path) => files::write(path, &console::plain(&text))?,
        Some(_) | None => console.print(&text)?,
    }
    Ok(Ending::from(report.verdict))
}

/// Writes the first failure of a run as a case.
fn keep(
    scenario: &Scenario,
    seed: Seed,
    report: &Report,
    path: &Path,
    console: &mut Console,
) -> Result<(), Trouble> {
    let Some(failure) = report.failures().next() else {
        console.complain("nothing failed, so no case was written\n");
        return Ok(());
    };
    let kept = case::keep(scenario, seed, &failure).expect("a run is a function of its seed");
    let name = replay::quoted(&path.display().to_string());
    files::write(path, &kept.file(&name, &[]))?;
    console.complain(&format!("kept {}; schism replay {name}\n", failure.expectation));
    Ok(())
}

/// From here on a panic is a fault of the simulator, not of the scenario, and it can be repeated.
fn blame_ourselves(replay: &str) {
    let report = format!("this is a bug in schism, not in the scenario; it can be repeated by: {replay}\n");
    let usual = panic::take_hook();
    panic::set_hook(Box::new(move |panicked| {
        usual(panicked);
        Console::new(Colour::Auto).complain(&report);
    }));
}

fn look(run: &Run, console: &Console) -> Look {
    let detail = if run.verbose { Detail::Full } else { Detail::Brief };
    Look { width: console.width(), detail }
}

fn nodes(scenario: &Scenario) -> usize {
    let services: usize = scenario.services.iter().map(|group| group.nodes.len()).sum();
    let clients: usize = scenario.clients.iter().map(|group| group.nodes.len()).sum();
    scenario.members.len() + services + clients
}
