//! No lost registration: an instance that has registered and is alive and connected is in the registry.
//!
//! Connected means that what it says to more than half of the members comes through, and what they say to it. A way on which
//! only a share is lost is a connection, for TCP sends again what is not acknowledged; so does a registrar that is not
//! answered. Within the some seconds for which a call waits, Linux sends a segment about five times (it begins with 200 ms,
//! `TCP_RTO_MIN`, and doubles: include/net/tcp.h, v6.1). Of nine lost in ten, four in ten segments still come through then; of
//! more there is not much hope for a call and its answer, and nothing is asked.

use std::collections::BTreeSet;

use schism_core::{Duration, Fault, NodeId, Scene, Status, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Standing, Told};
use crate::node::REGISTRY;
use crate::observation::{Cause, Observation, Write};
use crate::options::options;

options! {
    /// For how long one may be missing.
    pub struct Config {
        within: Duration = Duration::from_secs(60), "within", Time, "For how long it may be missing while it is alive and connected";
    }
}

/// Follows each instance: whether it has registered and not left, whether it is alive and can reach the registry, and
/// since when it is missing all the same.
#[derive(Clone)]
pub struct NoLostRegistration {
    within: Duration,
    /// By node.
    entries: Vec<Entry>,
    /// Who is missing: since when, and who.
    missing: BTreeSet<(Time, NodeId)>,
    /// Those of them of whom it has been told that it lasts too long.
    told: BTreeSet<NodeId>,
    /// Since when nobody has been missing.
    since: Time,
    registered: bool,
}

/// What is known of one instance.
#[derive(Clone, Copy, Default)]
struct Entry {
    /// It has registered, and not left by its own wish.
    belongs: bool,
    /// The registry offers it.
    listed: bool,
    /// It is alive, and more than half of the registry's members are, to whom it can speak and they to it.
    connected: bool,
    missing_since: Option<Time>,
    /// The member by whose word it was dropped last.
    dropped_by: Option<NodeId>,
}

impl Oracle for NoLostRegistration {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Registrations];

    fn new(config: &Config, cast: &Cast) -> Self {
        NoLostRegistration {
            within: config.within,
            entries: vec![Entry { connected: true, ..Entry::default() }; cast.nodes()],
            missing: BTreeSet::new(),
            told: BTreeSet::new(),
            since: Time::START,
            registered: false,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let now = moment.scene.now();
        if let Observation::Registered = seen {
            self.change(now, by, |entry| entry.belongs = true);
        }
        self.follow(moment.record, now, by);
        None
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        let Moment { scene, record } = moment;
        let now = scene.now();
        match fault {
            Fault::Crash(node, _) | Fault::Restart(node) | Fault::Pause(node) | Fault::Resume(node)
                if is_instance(&record.cast, *node) =>
            {
                self.follow(record, now, *node);
                self.look_at(scene, record, *node);
            }
            // A member, or the network: anyone may be concerned.
            Fault::Crash(node, _) | Fault::Restart(node) | Fault::Pause(node) | Fault::Resume(node) => {
                self.follow(record, now, *node);
                self.look_at_all(scene, record);
            }
            Fault::Cut(_) | Fault::Mend(_) | Fault::Impair(_) | Fault::Repair(_) => {
                self.look_at_all(scene, record);
            }
            Fault::Sever { .. }
            | Fault::FakeSyncs(_)
            | Fault::MakeSyncs(_)
            | Fault::PowerOn(_)
            | Fault::SetClock(..) => {}
        }
        None
    }

    fn due(&self) -> Option<Time> {
        let untold = self.missing.iter().find(|(_, node)| !self.told.contains(node));
        untold.map(|(since, _)| *since + self.within)
    }

    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let late = |(since, node): &&(Time, NodeId)| *since + self.within <= at && !self.told.contains(node);
        let all: Vec<(Time, NodeId)> = self.missing.iter().filter(late).copied().collect();
        let (since, first) = *all.first()?;
        self.told.extend(all.iter().map(|(_, node)| *node));
        let dropped_by = self.entries[first.index()].dropped_by;
        let on = all.iter().map(|(_, node)| *node).take(MOST_NAMED).chain(dropped_by);
        let why = format!(
            "{} was alive and connected, and missing from the registry for {} since {since}",
            record.name(first),
            self.within
        );
        Some(Sighting::of(why, on.collect::<Vec<_>>()))
    }

    fn standing(&self, record: &Record) -> Standing {
        let Some((_, first)) = self.missing.first() else {
            return Standing::Holds {
                since: self.since,
                what: "the last missing instance was registered again",
            };
        };
        let why = format!("{} was alive and connected, and missing from the registry", record.name(*first));
        let missing = self.missing.iter().map(|(_, node)| *node).take(MOST_NAMED);
        Standing::Broken(Sighting::of(why, missing.collect::<Vec<_>>()))
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        (!self.registered).then(|| "no instance ever registered".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!("no instance that was alive and connected was missing for {}", self.within)
    }
}

