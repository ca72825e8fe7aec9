//! No leak: after the last heal, what is held comes down again to what it was before the first fault.

mod level;

use std::cmp::Reverse;

use schism_core::{Duration, Fault, NodeId, Ratio, Time};

use self::level::Level;
use super::{Cast, Moment, Mood, Need, Oracle, Record, Role, Shown, Sighting, Standing, Told};
use crate::holdings::Holding;
use crate::observation::Observation;
use crate::options::options;

options! {
    /// How soon it must, and of what.
    pub struct Config {
        within: Duration = Duration::from_secs(30), "within", Time, "How soon after all has healed each group of processes must once have held no more than before";
        of: Vec<Holding> = Holding::ALL[..5].to_vec(), "of", Words(Holding::WORDS), "What is looked at";
        spare: Ratio = Ratio::new(1, 4), "spare", Share, "How much more timers and tasks than before are no leak: they come and go with the load";
    }
}

/// Counts what each group of processes holds: the registry's members, the instances of a service, the clients of a group,
/// the registry's other processes. It goes up and down; what leaks never ends, so it is the lowest number that tells.
/// Before the first fault that is the highest of the lowest of each second.
#[derive(Clone)]
pub struct NoLeak {
    config: Config,
    /// By node: the number of its group.
    group_of: Vec<usize>,
    /// By group, then by what is held.
    levels: Vec<[Level; KINDS]>,
    /// By node, then by what is held: as it was seen last. Requests are those of this life, for they end with it.
    held: Vec<[u32; KINDS]>,
    /// The same at the most before the first fault; of requests that is not known.
    usual: Vec<[u32; KINDS]>,
    stage: Stage,
    /// Whole seconds before the first fault.
    seconds: u32,
    is_judged: bool,
}

const KINDS: usize = Holding::ALL.len();

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

/// How many processes are named.
const MOST_NAMED: usize = 3;

impl Oracle for NoLeak {
    type Config = Config;

    const SHOWN: &'static [Shown] = &[Shown::Requests, Shown::Holdings];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Eventually, Mood::Breaks];
    const NEEDS: &'static [Need] = &[];

    fn new(config: &Config, cast: &Cast) -> Self {
        let mut roles: Vec<Role> = Vec::new();
        let mut number = |node: u32| {
            let role = group(cast.role(NodeId(node)));
            roles.iter().position(|other| *other == role).unwrap_or_else(|| {
                roles.push(role);
                roles.len() - 1
            })
        };
        let group_of: Vec<usize> = (0..cast.nodes() as u32).map(&mut number).collect();
        NoLeak {
            config: config.clone(),
            group_of,
            levels: vec![levels(); roles.len()],
            held: vec![[0; KINDS]; cast.nodes()],
            usual: vec![[0; KINDS]; cast.nodes()],
            stage: Stage::Before(Time::START),
            seconds: 0,
            is_judged: false,
        }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        let now = moment.scene.now();
        let group = self.group_of[by.index()];
        let requests = Holding::Requests as usize;
        if let Observation::Holds { what, many } = *seen {
            self.held[by.index()][what as usize] = many;
            if moment.record.plan.is_before(now) {
                let usual = &mut self.usual[by.index()][what as usize];
                *usual = many.max(*usual);
            }
            self.levels[group][what as usize].add_up(now, many.into());
        } else if let (Observation::Offered, Role::Client(_)) = (seen, moment.record.cast.role(by)) {
            self.levels[group][requests].rise();
            self.held[by.index()][requests] += 1;
        } else if let (Observation::Done { .. }, Role::Client(_)) = (seen, moment.record.cast.role(by)) {
            self.held[by.index()][requests] -= 1;
            self.levels[group][requests].fall(now, 1);
        }
        None
    }

