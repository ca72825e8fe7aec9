//! The run of a failure, recorded: its trace, what of it was observed, and the failure's causal past.

use schism_core::{Duration, NodeId, Seed, Time};
use schism_models::node::Process;
use schism_scenario::Scenario;

use super::facts::{self, Fact};
use super::past::{self, Past, Point};
use crate::failure::Failure;
use crate::simulation::Step;
use crate::trace::{MOST_ENTRIES, Trace};
use crate::words::Names;
use crate::{Ledger, Simulation, judge};

/// A run up to its failure.
pub(super) struct Recorded {
    pub(super) trace: Trace<()>,
    pub(super) past: Past,
    /// What the past is that of; first the event during which it was seen, if it was seen at a moment.
    pub(super) ends: Vec<Point>,
    /// The nodes that the failure rests on.
    pub(super) about: Vec<NodeId>,
    pub(super) failed: Time,
    /// What was observed, in order.
    pub(super) facts: Vec<Fact>,
}

impl Recorded {
    pub(super) fn of<P: Process>(scenario: &Scenario, seed: Seed, failure: &Failure) -> Recorded {
        let (trace, end) = traced::<P>(scenario, seed, failure);
        let names = Names::new(scenario);
        let named = |name: &String| (0..names.count()).map(NodeId).find(|node| names.one(*node) == *name);
        let about: Vec<NodeId> = failure.on.iter().filter_map(named).collect();
        let failed = failure.at_s.map_or(Time::START + scenario.length, moment);
        let ends: Vec<Point> = end.into_iter().chain(past::last_of(&trace, &about, failed)).collect();
        let past = Past::of(&trace, &ends);
        let facts = facts::facts(&trace, scenario);
        Recorded { trace, past, ends, about, failed, facts }
    }
}

/// The run of the seed up to the failure, traced; and during what that was observed, if it was at a moment.
fn traced<P: Process>(scenario: &Scenario, seed: Seed, failure: &Failure) -> (Trace<()>, Option<Point>) {
    let mut run: Simulation<Trace<Ledger>, P> =
        Simulation::new(scenario, seed, Trace::new(MOST_ENTRIES, Ledger::new(scenario)));
    let expected = scenario.expectations.iter().find(|expected| expected.id == failure.expectation);
    let has_failed = |run: &Simulation<Trace<Ledger>, P>| {
        expected.is_some_and(|expected| judge::has_failed(&run.witness().audience, &expected.ask))
    };
    let Some(at) = failure.at_s.map(moment) else {
        run.run_to_end();
        return (run.into_witness().part().1, None);
    };
    run.run_until(at);
    while !has_failed(&run) && run.world().now() <= at {
        if run.step() == Step::End {
            break;
        }
    }
    let end = has_failed(&run).then(|| Point::Happened(run.witness().under_way()));
    (run.into_witness().part().1, end)
}

fn moment(at_s: f64) -> Time {
    Time::START + Duration::from_secs_f64(at_s)
}
