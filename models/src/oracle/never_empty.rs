//! Never empty: a client that has had an endpoint to call always has one, while an instance is up.

use schism_core::{Duration, Fault, NodeId, Scene, Status, Time};

use super::{Cast, Change, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Standing, Told};
use crate::listing::ServiceId;
use crate::observation::Observation;
use crate::options::options;

options! {
    /// For how long a client may have none.
    pub struct Config {
        within: Option<Duration> = None, "within", TimeOr("at-once"), "For how long a client may be without an endpoint while an instance is up; at-once: it may not lose its last one";
    }
}

/// Remembers which clients have had an endpoint in this life, and sees the first that has none left.
#[derive(Clone)]
pub struct NeverEmpty {
    within: Option<Duration>,
    had: Vec<bool>,
    /// Those that have none left, in the order in which they lost it.
    without: Vec<Without>,
    /// Since when none has been without while an instance was up.
    since: Time,
    heard: bool,
}

/// A client that has no endpoint left.
#[derive(Clone, Copy)]
struct Without {
    client: NodeId,
    service: ServiceId,
    /// Since when an instance is up that it could have.
    since: Option<Time>,
    /// Whether it has been told that this has lasted too long.
    is_told: bool,
}

impl Oracle for NeverEmpty {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Callers];

    fn new(config: &Config, cast: &Cast) -> Self {
        let had = vec![false; cast.nodes()];
        NeverEmpty { within: config.within, had, without: Vec::new(), since: Time::START, heard: false }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        let Role::Client(_) = moment.record.cast.role(by) else { return None };
        let opinions = &moment.record.opinions;
        let (Change::Takes(_, service) | Change::Turns { service, .. } | Change::Drops(_, service)) =
            *opinions.changes().last()?;
        let has = opinions.count(by, service).is_some_and(|count| count > 0);
        self.heard |= has;
        let had = std::mem::replace(&mut self.had[by.index()], has);
        match (had, has) {
            (false, true) => self.forget(by, moment.scene.now()),
            (true, false) => {
                let since = is_any_up(moment.scene, moment.record, service).then(|| moment.scene.now());
                self.without.push(Without { client: by, service, since, is_told: false });
                let why = || format!("{} had no endpoint left to call", moment.scene.name(by));
                return (self.within.is_none() && since.is_some()).then(|| Sighting::of(why(), [by]));
            }
            (true, true) | (false, false) => {}
        }
        None
    }

    /// A new life starts with nothing. What a client lacks while no instance is up is not its fault.
    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        let now = moment.scene.now();
        if let Fault::Crash(node, _) = fault {
            self.had[node.index()] = false;
            self.forget(*node, now);
        }
        let was_broken = self.is_broken();
        for without in &mut self.without {
            let is_any_up = is_any_up(moment.scene, moment.record, without.service);
            without.since = is_any_up.then(|| without.since.unwrap_or(now));
            without.is_told &= is_any_up;
        }
        if was_broken && !self.is_broken() {
            self.since = now;
        }
        None
    }

    fn due(&self) -> Option<Time> {
        let within = self.within?;
        let untold = self.without.iter().filter(|without| !without.is_told);
        untold.filter_map(|without| Some(without.since? + within)).min()
    }

    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let within = self.within?;
        let is_late = |without: &Without| without.since.is_some_and(|since| since + within <= at);
        let late = *self.without.iter().find(|without| !without.is_told && is_late(without))?;
        self.without.iter_mut().for_each(|without| without.is_told |= is_late(without));
        let why = format!("{} had had no endpoint to call for {within}", record.name(late.client));
        Some(Sighting::of(why, [late.client]))
    }

    fn standing(&self, record: &Record) -> Standing {
        match self.without.iter().find(|without| without.since.is_some()) {
            None => Standing::Holds { since: self.since, what: "the last client had an endpoint again" },
            Some(Without { client, .. }) => {
                let why = format!("{} had no endpoint to call", record.name(*client));
                Standing::Broken(Sighting::of(why, [*client]))
            }
        }
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        (!self.heard).then(|| "no client ever had an endpoint to call".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        "no client lost its last endpoint while an instance was up".to_owned()
    }
}

impl NeverEmpty {
    /// Whether a client is without that need not be.
    fn is_broken(&self) -> bool {
        self.without.iter().any(|without| without.since.is_some())
    }

    /// A client has an endpoint again, or is dead.
    fn forget(&mut self, client: NodeId, now: Time) {
        let was_broken = self.is_broken();
        self.without.retain(|without| without.client != client);
        if was_broken && !self.is_broken() {
            self.since = now;
        }
    }
}

fn is_any_up(scene: &Scene<'_>, record: &Record, service: ServiceId) -> bool {
    let is_up = |node: &NodeId| scene.status(*node) == Status::Up && !record.is_usurped(*node);
    record.cast.services()[service.0 as usize].iter().any(is_up)
}
