//! Inspecting: a run that can be stopped at any moment and looked at, gone on with, gone back in, and forked.
//!
//! Going back is going forward from a checkpoint: a run is a function of its scenario and its seed, and a simulation is a
//! value.

mod beliefs;
mod condition;
mod fork;
mod graph;
mod locks;
mod moment;
mod probe;
mod shown;

use schism_core::{NodeId, Seed, Time};
use schism_models::node::{Node, Process};
use schism_scenario::Scenario;

use crate::Report;
use crate::simulation::{Simulation, Step, Variation};
use crate::words::Names;
use probe::Probe;

pub use beliefs::{Beliefs, Mind};
pub use condition::{Condition, NotACondition};
pub use fork::NotForked;
pub use graph::{Edge, Waits};
pub use locks::{Believer, ClaimView, LockView};
pub use moment::{
    Active, Clocks, Coming, Connection, Detail, Failed, Moment, NodeView, Stalled, TimerView, Visible,
    WaitView,
};

/// A run that stands at some moment.
#[derive(Clone)]
pub struct Inspection<P: Process = Node> {
    scenario: Scenario,
    seed: Seed,
    names: Names,
    now: Simulation<Probe, P>,
    /// Where the run has been, by how many events there had been; the first is where it can go back to at most.
    checkpoints: Vec<Simulation<Probe, P>>,
    /// How many events lie between two of them at least.
    spacing: u64,
    /// When this was forked, if it was: what was before is another run's.
    forked: Option<Time>,
}

/// How many checkpoints are kept: when there are more, every other goes, and they lie twice as far apart.
const MOST_CHECKPOINTS: usize = 32;
/// How many events lie between two at first.
const SPACING: u64 = 4_096;
/// In how many parts a way to a moment is gone, with a look at whether a checkpoint is due between them.
const PARTS: u64 = 64;

/// Where a way has led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// To where it was to lead.
    Goal,
    /// To the end of the run, and what was waited for has not happened.
    End,
    /// To the beginning, or to where the run was forked: what was looked for had not happened before.
    Beginning,
}

impl<P: Process> Inspection<P> {
    /// A run that is about to begin.
    pub fn new(scenario: Scenario, seed: Seed) -> Inspection<P> {
        let now: Simulation<Probe, P> = Simulation::new(&scenario, seed, Probe::new(&scenario));
        Inspection {
            names: Names::new(&scenario),
            checkpoints: vec![now.clone()],
            now,
            scenario,
            seed,
            spacing: SPACING,
            forked: None,
        }
    }

    /// The scenario, with what a fork has changed.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The seed.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// The moment.
    pub fn at(&self) -> Time {
        self.now.world().now()
    }

    /// How many events there have been.
    pub fn events(&self) -> u64 {
        self.now.world().events()
    }

    /// When this was forked off the run of its seed, if it was.
    pub fn forked(&self) -> Option<Time> {
        self.forked
    }

    /// The end of the run.
    pub fn end(&self) -> Time {
        Time::START + self.scenario.length
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        (0..self.names.count()).map(NodeId).find(|&node| self.names.one(node) == name)
    }

    /// The names of all nodes, by number.
    pub fn names(&self) -> Vec<String> {
        (0..self.names.count()).map(|node| self.names.one(NodeId(node))).collect()
    }

    /// Goes to a moment, forward or back: everything before it has happened.
    pub fn go_to(&mut self, at: Time) -> Reached {
        let at = at.min(self.end());
        if at < self.at() && !self.return_to(|checkpoint| checkpoint.world().now() <= at) {
            return Reached::Beginning;
        }
        let from = self.at();
        let way = at.since(from);
        for part in 1..PARTS {
            self.now.run_until(from + way / PARTS * part);
            self.keep();
        }
        self.now.run_until(at);
        self.keep();
        Reached::Goal
    }

    /// Goes on until so many more events have happened.
    pub fn step(&mut self, events: u64) -> Reached {
        let goal = self.events().saturating_add(events);
        while self.events() < goal {
            if self.now.step() == Step::End {
                return Reached::End;
            }
            self.keep();
        }
        Reached::Goal
    }

