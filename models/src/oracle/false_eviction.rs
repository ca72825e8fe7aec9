//! False eviction: the registry dropped instances that were alive.
//!
//! An instance is dropped falsely if the registry ceases to offer it because it has not heard of it, or because its checks
//! fail, and it is up and has been so without a break since the registry last had a sign of life of it. One that has died or
//! stood still since then is dropped for that, though it may be back by now: the registry answers late, and not wrongly.

use std::collections::BTreeMap;

use schism_core::{Duration, Fault, NodeId, Ratio, Scene, Status, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Told};
use crate::observation::{Observation, Write};
use crate::options::options;

options! {
    /// How many must be gone, and for how long.
    pub struct Config {
        share: Ratio = Ratio::ZERO, "share", Share, "Of a service's instances, this share must be gone at once though they are alive; 0%: any one";
        lasts: Option<Duration> = None, "for", TimeOr("at-once"), "For how long so many must be gone";
    }
}

/// Remembers who has been dropped and is alive, and sees the first time that they are enough for long enough.
#[derive(Clone)]
pub struct FalseEviction {
    share: Ratio,
    lasts: Option<Duration>,
    /// By service: who was dropped and is alive, and by which member's word.
    gone: Vec<BTreeMap<NodeId, NodeId>>,
    /// By service: since when they have been enough.
    since: Vec<Option<Time>>,
    /// Whether the registry ever offered an instance that had registered.
    offered: bool,
}

impl Oracle for FalseEviction {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Sometimes, Mood::Never];
    const NEEDS: &'static [Need] = &[Need::Registrations];

    fn new(config: &Config, cast: &Cast) -> Self {
        let services = cast.services().len();
        FalseEviction {
            share: config.share,
            lasts: config.lasts,
            gone: vec![BTreeMap::new(); services],
            since: vec![None; services],
            offered: false,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        self.follow(moment, by)
    }

    /// Who dies or stands still has not been dropped without cause any more.
    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) | Fault::Pause(node) = fault {
            self.forget(&moment.record.cast, *node);
            return self.follow(moment, *node).or_else(|| self.weigh(moment));
        }
        None
    }

    fn due(&self) -> Option<Time> {
        let lasts = self.lasts?;
        self.since.iter().flatten().map(|since| *since + lasts).min()
    }

    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let lasts = self.lasts?;
        let long = |since: &Option<Time>| since.is_some_and(|since| since + lasts <= at);
        let service = self.since.iter().position(long)?;
        Some(self.sighting(service, record))
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        (!self.offered)
            .then(|| "the registry never offered an instance that it could have dropped".to_owned())
    }

    fn instead(&self, told: &Told<'_>) -> String {
        let expired = told.expired;
        if self.share == Ratio::ZERO && self.lasts.is_none() {
            format!("{expired} leases expired, none of an instance that was alive")
        } else {
            format!("{expired} leases expired, never of so many instances that were alive")
        }
    }
}

impl FalseEviction {
    /// Takes up what the last observation changed. By whose word it did is kept with each that is gone.
    fn follow(&mut self, moment: &Moment<'_>, by: NodeId) -> Option<Sighting> {
        let Moment { scene, record } = moment;
        if record.register.fresh().is_empty() {
            return None;
        }
        for write in record.register.fresh() {
            if let Write::Register(node) | Write::Recover(node) = write {
                self.offered |= record.register.lists(*node);
                self.forget(&record.cast, *node);
            }
        }
        for node in record.falsely_evicted(scene) {
            let (service, _) = record.cast.place(node);
            self.gone[service.0 as usize].insert(node, by);
        }
        self.weigh(moment)
    }

    fn forget(&mut self, cast: &Cast, node: NodeId) {
        if let Role::Instance(service, _) = cast.role(node) {
            self.gone[service.0 as usize].remove(&node);
        }
    }

    /// Whether those that are gone are enough now.
    fn weigh(&mut self, Moment { scene, record }: &Moment<'_>) -> Option<Sighting> {
        for (service, gone) in self.gone.iter().enumerate() {
            let many = || {
                let listed = |node: &&NodeId| record.register.lists(**node);
                record.cast.services()[service].iter().filter(listed).count() + gone.len()
            };
            let is_enough = !gone.is_empty() && is_share(self.share, gone.len(), many());
            self.since[service] = is_enough.then(|| self.since[service].unwrap_or(scene.now()));
        }
        let service = self.since.iter().position(Option::is_some).filter(|_| self.lasts.is_none())?;
        Some(self.sighting(service, record))
    }

    fn sighting(&self, service: usize, record: &Record) -> Sighting {
        let gone = &self.gone[service];
        let (first, by) = gone.first_key_value().expect("some are gone");
        let long = self.lasts.map(|lasts| format!(" for {lasts}")).unwrap_or_default();
        let why = match gone.len() {
            1 if self.lasts.is_none() => {
                format!("the registry dropped {}, which was alive", record.name(*first))
            }
            1 => format!("{} was alive and yet dropped by the registry{long}", record.name(*first)),
            many => format!("{many} instances were alive and yet dropped by the registry{long}"),
        };
        let on = gone.keys().copied().take(MOST_NAMED).chain([*by]);
        Sighting::of(why, on.collect::<Vec<_>>())
    }
}

/// How many of those that are gone are named.
const MOST_NAMED: usize = 5;

/// Whether a part of some is at least this share of them.
fn is_share(share: Ratio, part: usize, of: usize) -> bool {
    part as u128 * u128::from(share.denominator()) >= of as u128 * u128::from(share.numerator())
}

impl Record {
    /// The instances that the registry has just ceased to offer because it had not heard of them, and that are up and have
    /// been so without a break since it last had a sign of life of them.
    pub fn falsely_evicted(&self, scene: &Scene<'_>) -> impl Iterator<Item = NodeId> {
        let alive = |node: &NodeId| {
            scene.status(*node) == Status::Up && self.steady.is(*node) && !self.is_usurped(*node)
        };
        self.register.expired().iter().copied().filter(alive)
    }
}
