//! The bench: runs of one scenario that are asked one thing, whether they fail as the first did.

use std::marker::PhantomData;

use rayon::prelude::*;
use schism_core::{Seed, Time};
use schism_models::node::Process;
use schism_scenario::{Expectation, Scenario};

use super::paired::Fates;
use super::{Chance, Nothing};
use crate::failure::Failure;
use crate::report::{Report, Verdict};
use crate::simulation::Variation;
use crate::{Ledger, Simulation, judge};

/// A scenario, a seed, and the expectation that failed.
pub(super) struct Bench<'a, P> {
    pub(super) scenario: &'a Scenario,
    pub(super) seed: Seed,
    /// Its place among the scenario's expectations.
    expectation: usize,
    process: PhantomData<fn() -> P>,
}

/// A run that the bench has begun.
pub(super) type Run<P> = Simulation<Ledger, P>;

/// What became of a run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outcome {
    /// Whether the expectation failed.
    pub(super) fails: bool,
    /// How many events were simulated to know that.
    pub(super) events: u64,
}

/// In how many steps a run is asked whether its answer is known already.
const STEPS: u64 = 64;

/// Runs to the end, or until it is known that an expectation fails: whether that was so.
pub(super) fn play_until_failed<P: Process>(
    run: &mut Run<P>,
    end: Time,
    expected: Option<&Expectation>,
) -> bool {
    let from = run.world().now();
    let step = end.since(from) / STEPS;
    for number in 1..STEPS {
        run.run_until(from + step * number);
        if expected.is_some_and(|expected| judge::has_failed(run.witness(), &expected.ask)) {
            return true;
        }
    }
    run.run_to_end();
    false
}

impl<'a, P: Process + Sync> Bench<'a, P> {
    /// The bench of the failure of this expectation, or of the first that failed; with the report of the run.
    pub(super) fn new(
        scenario: &'a Scenario,
        seed: Seed,
        wanted: Option<&str>,
    ) -> Result<(Self, Failure, Report), Nothing> {
        let bench = Bench { scenario, seed, expectation: 0, process: PhantomData };
        let mut run = bench.begin(Variation::of(seed));
        run.run_to_end();
        let report = run.into_report(scenario, seed);
        let failures: Vec<Failure> = report.failures().collect();
        // That a run stands still is asked by no expectation, and there is nothing to vary.
        let is_asked = |id: &str| scenario.expectations.iter().any(|expected| expected.id == id);
        let is_wanted = |failure: &&Failure| {
            is_asked(&failure.expectation) && wanted.is_none_or(|id| failure.expectation == id)
        };
        let failure = failures.iter().find(is_wanted);
        let Some(failure) = failure.cloned() else {
            return Err(match (report.verdict, failures) {
                (Verdict::Holds | Verdict::Vacuous, _) => Nothing::Held(report.verdict),
                (Verdict::Fails, others) => {
                    Nothing::NotThisOne(others.into_iter().map(|failure| failure.expectation).collect())
                }
            });
        };
        let mut expectations = scenario.expectations.iter();
        let at = expectations.position(|expected| expected.id == failure.expectation);
        let expectation = at.expect("what fails is an expectation of the scenario");
        Ok((Bench { expectation, ..bench }, failure, report))
    }

    /// The name of the expectation.
    pub(super) fn id(&self) -> &str {
        &self.scenario.expectations[self.expectation].id
    }

    /// A run that is about to begin.
    pub(super) fn begin(&self, variation: Variation<'_>) -> Run<P> {
        Simulation::with(self.scenario, variation, Ledger::new(self.scenario))
    }

    /// A run with the faults of the seed, and luck of its own.
    pub(super) fn begin_with_luck(&self, salt: u64, without: &[usize]) -> Run<P> {
        self.begin(Variation { plan: self.seed, luck: self.seed.redrawn(salt), without })
    }

    /// Runs it until it is known whether the expectation fails.
    pub(super) fn outcome(&self, mut run: Run<P>) -> Outcome {
        let begun = run.world().events();
        let end = Time::START + self.scenario.length;
        let failed = play_until_failed(&mut run, end, Some(&self.scenario.expectations[self.expectation]));
        let events = run.world().events() - begun;
        if failed {
            return Outcome { fails: true, events };
        }
        let report = run.into_report(self.scenario, self.seed);
        Outcome { fails: report.expect[self.expectation].verdict == Verdict::Fails, events }
    }

    /// How many fail of the runs with these salts, and how many events that took.
    pub(super) fn chance(&self, salts: u32, run: impl Fn(u64) -> Run<P> + Sync) -> (Chance, u64) {
        let (fates, events) = self.fates(salts, run);
        (fates.chance(), events)
    }

    /// Which of the runs with these salts fail, and how many events that took.
    pub(super) fn fates(&self, salts: u32, run: impl Fn(u64) -> Run<P> + Sync) -> (Fates, u64) {
        let outcomes: Vec<Outcome> =
            (0..u64::from(salts)).into_par_iter().map(|salt| self.outcome(run(salt))).collect();
        let events = outcomes.iter().map(|outcome| outcome.events).sum();
        (Fates(outcomes.into_iter().map(|outcome| outcome.fails).collect()), events)
    }
}
