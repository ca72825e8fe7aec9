//! Afar: two runs in two processes, event by event, by what each has written down of a stretch.
//!
//! What differs from process to process alone never parts side by side. So each process writes a log of the stretch in
//! which the digests part: what happened to whom, what was asked for, which luck was drawn, and what became of whom, as a
//! number. On the way there it marks what all processes are made of: what no digest tells of may differ long before.

#[cfg(test)]
mod tests;

use std::fmt::Debug;

use schism_core::{Digest, NodeId, Seed};
use schism_models::node::Process;
use schism_scenario::Scenario;
use serde::{Deserialize, Serialize};

use super::Gap;
use super::notes::{Notes, Page};
use super::state::{self, Position, Positions, around};
use super::twins::{Aspect, Difference, Drawn, Parted, Run, STRETCH, first_other, of_node, with_names};
use crate::Simulation;
use crate::simulation::Step;

/// A part of a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stretch {
    /// After so many events.
    pub from: u64,
    /// Up to this one.
    pub to: u64,
}

/// What a process has written down of a stretch of its run, and of the way there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Log {
    /// On the way there, at the same events in every process; the last at the beginning of the stretch.
    marks: Vec<Mark>,
    lines: Vec<Line>,
}

/// What all is like after so many events.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mark {
    events: u64,
    at_s: f64,
    digest: String,
    state: String,
    luck: String,
}

/// What one process has done in one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Line {
    /// The number of the event, or of the last one before a fault acted.
    event: u64,
    at_s: f64,
    node: String,
    what: String,
    deeds: Vec<String>,
    /// The streams that it has drawn of: which, what for, from where to where.
    drawn: Vec<(String, String, [u64; 2])>,
    /// What it is made of afterwards, as a number.
    state: String,
    /// The same in words, where the stretch is short enough.
    text: Option<String>,
    /// Of all events so far.
    digest: String,
}

/// Of a stretch of so few events what processes are made of is written down in words.
const IN_WORDS: u64 = 16;
/// How often two processes are asked for a log.
const ROUNDS: usize = 6;

impl Log {
    /// In one line of JSON.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).expect("a log is plain data")
    }

    /// From such a line; none if it is no such line.
    pub fn from_line(line: &str) -> Option<Log> {
        serde_json::from_str(line).ok()
    }
}

/// Runs a scenario up to the end of a stretch, and writes down what happens in that.
pub fn log<P: Process + Debug>(scenario: &Scenario, seed: Seed, stretch: Stretch) -> Log {
    let mut run: Run<P> = Simulation::new(scenario, seed, Notes::open());
    let mut log = Log { marks: vec![mark(&run)], lines: Vec::new() };
    let mut scribe = Scribe { positions: Vec::new(), in_words: stretch.to - stretch.from <= IN_WORDS };
    if stretch.from == 0 {
        let page = run.witness_mut().take();
        scribe.positions = vec![Positions::new(); run.world().nodes()];
        log.lines.extend(nodes(&run).map(|node| scribe.line(&run, &page, node, "boots")));
    }
    run.witness_mut().attend(false);
    while run.world().events() < stretch.from {
        let events = run.world().events();
        let goal = (events + STRETCH.0.max(events / STRETCH.1)).min(stretch.from);
        if !go_to(&mut run, goal) {
            return log;
        }
        log.marks.push(mark(&run));
    }
    scribe.positions = nodes(&run).map(|node| state::positions(&state::compact(&run, node))).collect();
    run.witness_mut().attend(true);
    while run.world().events() < stretch.to && run.step() != Step::End {
        let page = run.witness_mut().take();
        match &page.event {
            Some((node, what)) => log.lines.push(scribe.line(&run, &page, *node, what)),
            None => log.lines.extend(nodes(&run).map(|node| scribe.line(&run, &page, node, "a fault acts"))),
        }
    }
    log
}

