//! The work: the least scenario so far, and trying whether another fails in the same way.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{DigestValue, Time};
use schism_models::nemesis::{Planned, Start, Trigger, spans};
use schism_models::node::Process;
use schism_scenario::{Document, Scenario};

use super::{Budget, Progress, Size, Stage};
use crate::case::moment;
use crate::ledger::Listed;
use crate::{Failure, Ledger, Report, Simulation};

/// How many forks of a run are kept at most.
const MOST_FORKS: usize = 24;

/// The least scenario so far.
pub(super) struct Work<'a, P: Process> {
    pub(super) document: Document,
    pub(super) scenario: Scenario,
    pub(super) failure: Failure,
    pub(super) runs: u64,
    pub(super) forks: u64,
    pub(super) events: u64,
    /// How many attempts have succeeded.
    pub(super) accepted: u64,
    pub(super) report: Report,
    /// Its run before faults begin, earliest first.
    kept: Vec<(Time, Simulation<Ledger, P>)>,
    /// The scenarios that are known not to fail so.
    refuted: BTreeSet<DigestValue>,
    /// Whether it takes a fault: without any, the scenario does not fail so. Then no other may.
    pub(super) caused: bool,
    /// How often each value has been halved, by its path.
    pub(super) halved: BTreeMap<String, u32>,
    /// Scenarios without faults, and whether they fail so.
    calm: BTreeMap<DigestValue, bool>,
    budget: Budget,
    stage: Stage,
    on: &'a mut dyn FnMut(Progress),
}

/// A run that has come to its end.
struct Played<P: Process> {
    report: Report,
    kept: Vec<(Time, Simulation<Ledger, P>)>,
}

impl<'a, P: Process> Work<'a, P> {
    /// Runs the scenario as it is; `None` if it has no such failure.
    pub(super) fn begin(
        document: &Document,
        failure: &Failure,
        budget: Budget,
        on: &'a mut dyn FnMut(Progress),
    ) -> Option<Self> {
        let scenario = document.load().ok()?;
        let Played { report, kept } = play(&scenario);
        let failure = report.failures().find(|found| found.is_like(failure))?;
        let mut work = Work {
            document: document.clone(),
            failure,
            runs: 1,
            forks: 0,
            events: report.events,
            accepted: 0,
            kept,
            refuted: BTreeSet::new(),
            caused: false,
            halved: BTreeMap::new(),
            calm: BTreeMap::new(),
            budget,
            stage: Stage::Settling,
            on,
            scenario,
            report,
        };
        work.caused = !work.fails_anyway(document);
        Some(work)
    }

    /// Whether a scenario fails in the same way without any fault. If the first one did not, one that does has another
    /// failure, however alike they look.
    fn fails_anyway(&mut self, document: &Document) -> bool {
        let calm = document.faults().iter().fold(document.clone(), |calm, id| calm.without_fault(id));
        // An expectation of the time of a fault goes with it.
        let Ok(calm) = calm.load() else { return false };
        if let Some(known) = self.calm.get(&calm.digest) {
            return *known;
        }
        let report = crate::simulation::run_of::<P>(&calm, calm.seed, Listed::Wrong);
        self.spend(report.events);
        let fails = report.failures().any(|found| found.is_like(&self.failure));
        self.calm.insert(calm.digest, fails);
        fails
    }

