//! The plan: which faults there are, when each begins and is healed, and what of that is known before the run.

use schism_core::{Duration, Luck, NodeSet, Seed, Time, ZoneId};

use super::aim::{Base, Target};
use super::{Fault, Lasting, Nature};

/// One fault of the plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The name that expectations, phases and the report use.
    pub id: String,
    /// When it begins.
    pub start: Start,
    /// When it is healed.
    pub end: End,
    /// What it is.
    pub fault: Fault,
    /// Whether a run in which it touched nothing is vacuous.
    pub on_miss: OnMiss,
    /// Whether it may be in vain beside another fault.
    pub on_overlap: OnOverlap,
}

/// What it means if a fault is certain to find everything it would do done already by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnOverlap {
    /// The scenario is refused.
    Refused,
    /// Fine: `may-overlap = true`.
    Fine,
}

/// What it means if a fault touched nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnMiss {
    /// The run says nothing: it is vacuous.
    Vacuous,
    /// Fine: `may-miss = true`.
    Fine,
}

/// When a fault begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At this moment.
    At(Time),
    /// At a moment drawn uniformly between these two, from the fault's own luck.
    Between(Time, Time),
    /// When something happens for the first time, and then a while.
    When(Trigger, Wait),
}

/// What a fault can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// Another fault of the plan begins.
    Begins(usize),
    /// Another fault of the plan has healed.
    Heals(usize),
    /// Another member leads than before.
    LeaderChanges,
    /// A lease has expired.
    LeaseExpires,
    /// A metric has crossed a line: which, by its number in the scenario.
    Crosses(usize),
}

/// How long to wait: a time drawn uniformly between these two, from the fault's own luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// At least.
    pub least: Duration,
    /// At most.
    pub most: Duration,
}

/// When a fault is healed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// This long after it began.
    After(Duration),
    /// At this moment.
    At(Time),
    /// Not in this run.
    Never,
}

impl Planned {
    /// When it begins with this seed, if that is known before the run.
    pub fn starts(&self, seed: Seed) -> Option<Time> {
        match self.start {
            Start::At(at) => Some(at),
            Start::Between(from, to) => Some(from + self.between(seed, Duration::ZERO, to.since(from))),
            Start::When(..) => None,
        }
    }

    /// What it is with this seed: of `one-of`, the alternative that is chosen.
    pub fn chosen(&self, seed: Seed) -> &Fault {
        if let Fault::OneOf(one) = &self.fault {
            one.choose(self.luck(seed, super::one_of::CHOICE, 0))
        } else {
            &self.fault
        }
    }

    /// Whether it is never healed, whenever it begins.
    pub fn is_lasting(&self) -> bool {
        self.fault.lasting() == Lasting::Span && self.end == End::Never && !self.ends_itself()
    }

    /// Whether it is healed when it is done, and by nothing else.
    pub fn ends_itself(&self) -> bool {
        self.end == End::Never && self.fault.ends_itself()
    }

    /// Whether it lasts no time at all, whenever it begins: then it is none.
    pub fn lasts_no_time(&self) -> bool {
        let at_once = match (self.end, self.start) {
            (End::After(lasts), _) => lasts == Duration::ZERO,
            (End::At(until), Start::At(at)) => until == at,
            (End::At(_), Start::Between(..) | Start::When(..)) | (End::Never, _) => false,
        };
        at_once && self.fault.lasting() == Lasting::Span
    }

    /// How long it waits once it has heard what it waits for.
    pub(super) fn wait(&self, seed: Seed, Wait { least, most }: Wait) -> Duration {
        self.between(seed, least, most)
    }

    fn between(&self, seed: Seed, least: Duration, most: Duration) -> Duration {
        let share = self.luck(seed, "start", 0).draw().unit();
        least + Duration::from_secs_f64(most.saturating_sub(least).as_secs_f64() * share)
    }

    /// When its end comes, had it begun at a moment. Its heal begins then, and may take a while.
    pub(super) fn ends(&self, began: Time) -> Option<Time> {
        match (self.fault.lasting(), self.end) {
            (Lasting::Moment, _) => Some(began),
            (Lasting::Span, End::After(lasts)) => Some(began + lasts),
            (Lasting::Span, End::At(at)) => Some(at.max(began)),
            (Lasting::Span, End::Never) => None,
        }
    }

