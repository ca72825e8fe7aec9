//! State as text: what a process is made of, where two texts of it differ, and how far its luck has been drawn.

use std::collections::BTreeMap;
use std::fmt::{Debug, Write};

use schism_core::{Digest, DigestValue, NodeId};
use schism_models::node::Process;

use super::twins::{Drawn, Run};

/// How many characters of a text are shown around a difference.
const SHOWN: usize = 100;
/// How many of them come before it.
const BEFORE: usize = 40;

/// How far each stream that a process holds has been drawn, by the stream's number.
pub(crate) type Positions = BTreeMap<String, Position>;

/// How far a stream has been drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// What it is for.
    pub(crate) purpose: String,
    /// How many words have been drawn.
    pub(crate) at: u64,
}

/// What all processes are made of, in two numbers: all of it, and their luck alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Print {
    pub(super) state: DigestValue,
    pub(super) luck: DigestValue,
}

/// The print of a run.
pub(super) fn print<P: Process + Debug>(run: &Run<P>) -> Print {
    let (mut state, mut luck) = (Digest::new(), Digest::new());
    for node in (0..run.world().nodes() as u32).map(NodeId) {
        let text = compact(run, node);
        std::hash::Hasher::write(&mut state, text.as_bytes());
        for (stream, position) in positions(&text) {
            std::hash::Hasher::write(&mut luck, stream.as_bytes());
            luck.fold(position.at);
        }
    }
    Print { state: state.value(), luck: luck.value() }
}

/// A process, and the luck of its messages, in one line.
pub(super) fn compact<P: Process + Debug>(run: &Run<P>, node: NodeId) -> String {
    let world = run.world();
    format!("{:?} {:?}", world.actor(node), world.luck_of_messages(node))
}

/// The same, one field to a line.
pub(super) fn pretty<P: Process + Debug>(run: &Run<P>, node: NodeId) -> String {
    let world = run.world();
    match world.actor(node) {
        Some(actor) => format!("{actor:#?}\nnetwork: {:?}", world.luck_of_messages(node)),
        None => format!("dead\nnetwork: {:?}", world.luck_of_messages(node)),
    }
}

/// How far the streams in such a text have been drawn.
pub(crate) fn positions(text: &str) -> Positions {
    let of = |after: &str| {
        let mut words = after.split_once(')')?.0.rsplitn(4, ' ');
        let (at, _, stream, purpose) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let position = Position { purpose: purpose.to_owned(), at: at.parse().ok()? };
        Some((stream.to_owned(), position))
    };
    text.split("Luck(").skip(1).filter_map(of).collect()
}

/// The streams of which words were drawn, in the one run and in the other.
pub(super) fn drawn(node: &str, before: [&Positions; 2], after: [&Positions; 2]) -> Vec<Drawn> {
    let mut streams: BTreeMap<&String, &String> = BTreeMap::new();
    after.iter().flat_map(|positions| positions.iter()).for_each(|(stream, position)| {
        streams.insert(stream, &position.purpose);
    });
    let at = |positions: &Positions, stream: &String| positions.get(stream).map_or(0, |position| position.at);
    let range = |side: usize, stream: &String| [at(before[side], stream), at(after[side], stream)];
    let of = |(stream, purpose): (&String, &String)| Drawn {
        stream: format!("{node}/{purpose}"),
        words: [range(0, stream), range(1, stream)],
    };
    let moved = |drawn: &Drawn| drawn.words.iter().any(|[from, to]| from != to);
    streams.into_iter().map(of).filter(moved).collect()
}

/// Where two texts of one field to a line differ first: the way there, and what stands there in both.
pub(super) fn difference(one: &str, other: &str) -> Option<(String, [String; 2])> {
    let lines: Vec<&str> = one.lines().collect();
    let others: Vec<&str> = other.lines().collect();
    let most = lines.len().max(others.len());
    let line = |of: &[&str], at: usize| of.get(at).copied().unwrap_or("nothing").trim().to_owned();
    let at = (0..most).find(|&at| lines.get(at) != others.get(at))?;
    let longer = if at < lines.len() { &lines } else { &others };
    Some((path(longer, at), around(&line(&lines, at), &line(&others, at))))
}

