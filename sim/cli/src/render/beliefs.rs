//! Belief against truth: who held whom to be up or down while it was not so, and for how long.

use std::collections::BTreeMap;

use schism_runner::report::{Belief, Report};

use super::style::{self, paint};
use super::table::{Cell, Side, Table};
use super::text::Look;
use super::words::{count, group, length, moment};

/// Groups shown, unless all are asked for.
const GROUPS: usize = 6;
/// Single beliefs shown.
const LONGEST: usize = 3;

/// Wrong beliefs of one group about another.
#[derive(Debug)]
struct Group<'a> {
    observers: &'a str,
    believes: &'static str,
    subjects: &'a str,
    count: u64,
    longest_s: f64,
    first_s: f64,
    last_s: f64,
}

/// The lines of the section.
pub(super) fn lines(report: &Report, look: Look) -> Vec<String> {
    let wrong: Vec<&Belief> = report.beliefs.iter().filter(|belief| !belief.is_true).collect();
    let all = wrong.len() as u64 + report.beliefs_omitted;
    if all == 0 {
        return vec![format!(
            "{}  {}",
            paint(style::HEAD, "beliefs"),
            paint(style::FAINT, "none was ever wrong")
        )];
    }
    let mut head = format!("{}  {} wrong", paint(style::HEAD, "beliefs"), count(all));
    if report.beliefs_omitted > 0 {
        head += &format!("; told of the first {}", count(wrong.len() as u64));
    }
    let groups = grouped(&wrong, report.simulated_s);
    let shown = look.at_most(GROUPS, groups.len());
    let mut lines = vec![head];
    lines.extend(table(&groups[..shown]).lines(look.width - 2).into_iter().map(|line| format!("  {line}")));
    if shown < groups.len() {
        lines.push(look.more(groups.len() - shown, "groups"));
    }
    lines.extend(longest(&wrong, report.simulated_s, look));
    lines
}

fn grouped<'a>(wrong: &[&'a Belief], end_s: f64) -> Vec<Group<'a>> {
    let mut groups: BTreeMap<(&str, &str, &str), Group<'a>> = BTreeMap::new();
    for belief in wrong {
        let (observers, subjects) = (group(&belief.observer), group(&belief.subject));
        let to = belief.to_s.unwrap_or(end_s);
        let entry = groups.entry((observers, belief.believes, subjects)).or_insert(Group {
            observers,
            believes: belief.believes,
            subjects,
            count: 0,
            longest_s: 0.0,
            first_s: belief.from_s,
            last_s: to,
        });
        entry.count += 1;
        entry.longest_s = entry.longest_s.max(to - belief.from_s);
        entry.first_s = entry.first_s.min(belief.from_s);
        entry.last_s = entry.last_s.max(to);
    }
    let mut groups: Vec<Group<'a>> = groups.into_values().collect();
    groups.sort_by(|a, b| b.longest_s.total_cmp(&a.longest_s));
    groups
}

fn table(groups: &[Group<'_>]) -> Table {
    let mut table = Table::new([
        ("who", Side::Left),
        ("held", Side::Left),
        ("to be", Side::Left),
        ("times", Side::Right),
        ("longest", Side::Right),
        ("first", Side::Right),
        ("last until", Side::Right),
    ]);
    for group in groups {
        table.row([
            Cell::new(group.observers),
            Cell::new(group.subjects),
            Cell::new(group.believes),
            Cell::new(count(group.count)),
            Cell::styled(length(group.longest_s), style::ODD),
            Cell::new(moment(group.first_s)),
            Cell::new(moment(group.last_s)),
        ]);
    }
    table
}

/// The longest single beliefs, by name.
fn longest(wrong: &[&Belief], end_s: f64, look: Look) -> Vec<String> {
    let lasted = |belief: &Belief| belief.to_s.unwrap_or(end_s) - belief.from_s;
    let mut by_length = wrong.to_vec();
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
