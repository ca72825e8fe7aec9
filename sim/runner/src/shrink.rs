//! Shrinking: the least scenario that still has the same failure.
//!
//! Everything that is accepted has been run as its own text means it, and has failed in the same way: the same
//! expectation, with the same signature; and if it took a fault, it still does. Nothing depends on the time that it takes: the budget is in runs.

mod faults;
mod nodes;
mod values;
mod work;

use schism_core::Duration;
use schism_models::node::Process;
use schism_scenario::{Document, Scenario};

use crate::Failure;
use work::Work;

/// How much may be tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Runs, of the whole scenario or from a fork on.
    pub runs: u64,
    /// Events of all these runs together.
    pub events: u64,
}

impl Default for Budget {
    /// Two thousand runs, of two thousand million events at most.
    fn default() -> Budget {
        Budget { runs: 2_000, events: 2_000_000_000 }
    }
}

/// How far shrinking has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being tried.
    pub stage: Stage,
    /// How many runs there have been.
    pub runs: u64,
    /// How large the scenario is by now.
    pub size: Size,
}

/// What is tried, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Other expectations go, and what the seed draws is written out.
    Settling,
    /// Faults go.
    Faults,
    /// Those that are left get shorter, narrower and weaker.
    Weakening,
    /// Nodes go: client groups, services, clients, instances, members, zones.
    Nodes,
    /// Clients ask for less.
    Load,
    /// The run ends sooner.
    Length,
    /// Options go back to their defaults.
    Defaults,
    /// What is drawn from a distribution always takes its typical time.
    Constants,
    /// Whether any single part can go.
    Proof,
}

/// How large a scenario is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Strikes of faults.
    pub faults: usize,
    /// Members, instances and clients.
    pub nodes: usize,
    /// How long it is simulated.
    pub length: Duration,
}

impl Size {
    /// Of a scenario.
    pub fn of(scenario: &Scenario) -> Size {
        let services = scenario.services.iter().map(|group| group.nodes.len());
        let clients = scenario.clients.iter().map(|group| group.nodes.len());
        Size {
            faults: scenario.faults.len(),
            nodes: scenario.members.len() + services.chain(clients).sum::<usize>(),
            length: scenario.length,
        }
    }
}

/// What shrinking came to.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The scenario that is left.
    pub scenario: Scenario,
    /// Its failure.
    pub failure: Failure,
    /// Whether it takes a fault: without any, neither the scenario nor what is left of it fails so.
    pub caused: bool,
    /// How large it was.
    pub from: Size,
    /// The faults that were not needed, by their ids.
    pub needless: Vec<String>,
    /// Runs that it took.
    pub runs: u64,
    /// How many of them went on from a fork of another.
    pub forks: u64,
    /// Events of all of them.
    pub events: u64,
    /// What is known of what is left.
    pub proof: Proof,
}

/// What is known of what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// None of so many parts can go by itself: faults, nodes and groups of nodes.
    Minimal {
        /// How many were tried.
        parts: usize,
    },
    /// The budget ran out before that was known.
    Unknown,
}

impl Shrunk {
    /// `shrunk 7 faults -> 2, 95 nodes -> 4, 180s -> 88s (412 runs)`.
    pub fn words(&self) -> String {
        let (from, to) = (self.from, Size::of(&self.scenario));
        let counted = |n: usize, thing: &str| format!("{n} {thing}{}", if n == 1 { "" } else { "s" });
        format!(
            "shrunk {} -> {}, {} -> {}, {} -> {} ({} runs)",
            counted(from.faults, "fault"),
            to.faults,
            counted(from.nodes, "node"),
            to.nodes,
            from.length,
            to.length,
            self.runs
        )
    }

    /// What is known of what is left, in a sentence.
    pub fn proof_words(&self) -> String {
        match self.proof {
            Proof::Minimal { parts } => format!("1-minimal: none of its {parts} parts can go"),
            Proof::Unknown => "the budget ran out: something more may go".to_owned(),
        }
    }
}

/// Shrinks a scenario to what its failure needs; `None` if it has no such failure, or is none.
///
/// The seed stays the same. `P` is what the processes of the run are.
pub fn shrink<P: Process>(
    document: &Document,
    failure: &Failure,
    budget: Budget,
    on: &mut dyn FnMut(Progress),
) -> Option<Shrunk> {
    let mut work = Work::<P>::begin(document, failure, budget, on)?;
    let from = Size::of(&work.scenario);
    let before = document.faults();
    work.settle();
    work.cut_short();
    loop {
        let runs = work.accepted;
        work.enter(Stage::Faults);
        work.drop_faults();
        work.weaken_faults();
        work.drop_nodes();
        work.lighten();
        work.shorten();
        work.restore_defaults();
        work.make_constant();
        if work.accepted == runs || work.is_spent() {
            break;
        }
    }
    let proof = work.prove();
    let left = work.document.faults();
    let needless = before.into_iter().filter(|id| !left.contains(id)).collect();
    Some(Shrunk {
        failure: work.failure,
        caused: work.caused,
        scenario: work.scenario,
        from,
        needless,
        runs: work.runs,
        forks: work.forks,
        events: work.events,
        proof,
    })
}
