//! What would have avoided a failure, as text.

use schism_runner::explain::{Chance, Change, Changes, Figure, JudgedBy, Price};

use super::{Asked, interval, round};
use crate::render::style::{self, paint};
use crate::render::words::{latency, many, wrap};

/// The changes that help, those that only seem to, and how they were judged.
pub(super) fn changes(changes: &Changes, asked: &Asked) -> Vec<String> {
    let Some(before) = changes.before else {
        let spent = format!("No change was tried: --effort {} leaves no runs for it", asked.effort);
        return vec![paint(style::FAINT, spent)];
    };
    let (here, general): (Vec<&Change>, Vec<&Change>) = changes.smallest.iter().partition(|it| it.only_here);
    let others: Vec<&Change> = changes.others.iter().collect();
    let breaking: Vec<&Change> = changes.breaking.iter().collect();
    let sections = match changes.judged_by {
        JudgedBy::OtherLuck => [
            ("Smallest changes that avoid it", general),
            ("Other ways", others),
            ("Only at this value: more of the same helps less", here),
            ("Not offered, since clients pay for it", breaking),
        ],
        JudgedBy::ThisLuckAlone => [
            ("Smallest changes that avoid it in this run, perhaps by chance", general),
            ("Other ways, perhaps by chance", others),
            ("", here),
            ("Not offered, since clients pay for it", breaking),
        ],
    };
    let offered = changes.smallest.len() + changes.others.len();
    let mut lines = Vec::new();
    for (head, changes) in sections.into_iter().filter(|(_, changes)| !changes.is_empty()) {
        lines.push(paint(style::HEAD, head));
        let texts: Vec<String> =
            changes.iter().map(|it| format!("{} {} -> {}", it.path, it.from, it.to)).collect();
        let widest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        for (change, text) in changes.iter().zip(texts) {
            lines.extend(change_lines(change, &text, widest, asked));
        }
    }
    let tried = format!("{}, {}", many(changes.dials, "setting"), many(changes.runs, "run"));
    let moved = format!("{} other random draws, each fault moved by up to 2.5s", before.of);
    let now = format!("{} {}", round(before.share), interval(&before));
    let remark = match (offered, changes.judged_by) {
        (0, JudgedBy::OtherLuck) => {
            format!(
                "No change of a single setting avoids it in general: judged with {moved}, of which {now} fail ({tried})"
            )
        }
        (_, JudgedBy::OtherLuck) => {
            format!("Judged with {moved}, the same with each change; this run holds with each, too ({tried})")
        }
        (_, JudgedBy::ThisLuckAlone) => {
            format!("With {moved}, only {now} fail: too seldom to tell what helps from chance ({tried})")
        }
    };
    let cut = if changes.complete { "" } else { "; not all that there was to try: more --effort tries more" };
    let remark = wrap(&format!("{remark}{cut}"), asked.width.saturating_sub(2));
    lines.extend(remark.into_iter().map(|line| paint(style::FAINT, format!("  {line}"))));
    lines
}

fn change_lines(change: &Change, text: &str, widest: usize, asked: &Asked) -> Vec<String> {
    let share = |it: &Chance| format!("{} {}", round(it.share), interval(it));
    let pad = " ".repeat(widest - text.chars().count());
    let fails = format!("{} fail, not {}", share(&change.still), share(&change.was));
    let mut lines = vec![format!("  {}{pad}  {}", paint(style::NAME, text), paint(style::FAINT, fails))];
    let costs: Vec<String> = change.prices.iter().map(price).collect();
    let costs = if costs.is_empty() { None } else { Some(format!("costs: {}", costs.join(", "))) };
    let remarks: Vec<String> = change.effect.clone().into_iter().chain(costs).collect();
    let remarks = wrap(&remarks.join("; "), asked.width.saturating_sub(6));
    lines.extend(remarks.into_iter().filter(|line| !line.is_empty()).map(|line| format!("      {line}")));
    lines
}

fn price(Price { group, of, from, to }: &Price) -> String {
    match of {
        Figure::Success => format!("success of {group} {:.1}% -> {:.1}%", from * 100.0, to * 100.0),
        Figure::P99 => format!("p99 of {group} {} -> {}", latency(*from), latency(*to)),
    }
}
