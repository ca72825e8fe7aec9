//! No leak: after the last heal, requests in flight come down again to what they were before the first fault.

use schism_core::{Duration, Fault, NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Standing, Told};
use crate::observation::Observation;
use crate::options::options;

options! {
    /// How soon they must.
    pub struct Config {
        within: Duration = Duration::from_secs(30), "within", Time, "How soon after all has healed each client group must once have had no more in flight than before";
    }
}

/// Counts the requests of each client group that are in flight. They go up and down; what leaks never ends, so it is
/// their lowest number that tells. Before the first fault that is the highest of the lowest of each second.
#[derive(Clone)]
pub struct NoLeak {
    within: Duration,
    /// By client group.
    groups: Vec<Flight>,
    /// By node: requests in flight of this life, for they end with it.
    open: Vec<u32>,
    stage: Stage,
    /// Whole seconds before the first fault.
    seconds: u32,
    is_judged: bool,
}

/// Requests in flight of one client group.
#[derive(Clone, Copy, Default)]
struct Flight {
    open: u64,
    /// The lowest of this second, or since all has healed.
    lowest: u64,
    /// The highest of the lowest of each second before the first fault.
    usual: u64,
    /// Since when it has been as low as before, after the last heal.
    back: Option<Time>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// No fault has begun, and this second did then.
    Before(Time),
    /// Something is wrong.
    Struck,
    /// All has healed.
    Healed(Time),
    /// The time that was allowed after that is over.
    Judged,
}

const SECOND: Duration = Duration::from_secs(1);

/// How many clients are named.
const MOST_NAMED: usize = 3;

impl Oracle for NoLeak {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Requests];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Clients];

    fn new(config: &Config, cast: &Cast) -> Self {
        let groups = (0..cast.nodes() as u32).filter_map(|node| group(cast, NodeId(node)));
        NoLeak {
            within: config.within,
            groups: vec![Flight::default(); groups.max().map_or(0, |last| last + 1)],
            open: vec![0; cast.nodes()],
            stage: Stage::Before(Time::START),
            seconds: 0,
            is_judged: false,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let group = group(&moment.record.cast, by)?;
        if let Observation::Offered = seen {
            self.groups[group].open += 1;
            self.open[by.index()] += 1;
        } else if let Observation::Done { .. } = seen {
            self.open[by.index()] -= 1;
            self.end(moment.scene.now(), group, 1);
        }
        None
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault
            && let Some(group) = group(&moment.record.cast, *node)
        {
            let open = std::mem::take(&mut self.open[node.index()]);
            self.end(moment.scene.now(), group, open.into());
        }
        None
    }

    fn on_plan(&mut self, now: Time, record: &Record) {
        self.stage = Stage::Struck;
        if record.plan.over_since() == Some(now) {
            self.stage = Stage::Healed(now);
            for flight in &mut self.groups {
                flight.lowest = flight.open;
                flight.back = (flight.open <= flight.usual).then_some(now);
            }
        }
    }

    fn due(&self) -> Option<Time> {
        match self.stage {
            Stage::Before(second) => Some(second + SECOND),
            Stage::Healed(at) => Some(at + self.within),
            Stage::Struck | Stage::Judged => None,
        }
    }

    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        match self.stage {
            Stage::Before(second) => {
                if second >= record.plan.warmup {
                    self.seconds += 1;
                    self.groups.iter_mut().for_each(|flight| flight.usual = flight.usual.max(flight.lowest));
                }
                self.groups.iter_mut().for_each(|flight| flight.lowest = flight.open);
                self.stage = Stage::Before(at);
                None
            }
            Stage::Healed(healed) => {
                self.stage = Stage::Judged;
                self.is_judged = true;
                let leaks = |flight: &Flight| self.seconds > 0 && flight.lowest > flight.usual;
                let group = self.groups.iter().position(leaks)?;
                let Flight { lowest, usual, .. } = self.groups[group];
                let (holders, within) = (self.holders(record, group), self.within);
                let first = record.name(*holders.first()?);
                let why = format!(
                    "clients such as {first} never had fewer than {lowest} requests in flight in the {within} after all had healed at {healed}; before the first fault they came down to {usual} in every second"
                );
                Some(Sighting::of(why, holders))
            }
            Stage::Struck | Stage::Judged => None,
        }
    }

    fn standing(&self, record: &Record) -> Standing {
        let Some(group) = self.groups.iter().position(|flight| flight.back.is_none()) else {
            let since = self.groups.iter().filter_map(|flight| flight.back).max().unwrap_or(Time::START);
            return Standing::Holds { since, what: "the requests in flight were as few as before" };
        };
        let Flight { open, usual, .. } = self.groups[group];
        let holders = self.holders(record, group);
        let first = holders.first().map_or("nobody", |first| record.name(*first));
        let why = format!("clients such as {first} had {open} requests in flight where {usual} were usual,");
        Standing::Broken(Sighting::of(why, holders))
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        let short = || "there was no whole second before the first fault".to_owned();
        let early = || format!("nothing was ever right for {} after a heal", self.within);
        told.without_a_before()
            .or_else(|| (self.seconds == 0).then(short))
            .or_else(|| (!self.is_judged).then(early))
    }

    fn instead(&self, _: &Told<'_>) -> String {
        "every client group had as few requests in flight again as before the first fault".to_owned()
    }
}

impl NoLeak {
    /// So many requests of a client group have ended.
    fn end(&mut self, now: Time, group: usize, many: u64) {
        let flight = &mut self.groups[group];
        flight.open -= many;
        flight.lowest = flight.lowest.min(flight.open);
        if flight.open <= flight.usual {
            flight.back.get_or_insert(now);
        }
    }

    /// The clients of a group with the most in flight.
    fn holders(&self, record: &Record, of: usize) -> Vec<NodeId> {
        let nodes = (0..record.cast.nodes() as u32).map(NodeId);
        let mut holders: Vec<NodeId> = nodes.filter(|node| group(&record.cast, *node) == Some(of)).collect();
        holders.sort_by_key(|node| (std::cmp::Reverse(self.open[node.index()]), *node));
        holders.truncate(MOST_NAMED);
        holders
    }
}

fn group(cast: &Cast, node: NodeId) -> Option<usize> {
    match cast.role(node) {
        Role::Client(group) => Some(group.into()),
        Role::Member | Role::Instance(..) | Role::Aide => None,
    }
}
