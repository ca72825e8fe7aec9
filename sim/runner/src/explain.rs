//! Explaining a failure: when it was sealed, which faults it took, what would have avoided it, and how it came about.

mod bench;
mod chance;
mod changes;
mod decided;
mod facts;
mod futures;
mod needs;
mod paired;
mod past;
mod purse;
mod recorded;
mod shift;
mod shop;
mod silence;
mod story;
mod telling;
mod trial;

use schism_core::Seed;
use schism_models::node::Process;
use schism_scenario::Scenario;
use serde::Serialize;

use crate::failure::Failure;
use crate::report::{About, Verdict};

use bench::Bench;
use purse::Purse;

pub use chance::Chance;
pub use changes::{Change, Changes, Figure, JudgedBy, Price};
pub use futures::{Futures, Jump, Moment};
pub use needs::{Need, Needs, Role};
pub use past::Point;
pub use story::{Line, MOST_LINES, Story, story};

/// How much may be spent on an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// How many futures are drawn from each moment, if that is not too dear.
    pub futures: u32,
    /// How many events may be simulated in all, about.
    pub events: u64,
}

impl Default for Effort {
    /// 64 futures, and two hundred million events: a minute or so on two cores.
    fn default() -> Effort {
        Effort { futures: 64, events: 200_000_000 }
    }
}

/// A failure, explained.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// `schism.explain/1`.
    pub schema: &'static str,
    /// The version of the program.
    pub version: &'static str,
    /// The scenario.
    pub scenario: About,
    /// The seed.
    pub seed: u64,
    /// What failed.
    pub failure: Failure,
    /// How it came about.
    pub story: Story,
    /// How likely the same expectation fails when all luck but the faults' is drawn anew from some moment on.
    pub futures: Futures,
    /// Which faults it took.
    pub needs: Needs,
    /// What would have avoided it.
    pub changes: Changes,
    /// How many events were simulated for this.
    pub events: u64,
}

/// Why there is nothing to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nothing {
    /// No expectation failed.
    Held(Verdict),
    /// This one did not, but these did.
    NotThisOne(Vec<String>),
}

/// Explains the failure of an expectation in the run of a seed; of the first that fails, if none is named.
///
/// `told` hears between the steps how much of the effort is spent, from 0 to 1. The answer depends on nothing but the
/// scenario, the seed, the expectation and the effort.
///
/// # Errors
///
/// If there is no such failure.
pub fn explain<P: Process + Sync>(
    scenario: &Scenario,
    seed: Seed,
    expectation: Option<&str>,
    effort: Effort,
    told: &mut dyn FnMut(f64),
) -> Result<Explanation, Nothing> {
    let (bench, failure, report) = Bench::<P>::new(scenario, seed, expectation)?;
    let mut purse = Purse::new(effort.events, told);
    purse.spend(report.events);
    let limit = purse.part(2, 5);
    let futures = futures::futures(&bench, &failure, &report, effort, limit, &mut purse);
    let limit = purse.part(1, 3);
    let needs = needs::needs(&bench, &report, effort, limit, &mut purse);
    let limit = purse.part(1, 1);
    let changes = changes::changes(&bench, &report, effort, limit, &mut purse);
    let story = story::<P>(scenario, seed, &failure, needs.told().as_ref());
    purse.spend(report.events);
    Ok(Explanation {
        schema: "schism.explain/1",
        version: report.version,
        scenario: report.scenario,
        seed: seed.0,
        failure,
        story,
        futures,
        needs,
        changes,
        events: purse.spent(),
    })
}
