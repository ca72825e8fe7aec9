//! How the system got over the faults: the figures of detection, rerouting, failover, dip and convergence.

use anstyle::Style;
use schism_runner::report::{Fault, Recovery, Report};

use super::style::{self, paint};
use super::words::{clean, count, length, moment, percent, width};

/// One figure: what it is called, its value, and what it counts from.
struct Figure {
    name: &'static str,
    value: String,
    style: Style,
    note: String,
}

/// The lines of the section: two figures in each.
pub(super) fn lines(report: &Report) -> Vec<String> {
    if report.faults.is_empty() {
        return vec![];
    }
    let (left, right) = figures(&report.recovery);
    let pairs = left.iter().zip(&right).map(|(left, right)| {
        let (text, gap) = (left.shown(9), LEFT.saturating_sub(left.columns(9)));
        format!("  {text}{:gap$}{}", "", right.shown(15)).trim_end().to_owned()
    });
    let head = format!("{}{}", paint(style::HEAD, "recovery"), paint(style::FAINT, since(&report.faults)));
    std::iter::once(head).chain(pairs).collect()
}

/// What the figures count from: the fault that began first.
fn since(faults: &[Fault]) -> String {
    let first = faults.iter().min_by(|one, other| one.from_s.total_cmp(&other.from_s));
    first.map_or_else(String::new, |fault| {
        format!("  from the first fault on: {}, at {}", clean(&fault.id), moment(fault.from_s))
    })
}

/// Columns of the left figures.
const LEFT: usize = 37;
/// Columns of a value.
const VALUE: usize = 8;

impl Figure {
    fn shown(&self, name: usize) -> String {
        let pad = VALUE.saturating_sub(width(&self.value));
        let value = paint(self.style, &self.value);
        let note = paint(style::FAINT, &self.note);
        format!("{:name$} {value}{:pad$}  {note}", self.name, "")
    }

    fn columns(&self, name: usize) -> usize {
        name + 1 + width(&self.value).max(VALUE) + 2 + width(&self.note)
    }
}

fn figures(recovery: &Recovery) -> ([Figure; 4], [Figure; 4]) {
    let Recovery {
        detect_s,
        reroute_s,
        failover_s,
        two_leaders_s,
        dip,
        dip_for_s,
        converge_s,
        false_evictions,
        ghost_window_s,
    } = recovery;
    let left = [
        after("detect", *detect_s, "first to notice"),
        after("reroute", *reroute_s, "last misrouted"),
        after("failover", *failover_s, "next leader"),
        after(
            "converge",
            *converge_s,
            if converge_s.is_some() { "after last heal" } else { "not in the run" },
        ),
    ];
    let dip_style = if dip.is_some_and(|dip| dip < 1.0) { style::ODD } else { style::PLAIN };
    let right = [
        Figure {
            name: "dip",
            value: dip.map_or_else(none, percent),
            style: dip_style,
            note: dip_for_s.filter(|s| *s > 0.0).map_or_else(String::new, |s| format!("for {}", length(s))),
        },
        Figure {
            name: "ghost window",
            value: ghost_window_s.map_or_else(none, length),
            style: style::PLAIN,
            note: "dead, held up".to_owned(),
        },
        Figure {
            name: "false evictions",
            value: count(*false_evictions),
            style: if *false_evictions > 0 { style::ODD } else { style::PLAIN },
            note: String::new(),
        },
        Figure {
            name: "two leaders",
            value: two_leaders_s.map_or_else(none, length),
            style: if two_leaders_s.is_some_and(|s| s > 0.0) { style::ODD } else { style::PLAIN },
            note: if two_leaders_s.is_some_and(|s| s > 0.0) { "at once, of two terms" } else { "at once" }
                .to_owned(),
        },
    ];
    (left, right)
}

fn after(name: &'static str, seconds: Option<f64>, note: &str) -> Figure {
    let value = seconds.map_or_else(none, |s| format!("+{}", length(s)));
    Figure { name, value, style: style::PLAIN, note: note.to_owned() }
}

fn none() -> String {
    "-".to_owned()
}
