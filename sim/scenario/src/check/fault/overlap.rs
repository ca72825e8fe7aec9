//! Faults in vain: those that are certain to find all that they would do done already by another.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{NodeId, Time};
use schism_models::nemesis::{Bounds, Fault, Grip, Nature, OnOverlap, Planned};

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
    let all = planned.iter().zip(bounds).zip(exact).enumerate();
    let all: Vec<One<'_>> = all
        .filter_map(|(index, ((planned, bounds), exact))| {
            let (fault, nodes, bounds) = (&planned.as_ref()?.fault, exact.as_ref()?.as_ref()?, (*bounds)?);
            // What does nothing, or for no time, is as if it were not there.
            let is_there = !fault.is_nothing() && bounds.begins != bounds.heals;
            is_there.then_some(One { index, fault, nodes, bounds })
        })
        .collect();
    let mut vain: Vec<(usize, usize, String)> = held(&all, cast);
    vain.extend(twins(&all));
    vain.sort_unstable();
    for (index, by, why) in vain {
        if planned[index].is_some_and(|planned| planned.on_overlap == OnOverlap::Refused) {
            let message = format!("`{}` is in vain: {why}", shorten(&strikes[index].id));
            report.add(
                Problem::error(strikes[index].place(), message)
                    .related(
                        strikes[by].place(),
                        format!("`{}` has done it by then", shorten(&strikes[by].id)),
                    )
                    .help("move one of them, or write may-overlap = true: then it touches nothing"),
            );
        }
    }
}

/// How a fault takes hold of one node: from when to when that is certain, and from when to when it is possible.
struct Hold {
    /// Which of the strikes.
    of: usize,
    certain: (Time, Time),
}

/// Deaths of the dead, and pauses of the dead and of what stands still. It is enough to look at the first node of each
/// fault, and then at the others of the one other fault that could have it: so all is done in one sweep.
fn held(all: &[One<'_>], cast: &Cast) -> Vec<(usize, usize, String)> {
    let asks = |one: &&One<'_>| one.fault.grip() != Grip::Loose && one.fault.grip() != Grip::Apart;
    let gripping: Vec<&One<'_>> = all.iter().filter(asks).collect();
    let firsts: BTreeSet<NodeId> = gripping.iter().map(|one| one.nodes[0]).collect();
    let mut holds: BTreeMap<NodeId, Vec<Hold>> = BTreeMap::new();
    for (of, one) in gripping.iter().enumerate() {
        let Some(latest) = one.bounds.begins.latest else { continue };
        for node in one.nodes.iter().filter(|node| firsts.contains(node)) {
            holds.entry(*node).or_default().push(Hold { of, certain: (latest, one.bounds.ends.earliest) });
        }
    }
    let mut vain = Vec::new();
    for grip in [Grip::Dead, Grip::Still] {
        let strong = |hold: &&Hold| gripping[hold.of].fault.grip() == grip;
        let longest: BTreeMap<NodeId, Longest> =
            holds.iter().map(|(node, holds)| (*node, Longest::of(holds.iter().filter(strong)))).collect();
        for (of, one) in
            gripping.iter().enumerate().filter(|(_, one)| grip == Grip::Dead || one.fault.grip() == grip)
        {
            let Some(by) = longest.get(&one.nodes[0]).and_then(|longest| longest.around(of, one.bounds))
            else {
                continue;
            };
            let other = gripping[by];
            let same = (other.bounds, other.fault.grip()) == (one.bounds, one.fault.grip());
            if (same && by > of) || !is_within(one.nodes, other.nodes) {
                continue;
            }
            let state = if grip == Grip::Dead { "dead" } else { "paused" };
            let who = cast.name_of(one.nodes[0]);
            let others = if one.nodes.len() > 1 { " and the others are" } else { " is" };
            vain.push((
                one.index,
                other.index,
                format!("`{who}`{others} {state} already, for all that time"),
            ));
        }
    }
    vain
}

/// The holds of one node by their beginning, each with the two of those up to it that last longest.
struct Longest {
    from: Vec<(Time, Two)>,
}

/// Until when two strikes hold a node, the longer first.
type Two = [Option<(Time, usize)>; 2];

impl Longest {
    fn of<'h>(holds: impl Iterator<Item = &'h Hold>) -> Longest {
        let mut sorted: Vec<&Hold> = holds.collect();
        sorted.sort_by_key(|hold| (hold.certain.0, hold.of));
        let mut best: Two = [None, None];
        let from = sorted.into_iter().map(|hold| {
            let new = (hold.certain.1, hold.of);
            let longer = |than: Option<(Time, usize)>| than.is_none_or(|(until, _)| new.0 > until);
            if longer(best[0]) {
                best = [Some(new), best[0]];
            } else if longer(best[1]) {
                best[1] = Some(new);
            }
            (hold.certain.0, best)
        });
        Longest { from: from.collect() }
    }

    /// Another strike that certainly holds the node for as long as this one possibly could.
    fn around(&self, of: usize, bounds: Bounds) -> Option<usize> {
        let began = self.from.partition_point(|(from, _)| *from <= bounds.begins.earliest);
        let (_, best) = self.from.get(began.checked_sub(1)?)?;
        let (until, by) = best.iter().flatten().find(|(_, by)| *by != of)?;
        // Nobody knows when a fault ends whose beginning nobody knows; one that never ends is held by such a one only.
        let ends = bounds.heals.latest.unwrap_or(Time::END);
        (ends <= *until).then_some(*by)
    }
}

/// Whether all of one sorted list are in another.
fn is_within(few: &[NodeId], many: &[NodeId]) -> bool {
    let mut many = many.iter();
    few.iter().all(|node| many.any(|other| other == node))
}

/// Partitions that cut the same ways over the same time.
fn twins(all: &[One<'_>]) -> Vec<(usize, usize, String)> {
    type Over<'n> = ((Time, Time), &'n [NodeId]);
    let mut first: BTreeMap<Over<'_>, Vec<&One<'_>>> = BTreeMap::new();
    let mut vain = Vec::new();
    for one in all.iter().filter(|one| one.fault.grip() == Grip::Apart) {
        let Some(over) = over(one.bounds) else { continue };
        let like = first.entry((over, one.nodes)).or_default();
        match like.iter().find(|other| other.fault == one.fault) {
            Some(other) => {
                vain.push((
                    one.index,
                    other.index,
                    "the same ways are cut already, for all that time".to_owned(),
                ));
            }
            None => like.push(one),
        }
    }
    vain
}

/// From when to when a fault lasts, where that is certain to the nanosecond.
fn over(Bounds { begins, heals, .. }: Bounds) -> Option<(Time, Time)> {
    let exact = begins.latest == Some(begins.earliest) && heals.latest.unwrap_or(Time::END) == heals.earliest;
    exact.then_some((begins.earliest, heals.earliest))
}
