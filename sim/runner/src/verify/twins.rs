//! Twins: two runs of one scenario and one seed, side by side on two threads, and the first thing that they do not share.
//!
//! What is not deterministic seldom repeats itself, so the two runs that are compared are the two that are reported. They
//! go from one comparison to the next; where their digests part, copies of both from the comparison before go the same
//! stretch again, event by event. The digest tells of events alone, and what differs in an event may have been drawn
//! long before: so what the processes are made of is compared as well, and their luck.

use std::fmt::Debug;

use rayon::{ThreadPool, ThreadPoolBuilder};
use schism_core::{DigestValue, NodeId, Seed};
use schism_models::node::Process;
use schism_scenario::Scenario;
use serde::Serialize;

use super::notes::{Notes, Page};
use super::state::{self, Positions, Print, around};
use crate::Simulation;
use crate::simulation::Step;

/// A run that takes notes.
pub(super) type Run<P> = Simulation<Notes, P>;

/// What became of the twins.
#[derive(Clone, Debug, PartialEq)]
pub enum Twins {
    /// They did the same to the end.
    Alike {
        /// Of either.
        digest: DigestValue,
        /// Of either.
        events: u64,
    },
    /// They did not.
    Parted(Box<Parted>),
}

/// Two runs that should have been one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parted {
    /// The last comparison at which their digests were the same: how many events, and when, in seconds.
    pub alike: (u64, f64),
    /// The first at which they were not.
    pub apart: (u64, f64),
    /// What differed, each aspect when it first did. Empty if the stretch in which the digests parted did not part again
    /// when it was looked at event by event.
    pub differences: Vec<Difference>,
}

/// In what two runs differ.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Aspect {
    /// How many words of its luck a process drew.
    Draws,
    /// What a process asked for.
    Deeds,
    /// What a process is made of.
    State,
    /// What happened next.
    Event,
    /// What the digest says, though the words are the same.
    Digest,
}

/// The first time that two runs differed in one aspect.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// In what.
    pub aspect: Aspect,
    /// In which event, counted from 1; 0 is when all boot.
    pub event: u64,
    /// When, in seconds.
    pub at_s: f64,
    /// Which process, if it is the same in both.
    pub node: Option<String>,
    /// What happened to it, in both.
    pub what: String,
    /// The streams of which it drew then.
    pub drawn: Vec<Drawn>,
    /// Where in its state.
    pub place: Option<String>,
    /// In the one run and in the other.
    pub sides: [String; 2],
}

/// A stream of luck, and which of its words were drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drawn {
    /// Whose, and what for: `web-12/pick`.
    pub stream: String,
    /// In the one run and in the other: how many had been drawn before, and how many after.
    pub words: [[u64; 2]; 2],
}

/// How many events lie between two comparisons at least, and of all the events so far which part: the state of many
/// processes takes long to write down.
pub(super) const STRETCH: (u64, u64) = (4096, 32);
/// How many steps are looked at one by one before it is given up.
const MOST_STEPS: u64 = 50_000;
/// How often a stretch is looked at again if nothing differs in it.
const TRIES: usize = 5;

/// Two runs with the same seed, until they part or end.
pub fn twins<P: Process + Debug>(scenario: &Scenario, seed: Seed) -> Twins {
    let threads = Threads::new();
    let mut pair = threads.begin::<P>([(scenario, seed); 2]);
    let search = Search::at_boot(&mut pair);
    follow(&threads, pair, search)
}

/// Two runs that may differ in everything, until another event happens in the one than in the other.
pub(crate) fn strangers<P: Process + Debug>(sides: [(&Scenario, Seed); 2]) -> Twins {
    let threads = Threads::new();
    let pair = threads.begin::<P>(sides);
    follow(&threads, pair, Search { found: Vec::new(), wanted: &[Aspect::Event, Aspect::Digest] })
}

fn follow<P: Process + Debug>(threads: &Threads, mut pair: Pair<P>, mut search: Search) -> Twins {
    let mut base = pair.clone();
    // Since when something differs that no digest tells of.
    let mut suspect: Option<Pair<P>> = None;
    loop {
        threads.advance(&mut pair);
        if !pair.agree() {
            let (alike, apart) = (base.place(), pair.place());
            search.look_between(threads, suspect.into_iter().chain([base]));
            let differences = search.found;
            return Twins::Parted(Box::new(Parted { alike, apart, differences }));
        }
        if pair.ended {
            let world = pair.runs[0].world();
            return Twins::Alike { digest: world.digest(), events: world.events() };
        }
        if suspect.is_none() && search.wonders(&pair) {
            suspect = Some(base);
        }
        base = pair.clone();
    }
}

/// The two runs. A value: a copy of it goes the same way again, as far as anything can.
#[derive(Clone)]
struct Pair<P: Process> {
    runs: [Run<P>; 2],
    ended: bool,
}

impl<P: Process + Debug> Pair<P> {
    fn agree(&self) -> bool {
        let of = |run: &Run<P>| (run.digest(), run.world().events(), run.world().now());
        of(&self.runs[0]) == of(&self.runs[1])
    }

