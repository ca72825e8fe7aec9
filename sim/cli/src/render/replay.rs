//! What has become of cases, in words and as JSON.

use std::path::Path;

use schism_core::{Duration, Time};
use schism_runner::Failure;
use schism_runner::case::moment;
use schism_runner::replay::{Answer, Course, Outcome, Replay};
use serde_json::{Value, json};

use super::style::{self, paint};
use super::words::{calm, clean, width};
use crate::commands::replay::Told;
use crate::console;

/// A case to a line: its name, its run, its failure, and beneath what else there is to know.
pub(crate) fn text(all: &[Told]) -> String {
    let rows: Vec<(String, &Replay)> =
        all.iter().filter_map(|told| Some((name(&told.file), told.found.as_ref().ok()?))).collect();
    let names = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let courses = rows.iter().map(|(_, replay)| width(&course(replay))).max().unwrap_or(0);
    let mut out = String::new();
    for (name, replay) in &rows {
        let name = format!("{name:names$}");
        let course = format!("{:courses$}", course(replay));
        out += &format!("{}  {course}  {}\n", paint(style::NAME, &name), outcome(replay));
        for line in notes(replay) {
            out += &format!("{}{}\n", " ".repeat(names + 2), paint(style::FAINT, line));
        }
    }
    if all.len() > 1 {
        out += &summary(all);
    }
    out
}

/// How many there are of each answer.
fn summary(all: &[Told]) -> String {
    let count = |answer| {
        all.iter().filter(|told| told.found.as_ref().is_ok_and(|replay| replay.answer() == answer)).count()
    };
    let parts = [
        (count(Answer::Identical), "identical"),
        (count(Answer::StillFailing), "changed and still failing"),
        (count(Answer::Holding), "holding"),
        (all.iter().filter(|told| told.found.is_err()).count(), "not run"),
    ];
    let some: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    format!("{} cases: {}\n", all.len(), some.join(", "))
}

/// The name of a case: that of its file, without what says that it is one.
fn name(file: &Path) -> String {
    let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy();
    let stem = name.strip_suffix(".toml").unwrap_or(&name);
    clean(stem.strip_suffix(".case").unwrap_or(stem))
}

fn course(replay: &Replay) -> String {
    match replay.course {
        Course::AsRecorded => format!("digest {} = recorded", short(&replay.report.digest)),
        Course::Differs { after, before } => {
            format!("digest differs between {} and {}", shown(after), shown(before))
        }
    }
}

/// A moment to the millisecond.
fn shown(at: Time) -> String {
    Duration::from_millis((at.as_secs_f64() * 1e3).round() as u64).to_string()
}

/// The first digits of a digest, and the last.
fn short(digest: &str) -> String {
    format!("{}…{}", &digest[..6], &digest[digest.len() - 2..])
}

fn outcome(replay: &Replay) -> String {
    let id = clean(&replay.case.expectation);
    let fails = paint(style::BAD, "FAILS");
    let at = |failure: &Failure| {
        failure.at_s.map_or_else(String::new, |secs| format!(" at {}", shown(moment(secs))))
    };
    let recorded = || replay.case.at.map_or_else(String::new, |at| format!(" at {}", shown(at)));
    match &replay.outcome {
        Outcome::AsRecorded => format!("{id} {fails}{}, as recorded", recorded()),
        Outcome::Moved(failure) if failure.at_s.is_some() => {
            format!("{id} still {fails}{}, recorded{}", at(failure), recorded())
        }
        Outcome::Moved(_) => format!("{id} still {fails}, with other figures"),
        Outcome::Otherwise(failure) => format!("{id} still {fails}{}, in another way", at(failure)),
        Outcome::Holds(margin) => {
            let margin = margin.as_ref().map_or_else(String::new, |margin| format!(", margin {margin}"));
            format!("{id} holds{margin}  {}", paint(style::GOOD, "FIXED"))
        }
        Outcome::Vacuous(_) => format!("{id} says nothing  {}", paint(style::ODD, "VACUOUS")),
        Outcome::Unasked => format!("{id} is not asked for any more  {}", paint(style::ODD, "GONE")),
    }
}

/// Why it fails now, or failed when it was recorded.
pub(crate) fn why(replay: &Replay) -> String {
    match &replay.outcome {
        Outcome::Moved(failure) | Outcome::Otherwise(failure) => calm(&clean(&failure.why)),
        Outcome::AsRecorded | Outcome::Holds(_) | Outcome::Vacuous(_) | Outcome::Unasked => {
            calm(&clean(&replay.case.why))
        }
    }
}

