//! Facts: what of a trace is worth a line in a story, each with the thing that happened when it was observed.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Cause as During, Fault, NodeId, Time};
use schism_models::listing::ServiceId;
use schism_models::observation::{Act, Cause, Observation, Standing, Write};
use schism_scenario::Scenario;

use super::past::{Point, struck};
use super::silence::{by_fault, taken};
use crate::trace::{Done, Entry, Note, Noted, Trace, What, in_order};

/// Something that was observed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) at: Time,
    /// What of the past it is.
    pub(super) point: Point,
    /// By whom, or to whom; nobody for what all agree on, and for faults.
    pub(super) who: Option<NodeId>,
    /// The fault of the plan that did it, if that is known.
    pub(super) of: Option<usize>,
    pub(super) what: Kind,
}

/// What was observed.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Begins(usize),
    Heals(usize),
    Dies,
    Boots,
    Stops,
    GoesOn,
    Leads(u64),
    Deposed(u64),
    Enters(NodeId),
    Leaves(NodeId, Cause),
    Unhealthy(NodeId),
    Healthy(NodeId),
    /// An observer's list has the instance now, or has it no more.
    Sees(NodeId),
    Forgets(NodeId),
    Blind(ServiceId),
    Registered,
    /// It was told that its lease is gone.
    LeaseGone,
    /// It gave its lease up, whatever the registry thought.
    GivesUp(Unheard),
    /// A node that gossips thinks so of another; by itself, or because it has heard so.
    Deems(NodeId, Standing, Source),
    Claims(NodeId, u32),
    ClaimGone(NodeId, u32, Cause),
    Holds(u32, u64),
    GivesBack(u32),
    LosesLock(u32),
    Guarded(u32, u64, NodeId),
    Calls(u32, Act),
    Written(u64),
    Fetched(u64),
    Unanswered,
    /// For a while, nothing came from one node to others.
    Silent(Silence),
}

/// Where a node has what it thinks of another from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Source {
    /// From others.
    Hearsay,
    /// From its own timers: so many messages between the two were taken since its last word, by each fault.
    Own(BTreeMap<usize, u64>),
}

/// Since when an instance had no answer, and why.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Unheard {
    /// Its last answer, if there ever was one.
    pub(super) since: Option<Time>,
    /// How much each fault took of what went to it or came from it.
    pub(super) taken: BTreeMap<usize, u64>,
    /// Whether it stood still meanwhile.
    pub(super) stood_still: bool,
}

/// A time in which nothing came through, though it might have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Silence {
    /// From whom to whom.
    pub(super) from: NodeId,
    pub(super) to: Vec<NodeId>,
    /// When the last had arrived, if any ever did, and until when nothing did.
    pub(super) since: Option<Time>,
    pub(super) until: Time,
    /// How much each fault took, by its number, and what else did.
    pub(super) taken: BTreeMap<usize, u64>,
    pub(super) lost: u64,
    /// Whether connections were asked for and the asking arrived: then what was taken are the answers.
    pub(super) knocks: bool,
    /// Whether the sender stood still, or was dead, when it was over, and since when.
    pub(super) idle: Option<(Idle, Time)>,
}

/// Why a node sent nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    Stopped,
    Dead,
}

