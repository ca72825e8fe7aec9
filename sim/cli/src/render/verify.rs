//! Verification as text: that every run of a seed is the same, or where two of them part.

use std::fmt::Write;

use schism_runner::verify::{Aspect, Checked, Difference, Discord, Drawn, Parted};

use super::style::{self, paint};
use super::words::{count, many};

/// All seeds were the same wherever they were run.
pub(crate) fn same(file: &str, checked: &[Checked]) -> String {
    let [first, ..] = checked else { return String::new() };
    let runs: usize = checked.iter().map(|checked| checked.runs.len()).sum();
    let events: u64 = checked.iter().flat_map(|checked| &checked.runs).map(|ran| ran.events).sum();
    let places: Vec<&str> = first.runs.iter().map(|ran| ran.place.as_str()).collect();
    let seeds = match checked {
        [one] => format!("seed {}", one.seed),
        several => many(several.len() as u64, "seed"),
    };
    let mut out = format!("{}  {file}  {seeds}\n", paint(style::GOOD, "same"));
    let _ = writeln!(out, "  each run {} times: {}", places.len(), places.join(", "));
    let _ = writeln!(
        out,
        "  {} and {}: the digests of each seed are equal",
        many(runs as u64, "run"),
        many(events, "event")
    );
    if let [Checked { runs, .. }] = checked {
        let _ = writeln!(out, "  digest {}", runs[0].digest);
    }
    out
}

/// One seed was not.
pub(crate) fn differs(file: &str, seed: u64, discord: &Discord) -> String {
    let mut out = format!("{}  {file}  seed {seed}\n", paint(style::BAD, "DIVERGED"));
    let [one, other] = &discord.between;
    let apart = match discord.apart {
        Some((events, at_s)) => format!("they differ by event {} ({})", count(events), seconds(at_s)),
        None => "they differ at the end".to_owned(),
    };
    let alike = alike(discord.alike);
    let _ = writeln!(out, "  two runs, {one} and {other}, {alike}; {apart}");
    match &discord.parted {
        Some(parted) => twins(&mut out, parted, discord.afar),
        None => out.push_str(
            "  neither two runs side by side in this process nor two in processes of their own parted again\n",
        ),
    }
    let _ = writeln!(out, "  {}", paint(style::FAINT, USUAL));
    out
}

const AFAR: &str = "  two runs side by side in this process did not part: what differs is told apart only by the process,\n  \
     such as where it was loaded, its number, or its environment\n";

const USUAL: &str = "usual causes: iterating a HashMap, Instant::now, a thread's id, an address as a key, state that outlives a run";

fn alike((events, at_s): (u64, f64)) -> String {
    match events {
        0 => "had no checkpoint in common".to_owned(),
        events => format!("were alike for {} ({})", many(events, "event"), seconds(at_s)),
    }
}

/// Two more runs, that were looked at event by event.
fn twins(out: &mut String, parted: &Parted, afar: bool) {
    let [first, rest @ ..] = parted.differences.as_slice() else {
        let (from, to) = (parted.alike, parted.apart);
        let _ = writeln!(
            out,
            "  two more, side by side, parted between event {} ({}) and event {} ({}); from there on they were run\n  \
             again event by event, several times, and did not",
            count(from.0),
            seconds(from.1),
            count(to.0),
            seconds(to.1)
        );
        return;
    };
    if afar {
        out.push_str(AFAR);
    }
    let how = if afar { "each in a process of its own" } else { "side by side" };
    let _ = writeln!(out, "\nThe first difference between two more runs, A and B, {how}:");
    event(out, first);
    difference(out, first);
    let mut last = first;
    for next in rest {
        if next.event != last.event {
            let _ = writeln!(out, "\nAnd then:");
            event(out, next);
        }
        // Of one event the draws are told once.
        let again = next.event == last.event && next.drawn == last.drawn;
        let drawn = if again { Vec::new() } else { next.drawn.clone() };
        difference(out, &Difference { drawn, ..next.clone() });
        last = next;
    }
    out.push('\n');
}

fn event(out: &mut String, Difference { event, at_s, node, what, .. }: &Difference) {
    let node = paint(style::NAME, node.as_deref().unwrap_or(""));
    let number = if *event == 0 { "at the start".to_owned() } else { format!("event {}", count(*event)) };
    let line = format!("  {number}  {}  {node}  {what}", seconds(*at_s));
    let _ = writeln!(out, "{}", line.trim_end());
}

fn difference(out: &mut String, difference: &Difference) {
    let heading = match difference.aspect {
        Aspect::Draws => "luck".to_owned(),
        Aspect::Deeds => "deeds".to_owned(),
        Aspect::State => format!("state  {}", difference.place.as_deref().unwrap_or_default()),
        Aspect::Event => "next event".to_owned(),
        Aspect::Digest => "digest".to_owned(),
    };
    let _ = writeln!(out, "    {}", paint(style::HEAD, heading));
    difference.drawn.iter().for_each(|one| drawn(out, one));
    if difference.aspect != Aspect::Draws {
        let [one, other] = &difference.sides;
        let _ = writeln!(out, "      A  {one}\n      B  {other}");
    }
}

fn drawn(out: &mut String, Drawn { stream, words: [one, other] }: &Drawn) {
    if one == other {
        let _ = writeln!(out, "      stream {stream}, both: {}", draws(*one));
    } else {
        let _ = writeln!(out, "      stream {stream}\n      A  {}\n      B  {}", draws(*one), draws(*other));
    }
}

