//! Trials: runs of a changed scenario, beside those of the scenario as it is.

use rayon::prelude::*;
use schism_core::{Seed, Time};
use schism_models::node::Process;
use schism_scenario::{Dial, Override, Scenario};

use super::bench::{Bench, play_until_failed};
use super::changes::{Figure, Price};
use super::paired::Fates;
use super::shift::shifted;
use super::shop::Try;
use crate::report::{Report, Verdict};
use crate::simulation::Variation;
use crate::{Ledger, Simulation};

/// How a change is tried.
pub(super) struct Trial<'b, 's, P> {
    bench: &'b Bench<'s, P>,
    /// The run as it was.
    report: &'b Report,
    text: &'b str,
    /// What becomes of the futures without a change.
    pub(super) before: Fates,
    /// Some of them, to their ends.
    whole: Vec<Report>,
}

/// How many futures are run to their ends with a change and without it, to see what it costs.
const WHOLE: u64 = 8;
/// A loss of successes of less than this is none, and so is a 99th percentile that is longer by less than this part.
const NOTABLE_LOSS: f64 = 0.01;
const NOTABLE_DELAY: f64 = 0.1;
/// A loss of more successes than this breaks what the clients are there for.
pub(super) const BREAKS: f64 = 0.1;

impl<'b, 's, P: Process + Sync> Trial<'b, 's, P> {
    /// With so many futures; and how many events they took.
    pub(super) fn new(
        bench: &'b Bench<'s, P>,
        report: &'b Report,
        text: &'b str,
        futures: u32,
    ) -> (Self, u64) {
        let mut trial = Trial { bench, report, text, before: Fates(Vec::new()), whole: Vec::new() };
        let (before, events) = trial.futures(bench.scenario, futures);
        let (whole, more) = trial.whole(bench.scenario, futures);
        trial.before = before;
        trial.whole = whole;
        (trial, events + more)
    }

    /// The scenario with another value; none if that cannot be run.
    pub(super) fn changed(&self, (dial, value): &Try<'_>) -> Option<Scenario> {
        let Dial { path, .. } = dial;
        let set = Override::new(format!("{path}={value}"));
        schism_scenario::load("scenario.toml", self.text, &[set]).ok().map(|loaded| loaded.scenario)
    }

    /// The scenario as it is.
    pub(super) fn scenario(&self) -> &Scenario {
        self.bench.scenario
    }

    /// The changed scenario, if the expectation holds with it and everything that held; and how many events that took.
    pub(super) fn holds(&self, it: &Try<'_>) -> (Option<Scenario>, u64) {
        let Some(scenario) = self.changed(it) else { return (None, 0) };
        let report = match self.run(&scenario, self.bench.seed) {
            Ok(report) => report,
            Err(events) => return (None, events),
        };
        let id = self.bench.id();
        let verdict = |id: &str| report.expect.iter().find(|it| it.id == id).map(|it| it.verdict);
        let held = self.report.expect.iter().all(|before| match before.verdict {
            Verdict::Fails => before.id != id || verdict(id) == Some(Verdict::Holds),
            Verdict::Holds | Verdict::Vacuous => verdict(&before.id) != Some(Verdict::Fails),
        });
        (held.then_some(scenario), report.events)
    }

    /// What becomes of so many futures, with other luck and the faults moved; and how many events they took.
    pub(super) fn futures(&self, scenario: &Scenario, count: u32) -> (Fates, u64) {
        let id = self.bench.id();
        let seed = self.bench.seed;
        let run = |salt: u64| match self.run(&shifted(scenario, seed, salt), seed.redrawn(salt)) {
            Ok(report) => (report.failures().any(|failure| failure.expectation == id), report.events),
            Err(events) => (true, events),
        };
        let runs: Vec<(bool, u64)> = (0..u64::from(count)).into_par_iter().map(run).collect();
        let events = runs.iter().map(|(_, events)| events).sum();
        (Fates(runs.into_iter().map(|(fails, _)| fails).collect()), events)
    }

    /// What a changed scenario is worse in for its clients; and how many events it took to know.
    pub(super) fn prices(&self, scenario: &Scenario) -> (Vec<Price>, u64) {
        let (after, events) = self.whole(scenario, self.before.0.len() as u32);
        let groups = self.report.clients.keys();
        let prices = groups.flat_map(|group| {
            let success = [&self.whole, &after].map(|runs| success(runs, group));
            let p99 = [&self.whole, &after].map(|runs| p99(runs, group));
            let [from, to] = success;
            let loss = (from - to > NOTABLE_LOSS).then_some((Figure::Success, success));
            let delay = (p99[1] > p99[0] * (1.0 + NOTABLE_DELAY)).then_some((Figure::P99, p99));
            let price = |(of, [from, to]): (Figure, [f64; 2])| Price { group: group.clone(), of, from, to };
            loss.into_iter().chain(delay).map(price).collect::<Vec<_>>()
        });
        (prices.collect(), events)
    }

    /// The first of the futures, to their ends.
    fn whole(&self, scenario: &Scenario, most: u32) -> (Vec<Report>, u64) {
        let run = |salt: u64| {
            let (plan, luck) = (self.bench.seed, self.bench.seed.redrawn(salt));
            let scenario = shifted(scenario, plan, salt);
            let mut run: Simulation<Ledger, P> = Simulation::with(
                &scenario,
                Variation { luck, ..Variation::of(plan) },
                Ledger::new(&scenario),
            );
            run.run_to_end();
            run.into_report(&scenario, luck)
        };
        let runs: Vec<Report> = (0..WHOLE.min(most.into())).into_par_iter().map(run).collect();
        let events = runs.iter().map(|report| report.events).sum();
        (runs, events)
    }

    /// A run with the faults of the seed; if the expectation fails on the way, how many events it had come to.
    fn run(&self, scenario: &Scenario, luck: Seed) -> Result<Report, u64> {
        let variation = Variation { luck, ..Variation::of(self.bench.seed) };
        let mut run: Simulation<Ledger, P> = Simulation::with(scenario, variation, Ledger::new(scenario));
        let expected = scenario.expectations.iter().find(|expected| expected.id == self.bench.id());
        if play_until_failed(&mut run, Time::START + scenario.length, expected) {
            return Err(run.world().events());
        }
        Ok(run.into_report(scenario, luck))
    }
}

/// The share of a group's requests that succeeded, of those that were over; all, if there were none.
fn success(runs: &[Report], group: &str) -> f64 {
    let requests = runs.iter().filter_map(|report| report.clients.get(group)).map(|client| &client.requests);
    let (succeeded, over) = requests
        .fold((0, 0), |(succeeded, over), it| (succeeded + it.succeeded, over + it.succeeded + it.failed));
    crate::figures::share(succeeded, over).unwrap_or(1.0)
}

/// The mean of a group's 99th percentiles.
fn p99(runs: &[Report], group: &str) -> f64 {
    let clients = runs.iter().filter_map(|report| report.clients.get(group));
    let sum: f64 = clients.map(|client| client.latency_ms.p99).sum();
    (sum / runs.len().max(1) as f64 * 1e6).round() / 1e6
}
