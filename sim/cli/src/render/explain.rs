//! The explanation of a failure, as text.

mod changes;

use schism_runner::explain::{Chance, Explanation, Futures, Jump, Line, Moment, Need, Needs, Role, Story};

use super::style::{self, paint};
use super::words::{calm, clean, elide, instant, wrap};
use crate::replay;

/// Columns of a name at most.
const WIDEST_NAME: usize = 24;

/// How it was asked for.
pub(crate) struct Asked {
    /// The command that repeats the run.
    pub(crate) replay: String,
    /// The file, and what was set in it: as words of a command. None, if it came from stdin.
    pub(crate) file: Option<(String, String)>,
    /// How many million events might be simulated.
    pub(crate) effort: u64,
    /// How many columns there are.
    pub(crate) width: usize,
}

/// The whole of it.
pub(crate) fn text(explanation: &Explanation, asked: &Asked) -> String {
    let sections = [
        failure(explanation, asked),
        story(&explanation.story, asked),
        futures(explanation, asked),
        needs(&explanation.needs, &explanation.futures, asked),
        changes::changes(&explanation.changes, asked),
        commands(explanation, asked),
    ];
    let sections = sections.into_iter().filter(|lines| !lines.is_empty());
    sections.map(|lines| lines.join("\n") + "\n").collect::<Vec<_>>().join("\n")
}

fn failure(Explanation { failure, seed, .. }: &Explanation, asked: &Asked) -> Vec<String> {
    let at = failure.at_s.map_or(String::new(), |at| format!("  at {}", instant(at)));
    let head = format!("{} {}  seed {seed}{at}", paint(style::BAD, "FAIL"), clean(&failure.expectation));
    let why = wrap(&calm(&clean(&failure.why)), asked.width.saturating_sub(2));
    std::iter::once(head).chain(why.into_iter().map(|line| format!("  {line}"))).collect()
}

fn story(Story { lines, left_out, dropped, .. }: &Story, asked: &Asked) -> Vec<String> {
    let mut told = vec![paint(style::HEAD, "How it came about")];
    let times: Vec<String> = lines.iter().map(|line| instant(line.at_s)).collect();
    let time_width = times.iter().map(String::len).max().unwrap_or(0);
    let who_width = lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0).min(WIDEST_NAME);
    let room = asked.width.saturating_sub(time_width + who_width + 6).max(24);
    for (at, (line, time)) in lines.iter().zip(&times).enumerate() {
        // The end of it is what stands above all this.
        let is_end = at + 1 == lines.len() && line.what.starts_with("fails: ");
        let what = if is_end { "fails, as above".to_owned() } else { calm(&clean(&line.what)) };
        let mut what = wrap(&what, room).into_iter();
        let who = format!("{:<who_width$}", elide(&clean(&line.who), who_width));
        let first = what.next().unwrap_or_default();
        told.push(format!("  {time:>time_width$}  {}  {first}", paint(style::NAME, who)));
        let indent = " ".repeat(time_width + who_width + 6);
        told.extend(what.map(|more| format!("{indent}{more}")));
    }
    match left_out {
        0 => {}
        1 => told.push(paint(style::FAINT, "  1 line that matters less is left out")),
        many => told.push(paint(style::FAINT, format!("  {many} lines that matter less are left out"))),
    }
    if *dropped > 0 {
        let earlier = "  what came earlier is not known: the run is longer than what is kept of it";
        told.push(paint(style::FAINT, earlier));
    }
    told
}

fn futures(explanation: &Explanation, asked: &Asked) -> Vec<String> {
    let Futures { asked: wanted, each, moments, jump } = &explanation.futures;
    let mut lines =
        vec![paint(style::HEAD, "P(failure) if all random draws but the faults' are made anew from then on")];
    let fewer = if each < wanted { ": --effort allows no more" } else { "" };
    lines.push(paint(
        style::FAINT,
        format!("  {each} futures from each moment{fewer}; in brackets, the 95% interval"),
    ));
    let times: Vec<String> = moments.iter().map(|at| instant(at.at_s)).collect();
    let widest = times.iter().map(String::len).max().unwrap_or(0);
    let bar_width = asked.width.saturating_sub(widest + 26).clamp(8, 32);
    for (Moment { chance, at_s }, time) in moments.iter().zip(&times) {
        let sealed = jump.as_ref().is_some_and(|Jump { by_s, .. }| at_s >= by_s);
        let style = if sealed { style::BAD } else { style::ODD };
        let bar = bar(chance.share, bar_width);
        let pad = " ".repeat(bar_width - bar.chars().count());
        let share = format!("{:>4}", round(chance.share));
        lines.push(format!(
            "  {time:>widest$}  {}{pad} {share}  {}",
            paint(style, bar),
            paint(style::FAINT, interval(chance))
        ));
    }
    match jump {
        Some(jump) => lines.extend(sealed(jump, asked)),
        None => lines.extend(unsealed(moments).map(|line| format!("  {line}"))),
    }
    lines
}