    /// Begins with something else.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.tell();
    }

    /// Whether the budget has run out.
    pub(super) fn is_spent(&self) -> bool {
        self.runs >= self.budget.runs || self.events >= self.budget.events
    }

    /// When the failure was seen, if at a moment.
    pub(super) fn failed_at(&self) -> Option<Time> {
        self.failure.at_s.map(moment)
    }

    /// When a fault began, if it did.
    pub(super) fn began(&self, id: &str) -> Option<Time> {
        let fault = self.report.faults.iter().find(|fault| fault.id == id)?;
        Some(moment(fault.from_s))
    }

    /// Whether another scenario fails in the same way. If so it is the least from now on.
    pub(super) fn attempt(&mut self, candidate: Option<Document>) -> bool {
        let Some(candidate) = candidate.filter(|_| !self.is_spent()) else { return false };
        // What is no scenario costs no run.
        let Ok(scenario) = candidate.load() else { return false };
        let asks = scenario.expectations.iter().any(|expectation| expectation.id == self.failure.expectation);
        if !asks || scenario.digest == self.scenario.digest || self.refuted.contains(&scenario.digest) {
            return false;
        }
        let found = self.is_hopeful(&scenario) && !self.is_spent() && self.take(candidate, &scenario);
        if !found && !self.is_spent() {
            self.refuted.insert(scenario.digest);
        }
        self.tell();
        found
    }

    /// Runs it from a fork of the run before, if it differs from that in faults alone: most attempts end here.
    fn is_hopeful(&mut self, scenario: &Scenario) -> bool {
        let Some(mut fork) = self.fork(scenario) else { return true };
        let before = fork.world().events();
        fork.run_to_end();
        let report = fork.into_report(&self.scenario, self.scenario.seed);
        self.spend(report.events - before);
        self.forks += 1;
        report.failures().any(|found| found.is_like(&self.failure))
    }

    /// Runs it whole.
    fn take(&mut self, document: Document, scenario: &Scenario) -> bool {
        let Played { report, kept } = play(scenario);
        self.spend(report.events);
        let Some(failure) = report.failures().find(|found| found.is_like(&self.failure)) else {
            return false;
        };
        if self.caused && self.fails_anyway(&document) {
            return false;
        }
        (self.document, self.scenario) = (document, scenario.clone());
        (self.failure, self.report, self.kept) = (failure, report, kept);
        self.accepted += 1;
        true
    }

    /// The run of the least scenario just before the first of the faults that this one does not have, or has otherwise;
    /// with those faults as this one has them. `None` if it differs in more than faults.
    fn fork(&self, scenario: &Scenario) -> Option<Simulation<Ledger, P>> {
        let base = &self.scenario;
        let changes = changes(base, scenario)?;
        let begins = |fault: &usize| self.began(&base.faults[*fault].id);
        let first = changes.iter().filter_map(|(fault, _)| begins(fault)).min();
        let (_, before) = self.kept.iter().rev().find(|(at, _)| first.is_none_or(|first| *at <= first))?;
        let mut fork = before.clone();
        for (fault, change) in changes {
            match change {
                Some(amended) => fork.amend(fault, amended),
                None => fork.forgo(fault),
            }
        }
        Some(fork)
    }

    fn spend(&mut self, events: u64) {
        self.runs += 1;
        self.events += events;
    }

    fn tell(&mut self) {
        (self.on)(Progress { stage: self.stage, runs: self.runs, size: Size::of(&self.scenario) });
    }
}

/// The faults of one scenario that another has not, or has otherwise; `None` if it differs in anything else, or if its
/// faults count others by number.
fn changes(base: &Scenario, other: &Scenario) -> Option<Vec<(usize, Option<Planned>)>> {
    let counts = |planned: &Planned| {
        matches!(planned.start, Start::When(Trigger::Begins(_) | Trigger::Heals(_) | Trigger::Crosses(_), _))
    };
    let mut calm = [base.clone(), other.clone()];
    for scenario in &mut calm {
        scenario.faults.clear();
        scenario.expectations.clear();
        scenario.renew_digest();
    }
    let alike = calm[0].digest == calm[1].digest && base.spares == other.spares && base.seed == other.seed;
    if !alike || base.faults.iter().chain(&other.faults).any(counts) {
        return None;
    }
    let mut rest = other.faults.iter().peekable();
    let mut changes = Vec::new();
    for (index, planned) in base.faults.iter().enumerate() {
        match rest.next_if(|other| other.id == planned.id) {
            Some(same) if same == planned => {}
            Some(amended) if amended.start == planned.start => changes.push((index, Some(amended.clone()))),
            Some(_) => return None,
            None => changes.push((index, None)),
        }
    }
    rest.next().is_none().then_some(changes)
}

/// Runs a scenario to its end, and keeps forks of the run from before faults begin.
fn play<P: Process>(scenario: &Scenario) -> Played<P> {
    let spans = spans(&scenario.faults, &scenario.zones(), scenario.seed);
    let begins: BTreeSet<Time> = spans.iter().filter_map(|span| span.from).collect();
    let every = begins.len().div_ceil(MOST_FORKS).max(1);
    let mut simulation: Simulation<Ledger, P> =
        Simulation::new(scenario, scenario.seed, Ledger::listing(scenario, Listed::Wrong));
    let mut kept = Vec::new();
    for at in begins.into_iter().step_by(every) {
        simulation.run_until(at);
        kept.push((at, simulation.clone()));
    }
    simulation.run_to_end();
    Played { report: simulation.into_report(scenario, scenario.seed), kept }
}