    fn on_fault(&mut self, moment: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            let held = std::mem::take(&mut self.held[node.index()]);
            let requests = held[Holding::Requests as usize];
            let level = &mut self.levels[self.group_of[node.index()]][Holding::Requests as usize];
            level.fall(moment.scene.now(), requests.into());
        }
        None
    }

    fn on_plan(&mut self, now: Time, record: &Record) {
        // What was looked at in the second that has begun was looked at before the fault.
        if let Stage::Before(second) = self.stage {
            let counts = second >= record.plan.warmup;
            let counted = self.levels.iter_mut().flatten().filter(|level| !level.is_followed);
            counted.for_each(|level| level.second_ends(counts));
            for what in [Holding::Timers, Holding::Tasks] {
                self.levels.iter_mut().for_each(|kinds| kinds[what as usize].spare(self.config.spare));
            }
        }
        self.stage = Stage::Struck;
        if record.plan.over_since() == Some(now) {
            self.stage = Stage::Healed(now);
            self.levels.iter_mut().flatten().for_each(|level| level.heal(now));
        }
    }

    fn due(&self) -> Option<Time> {
        match self.stage {
            Stage::Before(second) => Some(second + SECOND),
            Stage::Healed(at) => Some(at + self.config.within),
            Stage::Struck | Stage::Judged => None,
        }
    }

    fn on_due(&mut self, at: Time, record: &Record) -> Option<Sighting> {
        match self.stage {
            Stage::Before(second) => {
                self.seconds += u32::from(second >= record.plan.warmup);
                let counts = second >= record.plan.warmup;
                self.levels.iter_mut().flatten().for_each(|level| level.second_ends(counts));
                self.stage = Stage::Before(at);
                None
            }
            Stage::Healed(healed) => {
                self.stage = Stage::Judged;
                self.is_judged = true;
                self.levels.iter_mut().flatten().for_each(Level::settle);
                let (group, what) = self.find(|level| self.seconds > 0 && level.leaks())?;
                Some(self.sighting(record, healed, group, what))
            }
            Stage::Struck | Stage::Judged => None,
        }
    }

    fn standing(&self, record: &Record) -> Standing {
        let mut settled = self.clone();
        settled.levels.iter_mut().flatten().for_each(Level::settle);
        let Some((group, what)) = settled.find(Level::is_high) else {
            let asked = |kinds: &[Level; KINDS]| {
                self.config.of.iter().filter_map(|what| kinds[*what as usize].back).max()
            };
            let since = settled.levels.iter().filter_map(asked).max().unwrap_or(Time::START);
            return Standing::Holds { since, what: "what was held was as little as before" };
        };
        let Level { now, usual, .. } = settled.levels[group][what as usize];
        let holders = self.holders(group, what);
        let who = self.such_as(record, &holders);
        let why = format!("{who} had {now} {} where {usual} were usual,", noun(what));
        Standing::Broken(Sighting::of(why, holders))
    }

    fn untested(&self, told: &Told<'_>) -> Option<String> {
        let short = || "there was no whole second before the first fault".to_owned();
        let early = || format!("nothing was ever right for {} after a heal", self.config.within);
        told.without_a_before()
            .or_else(|| (self.seconds == 0).then(short))
            .or_else(|| (!self.is_judged).then(early))
    }

    fn instead(&self, _: &Told<'_>) -> String {
        "every group of processes held as little again as before the first fault".to_owned()
    }
}

impl NoLeak {
    /// The first group and what it holds, among what is looked at, of which this is so.
    fn find(&self, is: impl Fn(&Level) -> bool) -> Option<(usize, Holding)> {
        let all =
            (0..self.levels.len()).flat_map(|group| self.config.of.iter().map(move |what| (group, *what)));
        all.into_iter().find(|&(group, what)| is(&self.levels[group][what as usize]))
    }

    fn sighting(&self, record: &Record, healed: Time, group: usize, what: Holding) -> Sighting {
        let Level { lowest, usual, limit, .. } = self.levels[group][what as usize];
        let (lowest, within) = (lowest.unwrap_or_default(), self.config.within);
        let holders = self.holders(group, what);
        let who = self.such_as(record, &holders);
        let before = match what {
            Holding::Requests => format!("before the first fault they came down to {usual} in every second"),
            Holding::Timers
            | Holding::Tasks
            | Holding::Watches
            | Holding::Sessions
            | Holding::Connections => {
                format!("before the first fault they had at most {usual}, and up to {limit} would do")
            }
        };
        let why = format!(
            "{who} never had fewer than {lowest} {} in the {within} after all had healed at {healed}; {before}",
            noun(what)
        );
        Sighting::of(why, holders)
    }

    /// Those of a group that hold the most, beyond what is usual for each.
    fn holders(&self, of: usize, what: Holding) -> Vec<NodeId> {
        let mut holders: Vec<NodeId> = (0..)
            .map(NodeId)
            .zip(&self.group_of)
            .filter(|(_, group)| **group == of)
            .map(|(node, _)| node)
            .collect();
        let beyond = |node: &NodeId| {
            let (held, usual) = (self.held[node.index()], self.usual[node.index()]);
            i64::from(held[what as usize]) - i64::from(usual[what as usize])
        };
        holders.sort_by_key(|node| (Reverse(beyond(node)), *node));
        holders.truncate(MOST_NAMED);
        holders
    }

    fn such_as(&self, record: &Record, holders: &[NodeId]) -> String {
        let first = *holders.first().expect("a group has a process");
        let kind = match record.cast.role(first) {
            Role::Member => "registry members",
            Role::Instance(..) => "instances",
            Role::Client(_) => "clients",
            Role::Aide => "processes of the registry's",
        };
        format!("{kind} such as {}", record.name(first))
    }
}

/// Those of a group of which nothing is known yet.
fn levels() -> [Level; KINDS] {
    let mut levels = [Level::default(); KINDS];
    levels[Holding::Requests as usize] = Level::followed();
    levels
}

/// What stands for all processes of a group.
fn group(role: Role) -> Role {
    match role {
        Role::Instance(service, _) => Role::Instance(service, 0),
        Role::Member | Role::Client(_) | Role::Aide => role,
    }
}

fn noun(what: Holding) -> &'static str {
    match what {
        Holding::Requests => "requests in flight",
        Holding::Timers => "timers set",
        Holding::Tasks => "tasks that waited",
        Holding::Watches => "watches",
        Holding::Sessions => "sessions",
        Holding::Connections => "connections of their own",
    }
}