    /// The fault's own luck: nobody else draws from it, so that taking the fault away changes nothing else.
    pub(super) fn luck(&self, seed: Seed, purpose: &'static str, turn: u32) -> Luck {
        seed.luck(&format!("fault {}", self.id), purpose, turn)
    }
}

/// The nodes that wait for a fault of the plan to launch them.
pub(super) fn unborn<'p>(plan: impl Iterator<Item = &'p Planned>) -> NodeSet {
    plan.flat_map(|planned| planned.fault.spares()).copied().collect()
}

/// How many nodes each zone has from the start.
struct Population(Vec<usize>);

impl Population {
    /// `zones` has the zone of every node, by number.
    fn of<'p>(plan: impl Iterator<Item = &'p Planned>, zones: &[ZoneId]) -> Population {
        let count = zones.iter().map(|zone| usize::from(zone.0) + 1).max().unwrap_or(0);
        let mut nodes = vec![0; count];
        zones.iter().for_each(|zone| nodes[usize::from(zone.0)] += 1);
        unborn(plan).iter().for_each(|node| nodes[usize::from(zones[node.index()].0)] -= 1);
        Population(nodes)
    }

    /// How many nodes a target means; nobody can say that of the rest.
    fn meant(&self, target: &Target) -> usize {
        match &target.base {
            Base::Node(_) => 1,
            Base::Group(nodes) => nodes.len(),
            Base::Zone(zone) => self.0.get(usize::from(zone.0)).copied().unwrap_or(0),
            Base::Rest => 0,
        }
    }

    /// By how much the heal of a fault outlasts its end. What is nothing has nothing to heal.
    fn heal_takes(&self, fault: &Fault) -> Duration {
        if fault.is_nothing() {
            return Duration::ZERO;
        }
        fault.heal_takes(fault.sides().into_iter().flatten().map(|target| self.meant(target)).sum())
    }
}

/// When a fault begins and when it is healed with one seed, as far as that is known before the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// When what it waits for happens; where it waits for nothing, when it begins.
    pub heard: Option<Time>,
    /// When it begins.
    pub from: Option<Time>,
    /// When it has healed; of a fault whose beginning is known, never if `None`.
    pub to: Option<Time>,
}

/// The span of each fault of a plan with this seed. One that waits for another follows from that one's. `zones` has the
/// zone of every node, by number.
pub fn spans(plan: &[Planned], zones: &[ZoneId], seed: Seed) -> Vec<Span> {
    let population = Population::of(plan.iter(), zones);
    let heals = |planned: &Planned, from| match planned.ends(from)? {
        // A fault of no time is none, and has nothing to heal.
        end if end == from => Some(end),
        end => Some(end + population.heal_takes(planned.chosen(seed))),
    };
    let span = |planned: &Planned, heard, from| Span {
        heard: Some(heard),
        from: Some(from),
        to: heals(planned, from),
    };
    let first = |planned: &Planned| planned.starts(seed).map(|at| span(planned, at, at));
    let after = |planned: &Planned, wait, turn, other: &Span| {
        let heard = match turn {
            Turn::Begins => other.from,
            Turn::Heals => other.to,
        };
        heard.map(|at| span(planned, at, at + planned.wait(seed, wait)))
    };
    let plan: Vec<_> = plan.iter().map(Some).collect();
    unfold(&plan, first, after).into_iter().map(Option::unwrap_or_default).collect()
}

/// Two moments between which something happens, whatever the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// Not before this.
    pub earliest: Time,
    /// Not after this; if `None`, nobody can say, and perhaps never.
    pub latest: Option<Time>,
}

impl Within {
    fn later(self, least: Duration, most: Duration) -> Within {
        Within { earliest: self.earliest + least, latest: self.latest.map(|at| at + most) }
    }
}

/// Between which moments a fault begins, ends and has healed, whatever the seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// When it begins.
    pub begins: Within,
    /// When its end comes: from then on it holds nobody for certain.
    pub ends: Within,
    /// When it has healed.
    pub heals: Within,
}

