//! `schism verify`: whether a seed is one run wherever it is run, and if it is not, where two runs of it part.

use std::ops::Range;
use std::process::{Command, Stdio};

use rayon::ThreadPoolBuilder;
use rayon::prelude::*;
use schism_core::Seed;
use schism_models::node::Node;
use schism_runner::verify::{Checked, Log, Stretch, Trail, check, log, trail};
use schism_scenario::{Family, Loaded};
use serde_json::json;

use crate::args::{self, Answer, Verify};
use crate::commands::pretty;
use crate::console::{self, Console};
use crate::exit::{Ending, Trouble};
use crate::render::outcomes::{Form, Mark, Outcome, outcomes};
use crate::render::verify as text;
use crate::{engine, files};

pub(crate) fn execute(verify: &Verify, console: &mut Console) -> Result<Ending, Trouble> {
    if files::is_dash(&verify.input.file) {
        return Err(Trouble::new("a scenario is run several times, so it cannot come from stdin")
            .help("write it to a file"));
    }
    let Loaded { scenario, family, warnings, .. } =
        engine::load(&verify.input.file, &verify.input.changes.set)?;
    console.complain(&engine::shown(&warnings));
    let seeds = match (verify.seed, &verify.seeds) {
        (Some(seed), _) => vec![seed],
        (None, Some(seeds)) => seeds.clone().collect(),
        (None, None) => vec![scenario.seed.0],
    };
    let checked = all(verify, &family, &seeds)?;
    let file = verify.input.file.display().to_string();
    let text = match verify.answer.format {
        Answer::Text => in_words(&file, &checked),
        Answer::Json => pretty(&json!({
            "schema": "schism.verify/1",
            "scenario": { "title": scenario.title, "digest": scenario.digest.to_string() },
            "same": checked.iter().all(|checked| checked.discord.is_none()),
            "seeds": checked,
        })),
        Answer::Junit => outcomes(Form::Junit, &told(&file, &checked)),
        Answer::Github => outcomes(Form::Github, &told(&file, &checked)),
    };
    console.deliver(&text, &verify.answer.destination)?;
    let same = checked.iter().all(|checked| checked.discord.is_none());
    Ok(if same { Ending::Holds } else { Ending::Diverges })
}

/// `schism trail`, which `verify` runs in processes of its own: what a run leaves to be compared, in one line.
pub(crate) fn print_trail(args: &args::Trail, console: &mut Console) -> Result<Ending, Trouble> {
    let scenario = engine::open(&args.input, args.seed, console)?;
    let line = match args.events {
        None => trail::<Node>(&scenario, scenario.seed).to_line(),
        Some(Range { start: from, end: to }) => {
            log::<Node>(&scenario, scenario.seed, Stretch { from, to }).to_line()
        }
    };
    console.print(&(line + "\n"))?;
    Ok(Ending::Holds)
}

/// Every seed, so many at a time, in their order.
fn all(verify: &Verify, family: &Family, seeds: &[u64]) -> Result<Vec<Checked>, Trouble> {
    let pool = ThreadPoolBuilder::new()
        .num_threads(verify.jobs.unwrap_or(0))
        .build()
        .map_err(|error| Trouble::new(format!("cannot start so many threads: {error}")))?;
    let one = |&seed: &u64| {
        let scenario = engine::member(family, Seed(seed))?;
        let elsewhere = ["in a second process", "in a third process"]
            .map(|place| Ok::<_, Trouble>((place.to_owned(), child(verify, seed, None, Trail::from_line)?)));
        let [second, third] = elsewhere;
        let write = |stretch| child(verify, seed, Some(stretch), Log::from_line).ok();
        Ok(check::<Node>(&scenario, scenario.seed, vec![second?, third?], write))
    };
    pool.install(|| seeds.par_iter().map(one).collect())
}

/// The trail of a seed, or the log of a stretch, from another process.
fn child<T>(
    verify: &Verify,
    seed: u64,
    stretch: Option<Stretch>,
    read: impl Fn(&str) -> Option<T>,
) -> Result<T, Trouble> {
    let failed = |why: String| Trouble::new(format!("cannot run seed {seed} in another process: {why}"));
    let itself = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(itself);
    command.arg("trail").arg(&verify.input.file).args(["--seed", &seed.to_string()]);
    verify.input.changes.set.iter().for_each(|change| {
        command.arg("--set").arg(change);
    });
    if let Some(Stretch { from, to }) = stretch {
        command.arg("--events").arg(format!("{from}..{to}"));
    }
    let output = command.stdin(Stdio::null()).output().map_err(|error| failed(error.to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout);
    read(said.trim()).ok_or_else(|| {
        let last = String::from_utf8_lossy(&output.stderr);
        failed(format!("{}: {}", output.status, last.lines().last().unwrap_or("it said nothing")))
    })
}

fn in_words(file: &str, checked: &[Checked]) -> String {
    let differing = checked.iter().filter_map(|checked| Some((checked.seed, checked.discord.as_ref()?)));
    let told: String = differing.map(|(seed, discord)| text::differs(file, seed, discord)).collect();
    if told.is_empty() { text::same(file, checked) } else { told }
}

fn told(file: &str, checked: &[Checked]) -> Vec<Outcome> {
    let outcome = |checked: &Checked| Outcome {
        name: format!("seed {} is one run", checked.seed),
        file: file.to_owned(),
        place: None,
        mark: if checked.discord.is_none() { Mark::Holds } else { Mark::Differs },
        message: checked
            .discord
            .as_ref()
            .map_or(String::new(), |discord| console::plain(&text::differs(file, checked.seed, discord))),
    };
    checked.iter().map(outcome).collect()
}
