//! The story of a failure: what of its past made it happen, in at most a dozen lines.
//!
//! Every line is something that the run's witnesses were told, and that is in the causal past of the failure: it is left out
//! if it could have had no part in it. What is chosen of that is about the nodes that the failure rests on, and the faults
//! that it needed.

use std::collections::BTreeSet;

use schism_core::{Cause as During, Duration, NodeId, Seed, Time};
use schism_models::node::Process;
use schism_models::observation::Cause;
use schism_models::oracle::Role;
use schism_scenario::Scenario;
use serde::Serialize;

use super::facts::{Fact, Kind, Silence};
use super::past::{Past, Point};
use super::recorded::Recorded;
use super::silence;
use super::telling::Teller;
use crate::Words;
use crate::failure::Failure;
use crate::figures::secs;
use crate::ledger::cast;
use crate::trace::Trace;
use crate::words::Names;

/// How a failure came about.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Story {
    /// Its lines, in order of time. The last is the failure.
    pub lines: Vec<Line>,
    /// How many more there were.
    pub left_out: u64,
    /// How many events, deeds and absences the causal past of the failure has.
    pub past: u64,
    /// How many entries the trace had no room for: if any, the past begins later than the run.
    pub dropped: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// When.
    pub at_s: f64,
    /// Who: nodes, a fault, or `registry` for what its members agree on.
    pub who: String,
    /// What.
    pub what: String,
    /// What of the causal past it tells of.
    #[serde(skip)]
    pub point: Point,
}

/// A story has no more lines.
pub const MOST_LINES: usize = 12;
/// What several nodes come to see within so long is told of the first of them.
const SPREADS: Duration = Duration::from_secs(5);

/// The story of a failure in the run of a seed. `needed` are the ids of the faults that it needed, if that is known;
/// otherwise all that had a part in it are told of.
pub fn story<P: Process>(
    scenario: &Scenario,
    seed: Seed,
    failure: &Failure,
    needed: Option<&BTreeSet<String>>,
) -> Story {
    let Recorded { trace, past, ends, about, failed, facts } = Recorded::of::<P>(scenario, seed, failure);
    let names = Names::new(scenario);
    let faults: BTreeSet<usize> = past
        .faults()
        .filter(|fault| needed.is_none_or(|needed| needed.contains(&scenario.faults[*fault].id)))
        .collect();
    let chooser = Chooser { cast: cast(scenario), names: &names, about, faults, past: &past };
    let mut chosen = chooser.chosen(&trace, facts);
    let left_out = chosen.len().saturating_sub(MOST_LINES - 1) as u64;
    // What matters least goes first, and of that what is longest ago.
    while chosen.len() >= MOST_LINES {
        let goes = (0..chosen.len()).max_by_key(|&at| (chosen[at].weight, std::cmp::Reverse(at)));
        chosen.remove(goes.expect("there are many"));
    }
    let last = Line {
        at_s: secs(failed),
        who: failure.on.first().cloned().unwrap_or_else(|| failure.expectation.clone()),
        what: format!("fails: {}", failure.why),
        point: ends.first().copied().unwrap_or(Point::Happened(During::Start)),
    };
    let teller = Teller { scenario, names: &names, words: Words::new(scenario), seed };
    let lines = chosen.into_iter().map(|told| teller.line(&told)).chain([last]).collect();
    Story { lines, left_out, past: past.len(), dropped: trace.dropped() }
}

/// A fact that is told, with all to whom it was done, and how little it matters.
pub(super) struct Told {
    pub(super) fact: Fact,
    pub(super) who: BTreeSet<NodeId>,
    weight: u8,
}

/// Who says what is told.
struct Chooser<'a> {
    cast: schism_models::oracle::Cast,
    names: &'a Names,
    /// The nodes that the failure rests on.
    about: Vec<NodeId>,
    /// The faults that are told of.
    faults: BTreeSet<usize>,
    past: &'a Past,
}