/// Of what is sent on a way so much must come through for it to be a connection: see the module's own words.
const LEAST_PASSING: f64 = 0.1;

/// How many of those that are missing are named.
const MOST_NAMED: usize = 5;

impl NoLostRegistration {
    /// Takes up what the registry has just written.
    fn follow(&mut self, record: &Record, now: Time, by: NodeId) {
        for write in record.register.fresh() {
            match *write {
                Write::Register(node) | Write::Recover(node) => {
                    self.registered = true;
                    self.change(now, node, |entry| (entry.belongs, entry.listed) = (true, true));
                }
                Write::Remove(node, Cause::Revoked) => {
                    self.change(now, node, |entry| (entry.belongs, entry.listed) = (false, false));
                }
                Write::Remove(node, Cause::Expired | Cause::Lost) | Write::Fail(node) => {
                    self.change(now, node, |entry| (entry.listed, entry.dropped_by) = (false, Some(by)));
                }
                Write::Grant
                | Write::Revoke(_)
                | Write::Put
                | Write::Claim { .. }
                | Write::Release { .. } => {}
            }
        }
    }

    fn look_at_all(&mut self, scene: &Scene<'_>, record: &Record) {
        let instances = record.cast.services().iter().flat_map(|nodes| nodes.iter());
        instances.for_each(|node| self.look_at(scene, record, *node));
    }

    fn look_at(&mut self, scene: &Scene<'_>, record: &Record, node: NodeId) {
        let members = record.cast.members();
        let passes = |from, to| scene.network().passes(from, to, REGISTRY) >= LEAST_PASSING;
        let reached = |member: &u32| {
            let member = NodeId(*member);
            scene.status(member) == Status::Up && passes(node, member) && passes(member, node)
        };
        let is_alive = scene.status(node) == Status::Up && !record.is_usurped(node);
        let connected = is_alive && 2 * (0..members).filter(reached).count() as u32 > members;
        self.change(scene.now(), node, |entry| entry.connected = connected);
    }

    fn change(&mut self, now: Time, node: NodeId, change: impl FnOnce(&mut Entry)) {
        let entry = &mut self.entries[node.index()];
        change(entry);
        let is_missing = entry.belongs && entry.connected && !entry.listed;
        match (entry.missing_since, is_missing) {
            (None, true) => {
                entry.missing_since = Some(now);
                self.missing.insert((now, node));
            }
            (Some(since), false) => {
                entry.missing_since = None;
                self.missing.remove(&(since, node));
                self.told.remove(&node);
                if self.missing.is_empty() {
                    self.since = now;
                }
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}

fn is_instance(cast: &Cast, node: NodeId) -> bool {
    match cast.role(node) {
        Role::Instance(..) => true,
        Role::Member | Role::Client(_) | Role::Aide => false,
    }
}