/// All facts of a trace, in order.
pub(super) fn facts<W>(trace: &Trace<W>, scenario: &Scenario) -> Vec<Fact> {
    let members = scenario.members.iter().map(|member| member.id);
    let registry = members.chain(scenario.aides.iter().map(|aide| aide.node.id)).collect();
    let mut teller = Teller { registry, ..Teller::default() };
    for aide in &scenario.aides {
        if let Some(host) = aide.host {
            teller.aboard.entry(host).or_default().push(aide.node.id);
        }
    }
    for entry in in_order(trace) {
        match entry {
            Entry::Event(..) => {}
            Entry::Act(number, act) => {
                if let Done::Inflicts(fault) = &act.doing {
                    teller.strikes(act.at, During::Deed(number), act.of, fault);
                }
            }
            Entry::Note(note) => {
                let mut tell = |who, what| teller.tell(note.at, Point::Happened(note.during), who, what);
                match &note.noted {
                    Noted::Observed { by, seen } => teller.observes(trace, note, *by, seen),
                    Noted::Struck(fault) => teller.strikes(note.at, note.during, None, fault),
                    Noted::Began { fault, .. } => teller.plans(note.at, *fault, Kind::Begins(*fault)),
                    Noted::Healed { fault } => teller.plans(note.at, *fault, Kind::Heals(*fault)),
                    Noted::Exited { node, .. } => tell(Some(*node), Kind::Dies),
                    Noted::Swallowed { .. } => {}
                }
            }
        }
    }
    teller.facts
}

#[derive(Default)]
struct Teller {
    facts: Vec<Fact>,
    /// Of each observer and service, who is on its list.
    lists: BTreeMap<(NodeId, ServiceId), BTreeSet<NodeId>>,
    /// The latest write seen committed: every member applies it, and it is told once.
    committed: u64,
    /// When each instance last had an answer that its registration lives.
    renewed: BTreeMap<NodeId, Time>,
    /// The registry's members, and the processes beside them.
    registry: BTreeSet<NodeId>,
    /// Who shares the host of each instance.
    aboard: BTreeMap<NodeId, Vec<NodeId>>,
}

impl Teller {
    fn tell(&mut self, at: Time, point: Point, who: Option<NodeId>, what: Kind) {
        self.facts.push(Fact { at, point, who, of: None, what });
    }

    fn plans(&mut self, at: Time, fault: usize, what: Kind) {
        self.tell(at, Point::Fault(fault), None, what);
    }

    fn strikes(&mut self, at: Time, during: During, of: Option<usize>, fault: &Fault) {
        let what = match fault {
            Fault::Crash(..) => Kind::Dies,
            Fault::Restart(_) => Kind::Boots,
            Fault::Pause(_) => Kind::Stops,
            Fault::Resume(_) => Kind::GoesOn,
            Fault::Cut(_)
            | Fault::Mend(_)
            | Fault::Impair(_)
            | Fault::Repair(_)
            | Fault::Sever { .. }
            | Fault::FakeSyncs(_)
            | Fault::MakeSyncs(_)
            | Fault::PowerOn(_)
            | Fault::SetClock(..) => return,
        };
        let node = struck(fault);
        if let (Kind::Dies, Some(node)) = (&what, node) {
            self.lists.retain(|(by, _), _| *by != node);
        }
        self.facts.push(Fact { at, point: Point::Happened(during), who: node, of, what });
    }

