//! The explanation of a failure, as text.

use schism_runner::explain::{
    Chance, Change, Changes, Explanation, Futures, JudgedBy, Jump, Moment, Need, Needs, Role, Story,
};

use super::style::{self, paint};
use super::words::{clean, wrap};

/// How it was asked for.
pub(crate) struct Asked {
    /// The command that repeats the run.
    pub(crate) replay: String,
    /// How many columns there are.
    pub(crate) width: usize,
}

/// The whole of it.
pub(crate) fn text(explanation: &Explanation, asked: &Asked) -> String {
    let sections = [
        failure(explanation, asked),
        story(&explanation.story, asked),
        futures(&explanation.futures, asked),
        needs(&explanation.needs, &explanation.futures, asked),
        changes(&explanation.changes, &explanation.futures, asked),
        vec![format!("{} {}", paint(style::FAINT, "replay"), paint(style::NAME, &asked.replay))],
    ];
    let sections = sections.into_iter().filter(|lines| !lines.is_empty());
    sections.map(|lines| lines.join("\n") + "\n").collect::<Vec<_>>().join("\n")
}

fn failure(Explanation { failure, seed, .. }: &Explanation, asked: &Asked) -> Vec<String> {
    let at = failure.at_s.map_or(String::new(), |at| format!("  at {}", instant(at)));
    let head = format!("{} {}  seed {seed}{at}", paint(style::BAD, "FAIL"), clean(&failure.expectation));
    let why = wrap(&clean(&failure.why), asked.width.saturating_sub(2));
    std::iter::once(head).chain(why.into_iter().map(|line| format!("  {line}"))).collect()
}

fn story(Story { lines, left_out, dropped, .. }: &Story, asked: &Asked) -> Vec<String> {
    let mut told = vec![paint(style::HEAD, "How it came about")];
    let times: Vec<String> = lines.iter().map(|line| instant(line.at_s)).collect();
    let time_width = times.iter().map(String::len).max().unwrap_or(0);
    let who_width = lines.iter().map(|line| line.who.chars().count()).max().unwrap_or(0).min(24);
    let room = asked.width.saturating_sub(time_width + who_width + 6).max(24);
    for (line, time) in lines.iter().zip(&times) {
        let mut what = wrap(&clean(&line.what), room).into_iter();
        let who = format!("{:<who_width$}", clean(&line.who));
        let first = what.next().unwrap_or_default();
        told.push(format!("  {time:>time_width$}  {}  {first}", paint(style::NAME, who)));
        let indent = " ".repeat(time_width + who_width + 6);
        told.extend(what.map(|more| format!("{indent}{more}")));
    }
    if *left_out > 0 {
        told.push(paint(style::FAINT, format!("  {left_out} lines that matter less are left out")));
    }
    if *dropped > 0 {
        let earlier = "  what came earlier is not known: the run is longer than what is kept of it";
        told.push(paint(style::FAINT, earlier));
    }
    told
}

