//! Cache age: what a client's list says is no older than some time, if the registry has changed since.
//!
//! A list ages while its client runs. While the client stands still the age stands still with it, and what the registry
//! changes meanwhile counts from when the client goes on.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, Fault, NodeId, Status, Time};

use super::{
    Cast, Change, Moment, Mood, Need, Opinion, Oracle, Record, Role, Shown, Sighting, Standing, Told,
};
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
    /// By client and instance: in what the list is out of date.
    wrong: BTreeMap<(NodeId, NodeId), Wrong>,
    /// The same by their [`Wrong::counted`], the oldest first, without those that have been told of and those of clients
    /// that stand still.
    oldest: BTreeSet<(Time, NodeId, NodeId)>,
    /// Clients that stand still: since when.
    paused: BTreeMap<NodeId, Time>,
    /// Since when no list has been out of date.
    since: Time,
    heard: bool,
    /// The longest time for which one was that has been put right.
    longest: Duration,
}

/// Since when a list has been out of date in something.
#[derive(Clone, Copy)]
struct Wrong {
    since: Time,
    /// The same, later by as long as the client has stood still in the meantime.
    counted: Time,
}

impl Oracle for CacheAge {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Callers];

    fn new(config: &Config, _: &Cast) -> Self {
        CacheAge {
            at_most: config.at_most,
            wrong: BTreeMap::new(),
            oldest: BTreeSet::new(),
            paused: BTreeMap::new(),
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
        if let Fault::Pause(node) | Fault::Resume(node) | Fault::Crash(node, _) = fault
            && is_client(&moment.record.cast, *node)
        {
            match moment.scene.status(*node) {
                Status::Paused => self.stand_still(*node, moment.scene.now()),
                Status::Up | Status::Down => self.go_on(*node, moment.scene.now()),
            }
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
        let (counted, client, instance) = first;
        let since = self.wrong[&(client, instance)].since;
        let still = match counted.since(since) {
            Duration::ZERO => String::new(),
            still => format!(", without {still} in which it stood still"),
        };
        let why =
            format!("{}, for {} since {since}{still}", self.said(record, client, instance), self.at_most);
        Some(Sighting::of(why, [client, instance]))
    }

    fn standing(&self, record: &Record) -> Standing {
        let oldest =
            self.wrong.iter().min_by_key(|((client, instance), wrong)| (wrong.since, *client, *instance));
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

    fn instead(&self, told: &Told<'_>) -> String {
        let still_wrong =
            self.wrong.iter().map(|((client, _), wrong)| (self.age(*client, wrong, told.end), client));
        let (longest, until) = match still_wrong.max() {
            Some((age, client)) if age > self.longest => {
                (age, format!(": that of {}, and it still is", told.record.name(*client)))
            }
            Some(_) | None => (self.longest, String::new()),
        };
        format!("the longest that a client's list was out of date was {longest}{until}")
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
        let known = self.wrong.contains_key(&(client, instance));
        if differs && !known {
            self.wrong.insert((client, instance), Wrong { since: now, counted: now });
            if !self.paused.contains_key(&client) {
                self.oldest.insert((now, client, instance));
            }
        }
        if differs {
            return;
        }
        let Some(wrong) = self.wrong.remove(&(client, instance)) else { return };
        self.oldest.remove(&(wrong.counted, client, instance));
        self.longest = self.longest.max(self.age(client, &wrong, now));
        if self.wrong.is_empty() {
            self.since = now;
        }
    }

    /// For how long a list has been out of date, without the time in which its client stood still.
    fn age(&self, client: NodeId, wrong: &Wrong, now: Time) -> Duration {
        let until = self.paused.get(&client).copied().unwrap_or(now);
        until.since(wrong.counted)
    }

    fn stand_still(&mut self, client: NodeId, now: Time) {
        self.paused.entry(client).or_insert(now);
        self.oldest.retain(|(_, of, _)| *of != client);
    }

    fn go_on(&mut self, client: NodeId, now: Time) {
        let Some(paused) = self.paused.remove(&client) else { return };
        let range = (client, NodeId(0))..=(client, NodeId(u32::MAX));
        for (&(_, instance), wrong) in self.wrong.range_mut(range) {
            let came_meanwhile = wrong.counted >= paused;
            wrong.counted = if came_meanwhile { now } else { wrong.counted + now.since(paused) };
            self.oldest.insert((wrong.counted, client, instance));
        }
    }
}

fn is_client(cast: &Cast, node: NodeId) -> bool {
    match cast.role(node) {
        Role::Client(_) => true,
        Role::Member | Role::Instance(..) | Role::Aide => false,
    }
}
