//! Key movement: when instances come or go, only those keys move to another that have to, and few besides.

use std::collections::BTreeMap;
use std::sync::Arc;

use schism_core::{Duration, Fault, NodeId, Ratio, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// How many may move besides.
    pub struct Config {
        at_most: Ratio = Ratio::new(5, 100), "at-most", Share, "The share of the keys that may move without need after a change";
        settled: Duration = Duration::from_secs(2), "settled", Time, "For how long a client's list must have named the same instances before its keys are looked at";
        over: Duration = Duration::from_secs(10), "over", Time, "Over how much time after a change keys are looked at";
        floor: u64 = 100, "floor", Count(1, 1_000_000_000), "With fewer keys than this that were sent both before and after, a change says nothing";
    }
}

/// Remembers where each client sent each key while its list was settled, and compares once it is settled again with other
/// instances on it.
#[derive(Clone)]
pub struct KeyMovement {
    config: Config,
    /// By node.
    clients: Vec<Client>,
    changes: Vec<Change>,
    /// Whether any request had a key that others may have, too.
    has_keys: bool,
    /// Changes that said something.
    judged: u64,
    /// The largest share of keys that moved without need.
    worst: f64,
}

/// Instances, by number.
type List = Arc<[NodeId]>;

/// What is known of one client in its present life.
#[derive(Clone, Default)]
struct Client {
    /// Since when its list has named the same instances.
    since: Time,
    /// Whether what follows is of that list, and not of a settled one before it.
    is_of_now: bool,
    list: List,
    /// By key: whom it was sent to last with that list.
    places: BTreeMap<u64, NodeId>,
    /// The same with the settled list before, less the keys that have come again since.
    before: BTreeMap<u64, NodeId>,
    /// The number of the change from that list to this one.
    change: Option<usize>,
}

/// From one list to another, of all clients of a group for which it is the same.
#[derive(Clone)]
struct Change {
    group: u16,
    before: List,
    after: List,
    /// When it is judged.
    due: Time,
    is_judged: bool,
    /// Keys that came before and after, of each client its own.
    seen: u64,
    /// Those among them that had been sent to who has gone.
    freed: u64,
    /// Those that moved though neither the old instance has gone nor the new one come.
    needless: u64,
    /// Those that moved from one that stays to one that has come.
    drawn: u64,
    example: Option<Move>,
}

/// One key that moved though its old instance stays.
#[derive(Clone, Copy)]
struct Move {
    by: NodeId,
    key: u64,
    from: NodeId,
    to: NodeId,
    /// Whether the new instance had been there before.
    is_needless: bool,
}

impl Oracle for KeyMovement {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Attempts, Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::SharedKeys];

    fn new(config: &Config, cast: &Cast) -> Self {
        KeyMovement {
            config: config.clone(),
            clients: vec![Client::default(); cast.nodes()],
            changes: Vec::new(),
            has_keys: false,
            judged: 0,
            worst: 0.0,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let Role::Client(group) = moment.record.cast.role(by) else { return None };
        let now = moment.scene.now();
        if let Observation::Attempt { to, key, .. } = seen {
            if let Some(key) = *key {
                self.has_keys = true;
                if now >= moment.record.plan.warmup {
                    self.on_key(now, moment.record, (by, group), key.into(), *to);
                }
            }
        } else if let Observation::View(_) | Observation::Believes { .. } | Observation::Blind(_) = seen
            && !moment.record.opinions.changes().is_empty()
        {
            let client = &mut self.clients[by.index()];
            (client.since, client.is_of_now) = (now, false);
        }
        None
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.clients[node.index()] = Client { since: moment.scene.now(), ..Client::default() };
        }
        None
    }

    fn due(&self) -> Option<Time> {
        self.changes.iter().filter(|change| !change.is_judged).map(|change| change.due).min()
    }

    /// The time after a change is over.
    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        let mut found = None;
        for change in self.changes.iter_mut().filter(|change| !change.is_judged && change.due <= at) {
            change.is_judged = true;
            if change.seen < self.config.floor {
                continue;
            }
            self.judged += 1;
            self.worst = self.worst.max(change.share());
            if change.is_beyond(self.config.at_most) {
                found = found.or_else(|| Some(change.sighting(record)));
            }
        }
        found
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        let unkeyed = || "no request had a key that others have, too".to_owned();
        let few = || {
            format!(
                "no change of a client's list had {} keys that were sent both before and after it",
                self.config.floor
            )
        };
        told.without_attempts()
            .or_else(|| (!self.has_keys).then(unkeyed))
            .or_else(|| (self.judged == 0).then(few))
    }

    fn instead(&self, told: &Told<'_>) -> String {
        let Self { judged, worst, .. } = self;
        let most =
            || format!("after {judged} changes at most {:.1}% of the keys moved without need", worst * 100.0);
        self.untested(told).unwrap_or_else(most)
    }
}

