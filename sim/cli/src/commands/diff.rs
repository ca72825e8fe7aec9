//! `schism diff`: two runs compared, each from a scenario that is run now or from a report that was kept.

use std::path::Path;

use schism_core::Seed;
use schism_runner::diff::{diff, part, settings};
use schism_scenario::{Scenario, limits};
use serde_json::{Value, json};

use crate::args::{Beliefs, Changes, Diff, Format, Input};
use crate::commands::pretty;
use crate::console::Console;
use crate::exit::{Ending, Trouble};
use crate::render::diff::{self as text, Compared, Detail};
use crate::{engine, files};

/// One of the two.
struct Side {
    name: String,
    report: Value,
    /// None if it is a report that was kept.
    run: Option<(Scenario, Seed)>,
}

pub(crate) fn execute(diff: &Diff, console: &mut Console) -> Result<Ending, Trouble> {
    let [one, other] = sides(diff, console)?;
    let compared = compare(&one, &other);
    let same = compared.diff.same_run
        && compared.diff.changes.is_empty()
        && compared.settings.as_ref().is_none_or(Vec::is_empty);
    let text = match diff.answer.format {
        Format::Text => {
            let detail = if diff.verbose { Detail::Full } else { Detail::Brief };
            text::text(&compared, detail, console.width())
        }
        Format::Json => pretty(&in_json(&one, &other, &compared, same)),
    };
    console.deliver(&text, &diff.answer.destination)?;
    Ok(if same { Ending::Holds } else { Ending::Fails })
}

fn compare(one: &Side, other: &Side) -> Compared {
    let runs = one.run.as_ref().zip(other.run.as_ref());
    let diff = diff(&one.report, &other.report);
    // Two seeds share nothing: where they part says nothing.
    let alike = runs.filter(|(one, other)| one.1 == other.1 && !diff.same_run);
    Compared {
        names: [one.name.clone(), other.name.clone()],
        settings: runs.map(|(one, other)| settings(&one.0, &other.0)),
        parted: alike.and_then(|(one, other)| part((&one.0, one.1), (&other.0, other.1))),
        diff,
    }
}

fn in_json(one: &Side, other: &Side, compared: &Compared, same: bool) -> Value {
    let side = |side: &Side| {
        json!({
            "name": side.name,
            "seed": side.report["seed"],
            "scenario": side.report["scenario"],
            "digest": side.report["digest"],
        })
    };
    json!({
        "schema": "schism.diff/1",
        "same": same,
        "a": side(one),
        "b": side(other),
        "settings": compared.settings,
        "same_run": compared.diff.same_run,
        "changes": compared.diff.changes,
        "parted": compared.parted,
    })
}

fn sides(diff: &Diff, console: &mut Console) -> Result<[Side; 2], Trouble> {
    let [first, rest @ ..] = diff.files.as_slice() else { unreachable!("a file is required") };
    let second = rest.first().unwrap_or(first);
    let alone = rest.is_empty() && diff.seed.len() < 2 && diff.against.is_empty();
    if alone && diff.set.is_empty() {
        return Err(Trouble::new("there is nothing to compare it with")
            .help("name a second file, give --seed twice, or change something with --set"));
    }
    if files::is_dash(first) && files::is_dash(second) {
        return Err(Trouble::new("only one of the two can come from stdin"));
    }
    let seeds = match diff.seed.as_slice() {
        [] => [None, None],
        [both] => [Some(*both); 2],
        [one, other] => [Some(*one), Some(*other)],
        _ => return Err(Trouble::new("two runs have two seeds: --seed is given at most twice")),
    };
    let (one, other): (&[String], &[String]) = match &diff.against[..] {
        // Nothing else tells the two apart: it is compared with what it was.
        [] if alone => (&[], &diff.set),
        [] => (&diff.set, &diff.set),
        against => (&diff.set, against),
    };
    Ok([side(first, seeds[0], one, console)?, side(second, seeds[1], other, console)?])
}

/// A report that was kept, or a scenario that is run.
fn side(file: &Path, seed: Option<u64>, set: &[String], console: &mut Console) -> Result<Side, Trouble> {
    if file.extension().is_some_and(|extension| extension == "json") {
        return kept(file, seed, set);
    }
    let input = Input { file: file.to_owned(), changes: Changes { set: set.to_vec() } };
    let scenario = engine::open(&input, seed, console)?;
    let seed = scenario.seed;
    let report = engine::run(&scenario, seed, Beliefs::Wrong, |_| {});
    let report = serde_json::from_str(&report.to_json()).expect("a report is JSON");
    let changes: String = set.iter().map(|change| format!(" --set {change}")).collect();
    Ok(Side {
        name: format!("{} --seed {}{changes}", file.display(), seed.0),
        report,
        run: Some((scenario, seed)),
    })
}

fn kept(file: &Path, seed: Option<u64>, set: &[String]) -> Result<Side, Trouble> {
    let name = file.display().to_string();
    if seed.is_some() || !set.is_empty() {
        return Err(Trouble::new(format!("{name} is a report: it has been run already"))
            .help("--seed, --set and --against are for scenarios"));
    }
    let source = files::read(file, limits::FILE_BYTES)?;
    let report: Value = serde_json::from_slice(&source.bytes)
        .map_err(|error| Trouble::new(format!("{name} is no JSON: {error}")))?;
    match report["schema"].as_str() {
        Some("schism.report/1") => Ok(Side { name, report, run: None }),
        Some(_) | None => Err(Trouble::new(format!("{name} is no report"))
            .help("a report is what `schism run --format json` writes")),
    }
}
