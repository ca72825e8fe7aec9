//! Futures: how likely the failure still was, or already, when all luck but the faults' is drawn anew from a moment on.

use std::collections::BTreeMap;

use schism_core::{Duration, Time};
use schism_models::node::Process;
use serde::Serialize;

use super::bench::{Bench, Run};
use super::decided::decided;
use super::paired::Fates;
use super::purse::Purse;
use super::{Chance, Effort, Line};
use crate::failure::Failure;
use crate::figures::secs;
use crate::report::Report;
use crate::simulation::Variation;

/// P(failure) from one moment after another, and where it jumps.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Futures {
    /// How many futures were asked for from each moment.
    pub asked: u32,
    /// How many were drawn: fewer, if the runs are long.
    pub each: u32,
    /// The moments, in order. From 0 on, all luck is another but that of the faults: whom they strike, and when.
    pub moments: Vec<Moment>,
    /// The two neighbours between which the chance rises most, if it does.
    pub jump: Option<Jump>,
}

/// One moment.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Moment {
    /// When: all that happens before it has happened as in the run, and nothing else.
    pub at_s: f64,
    /// How many of the futures fail.
    #[serde(flatten)]
    pub chance: Chance,
}

/// Where the failure was sealed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Jump {
    /// The last moment before it, ...
    pub from_s: f64,
    /// ... and the first after it.
    pub by_s: f64,
    /// The chance then, ...
    pub from: f64,
    /// ... and now.
    pub to: f64,
    /// What of the failure's past happened between the two, and what was drawn for it.
    pub decided: Vec<Line>,
    /// How much more of its past happened between them.
    pub more: u64,
    /// The number of a future from the first of the two that does not fail, if one does not.
    pub holds: Option<u64>,
}

/// How many moments are looked at first between the first fault and the failure, and how many more where it jumps.
const BETWEEN: u64 = 5;
const CLOSER: usize = 6;
/// How often the way between the two neighbours is halved in the end, to see what happened between them.
const NARROWER: usize = 10;
/// So many are drawn however long the runs are.
const LEAST: u32 = 8;
/// A rise of less than this is no jump, and not looked at more closely.
const RISE: f64 = 0.3;
/// Of the moments' grid: the time from the first fault to the failure has at least so many steps.
const FINENESS: u64 = 200;

pub(super) fn futures<P: Process + Sync>(
    bench: &Bench<'_, P>,
    failure: &Failure,
    report: &Report,
    effort: Effort,
    limit: u64,
    purse: &mut Purse<'_>,
) -> Futures {
    let end = Time::START + bench.scenario.length;
    let failed = failure.at_s.map_or(end, moment).min(end);
    let faults = report.faults.iter().map(|fault| moment(fault.from_s)).filter(|&from| from < failed);
    let first = faults.min().unwrap_or(Time::START);
    let step = step(failed.since(first));
    let mut past = Past { bench, forks: BTreeMap::new(), fates: BTreeMap::new() };
    let between = (1..=BETWEEN).map(|at| on_grid(first + failed.since(first) * at / (BETWEEN + 1), step));
    let mut moments: Vec<Time> = between.chain([Time::START, first, failed]).collect();
    moments.sort_unstable();
    moments.dedup();
    let left =
        |at: Time, past: &mut Past<'_, '_, P>| report.events.saturating_sub(past.until(at).world().events());
    let dear: u64 = moments.iter().map(|&at| left(at, &mut past)).sum::<u64>() / moments.len() as u64;
    let affordable = limit / (dear * (moments.len() + CLOSER + NARROWER) as u64).max(1);
    let least = LEAST.min(effort.futures);
    let each = u32::try_from(affordable).unwrap_or(u32::MAX).clamp(least, effort.futures);
    let mut known: BTreeMap<Time, Chance> = BTreeMap::new();
    for at in moments {
        known.insert(at, past.chance(at, each, purse));
    }
    for _ in 0..CLOSER {
        let Some((from, by)) = rise(&known).filter(|(from, by)| by.since(*from) > step) else { break };
        let at = on_grid(from + by.since(from) / 2, step);
        known.insert(at, past.chance(at, each, purse));
    }
    let jump = rise(&known).map(|window| past.narrowed(window, each, purse)).map(|(from, by)| {
        let (decided, more) = decided::<P>(bench.scenario, bench.seed, failure, from, by);
        let share = |at: Time| past.fates[&at].chance().share;
        Jump {
            from_s: secs(from),
            by_s: secs(by),
            from: share(from),
            to: share(by),
            decided,
            more,
            holds: past.fates[&from].0.iter().position(|fails| !fails).map(|salt| salt as u64),
        }
    });
    let moments = known.into_iter().map(|(at, chance)| Moment { at_s: secs(at), chance }).collect();
    Futures { asked: effort.futures, each, moments, jump }
}