    fn prints(&self) -> [Print; 2] {
        self.runs.each_ref().map(state::print)
    }

    /// How many events, and when.
    fn place(&self) -> (u64, f64) {
        (self.runs[0].world().events(), self.at_s())
    }

    fn at_s(&self) -> f64 {
        self.runs[0].world().now().as_secs_f64()
    }

    fn nodes(&self) -> impl Iterator<Item = NodeId> + use<P> {
        (0..self.runs[0].world().nodes() as u32).map(NodeId)
    }

    fn positions(&self, node: NodeId) -> [Positions; 2] {
        self.runs.each_ref().map(|run| state::positions(&state::compact(run, node)))
    }
}

/// A thread for each of the two, and never the same.
struct Threads([ThreadPool; 2]);

impl Threads {
    fn new() -> Threads {
        let thread = || ThreadPoolBuilder::new().num_threads(1).build().expect("a thread can be had");
        Threads([thread(), thread()])
    }

    fn begin<P: Process + Debug>(&self, sides: [(&Scenario, Seed); 2]) -> Pair<P> {
        let begin = |side: usize| {
            let (scenario, seed) = sides[side];
            self.0[side].install(|| Simulation::new(scenario, seed, Notes::open()))
        };
        Pair { runs: [begin(0), begin(1)], ended: false }
    }

    /// The same with each, on its own thread.
    fn each<P: Process, T: Send>(&self, pair: &mut Pair<P>, act: impl Fn(&mut Run<P>) -> T + Sync) -> [T; 2] {
        let [one, other] = &mut pair.runs;
        [self.0[0].install(|| act(one)), self.0[1].install(|| act(other))]
    }

    /// To the next comparison.
    fn advance<P: Process + Debug>(&self, pair: &mut Pair<P>) {
        let events = pair.runs[0].world().events();
        let goal = events + STRETCH.0.max(events / STRETCH.1);
        let ended = self.each(pair, |run| {
            run.witness_mut().attend(false);
            while run.world().events() < goal {
                if run.step() == Step::End {
                    return true;
                }
            }
            false
        });
        // One may end while the other goes on: then they do not agree.
        pair.ended = ended == [true, true];
    }
}

/// What has been found so far.
struct Search {
    found: Vec<Difference>,
    /// In what the runs are compared at all.
    wanted: &'static [Aspect],
}

const ALL: &[Aspect] = &[Aspect::Draws, Aspect::Deeds, Aspect::State, Aspect::Event, Aspect::Digest];

impl Search {
    /// What differs when all have booted.
    fn at_boot<P: Process + Debug>(pair: &mut Pair<P>) -> Search {
        let mut search = Search { found: Vec::new(), wanted: ALL };
        let pages = pair.runs.each_mut().map(|run| run.witness_mut().take());
        let nothing = [Positions::new(), Positions::new()];
        for node in pair.nodes() {
            search.compare(pair, &pages, node, &nothing, "boots");
        }
        search
    }

    /// Whether nobody needs to look for a difference in this any more.
    fn knows(&self, aspect: Aspect) -> bool {
        !self.wanted.contains(&aspect) || self.found.iter().any(|difference| difference.aspect == aspect)
    }

    fn knows_all_of_processes(&self) -> bool {
        [Aspect::Draws, Aspect::Deeds, Aspect::State].into_iter().all(|aspect| self.knows(aspect))
    }

    /// Whether the runs differ in something that no digest tells of, and that is not known yet.
    fn wonders<P: Process + Debug>(&self, pair: &Pair<P>) -> bool {
        if self.knows(Aspect::State) && self.knows(Aspect::Draws) {
            return false;
        }
        let [one, other] = pair.prints();
        (one.state != other.state && !self.knows(Aspect::State))
            || (one.luck != other.luck && !self.knows(Aspect::Draws))
    }

    /// Looks at what follows each of these moments, event by event, until it is known in which event the runs part.
    fn look_between<P: Process + Debug>(
        &mut self,
        threads: &Threads,
        bases: impl IntoIterator<Item = Pair<P>>,
    ) {
        for base in bases {
            for _ in 0..TRIES {
                let before = self.found.len();
                self.look(threads, base.clone());
                if self.found.len() > before {
                    break;
                }
            }
            if self.knows(Aspect::Event) {
                return;
            }
        }
    }

    /// Goes on from a moment, event by event, until another event happens in the one run than in the other.
    fn look<P: Process + Debug>(&mut self, threads: &Threads, mut pair: Pair<P>) {
        let mut positions = match self.knows_all_of_processes() {
            true => Vec::new(),
            false => pair.nodes().map(|node| pair.positions(node)).collect(),
        };
        threads.each(&mut pair, |run| run.witness_mut().attend(true));
        for _ in 0..MOST_STEPS {
            let steps = threads.each(&mut pair, |run| (run.step(), run.witness_mut().take()));
            let [(one, page), (other, other_page)] = steps;
            let pages = [page, other_page];
            let [now, other_now] = pair.runs.each_ref().map(|run| run.world().now());
            if one != other || now != other_now || pages[0].event != pages[1].event {
                return self.part(&pair, &pages);
            }
            if one == Step::End {
                return;
            }
            let touched = match &pages[0].event {
                _ if self.knows_all_of_processes() => Vec::new(),
                Some((node, _)) => vec![*node],
                None => pair.nodes().collect(),
            };
            let what = pages[0].event.as_ref().map_or("a fault acts", |(_, what)| what).to_owned();
            for node in touched {
                self.compare(&pair, &pages, node, &positions[node.index()], &what);
                positions[node.index()] = pair.positions(node);
            }
            if !pair.agree() {
                return self.add(&pair, Aspect::Digest, None, &what, |difference| {
                    difference.sides = pair.runs.each_ref().map(|run| run.digest().to_string());
                });
            }
        }
    }

