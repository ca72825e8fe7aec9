//! The run at a glance: a bar for each fault, and under them how well requests fared and how many beliefs were wrong.

use schism_runner::report::{Report, Timeline};

use super::axis::Axis;
use super::gantt::stretch;
use super::style::{self, paint};
use super::text::Look;
use super::words::{clean, clip, count, percent, width};

/// Columns for what is said after a row.
const NOTE: usize = 16;
/// Columns for the name of a row.
const NAME: usize = 18;
/// Rows of faults, unless all are asked for.
const FAULTS: usize = 8;

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The lines of the section.
pub(super) fn lines(report: &Report, look: Look) -> Vec<String> {
    let shown = look.at_most(FAULTS, report.faults.len());
    let faults = &report.faults[..shown];
    let names = faults.iter().map(|fault| width(&clean(&fault.id))).chain([width("success")]);
    let name = names.max().unwrap_or(0).min(NAME);
    let Some(axis) = Axis::new(report.simulated_s, look.width.saturating_sub(name + 4 + 2 + NOTE)) else {
        return vec![];
    };
    let row = |label: &str, chart: String, note: String| {
        let label = clip(&clean(label), name);
        let pad = name - width(&label);
        format!("  {label}{:pad$}  {chart}  {note}", "").trim_end().to_owned()
    };
    let mut lines = vec![row("", paint(style::FAINT, axis.ticks()), String::new())];
    lines.extend(faults.iter().map(|fault| {
        let note = if fault.to_s.is_none() { "not healed" } else { "" };
        row(&fault.id, stretch(&axis, fault.from_s, fault.to_s), paint(style::FAINT, note))
    }));
    if shown < report.faults.len() {
        lines.push(look.more(report.faults.len() - shown, "faults"));
    }
    if let Some((chart, note)) = success(&report.timeline, &axis) {
        lines.push(row("success", chart, note));
    }
    if let Some((chart, note)) = wrong(report, &axis) {
        lines.push(row("wrong", chart, note));
    }
    lines
}

/// The success share of the worst step in each column, and the worst of all.
fn success(timeline: &Timeline, axis: &Axis) -> Option<(String, String)> {
    let rate = |step: usize| {
        let (offered, succeeded) = (timeline.offered[step], *timeline.succeeded.get(step)?);
        (offered > 0).then(|| succeeded as f64 / offered as f64)
    };
    let steps = timeline.offered.len();
    let worst_in = |from: usize, to: usize| (from..to.min(steps)).filter_map(rate).min_by(f64::total_cmp);
    let lowest = worst_in(0, steps)?;
    let column = |column: usize| {
        let from = (axis.begins(column) / timeline.step_s) as usize;
        let to = (axis.begins(column + 1) / timeline.step_s).ceil() as usize;
        match worst_in(from, to.max(from + 1)) {
            None => " ".to_owned(),
            Some(share) if share >= 1.0 => paint(style::GOOD, "█"),
            // All is a full block, and anything less is visibly less.
            Some(share) => {
                let style = if share >= 0.99 { style::ODD } else { style::BAD };
                paint(style, BLOCKS[(share * 7.0) as usize].to_string())
            }
        }
    };
    Some(((0..axis.columns()).map(column).collect(), format!("lowest {}", percent(lowest))))
}

/// How many beliefs were wrong in each column, against the most that were in any.
fn wrong(report: &Report, axis: &Axis) -> Option<(String, String)> {
    let mut change = vec![0_i64; axis.columns() + 1];
    for belief in report.beliefs.iter().filter(|belief| !belief.is_true) {
        let span = axis.span(belief.from_s, belief.to_s.unwrap_or(f64::MAX));
        change[span.start] += 1;
        change[span.end] -= 1;
    }
    let wrong: Vec<u64> = change[..axis.columns()]
        .iter()
        .scan(0, |sum, change| {
            *sum += change;
            Some(u64::try_from(*sum).expect("what ends has begun"))
        })
        .collect();
    let most = wrong.iter().copied().max().filter(|most| *most > 0)?;
    let block = |n: &u64| if *n == 0 { ' ' } else { BLOCKS[((n * 8).div_ceil(most) - 1) as usize] };
    let chart: String = wrong.iter().map(block).collect();
    Some((paint(style::ODD, chart), format!("up to {}", count(most))))
}
