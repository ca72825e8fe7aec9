//! Facts: what of a trace is worth a line in a story, each with the thing that happened when it was observed.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Cause as During, Fault, NodeId, Taker, Time};
use schism_models::listing::ServiceId;
use schism_models::observation::{Act, Cause, Observation, Write};

use super::past::{Point, struck};
use crate::trace::{Done, Entry, Noted, Trace, What, in_order};

/// Something that was observed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fact {
    pub(super) at: Time,
    /// What of the past it is.
    pub(super) point: Point,
    /// By whom, or to whom; nobody for what all agree on, and for faults.
    pub(super) who: Option<NodeId>,
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
    LeaseLost,
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
    /// Whether the sender stood still, or was dead, meanwhile.
    pub(super) idle: Option<Idle>,
}

/// Why a node sent nothing at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    Stopped,
    Dead,
}

/// All facts of a trace, in order.
pub(super) fn facts<W>(trace: &Trace<W>) -> Vec<Fact> {
    let mut teller = Teller::default();
    for entry in in_order(trace) {
        match entry {
            Entry::Event(..) => {}
            Entry::Act(number, act) => {
                if let Done::Inflicts(fault) = &act.doing {
                    teller.strikes(act.at, During::Deed(number), fault);
                }
            }
            Entry::Note(note) => {
                let mut tell = |who, what| teller.tell(note.at, Point::Happened(note.during), who, what);
                match &note.noted {
                    Noted::Observed { by, seen } => teller.observes(note.at, note.during, *by, seen),
                    Noted::Struck(fault) => teller.strikes(note.at, note.during, fault),
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
}

impl Teller {
    fn tell(&mut self, at: Time, point: Point, who: Option<NodeId>, what: Kind) {
        self.facts.push(Fact { at, point, who, what });
    }

    fn plans(&mut self, at: Time, fault: usize, what: Kind) {
        self.tell(at, Point::Fault(fault), None, what);
    }

    fn strikes(&mut self, at: Time, during: During, fault: &Fault) {
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
        self.tell(at, Point::Happened(during), node, what);
    }

    fn observes(&mut self, at: Time, during: During, by: NodeId, seen: &Observation) {
        let point = Point::Happened(during);
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
            Observation::Registered => Kind::Registered,
            Observation::LeaseLost => Kind::LeaseLost,
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
            | Observation::Renewed
            | Observation::Read
            | Observation::Extended
            | Observation::Saw { .. }
            | Observation::Holds { .. } => return,
        };
        self.tell(at, point, Some(by), what);
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

/// When a node was heard again by others after the last of its words to them that was kept from them before this moment.
fn heard_again<W>(trace: &Trace<W>, from: NodeId, to: &[NodeId], until: Time) -> Option<Time> {
    let is_taken = |noted: &Noted| matches!(noted, Noted::Swallowed { from: sender, to: receiver, .. } if *sender == from && to.contains(receiver));
    let taken = trace.notes().rfind(|note| note.at < until && is_taken(&note.noted))?.at;
    let is_word = |what: &What| matches!(what, What::Message { from: sender, .. } if *sender == from);
    let heard = trace.events().find(|(_, event)| {
        event.at > taken && event.at < until && to.contains(&event.to) && is_word(&event.what)
    });
    heard.map(|(_, event)| event.at)
}

/// The silence of a node towards others that lasted until a moment, if anything kept it from being heard. It is told of
/// when that first did.
pub(super) fn silence<W>(
    trace: &Trace<W>,
    facts: &[Fact],
    from: NodeId,
    to: &[NodeId],
    until: Time,
) -> Option<Fact> {
    let to: Vec<NodeId> = to.iter().copied().filter(|node| *node != from).collect();
    let arrived = trace.events().rev().skip_while(|(_, event)| event.at >= until).find(|(_, event)| {
        matches!(&event.what, What::Message { from: sender, .. } if *sender == from) && to.contains(&event.to)
    });
    let since = arrived.map(|(_, event)| event.at);
    let from_then = since.unwrap_or(Time::START);
    let mut silence = Silence { from, to, since, until, taken: BTreeMap::new(), lost: 0, idle: None };
    let mut first = None;
    let mut point = None;
    for (number, note) in
        trace.notes().enumerate().filter(|(_, note)| note.at >= from_then && note.at < until)
    {
        let Noted::Swallowed { from: sender, to: receiver, by, .. } = &note.noted else { continue };
        if *sender != from || !silence.to.contains(receiver) {
            continue;
        }
        point = Some(Point::Swallowed(number));
        first = first.or(Some(note.at));
        match by {
            Taker::Fault(fault) => *silence.taken.entry(fault.0 as usize).or_default() += 1,
            Taker::Link | Taker::Darkness | Taker::Refusal | Taker::Closing => silence.lost += 1,
        }
    }
    // The last word about its process: whether it ran when the silence was over.
    let mut of_process = facts.iter().rev().filter(|fact| fact.who == Some(from) && fact.at < until);
    let word = |fact: &&Fact| matches!(fact.what, Kind::Stops | Kind::Dies | Kind::GoesOn | Kind::Boots);
    if let Some(last) = of_process.find(word) {
        silence.idle = match last.what == Kind::Stops {
            true => Some(Idle::Stopped),
            false => (last.what == Kind::Dies).then_some(Idle::Dead),
        };
        point = point.or(silence.idle.map(|_| last.point));
        first = first.or(silence.idle.map(|_| last.at));
    }
    if first.is_none() {
        // It was heard again, too late to help: what there is to tell is the silence that this ended.
        let to = silence.to;
        let heard = heard_again(trace, from, &to, until)?;
        return self::silence(trace, facts, from, &to, heard);
    }
    Some(Fact { at: first?, point: point?, who: Some(from), what: Kind::Silent(silence) })
}
