//! Cache age: what a client's list says is no older than some time, if the registry has changed since.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Fault, NodeId, Status, Time};

use super::{Cast, Change, Moment, Mood, Opinion, Oracle, Record, Role, Shown, Sighting, Standing, Told};
use crate::listing::ServiceId;
use crate::observation::Observation;
use crate::options::options;

options! {
    /// How old it may be.
    pub struct Config {
        at_most: Duration = Duration::from_secs(60), "at-most", Time, "For how long a client's list may differ from the registry in what it says of an instance";
    }
}

/// Remembers what each client's list gets wrong of the registry's committed state, and since when.
#[derive(Clone)]
pub struct CacheAge {
    at_most: Duration,
    /// By client and instance: since when the list has been out of date.
    wrong: BTreeMap<(NodeId, NodeId), Time>,
    /// The same, the oldest first, without those that have been told of.
    oldest: BTreeSet<(Time, NodeId, NodeId)>,
    /// Since when no list has been out of date.
    since: Time,
    heard: bool,
    /// The longest time for which one was.
    longest: Duration,
}

impl Oracle for CacheAge {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];

    fn new(config: &Config, _: &Cast) -> Self {
        CacheAge {
            at_most: config.at_most,
            wrong: BTreeMap::new(),
            oldest: BTreeSet::new(),
            since: Time::START,
            heard: false,
            longest: Duration::ZERO,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, _: NodeId, _: &Observation) -> Option<Sighting> {
        self.follow(moment);
        None
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        self.follow(moment);
        if let Fault::Pause(node) | Fault::Resume(node) = fault {
            // Who stands still is not behind: it counts again from when it goes on.
            let paused = moment.scene.status(*node) == Status::Paused;
            self.count_anew(moment.record, *node, moment.scene.now(), paused);
        }
        None
    }

    fn due(&self) -> Option<Time> {
        self.oldest.first().map(|(since, ..)| *since + self.at_most)
    }

    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let late = |(since, ..): &(Time, NodeId, NodeId)| *since + self.at_most <= at;
        let first = self.oldest.first().copied().filter(late)?;
        while let Some(next) = self.oldest.first().copied().filter(late) {
            self.oldest.remove(&next);
        }
        let (since, client, instance) = first;
        let why = format!("{}, for {} since {since}", self.said(record, client, instance), self.at_most);
        Some(Sighting::of(why, [client, instance]))
    }

    fn standing(&self, record: &Record) -> Standing {
        let oldest =
            self.wrong.iter().min_by_key(|((client, instance), since)| (**since, *client, *instance));
        match oldest {
            None => Standing::Holds { since: self.since, what: "the last list was up to date" },
            Some((&(client, instance), _)) => {
                let why = self.said(record, client, instance);
                Standing::Broken(Sighting::of(why, [client, instance]))
            }
        }
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        (!self.heard).then(|| "no client ever held a list".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!("the longest that a client's list was out of date was {}", self.longest)
    }
}

impl CacheAge {
    fn said(&self, record: &Record, client: NodeId, instance: NodeId) -> String {
        let (client, name) = (record.name(client), record.name(instance));
        if record.register.lists(instance) {
            format!("{client} had not heard that the registry offered {name}")
        } else {
            format!("{client} listed {name}, which the registry no longer offered")
        }
    }

    fn follow(&mut self, moment: &Moment<'_>) {
        let Moment { scene, record } = moment;
        let now = scene.now();
        for change in record.opinions.changes() {
            match *change {
                Change::Turns { observer, service, place, to, .. } if is_client(&record.cast, observer) => {
                    let instance = record.cast.instance(service, place);
                    let differs =
                        to != Opinion::None && (to == Opinion::Up) != record.register.lists(instance);
                    self.set(now, observer, instance, differs);
                }
                Change::Takes(client, service) if is_client(&record.cast, client) => {
                    self.heard = true;
                    self.compare(record, now, client, service);
                }
                Change::Drops(client, service) if is_client(&record.cast, client) => {
                    for &instance in record.cast.services()[service.0 as usize].iter() {
                        self.set(now, client, instance, false);
                    }
                }
                Change::Turns { .. } | Change::Takes(..) | Change::Drops(..) => {}
            }
        }
        for write in record.register.fresh() {
            if let Some(node) = write.instance() {
                self.compare_all(record, now, node);
            }
        }
    }

    /// A client has a list of a service for the first time: what else it says follows as changes of their own.
    fn compare(&mut self, record: &Record, now: Time, client: NodeId, service: ServiceId) {
        for (&instance, place) in record.cast.services()[service.0 as usize].iter().zip(0..) {
            let thinks = record.opinions.of(client, service, place) == Some(true);
            self.set(now, client, instance, thinks != record.register.lists(instance));
        }
    }

    /// The registry has changed its mind about an instance.
    fn compare_all(&mut self, record: &Record, now: Time, instance: NodeId) {
        let (service, place) = record.cast.place(instance);
        let clients =
            (0..record.cast.nodes() as u32).map(NodeId).filter(|node| is_client(&record.cast, *node));
        for client in clients {
            let thinks = record.opinions.of(client, service, place);
            self.set(now, client, instance, thinks.is_some_and(|up| up != record.register.lists(instance)));
        }
    }

    fn set(&mut self, now: Time, client: NodeId, instance: NodeId, differs: bool) {
        if differs {
            let since = *self.wrong.entry((client, instance)).or_insert(now);
            if since == now {
                self.oldest.insert((now, client, instance));
            }
        } else if let Some(since) = self.wrong.remove(&(client, instance)) {
            self.oldest.remove(&(since, client, instance));
            self.longest = self.longest.max(now.since(since));
            if self.wrong.is_empty() {
                self.since = now;
            }
        }
    }

    fn count_anew(&mut self, record: &Record, client: NodeId, now: Time, paused: bool) {
        if !is_client(&record.cast, client) {
            return;
        }
        let range = (client, NodeId(0))..=(client, NodeId(u32::MAX));
        for (&(client, instance), since) in self.wrong.range_mut(range) {
            self.oldest.remove(&(*since, client, instance));
            *since = now;
            if !paused {
                self.oldest.insert((now, client, instance));
            }
        }
    }
}

fn is_client(cast: &Cast, node: NodeId) -> bool {
    match cast.role(node) {
        Role::Client(_) => true,
        Role::Member | Role::Instance(..) | Role::Aide => false,
    }
}
