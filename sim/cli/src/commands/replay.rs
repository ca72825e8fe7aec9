//! `schism replay`: cases run again, each with one of three answers.

use std::path::{Path, PathBuf};

use schism_runner::replay::{Answer, Outcome as Became, Replay, replay};
use schism_scenario::{CASE_FORMAT, Case, Document, Loaded, limits};

use crate::args::{Answer as Output, Expected, Replays};
use crate::console::{self, Console};
use crate::exit::{Ending, Trouble};
use crate::progress::Progress;
use crate::render::outcomes::{Form, Mark, Outcome, outcomes};
use crate::render::replay as render;
use crate::{engine, files};

/// One file, and what has become of the case in it.
pub(crate) struct Told {
    /// The file.
    pub(crate) file: PathBuf,
    /// What has become of it, or why it could not be run.
    pub(crate) found: Result<Replay, Trouble>,
}

pub(crate) fn execute(replays: &Replays, console: &mut Console) -> Result<Ending, Trouble> {
    let mut progress = Progress::begin("replayed");
    let mut all = Vec::new();
    for file in &replays.files {
        all.push(Told {
            file: file.clone(),
            found: open(file, console).map(|(loaded, case)| run(&loaded, &case)),
        });
        progress.tell(all.len() as f64 / replays.files.len() as f64);
    }
    progress.end();
    for trouble in all.iter().filter_map(|told| told.found.as_ref().err()) {
        console.complain(trouble.text());
    }
    let text = match replays.answer.format {
        Output::Text => render::text(&all),
        Output::Json => render::json(&all),
        Output::Junit => outcomes(Form::Junit, &cases(&all, replays.expect)),
        Output::Github => outcomes(Form::Github, &cases(&all, replays.expect)),
    };
    console.deliver(&text, &replays.answer.destination)?;
    Ok(ending(&all, replays.expect))
}

fn run(loaded: &Loaded, case: &Case) -> Replay {
    replay(&loaded.scenario, case)
}

/// Each case for continuous integration.
fn cases(all: &[Told], expected: Expected) -> Vec<Outcome> {
    let case = |told: &Told| Outcome {
        name: told.found.as_ref().map_or("is a case".to_owned(), |replay| replay.case.expectation.clone()),
        file: told.file.display().to_string(),
        place: None,
        mark: Mark::from(ending(std::slice::from_ref(told), expected)),
        message: match &told.found {
            Ok(replay) => {
                let said = render::text(std::slice::from_ref(told));
                format!("{}\n{}", render::why(replay), console::plain(&said).trim())
            }
            Err(trouble) => console::plain(trouble.text()).trim().to_owned(),
        },
    };
    all.iter().map(case).collect()
}

/// Of all cases together: the worst of them.
fn ending(all: &[Told], expected: Expected) -> Ending {
    if all.iter().any(|told| told.found.is_err()) {
        return Ending::Refused;
    }
    let found = || all.iter().filter_map(|told| told.found.as_ref().ok());
    let says_nothing = |replay: &Replay| matches!(replay.outcome, Became::Vacuous(_) | Became::Unasked);
    match expected {
        Expected::Fixed if found().any(|replay| replay.answer() != Answer::Holding) => Ending::Fails,
        // What is not reached has not been put right.
        Expected::Fixed if found().any(says_nothing) => Ending::Vacuous,
        Expected::Fixed => Ending::Holds,
        Expected::Failing if found().any(Replay::is_unfaithful) => Ending::Diverges,
        Expected::Failing if found().all(|replay| replay.answer() == Answer::Identical) => Ending::Holds,
        Expected::Failing => Ending::Fails,
    }
}

/// Reads a case; warnings are said on stderr.
pub(crate) fn open(file: &Path, console: &mut Console) -> Result<(Loaded, Case), Trouble> {
    let source = files::read(file, limits::FILE_BYTES)?;
    let name = file.display();
    let text = String::from_utf8_lossy(&source.bytes);
    let document = Document::parse(&text);
    let said = |path: &str| document.as_ref()?.text(path);
    let format = document.as_ref().and_then(|document| document.get("case.format")?.parse::<u32>().ok());
    let writer = said("case.schism").filter(|writer| writer != env!("CARGO_PKG_VERSION"));
    if let Some(format) = format.filter(|&format| format > CASE_FORMAT) {
        let by = writer.map_or_else(|| "a newer schism".to_owned(), |writer| format!("schism {writer}"));
        let message = format!("{name} was written by {by} in format {format}; this is {}", ours());
        return Err(
            Trouble::new(message).help("replay it with that version, or make the case anew with this one")
        );
    }
    let loaded = engine::check(&source, &[]).map_err(|refusal| {
        let trouble = Trouble::from(refusal);
        match &writer {
            Some(writer) => trouble.help(format!(
                "{name} was written by schism {writer}, and the language has moved since: this is {}",
                ours()
            )),
            None => trouble,
        }
    })?;
    console.complain(&engine::shown(&loaded.warnings));
    match loaded.case.clone() {
        Some(case) if case.engine != ENGINE => {
            let message = format!(
                "{name} is of a run on the engine `{}`, and this replays runs on `{ENGINE}`",
                case.engine
            );
            Err(Trouble::new(message).help("make the case anew with schism run --keep CASE"))
        }
        Some(case) => Ok((loaded, case)),
        None => Err(Trouble::new(format!("{name} is a scenario and no case: it has no [case]"))
            .help("run it with schism run; schism run --keep CASE makes a case of a failure")),
    }
}

/// What cases are of: the one engine whose runs are the same everywhere.
const ENGINE: &str = "des";

fn ours() -> String {
    format!("schism {}, which reads format {CASE_FORMAT}", env!("CARGO_PKG_VERSION"))
}