impl Chooser<'_> {
    /// What is told. What somebody else has seen shortly before is not.
    fn chosen<W>(&self, trace: &Trace<W>, mut facts: Vec<Fact>) -> Vec<Told> {
        let silences = self.silences(trace, &facts);
        facts.extend(silences);
        // A fault is told of before what it does at that moment.
        facts.sort_by_key(|fact| (fact.at, !matches!(fact.what, Kind::Begins(_) | Kind::Heals(_))));
        let begins = facts
            .iter()
            .filter(|fact| matches!(fact.what, Kind::Begins(fault) if self.faults.contains(&fault)));
        let from = begins.map(|fact| fact.at).min().unwrap_or(Time::START);
        let mut chosen: Vec<Told> = Vec::new();
        for fact in facts {
            let Some(weight) = self.weight(&fact).filter(|_| fact.at >= from && self.past.has(fact.point))
            else {
                continue;
            };
            if chosen.iter().rev().any(|told| is_echo(&told.fact, &fact)) {
                continue;
            }
            let same = chosen.iter_mut().rev().find(|told| is_same_deed(&told.fact, &fact));
            match (same, fact.who) {
                (Some(told), Some(who)) => {
                    told.who.insert(who);
                    told.weight = told.weight.min(weight);
                }
                (_, who) => chosen.push(Told { who: who.into_iter().collect(), fact, weight }),
            }
        }
        chosen
    }

    /// How little a fact matters; none if it is not about this failure.
    fn weight(&self, fact: &Fact) -> Option<u8> {
        let is_about = |node: &NodeId| self.about.contains(node);
        let concerns =
            |node: NodeId| is_about(&node).then_some(1).or_else(|| self.is_served(node).then_some(3));
        let by_them = fact.who.is_some_and(|who| is_about(&who));
        let by_registry = fact.who.is_some_and(|who| self.is_of_registry(who));
        match &fact.what {
            Kind::Begins(fault) | Kind::Heals(fault) => {
                let weight = if matches!(fact.what, Kind::Begins(_)) { 0 } else { 2 };
                self.faults.contains(fault).then_some(weight)
            }
            Kind::Silent(_) => Some(if by_them || by_registry { 0 } else { 3 }),
            Kind::Dies | Kind::Boots | Kind::Stops | Kind::GoesOn if by_them => Some(1),
            Kind::Dies | Kind::Boots | Kind::Stops | Kind::GoesOn => {
                (by_registry || fact.who.is_some_and(|who| self.is_served(who))).then_some(2)
            }
            Kind::Leads(_) => Some(if by_them { 1 } else { 2 }),
            Kind::Deposed(_) => Some(if by_them { 1 } else { 3 }),
            Kind::Enters(node) | Kind::Leaves(node, _) | Kind::Unhealthy(node) | Kind::Healthy(node) => {
                concerns(*node)
            }
            Kind::Sees(node) | Kind::Forgets(node) if by_them => {
                is_about(node).then_some(1).or(self.is_served(*node).then_some(2))
            }
            Kind::Sees(node) | Kind::Forgets(node) => is_about(node).then_some(4),
            Kind::Registered => by_them.then_some(2),
            Kind::LeaseGone | Kind::GivesUp(_) => by_them.then_some(1),
            Kind::Deems(node, ..) => concerns(*node),
            Kind::Blind(_) => by_them.then_some(1),
            Kind::Claims(node, _) | Kind::ClaimGone(node, ..) => is_about(node).then_some(1),
            Kind::Holds(..) | Kind::GivesBack(_) | Kind::LosesLock(_) => by_them.then_some(1),
            Kind::Guarded(_, _, by) => (by_them || is_about(by)).then_some(2),
            Kind::Calls(..) | Kind::Written(_) | Kind::Fetched(_) | Kind::Unanswered => by_them.then_some(3),
        }
    }

    fn is_of_registry(&self, node: NodeId) -> bool {
        matches!(self.cast.role(node), Role::Member | Role::Aide)
    }

    /// Whether an instance is one that the failure's clients call, where it is about no instance.
    fn is_served(&self, node: NodeId) -> bool {
        let instances = self.about.iter().any(|about| matches!(self.cast.role(*about), Role::Instance(..)));
        !instances && matches!(self.cast.role(node), Role::Instance(..))
    }

    /// Why what ended ended: who was not heard before it did.
    fn silences<W>(&self, trace: &Trace<W>, facts: &[Fact]) -> Vec<Fact> {
        let registry: Vec<NodeId> =
            (0..self.names.count()).map(NodeId).filter(|node| self.is_of_registry(*node)).collect();
        let silence =
            |from: NodeId, to: &[NodeId], until: Time| silence::silence(trace, facts, from, to, until);
        let mut leader = None;
        let mut silences: Vec<Fact> = Vec::new();
        let relevant = facts
            .iter()
            .filter(|fact| self.past.has(fact.point) && self.weight(fact).is_some_and(|it| it <= 3));
        for fact in relevant {
            if let Kind::Leaves(node, Cause::Expired)
            | Kind::Unhealthy(node)
            | Kind::ClaimGone(node, _, Cause::Expired) = &fact.what
            {
                let own = silence(*node, &registry, fact.at);
                // Where its own words did arrive, those of who should have passed them on may not have.
                let of_others = || {
                    leader.and_then(|leader| {
                        registry.iter().find_map(|member| silence(*member, &[leader], fact.at))
                    })
                };
                silences.extend(own.or_else(of_others));
            } else if let (Kind::Leads(_), Some(who)) = (&fact.what, fact.who) {
                let before = leader.replace(who).filter(|before| *before != who);
                silences.extend(before.and_then(|before| silence(before, &[who], fact.at)));
            }
        }
        // What a client did not learn.
        let failed = trace.events().next_back().map_or(Time::START, |(_, event)| event.at);
        for client in self.about.iter().filter(|node| matches!(self.cast.role(**node), Role::Client(_))) {
            silences.extend(registry.iter().filter_map(|member| silence(*member, &[*client], failed)));
        }
        silences.retain(|fact| self.past.has(fact.point));
        let mut seen = Vec::new();
        silences.retain(|fact| {
            let Kind::Silent(Silence { from, to, .. }) = &fact.what else { return false };
            let key = (fact.at, *from, to.clone());
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
        silences
    }
}

/// Whether one deed did the same to several nodes at one moment: only then are they told of in one line.
fn is_same_deed(one: &Fact, other: &Fact) -> bool {
    let is_done_to = matches!(one.what, Kind::Stops | Kind::GoesOn | Kind::Dies | Kind::Boots);
    is_done_to && one.what == other.what && one.at == other.at && one.of.is_some() && one.of == other.of
}

/// Whether somebody else has come to see, shortly before, what spreads from one to the next.
fn is_echo(first: &Fact, later: &Fact) -> bool {
    let same = if let (Kind::Deems(one, was, _), Kind::Deems(other, is, _)) = (&first.what, &later.what) {
        (one, was) == (other, is)
    } else {
        matches!(first.what, Kind::Sees(_) | Kind::Forgets(_)) && first.what == later.what
    };
    same && first.who != later.who && later.at.since(first.at) <= SPREADS
}
