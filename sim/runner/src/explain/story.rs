//! The story of a failure: what of its past made it happen, in at most a dozen lines.
//!
//! Every line is something that the run's witnesses were told, and that is in the causal past of the failure: it is left out
//! if it could have had no part in it. What is chosen of that is about the nodes that the failure rests on, and the faults
//! that it needed.

use std::collections::BTreeSet;

use schism_core::{Cause as During, Duration, NodeId, Seed, Time};
use schism_models::node::Process;
use schism_models::observation::{Act, Cause};
use schism_models::oracle::Role;
use schism_scenario::Scenario;
use serde::Serialize;

use super::facts::{self, Fact, Idle, Kind, Silence};
use super::past::{self, Past, Point};
use crate::failure::Failure;
use crate::figures::secs;
use crate::ledger::cast;
use crate::simulation::Step;
use crate::trace::{MOST_ENTRIES, Trace};
use crate::words::Names;
use crate::{Ledger, Simulation, Words, judge};

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
/// Nodes that see the same within so long see it together.
const TOGETHER: Duration = Duration::from_secs(5);

/// The story of a failure in the run of a seed. `needed` are the ids of the faults that it needed, if that is known;
/// otherwise all that had a part in it are told of.
pub fn story<P: Process>(
    scenario: &Scenario,
    seed: Seed,
    failure: &Failure,
    needed: Option<&BTreeSet<String>>,
) -> Story {
    let (trace, end) = traced::<P>(scenario, seed, failure);
    let names = Names::new(scenario);
    let named = |name: &String| (0..names.count()).map(NodeId).find(|node| names.one(*node) == *name);
    let about: Vec<NodeId> = failure.on.iter().filter_map(named).collect();
    let failed = failure.at_s.map_or(Time::START + scenario.length, moment);
    let ends: Vec<Point> = end.into_iter().chain(past::last_of(&trace, &about, failed)).collect();
    let past = Past::of(&trace, &ends);
    let faults: BTreeSet<usize> = past
        .faults()
        .filter(|fault| needed.is_none_or(|needed| needed.contains(&scenario.faults[*fault].id)))
        .collect();
    let chooser = Chooser { scenario, cast: cast(scenario), names: &names, about, faults, past: &past };
    let facts = facts::facts(&trace);
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
    let words = Words::new(scenario);
    let lines = chosen.into_iter().map(|told| chooser.line(&told, &words, seed)).chain([last]).collect();
    Story { lines, left_out, past: past.len(), dropped: trace.dropped() }
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

/// A fact that is told, with all who share it, and how little it matters.
struct Told {
    fact: Fact,
    who: BTreeSet<NodeId>,
    weight: u8,
}

/// Who says what is told.
struct Chooser<'a> {
    scenario: &'a Scenario,
    cast: schism_models::oracle::Cast,
    names: &'a Names,
    /// The nodes that the failure rests on.
    about: Vec<NodeId>,
    /// The faults that are told of.
    faults: BTreeSet<usize>,
    past: &'a Past,
}