/// What else there is to know, a sentence to a line.
fn notes(replay: &Replay) -> Vec<String> {
    let mut notes = Vec::new();
    match &replay.outcome {
        Outcome::AsRecorded | Outcome::Unasked | Outcome::Holds(_) => {}
        Outcome::Moved(failure) | Outcome::Otherwise(failure) => {
            let both = [&failure.why, &replay.case.why].map(|why| clean(why));
            // What differs by less than a millisecond is told to the nanosecond.
            let [now, recorded] = [calm(&both[0]), calm(&both[1])];
            let [now, recorded] = if now == recorded { both } else { [now, recorded] };
            notes.push(format!("now:      {now}"));
            notes.push(format!("recorded: {recorded}"));
        }
        Outcome::Vacuous(why) => notes.push(clean(why)),
    }
    let ours = &replay.report.version;
    match (&replay.moved.version, replay.moved.scenario) {
        (Some(theirs), false) => notes.push(format!(
            "written by schism {}, and this is {ours}; the scenario means the same",
            clean(theirs)
        )),
        (Some(theirs), true) => notes.push(format!(
            "written by schism {}, and this is {ours}; the scenario does not mean the same any more: the language has \
             moved, or the text was edited",
            clean(theirs)
        )),
        (None, true) => notes.push("the text was edited: the scenario is not the one that was recorded".to_owned()),
        (None, false) if replay.is_unfaithful() => notes.push(
            "the same version and the same scenario: the models were changed, or a run is not a function of its seed \
             any more (schism verify)"
                .to_owned(),
        ),
        (None, false) => {}
    }
    let Some(first) = replay.report.failures().find(|failure| failure.expectation != replay.case.expectation)
    else {
        return notes;
    };
    if replay.answer() == Answer::Holding {
        let at = first.at_s.map_or_else(String::new, |at| format!(" at {}", shown(moment(at))));
        notes.push(format!("but {} fails{at}: {}", clean(&first.expectation), calm(&clean(&first.why))));
    }
    notes
}

/// `schism.replay/1`: what was found of each file, in the order in which they were named.
pub(crate) fn json(all: &[Told]) -> String {
    let cases: Vec<Value> = all.iter().map(one).collect();
    let value = json!({ "schema": "schism.replay/1", "version": env!("CARGO_PKG_VERSION"), "cases": cases });
    format!("{value:#}\n")
}

fn one(told: &Told) -> Value {
    let file = told.file.display().to_string();
    match &told.found {
        Ok(replay) => {
            let mut value = found(replay);
            value.as_object_mut().expect("it is an object").insert("file".to_owned(), json!(file));
            value
        }
        Err(trouble) => {
            json!({ "file": file, "answer": "refused", "why": console::plain(trouble.text()).trim_end() })
        }
    }
}

fn found(replay: &Replay) -> Value {
    let (outcome, failure, why, margin) = match &replay.outcome {
        Outcome::AsRecorded => ("fails-as-recorded", None, Some(&replay.case.why), None),
        Outcome::Moved(failure) => ("fails-moved", Some(failure), Some(&failure.why), None),
        Outcome::Otherwise(failure) => ("fails-otherwise", Some(failure), Some(&failure.why), None),
        Outcome::Holds(margin) => ("holds", None, None, margin.as_ref()),
        Outcome::Vacuous(why) => ("vacuous", None, Some(why), None),
        Outcome::Unasked => ("unasked", None, None, None),
    };
    let differs = match replay.course {
        Course::AsRecorded => None,
        Course::Differs { after, before } => Some([after.as_secs_f64(), before.as_secs_f64()]),
    };
    let case = &replay.case;
    json!({
        "answer": replay.answer(),
        "expectation": case.expectation,
        "outcome": outcome,
        "at_s": failure.and_then(|failure| failure.at_s),
        "why": why,
        "margin": margin,
        "recorded": {
            "schism": case.schism,
            "digest": case.digest.to_string(),
            "scenario_digest": case.scenario_digest.to_string(),
            "at_s": case.at.map(Time::as_secs_f64),
            "why": case.why,
        },
        "digest": replay.report.digest,
        "differs_between_s": differs,
        "scenario_digest": replay.report.scenario.digest,
        "same_version": replay.moved.version.is_none(),
        "same_scenario": !replay.moved.scenario,
    })
}
