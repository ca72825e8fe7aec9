//! Requests: counted by client group, and by the part of the run in which they were offered.

use schism_core::{NodeId, Time};
use schism_models::observation::Outcome;
use schism_models::oracle::{Cast, Role};
use schism_scenario::{Ask, Metric, Scenario, Window};

use super::cells::{Cell, Cells, Keep, Spread};
use super::tally::{Sent, Tally};

/// Requests of clients, offered after the warm-up, and the attempts sent after it. What instances ask of each other
/// is not a request of this count.
#[derive(Clone)]
pub(crate) struct Requests {
    warmup: Time,
    /// By node: its client group, or [`NO_CLIENT`].
    group_of: Vec<u16>,
    groups: Vec<Tally>,
    cells: Cells,
    /// By fault of the scenario: whether an expectation asks for the time while it lasts.
    asked: Vec<bool>,
}

const NO_CLIENT: u16 = u16::MAX;

impl Requests {
    pub(crate) fn new(scenario: &Scenario, cast: &Cast) -> Requests {
        let warmup = Time::START + scenario.warmup;
        let mut asked = vec![false; scenario.faults.len()];
        let mut planned = Vec::new();
        let mut spread = Spread::Ignored;
        for (metric, window) in asks(scenario) {
            match *window {
                Window::All | Window::Before | Window::After => {}
                Window::Fault(index) => asked[index] = true,
                Window::Between(from, to) => planned.extend([from, to]),
            }
            if metric == Metric::PeakToMean {
                spread = Spread::Kept;
            }
        }
        let group = |node| match cast.role(node) {
            Role::Client(group) => group,
            Role::Member | Role::Instance(..) | Role::Aide => NO_CLIENT,
        };
        Requests {
            warmup,
            group_of: (0..cast.nodes() as u32).map(|node| group(NodeId(node))).collect(),
            groups: vec![Tally::default(); scenario.clients.len()],
            cells: Cells::new(warmup, planned, spread),
            asked,
        }
    }

    #[inline]
    pub(crate) fn on_offered(&mut self, now: Time, by: NodeId) {
        if let Some(group) = self.group(by).filter(|_| now >= self.warmup) {
            self.groups[group].offered += 1;
            self.cells.at_now(now).tally.offered += 1;
        }
    }

    /// To be told only after the warm-up.
    #[inline]
    pub(crate) fn on_attempt(&mut self, now: Time, by: NodeId, to: NodeId, sent: Sent) {
        self.cells.on_attempt(now, to);
        if let Some(group) = self.group(by) {
            self.groups[group].on_attempt(sent);
            self.cells.at_now(now).tally.on_attempt(sent);
        }
    }

    /// A request is over; the answer is whether it counts.
    #[inline]
    pub(crate) fn on_done(&mut self, now: Time, by: NodeId, offered: Time, outcome: Outcome) -> bool {
        let Some(group) = self.group(by).filter(|_| offered >= self.warmup) else { return false };
        let took = now.since(offered);
        self.groups[group].on_done(took, outcome);
        self.cells.at(offered, now).tally.on_done(took, outcome);
        true
    }

    pub(crate) fn on_read(&mut self, now: Time) {
        if now >= self.warmup {
            self.cells.at_now(now).reads += 1;
        }
    }

    pub(crate) fn on_false_eviction(&mut self, now: Time) {
        if now >= self.warmup {
            self.cells.at_now(now).false_evictions += 1;
        }
    }

    /// A fault begins.
    pub(crate) fn on_fault(&mut self, now: Time, index: usize, has_phase: bool) {
        self.cells.on_fault(now);
        if has_phase || self.asked[index] {
            self.cells.cut(now, Keep::Always);
        }
    }

    /// A fault heals: it may be the last.
    pub(crate) fn on_heal(&mut self, now: Time, index: usize, has_phase: bool) {
        self.cells.on_fault(now);
        let keep = if has_phase || self.asked[index] { Keep::Always } else { Keep::UntilNextFault };
        self.cells.cut(now, keep);
    }

    /// By client group.
    pub(crate) fn groups(&self) -> &[Tally] {
        &self.groups
    }

    /// What happened in a window: see [`Cells::sum`].
    pub(crate) fn sum(&self, (from, to): (Time, Time)) -> Cell {
        self.cells.sum(from, to)
    }

    #[inline]
    fn group(&self, by: NodeId) -> Option<usize> {
        let group = self.group_of[by.index()];
        (group != NO_CLIENT).then_some(group as usize)
    }
}

/// The metrics that are asked for, and over which windows.
fn asks(scenario: &Scenario) -> impl Iterator<Item = (Metric, &Window)> {
    scenario.expectations.iter().flat_map(|expectation| match &expectation.ask {
        Ask::Metric { metric, during, .. } => vec![(*metric, during)],
        Ask::Slo { bounds, during } => bounds.iter().map(|(metric, _)| (*metric, during)).collect(),
        Ask::Oracle { .. } => Vec::new(),
    })
}
