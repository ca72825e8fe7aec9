//! Needs: which faults the failure took. Each is left out in turn, and pairs where either of two suffices.

use std::collections::BTreeSet;

use rayon::prelude::*;
use schism_models::node::Process;
use serde::Serialize;

use super::bench::{Bench, Outcome};
use super::purse::Purse;
use super::{Chance, Effort};
use crate::report::Report;
use crate::simulation::Variation;

/// What each fault was for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Needs {
    /// The faults that began, in the order of the plan.
    pub faults: Vec<Need>,
    /// Two of them, by id, of which the failure takes at least one: with either left out it still fails, with both not.
    pub either: Vec<[String; 2]>,
    /// Whether it fails with all of those left out at once that are not needed one by one. If not, it takes some of
    /// them; `either` says which, where two are enough to tell.
    pub fails_without_the_rest: bool,
    /// How many pairs were not tried, because there was no effort left.
    pub untried: u64,
}

impl Needs {
    /// The faults to tell of: those that were needed, each by itself or as one of two. None if that is not known.
    pub(super) fn told(&self) -> Option<BTreeSet<String>> {
        let needed = self.faults.iter().filter(|need| need.role == Role::Needed).map(|need| need.id.clone());
        let told: BTreeSet<String> = needed.chain(self.either.iter().flatten().cloned()).collect();
        let is_known =
            self.fails_without_the_rest && self.faults.iter().all(|need| need.role != Role::Untried);
        (is_known || !told.is_empty()).then_some(told)
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Need {
    /// Its id.
    pub id: String,
    /// Whether it was needed.
    pub role: Role,
    /// How often it fails without this fault, with other luck but the same plan: that it was not needed with one luck alone may
    /// be chance, and that it was, too.
    pub without: Option<Chance>,
}

/// What a fault was for, with the luck of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Without it, the expectation does not fail.
    Needed,
    /// Without it, the expectation fails all the same.
    NotNeeded,
    /// There was no effort left to try.
    Untried,
}

/// How many lucks each fault is left out with, at most.
const LUCKS: u32 = 32;

pub(super) fn needs<P: Process + Sync>(
    bench: &Bench<'_, P>,
    report: &Report,
    effort: Effort,
    limit: u64,
    purse: &mut Purse<'_>,
) -> Needs {
    let began =
        |(number, id): (usize, &str)| report.faults.iter().any(|fault| fault.id == id).then_some(number);
    let ids: Vec<&str> = bench.scenario.faults.iter().map(|fault| fault.id.as_str()).collect();
    let faults: Vec<usize> = ids.iter().copied().enumerate().filter_map(began).collect();
    let mut trial = Trial { bench, dear: report.events.max(1), left: limit, purse };

    let singles: Vec<Vec<usize>> = faults.iter().map(|&fault| vec![fault]).collect();
    let singly = trial.all(&singles);
    let role = |fails: Option<bool>| match fails {
        Some(false) => Role::Needed,
        Some(true) => Role::NotNeeded,
        None => Role::Untried,
    };
    let rest: Vec<usize> = faults
        .iter()
        .zip(&singly)
        .filter(|(_, fails)| **fails == Some(true))
        .map(|(&fault, _)| fault)
        .collect();
    let fails_without_the_rest = match &rest[..] {
        [] | [_] => true,
        rest => trial.all(&[rest.to_vec()])[0].unwrap_or(true),
    };
    let pairs: Vec<Vec<usize>> = match fails_without_the_rest {
        true => Vec::new(),
        false => (0..rest.len())
            .flat_map(|one| (one + 1..rest.len()).map(move |other| (one, other)))
            .map(|(one, other)| vec![rest[one], rest[other]])
            .collect(),
    };
    let doubly = trial.all(&pairs);
    let untried = doubly.iter().filter(|fails| fails.is_none()).count() as u64;
    let either = pairs.iter().zip(&doubly).filter(|(_, fails)| **fails == Some(false));
    let either = either.map(|(pair, _)| [pair[0], pair[1]].map(|fault| ids[fault].to_owned())).collect();

    let lucks = trial.affords(faults.len() as u64).min(LUCKS.min(effort.futures).into()) as u32;
    let faults = faults.iter().zip(singly).map(|(&fault, fails)| Need {
        id: ids[fault].to_owned(),
        role: role(fails),
        without: (lucks > 0).then(|| trial.chance(lucks, &[fault])),
    });
    let faults = faults.collect();
    Needs { faults, either, fails_without_the_rest, untried }
}

/// Runs without some faults, as long as there is effort left.
struct Trial<'b, 's, 't, 'p, P: Process + Sync> {
    bench: &'b Bench<'s, P>,
    /// How many events a run has, about.
    dear: u64,
    left: u64,
    purse: &'p mut Purse<'t>,
}

impl<P: Process + Sync> Trial<'_, '_, '_, '_, P> {
    /// How often each of so many can be tried.
    fn affords(&self, things: u64) -> u64 {
        self.left / self.dear / things.max(1)
    }

    fn spend(&mut self, events: u64) {
        self.left = self.left.saturating_sub(events);
        self.purse.spend(events);
    }

    /// Whether the run of the seed fails without each of these sets of faults; none where there is no effort left.
    fn all(&mut self, sets: &[Vec<usize>]) -> Vec<Option<bool>> {
        let tried = sets.len().min(self.affords(1) as usize);
        let seed = self.bench.seed;
        let outcomes: Vec<Outcome> = sets[..tried]
            .par_iter()
            .map(|without| self.bench.outcome(self.bench.begin(Variation { without, ..Variation::of(seed) })))
            .collect();
        self.spend(outcomes.iter().map(|outcome| outcome.events).sum());
        let known = outcomes.into_iter().map(|outcome| Some(outcome.fails));
        known.chain(std::iter::repeat(None)).take(sets.len()).collect()
    }

    fn chance(&mut self, lucks: u32, without: &[usize]) -> Chance {
        let bench = self.bench;
        let (chance, events) = bench.chance(lucks, |salt| bench.begin_with_luck(salt, without));
        self.spend(events);
        chance
    }
}
