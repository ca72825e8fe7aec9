//! Views agree: every observer that holds a list of a service believes the same instances to be up.

use schism_core::{Fault, NodeId, Time};

use super::{Cast, Change, Moment, Opinion, Oracle, Shown, Sighting};
use crate::listing::ServiceId;
use crate::observation::Observation;

/// Counts, for each service, who holds a list and how many believe in each instance. They agree when each instance is
/// believed up by all of them or by none.
#[derive(Clone)]
pub struct ViewsAgree {
    services: Vec<Tally>,
    /// Services of which lists are held that differ.
    differing: u32,
    /// Lists held.
    held: u64,
    since: Option<Time>,
}

#[derive(Clone)]
struct Tally {
    /// Observers that hold a list.
    holders: u32,
    /// By place: how many of them believe the instance to be up.
    believers: Vec<u32>,
    /// By that number: how many instances have so many believers.
    instances: Vec<u32>,
}

impl Oracle for ViewsAgree {
    const SHOWN: Shown = Shown::Beliefs;

    fn new(cast: &Cast) -> Self {
        let tally = |nodes: &std::sync::Arc<[NodeId]>| {
            let mut instances = vec![0; cast.observers() + 1];
            instances[0] = nodes.len() as u32;
            Tally { holders: 0, believers: vec![0; nodes.len()], instances }
        };
        ViewsAgree {
            services: cast.services().iter().map(tally).collect(),
            differing: 0,
            held: 0,
            since: None,
        }
    }

    /// One observer alone agrees with itself; it takes two for it to be seen.
    fn observe(&mut self, moment: &Moment<'_>, _: NodeId, _: &Observation) -> Option<Sighting> {
        self.follow(moment.scene.now(), moment.record.opinions.changes());
        (self.since.is_some() && self.held > 1)
            .then(|| Sighting::of(format!("all {} lists that were held agreed", self.held), []))
    }

    fn on_fault(&mut self, moment: &Moment<'_>, _: &Fault) -> Option<Sighting> {
        self.follow(moment.scene.now(), moment.record.opinions.changes());
        None
    }
}

impl ViewsAgree {
    /// Opinions have changed.
    pub fn follow(&mut self, now: Time, changes: &[Change]) {
        changes.iter().for_each(|change| self.count(change));
        self.since = match self.differing {
            0 if self.held > 0 => self.since.or(Some(now)),
            _ => None,
        };
    }

    /// Since when all views have agreed, if they do and there are any.
    pub fn since(&self) -> Option<Time> {
        self.since
    }

    fn count(&mut self, change: &Change) {
        match *change {
            Change::Takes(_, service) => {
                self.held += 1;
                self.recount(service, |tally| tally.holders += 1);
            }
            Change::Drops(_, service) => {
                self.held -= 1;
                self.recount(service, |tally| tally.holders -= 1);
            }
            Change::Turns { service, place, from, to, .. } => {
                match (from == Opinion::Up, to == Opinion::Up) {
                    (false, true) => self
                        .recount(service, |tally| tally.move_to(place, tally.believers[place as usize] + 1)),
                    (true, false) => self
                        .recount(service, |tally| tally.move_to(place, tally.believers[place as usize] - 1)),
                    (true, true) | (false, false) => {}
                }
            }
        }
    }

    fn recount(&mut self, service: ServiceId, change: impl FnOnce(&mut Tally)) {
        let tally = &mut self.services[service.0 as usize];
        let differed = !tally.agrees();
        change(tally);
        let differs = !tally.agrees();
        self.differing = self.differing + u32::from(differs) - u32::from(differed);
    }
}

impl Tally {
    fn agrees(&self) -> bool {
        let unanimous = self.instances[0] + self.instances[self.holders as usize];
        self.holders == 0 || unanimous as usize == self.believers.len()
    }

    fn move_to(&mut self, place: u32, count: u32) {
        let before = std::mem::replace(&mut self.believers[place as usize], count);
        self.instances[before as usize] -= 1;
        self.instances[count as usize] += 1;
    }
}