    /// Another event happens in the one run than in the other.
    fn part<P: Process + Debug>(&mut self, pair: &Pair<P>, pages: &[Page; 2]) {
        let told = |side: usize| match &pages[side].event {
            Some((node, what)) => format!(
                "{} {}: {what}",
                pair.runs[side].world().now(),
                pair.runs[side].world().scene().name(*node)
            ),
            None => "a fault acts, or the run ends".to_owned(),
        };
        let sides = around(&told(0), &told(1));
        self.add(pair, Aspect::Event, None, "", |difference| difference.sides = sides.clone());
    }

    /// What one process drew, asked for and became in the same event of both runs.
    fn compare<P: Process + Debug>(
        &mut self,
        pair: &Pair<P>,
        pages: &[Page; 2],
        node: NodeId,
        before: &[Positions; 2],
        what: &str,
    ) {
        let after = pair.positions(node);
        let name = pair.runs[0].world().scene().name(node).to_owned();
        let drawn = || state::drawn(&name, before.each_ref(), after.each_ref());
        if after[0] != after[1] && !self.knows(Aspect::Draws) {
            self.add(pair, Aspect::Draws, Some(node), what, |difference| {
                difference.drawn = drawn();
                difference.drawn.retain(|drawn| drawn.words[0] != drawn.words[1]);
            });
        }
        let deeds = pages.each_ref().map(|page| of_node(page, node));
        if let Some(sides) = first_other(&deeds)
            && !self.knows(Aspect::Deeds)
        {
            self.add(pair, Aspect::Deeds, Some(node), what, |difference| {
                (difference.drawn, difference.sides) = (drawn(), sides.clone());
            });
        }
        if self.knows(Aspect::State) {
            return;
        }
        let [one, other] = pair.runs.each_ref().map(|run| state::pretty(run, node));
        if let Some((place, sides)) = state::difference(&one, &other) {
            self.add(pair, Aspect::State, Some(node), what, |difference| {
                difference.drawn = drawn();
                (difference.place, difference.sides) = (Some(place.clone()), sides.clone());
            });
        }
    }

    fn add<P: Process + Debug>(
        &mut self,
        pair: &Pair<P>,
        aspect: Aspect,
        node: Option<NodeId>,
        what: &str,
        fill: impl FnOnce(&mut Difference),
    ) {
        if self.knows(aspect) {
            return;
        }
        let scene = pair.runs[0].world().scene();
        let (event, at_s) = pair.place();
        let mut difference = Difference {
            aspect,
            event,
            at_s,
            node: node.map(|node| scene.name(node).to_owned()),
            what: what.to_owned(),
            drawn: Vec::new(),
            place: None,
            sides: [String::new(), String::new()],
        };
        fill(&mut difference);
        let named =
            |text: &str| with_names(text, |node| (node.index() < scene.nodes()).then(|| scene.name(node)));
        difference.what = named(&difference.what);
        difference.sides = difference.sides.map(|side| named(&side));
        self.found.push(difference);
    }
}

/// What a node has asked for.
pub(super) fn of_node(page: &Page, node: NodeId) -> Vec<&String> {
    page.deeds.iter().filter(|(by, _)| *by == node).map(|(_, deed)| deed).collect()
}

/// The first deeds that differ, in the one run and in the other.
pub(super) fn first_other(deeds: &[Vec<&String>; 2]) -> Option<[String; 2]> {
    let most = deeds[0].len().max(deeds[1].len());
    let at = (0..most).find(|&at| deeds[0].get(at) != deeds[1].get(at))?;
    let told = |side: usize| deeds[side].get(at).map_or("asks for nothing more", |deed| deed.as_str());
    Some(around(told(0), told(1)))
}

/// The text with the names of nodes instead of their numbers: `#12` is how a number is written.
pub(super) fn with_names<'n>(text: &str, name: impl Fn(NodeId) -> Option<&'n str>) -> String {
    let mut parts = text.split('#');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        match part[..digits].parse().ok().and_then(|number| name(NodeId(number))) {
            Some(name) => {
                out.push_str(name);
                out.push_str(&part[digits..]);
            }
            None => {
                out.push('#');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_nodes_become_names() {
        let name = |node: NodeId| (node.0 < 2).then_some(["web-0", "orders-0"][node.index().min(1)]);
        assert_eq!(with_names("Attempt { to: #1 } at #9, # 1", name), "Attempt { to: orders-0 } at #9, # 1");
        assert_eq!(with_names("#0", name), "web-0");
    }
}