/// The two neighbours between which the chance rises most, if by much.
fn rise(known: &BTreeMap<Time, Chance>) -> Option<(Time, Time)> {
    let neighbours = known.iter().zip(known.iter().skip(1));
    let rises = neighbours.map(|((&from, before), (&by, after))| (after.share - before.share, from, by));
    // Of equal rises the first.
    let (most, from, by) = rises.reduce(|most, next| if next.0 > most.0 { next } else { most })?;
    (most >= RISE).then_some((from, by))
}

/// The run as it was up to some moments.
struct Past<'b, 's, P: Process + Sync> {
    bench: &'b Bench<'s, P>,
    forks: BTreeMap<Time, Run<P>>,
    /// What became of the futures from each moment.
    fates: BTreeMap<Time, Fates>,
}

impl<P: Process + Sync> Past<'_, '_, P> {
    /// The run up to a moment.
    fn until(&mut self, at: Time) -> &Run<P> {
        if !self.forks.contains_key(&at) {
            let before = self.forks.range(..at).next_back().map(|(_, run)| run.clone());
            let mut run = before.unwrap_or_else(|| self.bench.begin(Variation::of(self.bench.seed)));
            run.run_until(at);
            self.forks.insert(at, run);
        }
        &self.forks[&at]
    }

    fn chance(&mut self, at: Time, each: u32, purse: &mut Purse<'_>) -> Chance {
        let bench = self.bench;
        let (fates, events) = if at == Time::START {
            bench.fates(each, |salt| bench.begin_with_luck(salt, &[]))
        } else {
            let fork = self.until(at);
            bench.fates(each, |salt| fork.redrawn(salt))
        };
        purse.spend(events);
        let chance = fates.chance();
        self.fates.insert(at, fates);
        chance
    }

    /// Two moments within such a window between which the chance still rises much, as close together as a few halvings
    /// bring them, or until there is nothing between them.
    fn narrowed(&mut self, window: (Time, Time), each: u32, purse: &mut Purse<'_>) -> (Time, Time) {
        let (mut from, mut by) = window;
        // What processes draw as they boot belongs to the start; from then on they go on with what they drew.
        if from == Time::START {
            let booted = Time::from_nanos(1);
            let rise = self.chance(booted, each, purse).share - self.fates[&from].chance().share;
            if rise >= RISE {
                return (from, booted);
            }
        }
        for _ in 0..NARROWER {
            let middle = from + by.since(from) / 2;
            if self.until(by).world().events() <= self.until(from).world().events() + 1 || middle == from {
                break;
            }
            let between = self.chance(middle, each, purse).share;
            let [before, after] = [from, by].map(|at| self.fates[&at].chance().share);
            if (between - before).max(after - between) < RISE {
                break;
            }
            if after - between > between - before { from = middle } else { by = middle }
        }
        (from, by)
    }
}

/// The nearest nanosecond.
fn moment(at_s: f64) -> Time {
    Time::START + Duration::from_secs_f64(at_s)
}

/// A power of ten, so that moments are easily read.
fn step(span: Duration) -> Duration {
    let fits = |step: &Duration| span / FINENESS >= *step;
    let mut steps = (3..=12).rev().map(|zeros| Duration::from_nanos(10_u64.pow(zeros)));
    steps.find(fits).unwrap_or(Duration::from_nanos(1_000))
}

fn on_grid(at: Time, step: Duration) -> Time {
    let steps = (at.as_nanos() + step.as_nanos() / 2) / step.as_nanos();
    Time::START + step * steps
}
