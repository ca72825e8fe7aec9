//! Views agree: every observer that holds a list of a service believes the same instances to be up.

use schism_core::{NodeId, Time};

use super::{Cast, Change, Moment, Mood, Need, Opinion, Oracle, Record, Shown, Sighting, Standing, Told};
use crate::listing::ServiceId;
use crate::observation::Observation;
use crate::options::Nothing;

/// How many of those who differ are named.
const MOST_NAMED: usize = 3;

/// Sees the first time that at least two lists were held and all agreed.
#[derive(Clone)]
pub struct ViewsAgree;

impl Oracle for ViewsAgree {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Eventually, Mood::Sometimes];
    const NEEDS: &'static [Need] = &[];

    fn new(_: &Nothing, _: &Cast) -> Self {
        ViewsAgree
    }

    /// One observer alone agrees with itself; it takes two for it to be seen.
    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, _: &Observation) -> Option<Sighting> {
        let Agreement { since, held, .. } = &moment.record.agreement;
        (since.is_some() && *held > 1)
            .then(|| Sighting::of(format!("all {held} lists that were held agreed"), [by]))
    }

    fn standing(&self, record: &Record) -> Standing {
        match record.agreement.since() {
            Some(since) => Standing::Holds { since, what: "the views agreed" },
            None => Standing::Broken(Sighting::of("the views differed", record.agreement.odd_ones(record))),
        }
    }

    fn instead(&self, _: &Told<'_>) -> String {
        "no two observers ever held lists that agreed while all did".to_owned()
    }
}

/// Counts, for each service, who holds a list and how many believe in each instance. They agree when each instance is
/// believed up by all of them or by none.
#[derive(Clone)]
pub struct Agreement {
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

impl Agreement {
    /// Nobody holds a list.
    pub fn new(cast: &Cast) -> Agreement {
        let tally = |nodes: &std::sync::Arc<[NodeId]>| {
            let mut instances = vec![0; cast.observers() + 1];
            instances[0] = nodes.len() as u32;
            Tally { holders: 0, believers: vec![0; nodes.len()], instances }
        };
        Agreement {
            services: cast.services().iter().map(tally).collect(),
            differing: 0,
            held: 0,
            since: None,
        }
    }

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

    /// The instance that they differ on most evenly, then some of those who hold the rarer opinion of it.
    fn odd_ones(&self, record: &Record) -> Vec<NodeId> {
        let odd = self.services.iter().zip(0..).flat_map(|(tally, service)| {
            let places = tally.believers.iter().zip(0..);
            places.map(move |(&up, place)| (up.min(tally.holders - up), ServiceId(service), place))
        });
        let Some((few, service, place)) = odd.filter(|(few, ..)| *few > 0).max_by_key(|(few, ..)| *few)
        else {
            return Vec::new();
        };
        let tally = &self.services[service.0 as usize];
        let rarer = if tally.believers[place as usize] == few { Opinion::Up } else { Opinion::Down };
        let thinks_so = |&node: &NodeId| match record.opinions.of(node, service, place) {
            Some(up) => up == (rarer == Opinion::Up),
            None => false,
        };
        let nodes = (0..record.cast.nodes() as u32).map(NodeId);
        let holders = nodes.filter(thinks_so).take(MOST_NAMED);
        std::iter::once(record.cast.instance(service, place)).chain(holders).collect()
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
