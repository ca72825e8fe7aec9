//! `schism check`: what is wrong with scenarios, without running them.

use std::path::Path;

use schism_scenario::{Diagnostic, Loaded, Severity};
use serde_json::{Value, json};

use crate::args::{Answer, Check};
use crate::commands::pretty;
use crate::console::{self, Console};
use crate::engine::{self, Refusal};
use crate::exit::{Ending, Trouble};
use crate::render::outcomes::{Form, Mark, Outcome, outcomes};
use crate::render::style::{self, paint};
use crate::render::words::clean;

pub(crate) fn execute(check: &Check, console: &mut Console) -> Result<Ending, Trouble> {
    match check.answer.format {
        Answer::Text => text(check, console),
        Answer::Json => json(check, console),
        Answer::Junit => told(check, Form::Junit, console),
        Answer::Github => told(check, Form::Github, console),
    }
}

/// A line on stdout for each file that is a scenario, and on stderr what is wrong with the others.
fn text(check: &Check, console: &mut Console) -> Result<Ending, Trouble> {
    let mut ending = Ending::Holds;
    let mut lines = String::new();
    for file in &check.files {
        match load(file, check) {
            Ok(Loaded { scenario, warnings, case, .. }) => {
                console.complain(&engine::shown(&warnings));
                if case.is_some_and(|case| case.scenario_digest != scenario.digest) {
                    let note = "the scenario does not mean what it did when the case was kept";
                    console.complain(&format!("{} {}: {note}\n", paint(style::ODD, "note:"), file.display()));
                }
                let ok = paint(style::GOOD, "ok");
                lines += &format!("{ok}  {}  {}\n", file.display(), clean(&scenario.title));
            }
            Err(refusal) => {
                console.complain(Trouble::from(refusal).text());
                ending = Ending::Refused;
            }
        }
    }
    console.deliver(&lines, &check.answer.destination)?;
    Ok(ending)
}

fn load(file: &Path, check: &Check) -> Result<Loaded, Refusal> {
    engine::load_for(check.engine, file, &check.changes.set)
}

/// All diagnostics of all files in one array.
fn json(check: &Check, console: &mut Console) -> Result<Ending, Trouble> {
    let mut ending = Ending::Holds;
    let mut all = Vec::new();
    for file in &check.files {
        let loaded = load(file, check);
        if loaded.is_err() {
            ending = Ending::Refused;
        }
        match loaded {
            Ok(Loaded { warnings: found, .. }) | Err(Refusal::Wrong(found)) => {
                all.extend(found.iter().map(|one| serde_json::to_value(one).expect("plain data")));
            }
            Err(Refusal::Unreadable(trouble)) => all.push(unreadable(file, &trouble)),
        }
    }
    console.deliver(&pretty(&Value::Array(all)), &check.answer.destination)?;
    Ok(ending)
}

/// All diagnostics of all files as outcomes, and one for each file that has none.
fn told(check: &Check, form: Form, console: &mut Console) -> Result<Ending, Trouble> {
    let mut ending = Ending::Holds;
    let mut all = Vec::new();
    for file in &check.files {
        let name = file.display().to_string();
        let whole = |mark: Mark, message: String| Outcome {
            name: "is a scenario".to_owned(),
            file: name.clone(),
            place: None,
            mark,
            message,
        };
        let loaded = load(file, check);
        if loaded.is_err() {
            ending = Ending::Refused;
        }
        match loaded {
            Ok(Loaded { warnings, .. }) if warnings.is_empty() => all.push(whole(Mark::Holds, String::new())),
            Ok(Loaded { warnings: found, .. }) | Err(Refusal::Wrong(found)) => {
                all.extend(found.iter().map(diagnosed));
            }
            Err(Refusal::Unreadable(trouble)) => {
                all.push(whole(Mark::Refused, console::plain(trouble.text()).trim().to_owned()));
            }
        }
    }
    console.deliver(&outcomes(form, &all), &check.answer.destination)?;
    Ok(ending)
}

/// One diagnostic, at its place.
fn diagnosed(one: &Diagnostic) -> Outcome {
    Outcome {
        name: one.message.clone(),
        file: one.file.clone(),
        place: Some((one.line, Some(one.column))),
        mark: match one.severity {
            Severity::Error => Mark::Refused,
            Severity::Warning => Mark::Warned,
        },
        message: match &one.help {
            Some(help) => format!("{}\n{help}", one.message),
            None => one.message.clone(),
        },
    }
}

/// A diagnostic without a place: there was nothing to look at.
fn unreadable(file: &Path, trouble: &Trouble) -> Value {
    let said = console::plain(trouble.text());
    let mut lines =
        said.lines().map(|line| line.trim().trim_start_matches("error: ").trim_start_matches("help: "));
    json!({
        "severity": "error",
        "file": file.display().to_string(),
        "line": null,
        "column": null,
        "span": null,
        "message": lines.next(),
        "text": null,
        "help": lines.next(),
        "related": [],
    })
}
