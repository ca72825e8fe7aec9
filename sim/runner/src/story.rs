//! Stories: a run told line by line, for a reader and for a snapshot. Every moment is rounded, and what several nodes see
//! or do at one rounded moment is one line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use schism_core::{Actor, Duration, Fault, FaultId, NodeId, Scene, Seed, Time, Witness};
use schism_models::listing::{Listing, ServiceId};
use schism_models::nemesis::{Audience, Struck};
use schism_models::observation::{Cause, Observation, Standing, Write};
use schism_scenario::Scenario;

use crate::{Simulation, Words};

mod lines;

use lines::Lines;

/// How many lines a story has at most; the others are counted.
const MOST_LINES: usize = 2_000;

/// Who came to lead and to believe what, which registrations came and went, who died and who came back, and when: moments
/// are rounded to the nearest multiple of `round`.
pub fn transitions_text(scenario: &Scenario, seed: Seed, round: Duration) -> String {
    told(scenario, seed, round, Detail::Transitions)
}

/// Everything that was observed, requests too.
pub fn events_text(scenario: &Scenario, seed: Seed, round: Duration) -> String {
    told(scenario, seed, round, Detail::Events)
}

fn told(scenario: &Scenario, seed: Seed, round: Duration, detail: Detail) -> String {
    let teller = Teller::new(round, detail);
    let mut simulation: Simulation<Teller> = Simulation::new(scenario, seed, teller);
    simulation.run_to_end();
    simulation.into_witness().text(scenario, seed)
}

/// Without zeros at the end.
fn seconds(at: Duration) -> String {
    let nanos = at.as_nanos();
    let text = format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Who came to lead and to believe what, which registrations came and went, who died and who came back.
    Transitions,
    /// Everything that was observed, requests too.
    Events,
}

/// Something that happened, to be told with who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Begins(usize),
    Heals(usize),
    Dies,
    Boots,
    Stops,
    GoesOn,
    Leads(u64),
    Deposed(u64),
    Believes(NodeId, bool),
    FirstList(ServiceId, usize),
    Blind(ServiceId),
    Registered,
    LeaseLost,
    Entered(NodeId),
    Left(NodeId, Cause),
    Unhealthy(NodeId),
    Healthy(NodeId),
    Claims(NodeId, u32),
    Leaves(NodeId, u32, Cause),
    Holds(u32),
    GivesBack(u32),
    LosesLock(u32),
    /// What only the whole list of events tells, in words.
    Seen(&'static str),
    Attempt(NodeId),
    Deems(NodeId, Standing),
}

impl What {
    fn told(
        &self,
        name: &dyn Fn(NodeId) -> String,
        fault: &dyn Fn(usize) -> String,
        service: &dyn Fn(ServiceId) -> String,
    ) -> String {
        let why = |cause: &Cause| match cause {
            Cause::Expired => "expired",
            Cause::Revoked => "revoked",
            Cause::Lost => "lost",
        };
        match self {
            What::Begins(number) => format!("fault {} begins", fault(*number)),
            What::Heals(number) => format!("fault {} is healed", fault(*number)),
            What::Dies => "dead".to_owned(),
            What::Boots => "booted".to_owned(),
            What::Stops => "standing still".to_owned(),
            What::GoesOn => "going on".to_owned(),
            What::Leads(term) => format!("leader of term {term}"),
            What::Deposed(term) => format!("leader no more, term {term}"),
            What::Believes(subject, true) => format!("{} believed up", name(*subject)),
            What::Believes(subject, false) => format!("{} believed down", name(*subject)),
            What::FirstList(of, count) => format!("first list of {}: {count}", service(*of)),
            What::Blind(of) => format!("nobody of {} known any more", service(*of)),
            What::Registered => "told of the registration".to_owned(),
            What::LeaseLost => "told that the lease is gone".to_owned(),
            What::Entered(node) => format!("{} enters the registry", name(*node)),
            What::Left(node, cause) => format!("{} leaves the registry: {}", name(*node), why(cause)),
            What::Unhealthy(node) => format!("{} counts as unhealthy", name(*node)),
            What::Healthy(node) => format!("{} counts as healthy again", name(*node)),
            What::Claims(node, lock) => format!("{} claims lock {lock}", name(*node)),
            What::Leaves(node, lock, cause) => {
                format!("the claim of {} on lock {lock} is gone: {}", name(*node), why(cause))
            }
            What::Holds(lock) => format!("lock {lock} believed held"),
            What::GivesBack(lock) => format!("lock {lock} given back"),
            What::LosesLock(lock) => format!("lock {lock} believed lost"),
            What::Seen(words) => (*words).to_owned(),
            What::Attempt(to) => format!("a request sent to {}", name(*to)),
            What::Deems(node, Standing::Suspect) => format!("{} suspected", name(*node)),
            What::Deems(node, Standing::Cleared) => format!("{} suspected no more", name(*node)),
            What::Deems(node, Standing::Dead) => format!("{} held to be dead", name(*node)),
        }
    }
}

