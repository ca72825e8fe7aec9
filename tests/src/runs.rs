//! Scenarios as text, run with many seeds, and what a run let its witness see.

use rayon::prelude::*;
use schism_core::{Fault, NodeId, Scene, Seed, Time, Witness};
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Node;
use schism_models::observation::{Observation, Outcome, Write};
use schism_runner::ledger::Listed;
use schism_runner::{Report, Simulation};
use schism_scenario::Scenario;

/// A scenario from its text.
///
/// # Panics
/// If it is refused, with the reasons.
pub fn scenario(text: &str) -> Scenario {
    let loaded = schism_scenario::load("test.toml", text, &[]);
    loaded.unwrap_or_else(|errors| panic!("{errors}")).scenario
}

/// Runs `act` for each of the seeds 0, 1, ..., on all cores; what it gives is in their order.
pub fn for_seeds<T: Send>(seeds: u64, act: impl Fn(u64) -> T + Sync + Send) -> Vec<T> {
    (0..seeds).into_par_iter().map(act).collect()
}

/// A run that nobody watches, to its end.
pub fn played(scenario: &Scenario, seed: u64) -> Simulation<()> {
    let mut simulation: Simulation<()> = Simulation::new(scenario, Seed(seed), ());
    simulation.run_to_end();
    simulation
}

/// A run's report.
pub fn report(scenario: &Scenario, seed: u64) -> Report {
    schism_runner::run(scenario, Seed(seed), Listed::Wrong)
}

/// How much later one moment is than another, in seconds.
pub fn secs(later: Time, earlier: Time) -> f64 {
    later.since(earlier).as_secs_f64()
}

/// What happened in a run, as far as these tests ask.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Requests that are over.
    pub done: Vec<Done>,
    /// What clients have sent: when, who and to whom.
    pub sent: Vec<(Time, NodeId, NodeId)>,
    /// Who came to lead, when, and in which term.
    pub leads: Vec<(Time, NodeId, u64)>,
    /// Who ceased to lead, when, and in which term.
    pub deposed: Vec<(Time, NodeId, u64)>,
    /// Writes that a member has applied, with their revision or index, in the order in which it did.
    pub committed: Vec<(Time, NodeId, u64, Write)>,
    /// What a client or a member came to believe of an instance.
    pub believed: Vec<(Time, NodeId, NodeId, bool)>,
    /// When an instance was told that it is registered, or that its lease lives on.
    pub renewed: Vec<(Time, NodeId)>,
    /// When an instance learnt that its lease is gone.
    pub lost: Vec<(Time, NodeId)>,
    /// Which processes died, and when.
    pub died: Vec<(Time, NodeId)>,
    /// What was said of locks, of what they guard and of keys that clients share.
    pub told: Vec<(Time, NodeId, Observation)>,
    /// When faults began, and when they were healed.
    pub faults: Vec<(Time, Turn, Vec<NodeId>)>,
}

/// What becomes of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It began.
    Began,
    /// It was healed.
    Healed,
}

/// A request that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Whose.
    pub by: NodeId,
    /// When it was offered.
    pub offered: Time,
    /// When it was over.
    pub at: Time,
    /// How it ended.
    pub outcome: Outcome,
}

impl Done {
    /// How long it took, in seconds.
    pub fn took_s(&self) -> f64 {
        self.at.since(self.offered).as_secs_f64()
    }
}

impl Seen {
    /// Runs a scenario and gives what was seen.
    pub fn of(scenario: &Scenario, seed: u64) -> Seen {
        let mut simulation: Simulation<Seen> = Simulation::new(scenario, Seed(seed), Seen::default());
        simulation.run_to_end();
        simulation.into_witness()
    }

    /// When the first fault began.
    pub fn fault_at(&self) -> Time {
        self.faults.first().expect("a fault has begun").0
    }
}

impl Witness<Node> for Seen {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        let now = scene.now();
        match *seen {
            Observation::Done { offered, outcome } => self.done.push(Done { by, offered, at: now, outcome }),
            Observation::Attempt { to, .. } => self.sent.push((now, by, to)),
            Observation::Leads { term } => self.leads.push((now, by, term)),
            Observation::Deposed { term } => self.deposed.push((now, by, term)),
            Observation::Committed { at, write } => self.committed.push((now, by, at, write)),
            Observation::Believes { subject, up, .. } => self.believed.push((now, by, subject, up)),
            Observation::Registered | Observation::Renewed => self.renewed.push((now, by)),
            Observation::LeaseLost => self.lost.push((now, by)),
            Observation::Acquired { .. }
            | Observation::Released { .. }
            | Observation::LockLost { .. }
            | Observation::GuardedWrite { .. }
            | Observation::Called { .. }
            | Observation::Written { .. }
            | Observation::Fetched { .. }
            | Observation::Unanswered { .. }
            | Observation::Saw { .. } => self.told.push((now, by, seen.clone())),
            Observation::Offered
            | Observation::Holds { .. }
            | Observation::Served { .. }
            | Observation::Deems { .. }
            | Observation::View(_)
            | Observation::Blind(_)
            | Observation::Read
            | Observation::Wrote(_)
            | Observation::Extended => {}
        }
    }
    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        if let Fault::Crash(node, _) = *fault {
            self.died.push((scene.now(), node));
        }
    }
}

impl Audience for Seen {
    fn fault_began(&mut self, scene: &Scene<'_>, _: usize, struck: &Struck) {
        let on = match struck {
            Struck::Nodes(nodes) => nodes.clone(),
            Struck::Ways { sides } | Struck::Parted { sides, .. } => {
                sides.first().cloned().unwrap_or_default()
            }
        };
        self.faults.push((scene.now(), Turn::Began, on));
    }
    fn fault_healed(&mut self, scene: &Scene<'_>, _: usize, _: u64) {
        self.faults.push((scene.now(), Turn::Healed, Vec::new()));
    }
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}