    /// Goes back to where there had been so many events fewer.
    pub fn back(&mut self, events: u64) -> Reached {
        let Some(goal) = self.events().checked_sub(events) else {
            self.return_to(|_| false);
            return Reached::Beginning;
        };
        if !self.return_to(|checkpoint| checkpoint.world().events() <= goal) {
            return Reached::Beginning;
        }
        self.step(goal - self.events())
    }

    /// Goes on until something happens: just after it.
    pub fn go_until(&mut self, condition: &Condition) -> Reached {
        if let Condition::At(at) = *condition {
            return self.go_to(at);
        }
        let before = self.mark(condition);
        loop {
            if self.now.step() == Step::End {
                return Reached::End;
            }
            self.keep();
            if self.mark(condition) != before {
                return Reached::Goal;
            }
        }
    }

    /// Goes back to just after something has happened last, before this moment.
    pub fn back_until(&mut self, condition: &Condition) -> Reached {
        if let Condition::At(at) = *condition {
            return self.go_to(at);
        }
        // Of an event that has just made it happen, the time before is meant.
        let (here, mut last) = (self.place(), self.place());
        let is_within = |place, last| place <= last && place != here;
        for checkpoint in self.checkpoints.iter().rev().filter(|checkpoint| place(checkpoint) < here) {
            let mut run = checkpoint.clone();
            let (mut mark, mut found) = (condition.mark(&run, &self.scenario), None);
            while run.step() != Step::End && is_within(place(&run), last) {
                let after = condition.mark(&run, &self.scenario);
                if after != mark {
                    (mark, found) = (after, Some(place(&run)));
                }
            }
            if let Some(found) = found {
                let mut run = checkpoint.clone();
                while place(&run) < found {
                    run.step();
                }
                self.now = run;
                return Reached::Goal;
            }
            last = place(checkpoint);
        }
        Reached::Beginning
    }

    /// From here on all luck but the faults' is that of another future, by its number: those of an explanation have the
    /// same numbers. At the start, everything is drawn anew. The run is another from now on.
    pub fn redraw(&mut self, number: u64) {
        self.now = if self.events() == 0 {
            let luck = self.seed.redrawn(number);
            let variation = Variation { luck, ..Variation::of(self.seed) };
            Simulation::with(&self.scenario, variation, Probe::new(&self.scenario))
        } else {
            self.now.redrawn(number)
        };
        self.part();
    }

    /// How the run comes out, if it goes on from here to its end.
    pub fn report(&self) -> Report {
        let mut rest = self.now.clone();
        rest.run_to_end();
        let outcome = rest.outcome();
        outcome.report(rest.into_witness().ledger, &self.scenario, self.seed)
    }

    /// What has happened so far of what a condition is about: it has happened again when this is another.
    fn mark(&self, condition: &Condition) -> condition::Mark {
        condition.mark(&self.now, &self.scenario)
    }

    /// How far the run has come: how many events, and how many deeds.
    fn place(&self) -> (u64, u64) {
        place(&self.now)
    }

    /// Takes the last checkpoint that is early enough; whether there is one. If not, the run stands at the first.
    fn return_to(&mut self, early: impl Fn(&Simulation<Probe, P>) -> bool) -> bool {
        let found = self.checkpoints.iter().rfind(|&checkpoint| early(checkpoint));
        self.now = found.unwrap_or(&self.checkpoints[0]).clone();
        found.is_some()
    }

    /// Keeps a checkpoint, if one is due.
    fn keep(&mut self) {
        let last = self.checkpoints.last().expect("there is always the first").world().events();
        if self.events() < last + self.spacing {
            return;
        }
        self.checkpoints.push(self.now.clone());
        if self.checkpoints.len() > MOST_CHECKPOINTS {
            let mut index = 0;
            self.checkpoints.retain(|_| {
                index += 1;
                index % 2 == 1
            });
            self.spacing *= 2;
        }
    }
}

fn place<P: Process>(simulation: &Simulation<Probe, P>) -> (u64, u64) {
    (simulation.world().events(), simulation.witness().deeds)
}
