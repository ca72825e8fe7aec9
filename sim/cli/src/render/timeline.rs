//! The run at a glance: a bar for each fault, and under them how well requests fared and how many beliefs were wrong.

use schism_runner::report::{Report, Timeline};

use super::axis::Axis;
use super::gantt::stretch;
use super::style::{self, paint, paint_each};
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
pub(super) fn lines(report: &Report, warmup_s: f64, look: Look) -> Vec<String> {
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
    if let Some((chart, note)) = success(report, warmup_s, &axis) {
        lines.push(row("success", chart, note));
    }
    if let Some((chart, note)) = wrong(report, &axis) {
        lines.push(row("wrong", chart, note));
    }
    lines
}

/// The success share of the worst step in each column, and the worst of all after the warm-up.
fn success(report: &Report, warmup_s: f64, axis: &Axis) -> Option<(String, String)> {
    let step_s = report.timeline.step_s;
    let rates = rates(&report.timeline, report.requests.unfinished);
    let worst_in =
        |from: usize, to: usize| rates.iter().take(to).skip(from).copied().flatten().min_by(f64::total_cmp);
    let measured = (warmup_s / step_s).ceil() as usize;
    let lowest = worst_in(measured, rates.len())?;
    let column = |column: usize| {
        let from = (axis.begins(column) / step_s) as usize;
        let to = (axis.begins(column + 1) / step_s).ceil() as usize;
        match worst_in(from, to.max(from + 1)) {
            None => (' ', style::PLAIN),
            Some(share) if to <= measured => (block(share), style::FAINT),
            Some(share) => (block(share), style::of_share(share)),
        }
    };
    Some((paint_each((0..axis.columns()).map(column)), format!("lowest {}", percent(lowest))))
}

/// The success share of each step in which something was offered. What is in flight at the end has not failed.
fn rates(timeline: &Timeline, unfinished: u64) -> Vec<Option<f64>> {
    let last = timeline.offered.len().saturating_sub(1);
    let rate = |(step, (&offered, &succeeded)): (usize, (&u64, &u64))| {
        let over = if step == last { offered.saturating_sub(unfinished).max(succeeded) } else { offered };
        (over > 0).then(|| succeeded as f64 / over as f64)
    };
    timeline.offered.iter().zip(&timeline.succeeded).enumerate().map(rate).collect()
}

/// All is a full block, and anything less is visibly less.
fn block(share: f64) -> char {
    if share >= 1.0 { '█' } else { BLOCKS[(share * 7.0) as usize] }
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