impl Chooser<'_> {
    fn chosen<W>(&self, trace: &Trace<W>, mut facts: Vec<Fact>) -> Vec<Told> {
        let silences = self.silences(trace, &facts);
        facts.extend(silences);
        facts.sort_by_key(|fact| fact.at);
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
            let same = chosen.iter_mut().rev().find(|told| {
                told.fact.what == fact.what
                    && fact.at.since(told.fact.at) <= TOGETHER
                    && told.fact.who.is_some()
            });
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
            Kind::Registered | Kind::LeaseLost => by_them.then_some(2),
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
            |from: NodeId, to: &[NodeId], until: Time| facts::silence(trace, facts, from, to, until);
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

    fn line(&self, Told { fact, who, .. }: &Told, words: &Words<'_>, seed: Seed) -> Line {
        let name = |node: &NodeId| self.names.one(*node);
        let fault = |fault: &usize| self.scenario.faults[*fault].id.clone();
        let who: Vec<NodeId> = who.iter().copied().collect();
        let all = |nodes: &[NodeId]| match nodes {
            [] => "registry".to_owned(),
            [one] => name(one),
            [one, other] => format!("{} and {}", name(one), name(other)),
            [one, rest @ ..] => format!("{} and {} others", name(one), rest.len()),
        };
        let why = |cause: &Cause| match cause {
            Cause::Expired => "its time is up",
            Cause::Revoked => "it asked for that",
            Cause::Lost => "it is lost",
        };
        let service = |service: usize| self.scenario.services[service].name.as_str();
        let what = match &fact.what {
            Kind::Begins(number) => {
                format!("begins: {}", words.with_seed(&self.scenario.faults[*number], seed))
            }
            Kind::Heals(_) => "heals".to_owned(),
            Kind::Dies => "dies".to_owned(),
            Kind::Boots => "starts anew".to_owned(),
            Kind::Stops => "stands still".to_owned(),
            Kind::GoesOn => "goes on".to_owned(),
            Kind::Leads(term) => format!("leads, in term {term}"),
            Kind::Deposed(term) => format!("leads no more, in term {term}"),
            Kind::Enters(node) => format!("registers {}", name(node)),
            Kind::Leaves(node, cause) => format!("removes {}: {}", name(node), why(cause)),
            Kind::Unhealthy(node) => format!("holds {} to be unhealthy", name(node)),
            Kind::Healthy(node) => format!("holds {} to be healthy again", name(node)),
            Kind::Sees(node) => format!("has {} on its list", name(node)),
            Kind::Forgets(node) => format!("has {} on its list no more", name(node)),
            Kind::Blind(of) => format!("knows nobody of {} any more", service(of.0.into())),
            Kind::Registered => "learns that it is registered".to_owned(),
            Kind::LeaseLost => "learns that its lease is gone".to_owned(),
            Kind::Claims(node, lock) => format!("takes {}'s claim on lock {lock}", name(node)),
            Kind::ClaimGone(node, lock, cause) => {
                format!("drops {}'s claim on lock {lock}: {}", name(node), why(cause))
            }
            Kind::Holds(lock, token) => format!("believes that it holds lock {lock} (token {token})"),
            Kind::GivesBack(lock) => format!("gives lock {lock} back"),
            Kind::LosesLock(lock) => format!("believes no more that it holds lock {lock}"),
            Kind::Guarded(lock, token, by) => {
                format!("accepts a write of {} under lock {lock} (token {token})", name(by))
            }
            Kind::Calls(key, Act::Read) => format!("asks for key {key}"),
            Kind::Calls(key, Act::Write) => format!("writes key {key}"),
            Kind::Written(revision) => format!("learns that its write is revision {revision}"),
            Kind::Fetched(revision) => format!("reads revision {revision}"),
            Kind::Unanswered => "gives up a call, of which it knows nothing".to_owned(),
            Kind::Silent(silence) => self.silent(silence, &all, &fault),
        };
        let who = if let Kind::Begins(number) | Kind::Heals(number) = &fact.what {
            fault(number)
        } else {
            all(&who)
        };
        Line { at_s: secs(fact.at), who, what, point: fact.point }
    }

    fn silent(
        &self,
        silence: &Silence,
        all: &dyn Fn(&[NodeId]) -> String,
        fault: &dyn Fn(&usize) -> String,
    ) -> String {
        let Silence { to, since, until, taken, lost, idle, .. } = silence;
        let is_registry = to.len() > 1 && to.iter().all(|node| self.is_of_registry(*node));
        let whom = if is_registry { "the registry".to_owned() } else { all(to) };
        let took =
            taken.iter().map(|(number, count)| format!("{} takes {}", fault(number), messages(*count)));
        let lost = (*lost > 0).then(|| format!("{} lost on the way", messages(*lost)));
        let idle = idle.map(|idle| match idle {
            Idle::Stopped => "it stands still".to_owned(),
            Idle::Dead => "it is dead".to_owned(),
        });
        let reasons: Vec<String> = idle.into_iter().chain(took).chain(lost).collect();
        let since = since.map_or_else(|| "the start".to_owned(), instant);
        format!("reaches {whom} with nothing from {since} to {}: {}", instant(*until), reasons.join(", "))
    }
}

/// A moment to the millisecond.
fn instant(at: Time) -> String {
    let text = format!("{:.3}", secs(at));
    format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
}

fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
