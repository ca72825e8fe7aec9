//! `schism run`: one run, one report.

use std::panic;
use std::path::Path;

use schism_core::Seed;
use schism_runner::case;
use schism_runner::report::{Expectation, Report, Verdict};
use schism_runner::trace::{self, Trace};
use schism_scenario::Scenario;

use crate::args::{Answer, Engine, Run};
use crate::commands::expectation_lines;
use crate::console::{self, Colour, Console};
use crate::exit::{Ending, Trouble};
use crate::progress::Progress;
use crate::render::outcomes::{Form, Mark, Outcome, outcomes};
use crate::render::text::{self, Detail, Look, Subject};
use crate::{engine, files, live, replay};

pub(crate) fn execute(run: &Run, console: &mut Console) -> Result<Ending, Trouble> {
    for written in [&run.answer.destination.output, &run.trace, &run.keep].into_iter().flatten() {
        files::keep_apart(&run.input.file, written)?;
    }
    let scenario = match (opened(run, console), run.answer.format.form()) {
        (Err(trouble), Some(form)) => {
            console
                .deliver(&outcomes(form, &[refused(&run.input.file, &trouble)]), &run.answer.destination)?;
            return Err(trouble);
        }
        (opened, _) => opened?,
    };
    let seed = scenario.seed;
    let replay = replay::command(&run.input.file, seed.0, &run.input.changes.set) + on(run.engine);
    blame_ourselves(&replay);
    let played = match run.engine {
        Engine::Des => Some(simulate(run, &scenario)?),
        Engine::Madsim => live::run(&scenario, seed, run.beliefs, console)?,
    };
    let Some(report) = played else { return Ok(Ending::Diverges) };
    let text = match run.answer.format {
        Answer::Json => report.to_json() + "\n",
        Answer::Junit => outcomes(Form::Junit, &told(run, &report, &replay)),
        Answer::Github => outcomes(Form::Github, &told(run, &report, &replay)),
        Answer::Text => {
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
    console.deliver(&text, &run.answer.destination)?;
    Ok(Ending::from(report.verdict))
}

/// The scenario, if the engine can run it.
fn opened(run: &Run, console: &mut Console) -> Result<Scenario, Trouble> {
    match run.engine {
        Engine::Des => engine::open(&run.input, run.seed, console),
        Engine::Madsim if run.keep.is_some() || run.trace.is_some() => {
            let trouble =
                Trouble::new("cases and traces are of runs of our own engine, and of none on madsim");
            Err(trouble.help("leave `--keep` and `--trace` out, or `--engine`"))
        }
        Engine::Madsim => live::open(&run.input, run.seed, console),
    }
}

/// Runs it on our own engine, with a trace if that is asked for.
fn simulate(run: &Run, scenario: &Scenario) -> Result<Report, Trouble> {
    let seed = scenario.seed;
    let mut progress = Progress::begin("simulated");
    let report = match &run.trace {
        None => engine::run(scenario, seed, run.beliefs, |done| progress.tell(done)),
        Some(file) => {
            let (report, trace) =
                engine::run_traced(scenario, seed, run.beliefs, run.trace_entries, |done| {
                    progress.tell(done);
                });
            write(file, &trace, scenario, &report)?;
            report
        }
    };
    progress.end();
    Ok(report)
}

/// How a replay names an engine that is not our own.
fn on(engine: Engine) -> &'static str {
    match engine {
        Engine::Des => "",
        Engine::Madsim => " --engine madsim",
    }
}

/// Writes the trace, for Perfetto if its name says so.
fn write(file: &Path, trace: &Trace<()>, scenario: &Scenario, report: &Report) -> Result<(), Trouble> {
    if file.to_string_lossy().ends_with(".perfetto.json") {
        return files::write_parts(file, trace::perfetto(trace, scenario, report));
    }
    files::write_parts(file, trace::lines(trace, scenario, report).map(|line| line + "\n"))
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

/// A scenario that was not run at all.
fn refused(file: &Path, trouble: &Trouble) -> Outcome {
    Outcome {
        name: "is a scenario".to_owned(),
        file: file.display().to_string(),
        place: None,
        mark: Mark::Refused,
        message: console::plain(trouble.text()).trim().to_owned(),
    }
}

/// Each expectation, with the line of the file at which it begins.
fn told(run: &Run, report: &Report, replay: &str) -> Vec<Outcome> {
    let file = &run.input.file;
    let lines = expectation_lines(file, report.expect.iter().map(|expectation| &expectation.id));
    let outcome = |expectation: &Expectation| {
        let why = expectation.why.clone().unwrap_or_default();
        let (mark, message) = match expectation.verdict {
            Verdict::Holds => (Mark::Holds, String::new()),
            Verdict::Vacuous => (Mark::Vacuous, format!("{why}\n{replay}")),
            Verdict::Fails => (Mark::Fails, format!("{why}\n{replay}")),
        };
        let (name, file) = (expectation.id.clone(), file.display().to_string());
        let place = lines.get(&name).map(|&line| (line, None));
        Outcome { name, file, place, mark, message }
    };
    report.expect.iter().map(outcome).collect()
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