impl Bounds {
    fn of(planned: &Planned, begins: Within, population: &Population) -> Bounds {
        let never = Within { earliest: Time::END, latest: None };
        let ends = match (planned.fault.lasting(), planned.end) {
            (Lasting::Moment, _) => begins,
            (Lasting::Span, End::After(lasts)) => begins.later(lasts, lasts),
            (Lasting::Span, End::At(at)) => Within {
                earliest: at.max(begins.earliest),
                latest: begins.latest.map(|latest| at.max(latest)),
            },
            // When it is done, the run shows.
            (Lasting::Span, End::Never) if planned.ends_itself() => Within { latest: None, ..begins },
            (Lasting::Span, End::Never) => never,
        };
        let takes = planned.fault.alternatives().iter().map(|fault| population.heal_takes(fault));
        let (least, most) = (takes.clone().min().unwrap_or_default(), takes.max().unwrap_or_default());
        let heals = if ends == begins || ends == never { ends } else { ends.later(least, most) };
        Bounds { begins, ends, heals }
    }
}

/// The bounds of each fault of a plan, through whatever chain of triggers it waits. `None` of a fault that is not known
/// itself, that waits for such a one, or that waits for itself in the end. `zones` has the zone of every node, by number.
pub fn bounds(plan: &[Option<&Planned>], zones: &[ZoneId]) -> Vec<Option<Bounds>> {
    let population = Population::of(plan.iter().copied().flatten(), zones);
    let first = |planned: &Planned| {
        let begins = match planned.start {
            Start::At(at) => Within { earliest: at, latest: Some(at) },
            Start::Between(from, to) => Within { earliest: from, latest: Some(to) },
            // When a leader changes, a lease expires or a metric crosses a line is for the run to show.
            Start::When(_, wait) => Within { earliest: Time::START + wait.least, latest: None },
        };
        Some(Bounds::of(planned, begins, &population))
    };
    let after = |planned: &Planned, wait: Wait, turn, other: &Bounds| {
        let heard = match turn {
            Turn::Begins => other.begins,
            Turn::Heals => other.heals,
        };
        // What never happens is waited for in vain: nothing else is to be said of it.
        (heard.earliest < Time::END)
            .then(|| Bounds::of(planned, heard.later(wait.least, wait.most), &population))
    };
    unfold(plan, first, after)
}

/// What of another fault is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Begins,
    Heals,
}

impl Start {
    /// Which other fault of the plan it waits for, and for how long after that.
    fn other(self) -> Option<(usize, Turn, Wait)> {
        match self {
            Start::When(Trigger::Begins(other), wait) => Some((other, Turn::Begins, wait)),
            Start::When(Trigger::Heals(other), wait) => Some((other, Turn::Heals, wait)),
            Start::When(Trigger::LeaderChanges | Trigger::LeaseExpires | Trigger::Crosses(_), _)
            | Start::At(_)
            | Start::Between(..) => None,
        }
    }
}

/// What is known of each fault: `first` tells it of one that waits for no other, `after` of one that does, from what is
/// known of that. Every fault is looked at once.
fn unfold<T: Copy>(
    plan: &[Option<&Planned>],
    first: impl Fn(&Planned) -> Option<T>,
    after: impl Fn(&Planned, Wait, Turn, &T) -> Option<T>,
) -> Vec<Option<T>> {
    let mut known: Vec<Option<T>> = vec![None; plan.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); plan.len()];
    let mut ready = Vec::new();
    for (fault, planned) in plan.iter().enumerate() {
        let Some(planned) = planned else { continue };
        match planned.start.other() {
            Some((other, ..)) => followers[other].push(fault),
            None => ready.extend(first(planned).map(|of| (fault, of))),
        }
    }
    while let Some((fault, of)) = ready.pop() {
        known[fault] = Some(of);
        for &follower in &followers[fault] {
            let planned = plan[follower].expect("only a known fault waits");
            let (_, turn, wait) = planned.start.other().expect("it waits for another");
            ready.extend(after(planned, wait, turn, &of).map(|of| (follower, of)));
        }
    }
    known
}
