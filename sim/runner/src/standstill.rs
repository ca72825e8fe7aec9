//! Standstill: a run that never ends, because its processes go round in circles at one instant of simulated time.

use std::collections::BTreeMap;
use std::fmt::Debug;

use schism_core::queue::Queue;
use schism_core::{Duration, Event, Happening, NodeId, Time, Witness, World};
use schism_models::node::Process;

use crate::failure::signature;
use crate::figures::secs;
use crate::report::{Expectation, Report, Verdict};

/// The name that the failure has among the expectations.
pub const PROGRESS: &str = "the run goes on";

/// How many of the events that go round are looked at.
const LOOKED_AT: u32 = 64;
/// How many of their kinds are told.
const TOLD: usize = 4;

/// Where a run stood still, and what happened there again and again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Standstill {
    /// The instant.
    pub at: Time,
    /// Who it happened to, what, and how often among the last that were looked at: the most frequent first.
    pub events: Vec<(NodeId, String, u32)>,
    /// The names of those nodes, each once.
    names: Vec<String>,
    why: String,
}

impl Standstill {
    /// Looks at what goes round in a world that stands still: it goes on for some more events.
    pub(crate) fn of<P: Process, W: Witness<P>, Q: Queue<Event<P>>>(
        world: &mut World<P, W, Q>,
    ) -> Standstill {
        let at = world.now();
        let mut seen: BTreeMap<(NodeId, String), u32> = BTreeMap::new();
        for _ in 0..LOOKED_AT {
            let coming = world.coming();
            let Some(next) = coming.first().filter(|next| next.at == at) else { break };
            let event = (next.to, kind(&next.what));
            *seen.entry(event).or_default() += 1;
            world.step(at + Duration::from_nanos(1));
        }
        let mut events: Vec<(NodeId, String, u32)> =
            seen.into_iter().map(|((node, kind), times)| (node, kind, times)).collect();
        events.sort_by_key(|&(.., times)| std::cmp::Reverse(times));
        let name = |node: NodeId| world.scene().name(node).to_owned();
        let mut names: Vec<String> = Vec::new();
        for &(node, ..) in &events {
            let name = name(node);
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let told: Vec<String> =
            events.iter().take(TOLD).map(|(node, kind, _)| format!("{} has {kind}", name(*node))).collect();
        let why = format!(
            "the run stands still at {at}: more than 4,000,000 events at one instant, and so on without end: {}; this is a \
             bug in schism's models, not in the scenario: please report it with the scenario and the seed",
            told.join(", ")
        );
        Standstill { at, events, names, why }
    }

    /// A report of a run that got no further: it failed by that, and nothing that it held is known to hold.
    pub(crate) fn mar(&self, report: &mut Report) {
        for expectation in &mut report.expect {
            if expectation.verdict == Verdict::Holds {
                expectation.verdict = Verdict::Vacuous;
                expectation.why = Some(format!("the run stands still at {}", self.at));
                (expectation.at_s, expectation.margin) = (None, None);
            }
        }
        report.expect.push(Expectation {
            id: PROGRESS.to_owned(),
            verdict: Verdict::Fails,
            at_s: Some(secs(self.at)),
            why: Some(self.why.clone()),
            margin: None,
            on: self.names.clone(),
            signature: Some(signature(&self.why)),
        });
        report.verdict = Verdict::Fails;
    }
}

/// What kind of thing happens, in words that are the same each time round.
fn kind<P: Process>(what: &Happening<'_, P>) -> String {
    match what {
        Happening::Message { msg, .. } => format!("a message {}", label(msg)),
        Happening::Timer(timer) => format!("a timer {}", label(timer)),
        Happening::Plight => "another ailment".to_owned(),
        Happening::Reset { .. } => "a reset".to_owned(),
        Happening::Retransmit { .. } => "a retransmission".to_owned(),
        Happening::Boot => "a start".to_owned(),
        Happening::Open { .. } => "a connection to accept".to_owned(),
        Happening::Accepted { .. } => "a connection accepted".to_owned(),
    }
}

/// The names at the beginning of what something is, up to its first field or number.
fn label(of: &impl Debug) -> String {
    let text = format!("{of:?}");
    let is_name = |c: char| c.is_alphabetic() || c == '(' || c == '_';
    let names = text.split(|c| !is_name(c)).next().unwrap_or_default();
    names.trim_matches('(').replace('(', " ")
}
