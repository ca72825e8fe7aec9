//! What shrinking came to, in words and as JSON.

use schism_core::Duration;
use schism_runner::shrink::{Proof, Shrunk, Size};
use serde_json::{Value, json};

use super::style::{self, paint};
use super::words::{calm, clean, wrap};

/// How many faults are named before the rest is counted.
const MOST_NAMED: usize = 12;

/// What there is to say; `saved` is the file of the case, quoted for a shell.
pub(crate) fn text(shrunk: &Shrunk, saved: Option<&str>, width: usize) -> String {
    let failure = &shrunk.failure;
    let at = failure.at_s.map_or_else(String::new, |secs| {
        format!(" at {}", Duration::from_millis((secs * 1e3).round() as u64))
    });
    let mut lines = vec![format!("{} {}{at}", paint(style::BAD, "FAILS"), clean(&failure.expectation))];
    lines.extend(wrap(&calm(&failure.why), width - 2).into_iter().map(|line| format!("  {line}")));
    lines.extend([format!("  {}", shrunk.words()), format!("  {}", shrunk.proof_words())]);
    lines.extend(parts(shrunk).into_iter().map(|(label, ids)| format!("  {label:10} {ids}")));
    if let Some(name) = saved {
        lines.push(format!("  {:10} {name}", "saved"));
        lines.push(format!("  {:10} {}", "replay", paint(style::NAME, format!("schism replay {name}"))));
    }
    lines.join("\n") + "\n"
}

/// Which faults were needed, and which were not. Where not all of them have been tried, the others are just left.
fn parts(shrunk: &Shrunk) -> Vec<(&'static str, String)> {
    let needed: Vec<&str> = shrunk.scenario.faults.iter().map(|planned| planned.id.as_str()).collect();
    let needless: Vec<&str> = shrunk.needless.iter().map(String::as_str).collect();
    let left = match shrunk.proof {
        Proof::Minimal { .. } => "needed",
        Proof::Unknown => "left",
    };
    [(left, needed), ("not needed", needless)]
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(label, ids)| (label, named(&ids)))
        .collect()
}

fn named(ids: &[&str]) -> String {
    let shown = clean(&ids[..ids.len().min(MOST_NAMED)].join(", "));
    let more = ids.len().saturating_sub(MOST_NAMED);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// What the case tells of how it was shrunk.
pub(crate) fn story(shrunk: &Shrunk) -> Vec<String> {
    let said = shrunk.words();
    let said = said.strip_prefix("shrunk ").unwrap_or(&said);
    let mut story = vec![format!(
        "It was shrunk: {said}. It is {}.",
        match shrunk.proof {
            Proof::Minimal { parts } => format!("1-minimal: none of its {parts} parts can go"),
            Proof::Unknown => "perhaps not the least: the budget ran out".to_owned(),
        }
    )];
    if shrunk.caused {
        story.push("Without its faults it does not fail.".to_owned());
    }
    if !shrunk.needless.is_empty() {
        let needless: Vec<&str> = shrunk.needless.iter().map(String::as_str).collect();
        story.push(format!("Not needed: {}.", named(&needless)));
    }
    story
}

/// `schism.shrink/1`.
pub(crate) fn json(shrunk: &Shrunk, case: &str) -> String {
    let size = |size: Size| json!({ "faults": size.faults, "nodes": size.nodes, "length_s": size.length.as_secs_f64() });
    let parts = match shrunk.proof {
        Proof::Minimal { parts } => Value::from(parts),
        Proof::Unknown => Value::Null,
    };
    let failure = &shrunk.failure;
    let left: Vec<&String> = shrunk.scenario.faults.iter().map(|planned| &planned.id).collect();
    let value = json!({
        "schema": "schism.shrink/1",
        "version": env!("CARGO_PKG_VERSION"),
        "seed": shrunk.scenario.seed.0,
        "expectation": failure.expectation,
        "signature": failure.signature,
        "at_s": failure.at_s,
        "why": failure.why,
        "from": size(shrunk.from),
        "to": size(Size::of(&shrunk.scenario)),
        "left": left,
        "needed": match shrunk.proof {
            Proof::Minimal { .. } => Some(&left),
            Proof::Unknown => None,
        },
        "not_needed": shrunk.needless,
        "takes_a_fault": shrunk.caused,
        "runs": shrunk.runs,
        "forks": shrunk.forks,
        "events": shrunk.events,
        "minimal_parts": parts,
        "case": case,
    });
    format!("{value:#}\n")
}
