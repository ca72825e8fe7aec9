//! Belief against truth: who held whom to be up or down while it was not so, and for how long.

use std::collections::BTreeMap;

use schism_runner::report::{Belief, Report, Wrong};

use super::style::{self, paint};
use super::table::{Cell, Side, Table};
use super::text::Look;
use super::words::{count, group, length, moment};

/// Groups shown, unless all are asked for.
const GROUPS: usize = 6;
/// Single beliefs shown.
const LONGEST: usize = 3;

/// The lines of the section.
pub(super) fn lines(report: &Report, look: Look) -> Vec<String> {
    let all: u64 = report.wrong_beliefs.iter().map(|group| group.beliefs).sum();
    if all == 0 {
        return vec![format!(
            "{}  {}",
            paint(style::HEAD, "beliefs"),
            paint(style::FAINT, "about who is up: none was ever wrong")
        )];
    }
    let mut groups: Vec<&Wrong> = report.wrong_beliefs.iter().collect();
    groups.sort_by(|a, b| b.longest_s.total_cmp(&a.longest_s));
    let shown = look.at_most(GROUPS, groups.len());
    let mut lines = vec![format!("{}  {} wrong", paint(style::HEAD, "beliefs"), count(all))];
    let table = table(&groups[..shown], report);
    lines.extend(table.lines(look.width - 2).into_iter().map(|line| format!("  {line}")));
    if shown < groups.len() {
        lines.push(look.more(groups.len() - shown, "groups"));
    }
    lines.extend(longest(report, look));
    lines
}

fn table(groups: &[&Wrong], report: &Report) -> Table {
    let mut table = Table::new([
        ("who", Side::Left),
        ("held", Side::Left),
        ("to be", Side::Left),
        ("times", Side::Right),
        ("longest", Side::Right),
        ("first", Side::Right),
        ("last until", Side::Right),
    ]);
    let spans = spans(report);
    for wrong in groups {
        let span = spans.get(&(wrong.observers.as_str(), wrong.believes, wrong.subjects.as_str()));
        // The beliefs that are listed are those that went wrong first, so what is not listed can only end later.
        let last = |(_, last): &(f64, f64)| match report.beliefs_omitted {
            0 => moment(*last),
            _ => format!("≥ {}", moment(*last)),
        };
        table.row([
            Cell::new(&wrong.observers),
            Cell::new(&wrong.subjects),
            Cell::new(wrong.believes),
            Cell::new(count(wrong.beliefs)),
            Cell::styled(length(wrong.longest_s), style::ODD),
            Cell::new(span.map_or_else(String::new, |(first, _)| moment(*first))),
            Cell::new(span.map_or_else(String::new, last)),
        ]);
    }
    table
}

/// The beliefs listed that were wrong.
fn listed(report: &Report) -> impl Iterator<Item = &Belief> {
    report.beliefs.iter().filter(|belief| !belief.is_true)
}

/// By observers, belief and subjects: when the first of the listed beliefs went wrong, and until when the last was.
fn spans(report: &Report) -> BTreeMap<(&str, &str, &str), (f64, f64)> {
    let mut spans = BTreeMap::new();
    for belief in listed(report) {
        let to = belief.to_s.unwrap_or(report.simulated_s);
        let key = (group(&belief.observer), belief.believes, group(&belief.subject));
        let (first, last) = spans.entry(key).or_insert((belief.from_s, to));
        *first = belief.from_s.min(*first);
        *last = to.max(*last);
    }
    spans
}

/// The longest single beliefs, by name.
fn longest(report: &Report, look: Look) -> Vec<String> {
    let lasted = |belief: &Belief| belief.to_s.unwrap_or(report.simulated_s) - belief.from_s;
    let mut by_length: Vec<&Belief> = listed(report).collect();
    by_length.sort_by(|a, b| lasted(b).total_cmp(&lasted(a)));
    let mut table = Table::new([("", Side::Left), ("", Side::Left), ("", Side::Left)]);
    for belief in by_length.iter().take(LONGEST) {
        let said = format!("{} held {} to be {}", belief.observer, belief.subject, belief.believes);
        let until = belief.to_s.map_or_else(|| "to the end".to_owned(), moment);
        let when = format!("for {}", length(lasted(belief)));
        table.row([
            said.into(),
            when.into(),
            Cell::styled(format!("{}..{until}", moment(belief.from_s)), style::FAINT),
        ]);
    }
    table.lines(look.width - 4).into_iter().map(|line| format!("    {line}")).collect()
}