/// Whether the run went on until then.
fn go_to<P: Process + Debug>(run: &mut Run<P>, goal: u64) -> bool {
    while run.world().events() < goal {
        if run.step() == Step::End {
            return false;
        }
    }
    true
}

fn nodes<P: Process + Debug>(run: &Run<P>) -> impl Iterator<Item = NodeId> + use<P> {
    (0..run.world().nodes() as u32).map(NodeId)
}

fn mark<P: Process + Debug>(run: &Run<P>) -> Mark {
    let print = state::print(run);
    Mark {
        events: run.world().events(),
        at_s: run.world().now().as_secs_f64(),
        digest: run.digest().to_string(),
        state: print.state.to_string(),
        luck: print.luck.to_string(),
    }
}

/// Who writes the lines of a log.
struct Scribe {
    /// By node: how far it had drawn when it was looked at last.
    positions: Vec<Positions>,
    in_words: bool,
}

impl Scribe {
    fn line<P: Process + Debug>(&mut self, run: &Run<P>, page: &Page, node: NodeId, what: &str) -> Line {
        let world = run.world();
        let scene = world.scene();
        let named =
            |text: &str| with_names(text, |node| (node.index() < scene.nodes()).then(|| scene.name(node)));
        let compact = state::compact(run, node);
        let after = state::positions(&compact);
        let before = std::mem::replace(&mut self.positions[node.index()], after.clone());
        let moved = |(stream, position): (String, Position)| {
            let from = before.get(&stream).map_or(0, |before| before.at);
            (position.at != from).then_some((stream, position.purpose, [from, position.at]))
        };
        let mut state = Digest::new();
        std::hash::Hasher::write(&mut state, compact.as_bytes());
        Line {
            event: world.events(),
            at_s: world.now().as_secs_f64(),
            node: scene.name(node).to_owned(),
            what: named(what),
            deeds: of_node(page, node).into_iter().map(|deed| named(deed)).collect(),
            drawn: after.into_iter().filter_map(moved).collect(),
            state: state.value().to_string(),
            text: self.in_words.then(|| state::pretty(run, node)),
            digest: run.digest().to_string(),
        }
    }
}

/// Where two processes part, of which each writes a log when it is asked for one: by number, 0 and 1. A process may be
/// another each time, as long as it is one of its kind.
pub(super) fn look(gap: &Gap, write: &mut dyn FnMut(usize, Stretch) -> Option<Log>) -> Option<Parted> {
    let to = gap.apart.map_or(u64::MAX, |(events, _)| events);
    let mut stretch = Stretch { from: gap.alike.0, to };
    for _ in 0..ROUNDS {
        let logs = [write(0, stretch)?, write(1, stretch)?];
        if let Some(sooner) = sooner(&logs).filter(|_| stretch.from > 0) {
            stretch = sooner;
            continue;
        }
        let mut differences = differences(&logs);
        let (Some(last), Some(alike)) = (differences.last(), logs[0].marks.last()) else { continue };
        let parted_at = (last.event, last.at_s);
        put_in_words(&mut differences, write);
        let alike = (alike.events, alike.at_s);
        return Some(Parted { alike, apart: parted_at, differences });
    }
    None
}

/// The stretch before the first mark at which the two differ, if they do.
fn sooner([one, other]: &[Log; 2]) -> Option<Stretch> {
    let at = one.marks.iter().zip(&other.marks).position(|(one, other)| one != other)?;
    let from = at.checked_sub(1).map_or(0, |before| one.marks[before].events);
    let to = one.marks.get(at.max(1)).map_or(1, |mark| mark.events);
    Some(Stretch { from, to })
}

/// What differs first of each aspect, until another event happens in the one than in the other.
fn differences([one, other]: &[Log; 2]) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    for (one, other) in one.lines.iter().zip(&other.lines) {
        for difference in of_lines(one, other) {
            if found.iter().all(|known| known.aspect != difference.aspect) {
                found.push(difference);
            }
        }
        if found.last().is_some_and(|last| matches!(last.aspect, Aspect::Event | Aspect::Digest)) {
            break;
        }
    }
    found
}