impl KeyMovement {
    /// A client sends a key to an instance.
    fn on_key(&mut self, now: Time, record: &Record, (by, group): (NodeId, u16), key: u64, to: NodeId) {
        let client = &mut self.clients[by.index()];
        if now.since(client.since) < self.config.settled {
            return;
        }
        if !client.is_of_now {
            client.is_of_now = true;
            let list = list(record, by);
            if list != client.list {
                let before = std::mem::replace(&mut client.list, list.clone());
                client.before = std::mem::take(&mut client.places);
                let due = now + self.config.over;
                client.change = (!before.is_empty() && !list.is_empty())
                    .then(|| number(&mut self.changes, group, before, list, due));
            }
        }
        client.places.insert(key, to);
        if let Some(from) = client.before.remove(&key)
            && let Some(change) = client.change.map(|number| &mut self.changes[number])
            && !change.is_judged
        {
            change.count(by, key, from, to);
        }
    }
}

/// Whom a client believes to be up.
fn list(record: &Record, client: NodeId) -> List {
    let instances = record.cast.services().iter().flat_map(|nodes| nodes.iter().copied());
    let is_up = |node: &NodeId| {
        let (service, place) = record.cast.place(*node);
        record.opinions.of(client, service, place) == Some(true)
    };
    instances.filter(is_up).collect()
}

/// The number of a change that is not over: a new one, unless another client of the group has begun it.
fn number(changes: &mut Vec<Change>, group: u16, before: List, after: List, due: Time) -> usize {
    let is_same = |change: &Change| {
        !change.is_judged && change.group == group && change.before == before && change.after == after
    };
    changes.iter().position(is_same).unwrap_or_else(|| {
        let (seen, freed, needless, drawn) = (0, 0, 0, 0);
        let (is_judged, example) = (false, None);
        changes.push(Change { group, before, after, due, is_judged, seen, freed, needless, drawn, example });
        changes.len() - 1
    })
}

impl Change {
    /// A key that had been sent to one instance is sent to another, or to the same.
    fn count(&mut self, by: NodeId, key: u64, from: NodeId, to: NodeId) {
        self.seen += 1;
        let stays = |node: NodeId| self.before.contains(&node) && self.after.contains(&node);
        if !self.after.contains(&from) {
            self.freed += 1;
        } else if from != to {
            let is_needless = stays(to);
            self.needless += u64::from(is_needless);
            self.drawn += u64::from(!is_needless);
            if self.example.is_none_or(|example| is_needless && !example.is_needless) {
                self.example = Some(Move { by, key, from, to, is_needless });
            }
        }
    }

    /// How many keys moved without need, times the length of the list now: those between instances that stay, and what
    /// those that have come drew beyond their share.
    fn excess(&self) -> u64 {
        let size = self.after.len() as u64;
        let come = self.after.iter().filter(|node| !self.before.contains(node)).count() as u64;
        let fair = come * (self.seen - self.freed);
        self.needless * size + (self.drawn * size).saturating_sub(fair)
    }

    fn share(&self) -> f64 {
        self.excess() as f64 / (self.seen * self.after.len() as u64) as f64
    }

    fn is_beyond(&self, at_most: Ratio) -> bool {
        let all = self.seen * self.after.len() as u64;
        u128::from(self.excess()) * u128::from(at_most.denominator())
            > u128::from(all) * u128::from(at_most.numerator())
    }

    fn sighting(&self, record: &Record) -> Sighting {
        let Move { by, key, from, to, is_needless } =
            self.example.expect("what is more than none has an example");
        let name = |node| record.name(node);
        let not_in = |list: &List, other: &List| -> Vec<NodeId> {
            list.iter().copied().filter(|node| !other.contains(node)).collect()
        };
        let parts =
            [(not_in(&self.before, &self.after), "left"), (not_in(&self.after, &self.before), "joined")];
        let told = |(nodes, verb): &(Vec<NodeId>, &str)| {
            Some(match nodes[..] {
                [] => return None,
                [one] => format!("{} {verb}", name(one)),
                [one, ..] => format!("{} and {} more {verb}", name(one), nodes.len() - 1),
            })
        };
        let what: Vec<String> = parts.iter().filter_map(told).collect();
        let both = if is_needless { "and both stayed" } else { "which got more than its share" };
        let why = format!(
            "after {} a list of {}, {:.1}% of {} keys of clients such as {} moved without need: key {key} from {} to {}, {both}",
            what.join(" and "),
            self.before.len(),
            self.share() * 100.0,
            self.seen,
            name(by),
            name(from),
            name(to),
        );
        Sighting::of(why, [by, from, to])
    }
}