/// What happened where the chance rises most.
fn sealed(jump: &Jump, asked: &Asked) -> Vec<String> {
    let [from, by] = [jump.from_s, jump.by_s].map(instant);
    let rise = format!("{} -> {}", round(jump.from), round(jump.to));
    if jump.by_s < 1e-8 {
        let when = paint(style::HEAD, "at the start");
        let head = format!("  sealed {when}: {rise}, by what is drawn when processes boot");
        let line = |line: &Line| format!("    {} {}", clean(&line.who), clean(&line.what));
        return std::iter::once(head).chain(jump.decided.iter().map(line)).collect();
    }
    let when = if from == by { format!("at {by}") } else { format!("between {from} and {by}") };
    let head = format!("  sealed {}: {rise}", paint(style::HEAD, when));
    if jump.decided.is_empty() {
        return vec![head + ", though nothing of its past happened then: what was drawn lay before that"];
    }
    let mut lines = vec![head + ", when"];
    for line in &jump.decided {
        let what = format!("{} {}", clean(&line.who), calm(&clean(&line.what)));
        let mut what = wrap(&what, asked.width.saturating_sub(14)).into_iter();
        lines.push(format!("    {:>8}  {}", instant(line.at_s), what.next().unwrap_or_default()));
        lines.extend(what.map(|more| format!("{:14}{more}", "")));
    }
    match jump.more {
        0 => {}
        1 => lines.push(paint(style::FAINT, "    and 1 more event of its past")),
        more => lines.push(paint(style::FAINT, format!("    and {more} more events of its past"))),
    }
    lines
}

/// What the moments say where there is no jump, in a sentence.
fn unsealed(moments: &[Moment]) -> Option<&'static str> {
    Some(match moments.first()?.chance.share {
        from if from >= 0.9 => "these faults do it, whatever the draws",
        from if from >= 0.5 => "these faults do it with most draws: at no one moment does the chance jump",
        _ => "no single moment decides it: the chance rises little by little",
    })
}

const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar of at most so many columns. What is more than nothing is seen.
fn bar(share: f64, columns: usize) -> String {
    let eighths = (share * columns as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let full = std::iter::repeat_n('█', eighths / 8);
    full.chain((eighths % 8).checked_sub(1).map(|at| EIGHTHS[at])).collect()
}

fn round(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn interval(Chance { low, high, .. }: &Chance) -> String {
    format!("[{:.0}..{:.0}%]", low * 100.0, high * 100.0)
}

fn needs(needs: &Needs, futures: &Futures, asked: &Asked) -> Vec<String> {
    if needs.faults.is_empty() {
        return vec!["No fault had begun: the failure needs none".to_owned()];
    }
    let of = |role: Role| needs.faults.iter().filter(move |need| need.role == role);
    let with = futures.moments.first().map(|moment| moment.chance);
    let widest = needs.faults.iter().map(|need| need.id.chars().count()).max().unwrap_or(0);
    let mut lines = Vec::new();
    let heads =
        [("Needed in this run", Role::Needed), ("Not needed", Role::NotNeeded), ("Not tried", Role::Untried)];
    for (head, role) in heads {
        let mut head = Some(head);
        for need in of(role) {
            let title = head.take().unwrap_or_default();
            let line = need_line(need, widest, with);
            lines.push(format!("{}  {line}", paint(style::HEAD, format!("{title:<HEAD$}"))));
        }
    }
    for [one, other] in &needs.either {
        let either = format!("either {} or {}: with neither it does not fail", clean(one), clean(other));
        lines.push(format!("{:<HEAD$}  {either}", ""));
    }
    if !needs.fails_without_the_rest && needs.either.is_empty() {
        let some =
            "some of those not needed one by one are needed together: with none of them it does not fail";
        let some = wrap(some, asked.width.saturating_sub(HEAD + 2));
        lines.extend(some.into_iter().map(|line| format!("{:<HEAD$}  {line}", "")));
    }
    lines
}

/// Columns of the heads beside the faults.
const HEAD: usize = "Needed in this run".len();

fn need_line(need: &Need, widest: usize, with: Option<Chance>) -> String {
    let pad = " ".repeat(widest - need.id.chars().count());
    let id = paint(style::FAULT, clean(&need.id));
    let (Some(without), Some(with)) = (&need.without, with) else { return id };
    let [without, with] = [without, &with].map(|it| format!("{} {}", round(it.share), interval(it)));
    format!(
        "{id}{pad}  {}",
        paint(style::FAINT, format!("with other draws: {without} fail without it, {with} with it"))
    )
}

/// What can be typed next.
fn commands(explanation: &Explanation, asked: &Asked) -> Vec<String> {
    let Explanation { seed, changes, futures, .. } = explanation;
    let mut lines = vec![("replay", asked.replay.clone())];
    if let Some((file, set)) = &asked.file {
        if let Some(Jump { holds: Some(number), from_s, .. }) = &futures.jump {
            let at = if *from_s > 0.0 { format!(" --at {from_s}s") } else { String::new() };
            lines.push((
                "holds",
                format!("schism inspect {file} --seed {seed}{set}{at} --luck {number} --run"),
            ));
        }
        if let Some(change) = changes.smallest.iter().chain(&changes.others).next() {
            let to = replay::quoted(&format!("{}={}", change.path, change.to));
            let seeds = (seed + 1).next_multiple_of(100).max(300);
            lines.push((
                "measure",
                format!("schism hunt {file}{set} --set {to} --seeds 0..{seeds} --no-shrink"),
            ));
        }
    }
    let line = |(name, command): (&str, String)| {
        format!("{} {}", paint(style::FAINT, format!("{name:<7}")), paint(style::NAME, command))
    };
    lines.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_what_is_there() {
        assert_eq!(bar(0.0, 8), "");
        assert_eq!(bar(0.001, 8), "▏");
        assert_eq!(bar(0.5, 8), "████");
        assert_eq!(bar(1.0, 8), "████████");
    }
}