/// The way to a line: the fields that it lies within, from the outermost.
fn path(lines: &[&str], at: usize) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let mut ways = Vec::new();
    let mut inner = at;
    ways.extend(label(lines[at]));
    for above in (0..at).rev() {
        if depth(lines[above]) >= depth(lines[inner]) {
            continue;
        }
        if lines[above].ends_with('[') {
            let place = |line: &&str| depth(line) == depth(lines[inner]) && !is_close(line);
            let number = lines[above + 1..inner].iter().filter(|line| place(line)).count();
            ways.push(format!("[{number}]"));
        }
        inner = above;
        ways.extend(label(lines[above]));
    }
    let mut path = String::new();
    for way in ways.into_iter().rev() {
        let dot = if path.is_empty() || way.starts_with('[') { "" } else { "." };
        let _ = write!(path, "{dot}{way}");
    }
    if path.is_empty() { "all of it".to_owned() } else { path }
}

fn is_close(line: &str) -> bool {
    matches!(line.trim().chars().next(), Some(')' | ']' | '}'))
}

/// The field that a line begins with, if it names one; of the outermost, the type.
fn label(line: &str) -> Option<String> {
    let text = line.trim_start();
    if text.len() == line.len() {
        let word: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        return (!word.is_empty()).then_some(word);
    }
    let (name, _) = text.split_once(": ")?;
    (name.len() < SHOWN && !name.contains(['(', '{'])).then(|| name.to_owned())
}

/// Both texts near the first place at which they differ.
pub(super) fn around(one: &str, other: &str) -> [String; 2] {
    let same = one.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    let from =
        if one.chars().count().max(other.chars().count()) > SHOWN { same.saturating_sub(BEFORE) } else { 0 };
    [one, other].map(|text| {
        let shown: String = text.chars().skip(from).take(SHOWN).collect();
        let (head, tail) = (from > 0, from + SHOWN < text.chars().count());
        format!("{}{shown}{}", if head { "…" } else { "" }, if tail { "…" } else { "" })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Client(\n    Client {\n        luck: Luck(pick at home 00ff at 7),\n        groups: [\n            Group {\n                key: 1,\n            },\n            Group {\n                key: 2,\n            },\n        ],\n    },\n)";

    #[test]
    fn a_difference_is_told_by_the_way_there() {
        let told = |from: &str, to: &str| difference(TEXT, &TEXT.replace(from, to)).expect("they differ");
        assert_eq!(difference(TEXT, TEXT), None);
        assert_eq!(
            told("key: 2", "key: 3"),
            ("Client.groups[1].key".to_owned(), ["key: 2,".to_owned(), "key: 3,".to_owned()])
        );
        assert_eq!(told("at 7", "at 8").0, "Client.luck");
    }

    #[test]
    fn a_long_text_is_shown_where_it_differs() {
        let long = |end: &str| format!("{}{end}", "x".repeat(500));
        let [one, other] = around(&long("a"), &long("b"));
        assert!(one.starts_with('…') && one.ends_with("xxa") && other.ends_with("xxb"), "{one} {other}");
        assert!(one.chars().count() <= SHOWN + 2);
    }

    #[test]
    fn positions_are_found_wherever_they_stand() {
        let found = positions(TEXT);
        assert_eq!(found["00ff"], Position { purpose: "pick at home".to_owned(), at: 7 });
        let later = positions(&TEXT.replace("at 7", "at 9"));
        let told = drawn("web-0", [&found, &found], [&later, &found]);
        assert_eq!(told, [Drawn { stream: "web-0/pick at home".to_owned(), words: [[7, 9], [7, 7]] }]);
        assert_eq!(drawn("web-0", [&found, &found], [&found, &found]), []);
    }
}
