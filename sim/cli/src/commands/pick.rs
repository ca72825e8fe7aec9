//! `schism pick`: one balancer without a network, by a script.

use std::path::Path;

use schism_runner::pick::Outcome;
use schism_scenario::limits;
use schism_scenario::pick::Script;

use crate::args::{Format, Pick};
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::progress::Progress;
use crate::render::pick as render;
use crate::{engine, files};

/// The script to start from.
pub(crate) const EXAMPLE: &str = include_str!("pick/example.json");

pub(crate) fn execute(pick: &Pick, console: &mut Console) -> Result<Ending, Trouble> {
    let text = match &pick.file {
        Some(file) => answer(pick, file, console)?,
        None if pick.schema => pretty(&schism_scenario::pick::schema()),
        None => EXAMPLE.to_owned(),
    };
    console.deliver(&text, &pick.destination)?;
    Ok(Ending::Holds)
}

fn answer(pick: &Pick, file: &Path, console: &Console) -> Result<String, Trouble> {
    let source = files::read(file, limits::PICK_BYTES)?;
    let script = Script::load(&source.name, &source.bytes)
        .map_err(|wrong| Trouble::as_shown(engine::shown(&wrong)))?;
    let outcome = run(&script);
    Ok(match pick.format {
        Format::Json => outcome.to_json() + "\n",
        Format::Text => render::text(&script, &outcome, console.width(), pick.verbose),
    })
}

fn run(script: &Script) -> Outcome {
    let mut progress = Progress::begin("picked");
    let outcome = schism_runner::pick(script, |done| progress.tell(done));
    progress.end();
    outcome
}
