//! Faults as they happened, and the parts into which they divide the run.

use schism_core::{Seed, Time};
use schism_models::nemesis::OnMiss;
use schism_scenario::{Scenario, Window};

use crate::figures::secs;
use crate::report;
use crate::words::Words;

/// How many faults get a phase of their own: those that began first.
pub const MOST_PHASES: usize = 100;

/// Faults as they happened.
#[derive(Clone)]
pub(crate) struct Faults {
    /// In the order in which they began.
    runs: Vec<Run>,
    /// By place in the scenario: which of the runs.
    run_of: Vec<Option<usize>>,
    healed: usize,
    last_heal: Option<Time>,
}

/// One fault as it happened.
#[derive(Clone)]
pub(crate) struct Run {
    /// Its place in the scenario.
    pub(crate) index: usize,
    pub(crate) from: Time,
    pub(crate) to: Option<Time>,
    pub(crate) touched: u64,
    on: Vec<String>,
    islands: Vec<String>,
}

/// A part of the run: from when to when.
pub(crate) type Span = (Time, Time);

impl Faults {
    pub(crate) fn new(planned: usize) -> Faults {
        Faults { runs: Vec::new(), run_of: vec![None; planned], healed: 0, last_heal: None }
    }

    /// A fault begins; the answer is whether it is among those that get a phase.
    pub(crate) fn begin(&mut self, now: Time, index: usize, on: Vec<String>, islands: Vec<String>) -> bool {
        assert!(self.run_of[index].is_none(), "a fault begins once");
        self.run_of[index] = Some(self.runs.len());
        self.runs.push(Run { index, from: now, to: None, touched: 0, on, islands });
        self.runs.len() <= MOST_PHASES
    }

    /// A fault is healed; the answer is whether it has a phase.
    pub(crate) fn heal(&mut self, now: Time, index: usize, touched: u64) -> bool {
        let number = self.run_of[index].expect("what heals has begun");
        let run = &mut self.runs[number];
        assert!(run.to.is_none(), "a fault heals once");
        (run.to, run.touched) = (Some(now), touched);
        self.healed += 1;
        self.last_heal = Some(now);
        number < MOST_PHASES
    }

    /// How much a fault touched, if it began.
    pub(crate) fn touch(&mut self, index: usize, touched: u64) {
        if let Some(number) = self.run_of[index] {
            self.runs[number].touched = touched;
        }
    }

    /// When the first began.
    pub(crate) fn first(&self) -> Option<Time> {
        Some(self.runs.first()?.from)
    }

    /// When the last of those that healed did.
    pub(crate) fn last_heal(&self) -> Option<Time> {
        self.last_heal
    }

    /// Whether all that began have healed.
    pub(crate) fn all_healed(&self) -> bool {
        self.healed == self.runs.len()
    }

    /// One fault as it happened, if it did.
    pub(crate) fn run(&self, index: usize) -> Option<&Run> {
        Some(&self.runs[self.run_of[index]?])
    }

    /// Those that make the run vacuous: planned, not allowed to miss, and without effect.
    pub(crate) fn missed<'a>(&'a self, scenario: &'a Scenario) -> impl Iterator<Item = usize> + 'a {
        (0..scenario.faults.len()).filter(|&index| {
            scenario.faults[index].on_miss == OnMiss::Vacuous
                && self.run(index).is_none_or(|run| run.touched == 0)
        })
    }

    /// A window in time: `None` if there was no such time in this run. Nothing is counted before the warm-up.
    pub(crate) fn span(&self, window: &Window, warmup: Time, end: Time) -> Option<Span> {
        let (from, to) = match *window {
            Window::All => (warmup, end),
            Window::Before => (warmup, self.first()?),
            Window::After => (self.last_heal.filter(|_| self.all_healed())?, end),
            Window::Fault(index) => {
                let run = self.run(index)?;
                (run.from, run.to.unwrap_or(end))
            }
            Window::Between(from, to) => (from, to),
        };
        let (from, to) = (from.max(warmup), to.min(end));
        (from < to).then_some((from, to))
    }

    /// The parts that the report tells of, with their names, and how many faults had to do without. A fault that began
    /// during the warm-up has its own beginning, though requests count from the warm-up only.
    pub(crate) fn phases(
        &self,
        scenario: &Scenario,
        warmup: Time,
        end: Time,
    ) -> (Vec<(String, Span)>, usize) {
        if self.runs.is_empty() {
            return (vec![("all".to_owned(), (warmup, end))], 0);
        }
        let named = |name: &str, window| Some((name.to_owned(), self.span(&window, warmup, end)?));
        let listed = self.runs.iter().take(MOST_PHASES);
        let during =
            listed.map(|run| (scenario.faults[run.index].id.clone(), (run.from, run.to.unwrap_or(end))));
        let phases =
            named("before", Window::Before).into_iter().chain(during).chain(named("after", Window::After));
        (phases.collect(), self.runs.len().saturating_sub(MOST_PHASES))
    }

    /// For the report, in the order in which they began.
    pub(crate) fn report(&self, scenario: &Scenario, seed: Seed) -> Vec<report::Fault> {
        let words = Words::new(scenario);
        let fault = |run: &Run| report::Fault {
            id: scenario.faults[run.index].id.clone(),
            what: words.with_seed(&scenario.faults[run.index], seed),
            from_s: secs(run.from),
            to_s: run.to.map(secs),
            touched: run.touched,
            on: run.on.clone(),
            islands: run.islands.clone(),
        };
        self.runs.iter().map(fault).collect()
    }
}