/// In what two lines differ.
fn of_lines(one: &Line, other: &Line) -> Vec<Difference> {
    let blank = |aspect| Difference {
        aspect,
        event: one.event,
        at_s: one.at_s,
        node: Some(one.node.clone()),
        what: one.what.clone(),
        drawn: Vec::new(),
        place: None,
        sides: [String::new(), String::new()],
    };
    let happened = |line: &Line| (line.event, line.at_s.to_bits(), line.node.clone(), line.what.clone());
    if happened(one) != happened(other) {
        let told = |line: &Line| format!("{}s {}: {}", line.at_s, line.node, line.what);
        let sides = around(&told(one), &told(other));
        return vec![Difference { node: None, what: String::new(), sides, ..blank(Aspect::Event) }];
    }
    let mut found = Vec::new();
    let drawn = drawn(one, other);
    if one.drawn != other.drawn {
        let apart = drawn.iter().filter(|drawn| drawn.words[0] != drawn.words[1]).cloned().collect();
        found.push(Difference { drawn: apart, ..blank(Aspect::Draws) });
    }
    if let Some(sides) = first_other(&[one.deeds.iter().collect(), other.deeds.iter().collect()]) {
        found.push(Difference { drawn: drawn.clone(), sides, ..blank(Aspect::Deeds) });
    }
    if one.state != other.state {
        let texts = one.text.as_ref().zip(other.text.as_ref());
        let told = texts.and_then(|(one, other)| state::difference(one, other));
        let (place, sides) = match told {
            Some((place, sides)) => (Some(place), sides),
            None => (None, [&one.state, &other.state].map(|print| format!("its digest is {print}"))),
        };
        found.push(Difference { drawn, place, sides, ..blank(Aspect::State) });
    }
    if found.is_empty() && one.digest != other.digest {
        found.push(Difference { sides: [one.digest.clone(), other.digest.clone()], ..blank(Aspect::Digest) });
    }
    found
}

/// The streams that either has drawn of.
fn drawn(one: &Line, other: &Line) -> Vec<Drawn> {
    let words = |line: &Line, stream: &str| {
        let moved = line.drawn.iter().find(|(other, ..)| other == stream);
        moved.map(|(_, _, words)| *words)
    };
    let mut streams: Vec<(&String, &String)> =
        one.drawn.iter().chain(&other.drawn).map(|(stream, purpose, _)| (stream, purpose)).collect();
    streams.sort();
    streams.dedup();
    let told = |(stream, purpose): (&String, &String)| {
        let sides = [words(one, stream), words(other, stream)];
        // Who has drawn nothing is where the other began.
        let began = sides.iter().flatten().map(|words| words[0]).min().unwrap_or_default();
        let words = sides.map(|words| words.unwrap_or([began, began]));
        Drawn { stream: format!("{}/{purpose}", one.node), words }
    };
    streams.into_iter().map(told).collect()
}

/// Where a state differs, both processes are asked once more for that event alone, in words. If it does not differ there
/// again, that it did is all that is told.
fn put_in_words(differences: &mut [Difference], write: &mut dyn FnMut(usize, Stretch) -> Option<Log>) {
    let Some(state) =
        differences.iter_mut().find(|found| found.aspect == Aspect::State && found.place.is_none())
    else {
        return;
    };
    let stretch = Stretch { from: state.event.saturating_sub(1), to: state.event.max(1) };
    let (Some(one), Some(other)) = (write(0, stretch), write(1, stretch)) else { return };
    let lines = one.lines.iter().zip(&other.lines);
    let again = lines
        .flat_map(|(one, other)| of_lines(one, other))
        .find(|found| (found.aspect, found.event, &found.node) == (Aspect::State, state.event, &state.node));
    if let Some(Difference { place: Some(place), sides, .. }) = again {
        (state.place, state.sides) = (Some(place), sides);
    }
}
