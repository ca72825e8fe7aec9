//! Faults in vain: those that are certain to find nothing that another has left for them to do.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{NodeId, Time};
use schism_models::nemesis::{Base, Bounds, Condition, Fault, Grip, Nature, OnOverlap, Planned, Wants};

use super::Strike;
use super::aim::Exact;
use crate::check::cast::Cast;
use crate::diagnostics::{Problem, Report, shorten};

/// A strike that others are held against.
struct One<'a> {
    index: usize,
    fault: &'a Fault,
    nodes: &'a [NodeId],
    bounds: Bounds,
}

/// Reports each fault that would be in vain beside another, unless it may.
pub(super) fn check(
    strikes: &[Strike<'_>],
    planned: &[Option<&Planned>],
    bounds: &[Option<Bounds>],
    exact: &[Option<Exact>],
    cast: &Cast,
    report: &Report,
) {
    let changing = changing(planned);
    let all = planned.iter().zip(bounds).zip(exact).enumerate();
    let all: Vec<One<'_>> = all
        .filter_map(|(index, ((planned, bounds), exact))| {
            let (fault, nodes, bounds) = (&planned.as_ref()?.fault, exact.as_ref()?.as_ref()?, (*bounds)?);
            // What does nothing, or for no time, is as if it were not there.
            let is_there = !fault.is_nothing() && bounds.begins != bounds.heals;
            (is_there && stays(fault, &changing)).then_some(One { index, fault, nodes, bounds })
        })
        .collect();
    let mut vain: Vec<(usize, usize, String)> = held(&all, cast);
    vain.extend(cut(&all));
    vain.sort_unstable();
    for (index, by, why) in vain {
        if planned[index].is_some_and(|planned| planned.on_overlap == OnOverlap::Refused) {
            let message = format!("`{}` is in vain: {why}", shorten(&strikes[index].id));
            report.add(
                Problem::error(strikes[index].place(), message)
                    .related(strikes[by].place(), format!("because of `{}`", shorten(&strikes[by].id)))
                    .help("move one of them, or write may-overlap = true: then it touches nothing"),
            );
        }
    }
}

/// The services that faults of the plan bring instances to or take some from, each by its first instance.
fn changing(planned: &[Option<&Planned>]) -> BTreeSet<NodeId> {
    let changes = planned.iter().flatten().filter(|planned| planned.fault.wants() == Wants::Service);
    let targets = changes.flat_map(|planned| planned.fault.sides()).flatten();
    targets
        .filter_map(|target| if let Base::Group(own) = &target.base { own.first().copied() } else { None })
        .collect()
}

/// Whether the targets of a fault mean the same nodes whenever it begins.
fn stays(fault: &Fault, changing: &BTreeSet<NodeId>) -> bool {
    fault.sides().into_iter().flatten().all(|target| match &target.base {
        Base::Node(_) | Base::Rest => true,
        Base::Group(own) => own.first().is_none_or(|first| !changing.contains(first)),
        Base::Zone(_) => changing.is_empty(),
    })
}

/// A fault that certainly holds a node, or the ways between some, from one moment to another.
struct Hold {
    /// Its place in the plan: of one instant, what comes first in the plan is done first.
    index: usize,
    from: Time,
    until: Time,
}

impl Hold {
    /// From when to when it is certain; `None` if nobody can say when it begins.
    fn certain(one: &One<'_>) -> Option<Hold> {
        let Bounds { begins, ends, .. } = one.bounds;
        begins.latest.map(|from| Hold { index: one.index, from, until: ends.earliest })
    }
}

/// Faults whose targets are all held already in what leaves them nothing to do. It is enough to look at the first node of
/// each, and then at the others of the one fault that could have it: so all is done in one sweep for each grip there is.
fn held(all: &[One<'_>], cast: &Cast) -> Vec<(usize, usize, String)> {
    let asks = |one: &&One<'_>| one.fault.wants_them() != Condition::Either;
    let firsts: BTreeSet<NodeId> = all.iter().filter(asks).map(|one| one.nodes[0]).collect();
    let by_index: BTreeMap<usize, &One<'_>> = all.iter().map(|one| (one.index, one)).collect();
    let mut vain = BTreeMap::new();
    for grip in grips(all) {
        let holding: Vec<&One<'_>> = all.iter().filter(|one| one.fault.grip() == grip).collect();
        let longest = longest(&holding, &firsts);
        let within = |one: &&One<'_>| one.fault.grip().is_vain_within(grip, one.fault.wants_them());
        for one in all.iter().filter(asks).filter(within) {
            let around = longest.get(&one.nodes[0]).and_then(|longest| longest.around(one));
            let Some(other) = around.map(|index| by_index[&index]) else { continue };
            if is_within(one.nodes, other.nodes) {
                vain.entry(one.index).or_insert_with(|| (other.index, why(one, grip, cast)));
            }
        }
    }
    vain.into_iter().map(|(index, (by, why))| (index, by, why)).collect()
}

/// What any of the faults holds its targets in: as many as there are kinds of grips, not of faults.
fn grips(all: &[One<'_>]) -> Vec<Grip> {
    let mut grips = Vec::new();
    for one in all {
        let grip = one.fault.grip();
        if grip != Grip::Loose && grip != Grip::Apart && !grips.contains(&grip) {
            grips.push(grip);
        }
    }
    grips
}

/// The certain holds of each of these nodes.
fn longest(holding: &[&One<'_>], of: &BTreeSet<NodeId>) -> BTreeMap<NodeId, Longest> {
    let mut holds: BTreeMap<NodeId, Vec<Hold>> = BTreeMap::new();
    for one in holding {
        for node in one.nodes.iter().filter(|node| of.contains(node)) {
            holds.entry(*node).or_default().extend(Hold::certain(one));
        }
    }
    holds.into_iter().map(|(node, holds)| (node, Longest::of(holds))).collect()
}

/// Why a fault is in vain whose targets are held so.
fn why(one: &One<'_>, grip: Grip, cast: &Cast) -> String {
    let state = match grip {
        Grip::Loose | Grip::Apart => unreachable!("it holds no node"),
        Grip::Disk(_) => "on such a disk",
        Grip::Still => "paused",
        Grip::Stalled => "stalled",
        Grip::Dead(_) => "dead",
    };
    let who = cast.name_of(one.nodes[0]);
    let others = if one.nodes.len() > 1 { " and the others are" } else { " is" };
    format!("`{who}`{others} {state} already, for all that time")
}

/// Holds by their beginning, each with the one of those up to it that lasts longest.
struct Longest {
    from: Vec<(Time, usize, Best)>,
}

/// Until when a fault holds, and which.
type Best = (Time, usize);

impl Longest {
    fn of(mut holds: Vec<Hold>) -> Longest {
        holds.sort_by_key(|hold| (hold.from, hold.index));
        let mut best: Option<Best> = None;
        let from = holds.into_iter().map(|hold| {
            let longest = best.filter(|(until, _)| *until >= hold.until).unwrap_or((hold.until, hold.index));
            best = Some(longest);
            (hold.from, hold.index, longest)
        });
        Longest { from: from.collect() }
    }

    /// Another fault that certainly holds for as long as this one possibly acts.
    fn around(&self, one: &One<'_>) -> Option<usize> {
        let Bounds { begins, heals, .. } = one.bounds;
        let before =
            self.from.partition_point(|(from, index, _)| (*from, *index) < (begins.earliest, one.index));
        let (.., (until, by)) = self.from.get(before.checked_sub(1)?)?;
        // Nobody knows when a fault ends whose beginning nobody knows; one that never ends is held by such a one only.
        let ends = heals.latest.zip(one.fault.lingers()).map_or(Time::END, |(at, more)| at + more);
        (ends <= *until).then_some(*by)
    }
}

/// Whether all of one sorted list are in another.
fn is_within(few: &[NodeId], many: &[NodeId]) -> bool {
    few.iter().all(|node| many.binary_search(node).is_ok())
}

/// Partitions that cut what another like them has cut already, for all that time.
fn cut(all: &[One<'_>]) -> Vec<(usize, usize, String)> {
    let mut alike: BTreeMap<&[NodeId], Vec<Vec<&One<'_>>>> = BTreeMap::new();
    for one in all.iter().filter(|one| one.fault.grip() == Grip::Apart) {
        let like = alike.entry(one.nodes).or_default();
        match like.iter_mut().find(|group| group[0].fault == one.fault) {
            Some(group) => group.push(one),
            None => like.push(vec![one]),
        }
    }
    let mut vain = Vec::new();
    for group in alike.into_values().flatten() {
        let longest = Longest::of(group.iter().filter_map(|one| Hold::certain(one)).collect());
        for one in group {
            let why = "the same ways are cut already, for all that time".to_owned();
            vain.extend(longest.around(one).map(|by| (one.index, by, why)));
        }
    }
    vain
}