fn futures(Futures { asked: wanted, each, moments, jump }: &Futures, asked: &Asked) -> Vec<String> {
    let mut lines =
        vec![paint(style::HEAD, "P(failure) when all luck but the faults' is drawn anew from then on")];
    let fewer =
        if each < wanted { format!(" ({wanted} were asked for: the runs are long)") } else { String::new() };
    lines.push(paint(style::FAINT, format!("  {each} futures each{fewer}; in brackets, the 95% interval")));
    let times: Vec<String> = moments.iter().map(|at| instant(at.at_s)).collect();
    let widest = times.iter().map(String::len).max().unwrap_or(0);
    let bar_width = asked.width.saturating_sub(widest + 26).clamp(8, 32);
    for (Moment { chance, at_s }, time) in moments.iter().zip(&times) {
        let sealed = jump.is_some_and(|Jump { by_s, .. }| *at_s >= by_s);
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
    lines.extend(verdict(moments, jump.as_ref()).into_iter().map(|line| format!("  {line}")));
    lines
}

/// What the moments say, in a sentence.
fn verdict(moments: &[Moment], jump: Option<&Jump>) -> Option<String> {
    let first = moments.first()?.chance.share;
    match jump {
        Some(Jump { from_s, by_s, from, to }) => Some(format!(
            "baked in by {}: {} -> {} since {}",
            paint(style::HEAD, instant(*by_s)),
            round(*from),
            round(*to),
            instant(*from_s)
        )),
        None if first >= 0.9 => Some("these faults do it, whatever the luck".to_owned()),
        None => Some("it comes on slowly: at no one moment does the chance jump".to_owned()),
    }
}

const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A bar of at most so many columns. What is more than nothing is seen.
fn bar(share: f64, columns: usize) -> String {
    let eighths = (share * columns as f64 * 8.0).round() as usize;
    let eighths = if share > 0.0 { eighths.max(1) } else { 0 };
    let full = std::iter::repeat_n('█', eighths / 8);
    full.chain((eighths % 8).checked_sub(1).map(|at| EIGHTHS[at])).collect()
}

/// A moment to the millisecond: they may lie close together.
fn instant(seconds: f64) -> String {
    let text = format!("{seconds:.3}");
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
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
    let mut lines = Vec::new();
    for (head, role) in
        [("Needed", Role::Needed), ("Not needed", Role::NotNeeded), ("Not tried", Role::Untried)]
    {
        let mut head = Some(head);
        for need in of(role) {
            let title = head.take().unwrap_or_default();
            lines.push(format!("{}  {}", paint(style::HEAD, format!("{title:<10}")), need_line(need, with)));
        }
    }
    for [one, other] in &needs.either {
        lines.push(format!(
            "{:<10}  either {} or {}: with neither it does not fail",
            "",
            clean(one),
            clean(other)
        ));
    }
    if !needs.fails_without_the_rest && needs.either.is_empty() {
        let some =
            "some of those not needed one by one are needed together: with none of them it does not fail";
        lines.extend(
            wrap(some, asked.width.saturating_sub(12)).into_iter().map(|line| format!("{:<12}{line}", "")),
        );
    }
    lines
}

fn need_line(need: &Need, with: Option<Chance>) -> String {
    let id = paint(style::FAULT, clean(&need.id));
    match (&need.without, with) {
        (Some(without), Some(with)) => format!(
            "{id}  {}",
            paint(
                style::FAINT,
                format!(
                    "without it {} of {} other lucks fail, with it {} of {}",
                    without.failed, without.of, with.failed, with.of
                )
            )
        ),
        (Some(_) | None, _) => id,
    }
}

fn changes(changes: &Changes, futures: &Futures, asked: &Asked) -> Vec<String> {
    let with = futures.moments.first().map(|moment| moment.chance);
    let heads = [("Smallest changes that avoid it", &changes.smallest), ("Other ways", &changes.others)];
    let mut lines = Vec::new();
    for (head, changes) in heads.into_iter().filter(|(_, changes)| !changes.is_empty()) {
        lines.push(paint(style::HEAD, head));
        let texts: Vec<String> =
            changes.iter().map(|it| format!("{} {} -> {}", it.path, it.from, it.to)).collect();
        let widest = texts.iter().map(|text| text.chars().count()).max().unwrap_or(0);
        lines
            .extend(changes.iter().zip(texts).map(|(change, text)| change_line(change, &text, widest, with)));
    }
    let tried = format!("{} dials, {} runs", changes.dials, changes.runs);
    let remark = match (lines.is_empty(), changes.judged_by) {
        (true, _) => format!("No change of a single setting avoids it ({tried})"),
        (false, JudgedBy::OtherLuck) => format!("With each the run of this seed holds, too ({tried})"),
        (false, JudgedBy::ThisLuckAlone) => format!(
            "They avoid it with the luck of this seed ({tried}); with other luck it is seldom anyway, so nearly any change may seem to help"
        ),
    };
    let cut = if changes.complete { "" } else { "; not all that there was to try: more --effort tries more" };
    let remark = wrap(&format!("{remark}{cut}"), asked.width.saturating_sub(2));
    lines.extend(remark.into_iter().map(|line| paint(style::FAINT, format!("  {line}"))));
    lines
}

fn change_line(change: &Change, text: &str, widest: usize, with: Option<Chance>) -> String {
    let Chance { failed, of, .. } = change.still;
    let instead = with.map_or(String::new(), |with| format!(", not {} of {}", with.failed, with.of));
    let pad = " ".repeat(widest - text.chars().count());
    format!(
        "  {}{pad}  {}",
        paint(style::NAME, text),
        paint(style::FAINT, format!("{failed} of {of} other lucks fail{instead}"))
    )
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