/// The witness that tells.
#[derive(Clone, Debug)]
pub struct Teller {
    detail: Detail,
    lines: Lines,
    /// Of each observer and service, who is on its list.
    lists: BTreeMap<(NodeId, ServiceId), BTreeSet<NodeId>>,
    /// The latest write seen committed: every member applies it, and it is told once.
    committed: u64,
}

impl Teller {
    /// Before the first event. Moments are rounded to the nearest multiple of `round`.
    pub fn new(round: Duration, detail: Detail) -> Teller {
        Teller { detail, lines: Lines::new(round), lists: BTreeMap::new(), committed: 0 }
    }

    /// The story of the run of this scenario with this seed that it has witnessed.
    pub fn text(&self, scenario: &Scenario, seed: Seed) -> String {
        let words = Words::new(scenario);
        let fault = |number: usize| scenario.faults[number].id.clone();
        let service = |ServiceId(number): ServiceId| scenario.services[usize::from(number)].name.clone();
        let mut text = format!("{} @ seed {}\n", scenario.title, seed.0);
        for (at, what, by) in self.lines.kept() {
            let subject = what.told(&|node| words.nodes(&[node]), &fault, &service);
            let who = words.nodes(&by.iter().copied().collect::<Vec<_>>());
            let line = if who.is_empty() { subject } else { format!("{who}: {subject}") };
            let _ = writeln!(text, "  {:>8}  {line}", format!("{}s", seconds(*at)));
        }
        if self.lines.left_out() > 0 {
            let _ = writeln!(text, "  and {} more lines", self.lines.left_out());
        }
        text
    }

    fn tell(&mut self, at: Time, by: Option<NodeId>, what: What) {
        self.lines.add(at, by, what);
    }

    fn on_view(&mut self, at: Time, by: NodeId, listing: &Arc<Listing>) {
        let list: BTreeSet<NodeId> = listing.endpoints.iter().map(|endpoint| endpoint.node).collect();
        let Some(before) = self.lists.insert((by, listing.service), list.clone()) else {
            return self.tell(at, Some(by), What::FirstList(listing.service, list.len()));
        };
        for gone in before.difference(&list) {
            self.tell(at, Some(by), What::Believes(*gone, false));
        }
        for come in list.difference(&before) {
            self.tell(at, Some(by), What::Believes(*come, true));
        }
    }

    fn on_write(&mut self, at: Time, by: Option<NodeId>, write: Write) {
        let what = match write {
            Write::Register(node) => What::Entered(node),
            Write::Remove(node, cause) => What::Left(node, cause),
            Write::Fail(node) => What::Unhealthy(node),
            Write::Recover(node) => What::Healthy(node),
            Write::Claim { by, lock } => What::Claims(by, lock),
            Write::Release { by, lock, cause } => What::Leaves(by, lock, cause),
            Write::Grant | Write::Revoke(_) | Write::Put => return,
        };
        // Where each member has a table of its own, it is said whose.
        self.tell(at, by, what);
    }

