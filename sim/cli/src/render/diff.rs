//! Two runs compared, as text: first what was asked of them, then what moved and by how much, then where they part.

use std::fmt::Write;

use schism_runner::diff::{Change, Diff, Setting, Unit};
use schism_runner::verify::Parted;
use serde_json::Value;

use super::style::{self, paint};
use super::verify::seconds;
use super::words::{self, clean, clip, count};

/// Two runs, each with what it is called.
pub(crate) struct Compared {
    /// What the runs are called.
    pub(crate) names: [String; 2],
    /// What moved.
    pub(crate) diff: Diff,
    /// What was asked differently; none if nobody knows, since a report does not say.
    pub(crate) settings: Option<Vec<Setting>>,
    /// Where they part, if both were run here with one seed.
    pub(crate) parted: Option<Parted>,
}

/// How much of a value of the scenario is shown.
const VALUE: usize = 60;

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What moved by at least [`SMALL`] of what it was.
    Brief,
    /// All that moved.
    Full,
}

/// What moves by a smaller part is counted, and not shown in brief.
const SMALL: f64 = 0.01;

pub(crate) fn text(compared: &Compared, detail: Detail, width: usize) -> String {
    let [one, other] = &compared.names;
    let mut out = format!("A  {}\nB  {}\n", clean(one), clean(other));
    settings(&mut out, compared.settings.as_deref());
    let verdict = match (compared.diff.same_run, compared.diff.changes.is_empty()) {
        (true, true) => paint(style::GOOD, "the same run: the digests are equal"),
        (true, false) => paint(style::GOOD, "the same run, judged differently"),
        (false, true) => paint(style::ODD, "another run, which showed the same"),
        (false, false) => paint(style::ODD, "another run"),
    };
    let _ = writeln!(out, "\n{verdict}");
    let shown = |change: &&Change| detail == Detail::Full || !is_small(change);
    let changes: Vec<&Change> = compared.diff.changes.iter().filter(shown).collect();
    moved(&mut out, &changes, width);
    let small = compared.diff.changes.len() - changes.len();
    if small > 0 {
        let figures = words::many(small as u64, "more figure");
        let _ = writeln!(out, "\n{figures} moved by less than 1%; -v shows all");
    }
    compared.parted.iter().for_each(|found| parted(&mut out, found));
    out
}

fn settings(out: &mut String, settings: Option<&[Setting]>) {
    let Some(settings) = settings else { return };
    if settings.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n{}", paint(style::HEAD, "scenario"));
    for Setting { path, before, after } in settings {
        let shown = |value: &Option<String>| clip(&clean(value.as_deref().unwrap_or("nothing")), VALUE);
        let _ = writeln!(out, "  {}  {} -> {}", paint(style::NAME, path), shown(before), shown(after));
    }
}

fn moved(out: &mut String, changes: &[&Change], width: usize) {
    for part in changes.chunk_by(|one, other| one.part == other.part) {
        let _ = writeln!(out, "\n{}", paint(style::HEAD, clean(&part[0].part)));
        for Change { what, unit, before, after, .. } in part {
            let [before_text, after_text] = [before, after].map(|value| shown(*unit, value));
            let line = format!("  {what:14} {before_text} -> {after_text}{}", by(*unit, before, after));
            if words::width(&line) <= width {
                let _ = writeln!(out, "{line}");
                continue;
            }
            // Whole sentences have changed: one beneath the other.
            let _ = writeln!(out, "  {what}");
            for (side, text) in [("A", before_text), ("B", after_text)] {
                for (number, line) in words::wrap(&text, width - 7).iter().enumerate() {
                    let _ = writeln!(out, "    {}  {line}", if number == 0 { side } else { " " });
                }
            }
        }
    }
}

/// Whether it is a figure that hardly moved; a share, by as much of a point.
fn is_small(change: &Change) -> bool {
    let (Some(before), Some(after)) = (change.before.as_f64(), change.after.as_f64()) else { return false };
    let whole = match change.unit {
        Unit::Share => 0.1,
        Unit::Words | Unit::Count | Unit::Number | Unit::Seconds | Unit::Millis => before.abs(),
    };
    (after - before).abs() < SMALL * whole
}

/// A value in its unit.
fn shown(unit: Unit, value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return clean(text);
    }
    let Some(number) = value.as_f64() else { return "none".to_owned() };
    match unit {
        Unit::Words | Unit::Number => format!("{number:.3}"),
        Unit::Count => count(number as u64),
        Unit::Share => words::percent(number),
        Unit::Seconds => words::length(number),
        Unit::Millis => words::latency(number),
    }
}

/// By how much it moved.
fn by(unit: Unit, before: &Value, after: &Value) -> String {
    let (Some(before), Some(after)) = (before.as_f64(), after.as_f64()) else { return String::new() };
    let sign = if after > before { '+' } else { '-' };
    let by = (after - before).abs();
    let part = if before > 0.0 { format!(", {sign}{:.0}%", 100.0 * by / before) } else { String::new() };
    match unit {
        Unit::Words => String::new(),
        Unit::Number => format!("  ({sign}{by:.3})"),
        Unit::Count => format!("  ({sign}{}{part})", count(by as u64)),
        Unit::Share => format!("  ({sign}{:.2} points)", 100.0 * by),
        Unit::Seconds => format!("  ({sign}{})", words::length(by)),
        Unit::Millis => format!("  ({sign}{}{part})", words::latency(by)),
    }
}

fn parted(out: &mut String, parted: &Parted) {
    let _ = writeln!(out, "\n{}", paint(style::HEAD, "where they part"));
    match parted.differences.first() {
        Some(found) => {
            let [one, other] = &found.sides;
            let _ = writeln!(out, "  alike up to event {} ({})", count(found.event - 1), seconds(found.at_s));
            let _ = writeln!(out, "  A  {}\n  B  {}", clean(one), clean(other));
        }
        None => {
            let (from, to) = (parted.alike, parted.apart);
            let _ = writeln!(
                out,
                "  between event {} ({}) and event {} ({})",
                count(from.0),
                seconds(from.1),
                count(to.0),
                seconds(to.1)
            );
        }
    }
}