/// Counted from 1.
fn draws([before, after]: [u64; 2]) -> String {
    match after.saturating_sub(before) {
        0 => format!("nothing after draw {}", count(before)),
        1 => format!("draw {}", count(after)),
        _ => format!("draws {} to {}", count(before + 1), count(after)),
    }
}

/// A moment, to the microsecond.
pub(super) fn seconds(at_s: f64) -> String {
    let text = format!("{at_s:.6}");
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use schism_runner::verify::Ran;

    use super::*;

    fn ran(place: &str, digest: &str) -> Ran {
        Ran { place: place.to_owned(), digest: digest.to_owned(), events: 20_431 }
    }

    /// Without colours.
    fn lines(text: &str) -> Vec<String> {
        crate::console::plain(text).lines().map(str::to_owned).collect()
    }

    fn difference(aspect: Aspect, event: u64, sides: [&str; 2]) -> Difference {
        Difference {
            aspect,
            event,
            at_s: 5.004_810_731,
            node: Some("web-1".to_owned()),
            what: "timer Arrival".to_owned(),
            drawn: Vec::new(),
            place: None,
            sides: sides.map(str::to_owned),
        }
    }

    fn discord(parted: Option<Parted>) -> Discord {
        let between = ["in a second process", "in a third process"].map(str::to_owned);
        Discord { between, alike: (4_096, 4.012), apart: Some((8_192, 6.5)), afar: parted.is_none(), parted }
    }

    #[test]
    fn all_that_is_the_same_is_told_in_a_few_lines() {
        let checked = |seed: u64| Checked {
            seed,
            runs: vec![ran("in a second process", "00c0ffee"), ran("in this process", "00c0ffee")],
            discord: None,
        };
        let expected = [
            "same  a.toml  seed 7",
            "  each run 2 times: in a second process, in this process",
            "  2 runs and 40,862 events: the digests of each seed are equal",
            "  digest 00c0ffee",
        ];
        assert_eq!(lines(&same("a.toml", &[checked(7)])), expected);
        assert!(same("a.toml", &[checked(7), checked(8)]).contains("a.toml  2 seeds"));
    }

    #[test]
    fn the_first_difference_is_told_with_the_process_the_event_and_the_draw() {
        let drawn = |to: u64| Drawn { stream: "web-1/pick".to_owned(), words: [[417, 418], [417, to]] };
        let differences = vec![
            Difference { drawn: vec![drawn(420)], ..difference(Aspect::Draws, 5_207, ["", ""]) },
            Difference {
                drawn: vec![drawn(418)],
                ..difference(Aspect::Deeds, 5_207, ["sends to orders-3: a", "sends to orders-1: b"])
            },
            Difference {
                place: Some("Client.picker.luck".to_owned()),
                ..difference(Aspect::State, 5_207, ["at 418", "at 420"])
            },
            Difference {
                node: None,
                what: String::new(),
                ..difference(Aspect::Event, 5_210, ["one", "other"])
            },
        ];
        let parted = Parted { alike: (4_096, 4.012), apart: (8_192, 6.5), differences };
        let told = lines(&differs("a.toml", 88, &discord(Some(parted))));
        let expected = [
            "DIVERGED  a.toml  seed 88",
            "  two runs, in a second process and in a third process, were alike for 4,096 events (4.012s); they \
             differ by event 8,192 (6.5s)",
            "",
            "The first difference between two more runs, A and B, side by side:",
            "  event 5,207  5.004811s  web-1  timer Arrival",
            "    luck",
            "      stream web-1/pick",
            "      A  draw 418",
            "      B  draws 418 to 420",
            "    deeds",
            "      stream web-1/pick, both: draw 418",
            "      A  sends to orders-3: a",
            "      B  sends to orders-1: b",
            "    state  Client.picker.luck",
            "      A  at 418",
            "      B  at 420",
            "",
            "And then:",
            "  event 5,210  5.004811s",
            "    next event",
            "      A  one",
            "      B  other",
            "",
        ];
        assert_eq!(told[..told.len() - 1], expected);
        assert!(told.last().is_some_and(|last| last.starts_with("  usual causes: ")), "{told:?}");
    }

    #[test]
    fn what_parts_in_processes_of_their_own_alone_is_said_to_be_so() {
        let differences = vec![difference(Aspect::Deeds, 5_207, ["a", "b"])];
        let parted = Parted { alike: (4_096, 4.012), apart: (5_207, 5.0), differences };
        let text = differs("a.toml", 88, &Discord { afar: true, ..discord(Some(parted)) });
        assert!(text.contains("side by side in this process did not part"), "{text}");
        assert!(text.contains("A and B, each in a process of its own:"), "{text}");
    }

    #[test]
    fn what_never_parts_again_is_said_to_be_so() {
        let text = differs("a.toml", 88, &discord(None));
        assert!(text.contains("nor two in processes of their own parted again"), "{text}");
        let parted = Parted { alike: (4_096, 4.012), apart: (8_192, 6.5), differences: Vec::new() };
        let text = differs("a.toml", 88, &discord(Some(parted)));
        assert!(text.contains("between event 4,096 (4.012s) and event 8,192 (6.5s)"), "{text}");
    }
}