    fn observes<W>(&mut self, trace: &Trace<W>, note: &Note, by: NodeId, seen: &Observation) {
        let (at, point) = (note.at, Point::Happened(note.during));
        // What a timer brings about is a process's own decision; what a message does it has been told.
        let is_own = match note.during {
            During::Event(number) => {
                trace.event(number).is_some_and(|event| matches!(event.what, What::Timer(_)))
            }
            During::Start | During::Deed(_) => false,
        };
        let what = match *seen {
            Observation::View(ref listing) => {
                let list: BTreeSet<NodeId> = listing.endpoints.iter().map(|endpoint| endpoint.node).collect();
                return self.views(at, point, by, listing.service, list);
            }
            Observation::Believes { service, subject, up } => {
                let mut list = self.lists.get(&(by, service)).cloned().unwrap_or_default();
                if up {
                    list.insert(subject)
                } else {
                    list.remove(&subject)
                };
                return self.views(at, point, by, service, list);
            }
            Observation::Committed { at: number, write } if number > self.committed => {
                self.committed = number;
                return self.writes(at, point, None, write);
            }
            Observation::Wrote(write) => return self.writes(at, point, Some(by), write),
            Observation::Blind(service) => {
                self.lists.remove(&(by, service));
                Kind::Blind(service)
            }
            Observation::Registered => {
                self.renewed.insert(by, at);
                Kind::Registered
            }
            Observation::Renewed => {
                self.renewed.insert(by, at);
                return;
            }
            Observation::LeaseLost if is_own => Kind::GivesUp(self.unheard(trace, by, at)),
            Observation::LeaseLost => Kind::LeaseGone,
            Observation::Deems { subject, standing } => {
                let source = || {
                    let aboard = self.aboard.get(&subject).into_iter().flatten().copied();
                    let those: Vec<NodeId> = aboard.chain([subject]).collect();
                    Source::Own(taken(trace, &[by], &those, at))
                };
                Kind::Deems(subject, standing, if is_own { source() } else { Source::Hearsay })
            }
            Observation::Leads { term } => Kind::Leads(term),
            Observation::Deposed { term } => Kind::Deposed(term),
            Observation::Acquired { lock, token } => Kind::Holds(lock, token),
            Observation::Released { lock } => Kind::GivesBack(lock),
            Observation::LockLost { lock } => Kind::LosesLock(lock),
            Observation::GuardedWrite { lock, token, by } => Kind::Guarded(lock, token, by),
            Observation::Called { key, act, .. } => Kind::Calls(key, act),
            Observation::Written { revision, .. } => Kind::Written(revision),
            Observation::Fetched { revision, .. } => Kind::Fetched(revision),
            Observation::Unanswered { .. } => Kind::Unanswered,
            Observation::Committed { .. }
            | Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::Read
            | Observation::Extended
            | Observation::Saw { .. }
            | Observation::Holds { .. } => return,
        };
        self.tell(at, point, Some(by), what);
    }

    /// Why an instance had no answer until a moment.
    fn unheard<W>(&self, trace: &Trace<W>, node: NodeId, at: Time) -> Unheard {
        let since = self.renewed.get(&node).copied();
        let from = since.unwrap_or(Time::START);
        let took = |note: &&Note| match &note.noted {
            Noted::Swallowed { from, to, .. } => {
                *from == node && self.registry.contains(to) || *to == node && self.registry.contains(from)
            }
            Noted::Observed { .. }
            | Noted::Struck(_)
            | Noted::Exited { .. }
            | Noted::Began { .. }
            | Noted::Healed { .. } => false,
        };
        let notes = trace.notes().filter(|note| note.at >= from && note.at <= at).filter(took);
        let still = |fact: &&Fact| fact.who == Some(node) && matches!(fact.what, Kind::Stops | Kind::GoesOn);
        let mut stood = self.facts.iter().rev().take_while(|fact| fact.at >= from).filter(still);
        Unheard { since, taken: by_fault(notes), stood_still: stood.next().is_some() }
    }

    fn views(&mut self, at: Time, point: Point, by: NodeId, service: ServiceId, list: BTreeSet<NodeId>) {
        let before = self.lists.insert((by, service), list.clone()).unwrap_or_default();
        for gone in before.difference(&list) {
            self.tell(at, point, Some(by), Kind::Forgets(*gone));
        }
        for come in list.difference(&before) {
            self.tell(at, point, Some(by), Kind::Sees(*come));
        }
    }

    fn writes(&mut self, at: Time, point: Point, by: Option<NodeId>, write: Write) {
        let what = match write {
            Write::Register(node) => Kind::Enters(node),
            Write::Remove(node, cause) => Kind::Leaves(node, cause),
            Write::Fail(node) => Kind::Unhealthy(node),
            Write::Recover(node) => Kind::Healthy(node),
            Write::Claim { by, lock } => Kind::Claims(by, lock),
            Write::Release { by, lock, cause } => Kind::ClaimGone(by, lock, cause),
            Write::Grant | Write::Revoke(_) | Write::Put => return,
        };
        self.tell(at, point, by, what);
    }
}