    fn seen(&mut self, at: Time, by: NodeId, words: &'static str) {
        match self.detail {
            Detail::Transitions => {}
            Detail::Events => self.tell(at, Some(by), What::Seen(words)),
        }
    }
}

impl<A: Actor<Observation = Observation>> Witness<A> for Teller {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        let at = scene.now();
        match *seen {
            Observation::View(ref listing) => self.on_view(at, by, listing),
            Observation::Believes { service, subject, up } => {
                let list = self.lists.entry((by, service)).or_default();
                let changed = if up { list.insert(subject) } else { list.remove(&subject) };
                if changed {
                    self.tell(at, Some(by), What::Believes(subject, up));
                }
            }
            Observation::Blind(service) => {
                self.lists.remove(&(by, service));
                self.tell(at, Some(by), What::Blind(service));
            }
            Observation::Registered => self.tell(at, Some(by), What::Registered),
            Observation::LeaseLost => self.tell(at, Some(by), What::LeaseLost),
            Observation::Leads { term } => self.tell(at, Some(by), What::Leads(term)),
            Observation::Deposed { term } => self.tell(at, Some(by), What::Deposed(term)),
            Observation::Committed { at: number, write } if number > self.committed => {
                self.committed = number;
                self.on_write(at, None, write);
            }
            Observation::Wrote(write) => self.on_write(at, Some(by), write),
            Observation::Attempt { to, .. } if self.detail == Detail::Events => {
                self.tell(at, Some(by), What::Attempt(to));
            }
            Observation::Offered => self.seen(at, by, "a request to make"),
            Observation::Done { .. } => self.seen(at, by, "a request is over"),
            Observation::Served { .. } => self.seen(at, by, "a request served"),
            Observation::Renewed => self.seen(at, by, "told that the lease lives on"),
            Observation::Read => self.seen(at, by, "a read served"),
            Observation::Extended => self.seen(at, by, "a lease extended"),
            Observation::Deems { subject, standing } if self.detail == Detail::Events => {
                self.tell(at, Some(by), What::Deems(subject, standing));
            }
            Observation::Acquired { lock, .. } => self.tell(at, Some(by), What::Holds(lock)),
            Observation::Released { lock } => self.tell(at, Some(by), What::GivesBack(lock)),
            Observation::LockLost { lock } => self.tell(at, Some(by), What::LosesLock(lock)),
            Observation::GuardedWrite { .. } => self.seen(at, by, "a write accepted that a lock guards"),
            Observation::Called { .. } => self.seen(at, by, "a call for a key of the registry's"),
            Observation::Written { .. } => self.seen(at, by, "told that a write of a key is done"),
            Observation::Fetched { .. } => self.seen(at, by, "told what a key holds"),
            Observation::Unanswered { .. } => self.seen(at, by, "a call for a key given up"),
            Observation::Saw { .. } => self.seen(at, by, "told how far the registry is"),
            Observation::Attempt { .. }
            | Observation::Committed { .. }
            | Observation::Deems { .. }
            | Observation::Holds { .. } => {}
        }
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        let (node, what) = match *fault {
            Fault::Crash(node, _) => (node, What::Dies),
            Fault::Restart(node) => (node, What::Boots),
            Fault::Pause(node) => (node, What::Stops),
            Fault::Resume(node) => (node, What::GoesOn),
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
        self.lists.retain(|(by, _), _| *by != node || what != What::Dies);
        self.tell(scene.now(), Some(node), what);
    }

    fn on_exit(&mut self, _: &Scene<'_>, _: NodeId, _: FaultId) {}
}

impl Audience for Teller {
    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, _: &Struck) {
        self.tell(scene.now(), None, What::Begins(fault));
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, _: u64) {
        self.tell(scene.now(), None, What::Heals(fault));
    }

    fn fault_lasts(&mut self, _: usize, _: u64) {}
}
