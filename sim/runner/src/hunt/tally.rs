//! The tally: counts, groups of failures, and what has been covered. Its size does not depend on how many seeds there were.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher as _;

use schism_core::{Digest, DigestValue};

use super::Found;
use crate::Failure;
use crate::failure::signature;
use crate::report::Verdict;

/// How many seeds of a group are named beside the first.
const MOST_NAMED: usize = 20;
/// How many groups are told apart; failures of further kinds are counted only.
const MOST_GROUPS: usize = 200;
/// How many reasons for runs to be vacuous are told apart.
const MOST_REASONS: usize = 200;

/// What all seeds so far came to.
#[derive(Clone)]
pub struct Tally {
    /// Seeds looked at.
    pub seeds: u64,
    /// Those of which all expectations held.
    pub passed: u64,
    /// Those of which one did not.
    pub failed: u64,
    /// Those that did not reach what the scenario is about.
    pub vacuous: u64,
    /// Events handled.
    pub events: u64,
    /// Nanoseconds simulated.
    pub simulated: u128,
    /// Failures of one kind, by when they were first found.
    pub groups: Vec<Group>,
    /// Failures of which there was no room for another group.
    pub ungrouped: u64,
    /// How many seeds in a row have been in no state that was not known.
    pub flat_for: u64,
    reasons: BTreeMap<(String, String), Vacuous>,
    states: BTreeSet<u64>,
    sample: Sample,
    digest: Digest,
}

/// Failures of one kind: of one expectation, and with one signature.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// The first seed.
    pub seed: u64,
    /// Its failure.
    pub failure: Failure,
    /// How many seeds fail so.
    pub count: u64,
    /// The next of them; at most twenty.
    pub further: Vec<u64>,
}

/// Why runs were vacuous.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vacuous {
    /// The expectation that they did not reach.
    pub expectation: String,
    /// Why the first of them did not.
    pub why: String,
    /// The first of them.
    pub seed: u64,
    /// How many of them there were.
    pub count: u64,
}

/// The seeds that are run once more in another process, and the digests of those that have been looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    wanted: BTreeSet<u64>,
    digests: Vec<(u64, String)>,
}

impl Sample {
    /// Of the seeds from `from` on and below `to`, one of fifty, but five at least and fifty at most, evenly apart.
    pub fn of(from: u64, to: u64) -> Sample {
        let count = to - from;
        let wanted = (count / 50).clamp(5, 50).min(count);
        let at = |number: u64| from + (u128::from(number) * u128::from(count) / u128::from(wanted)) as u64;
        Sample { wanted: (0..wanted).map(at).collect(), digests: Vec::new() }
    }

    /// The seeds of it that have been looked at, with the digests of their runs.
    pub fn digests(&self) -> &[(u64, String)] {
        &self.digests
    }

    fn add(&mut self, found: &Found) {
        if self.wanted.contains(&found.seed) {
            self.digests.push((found.seed, found.digest.clone()));
        }
    }
}

impl Tally {
    /// Nothing so far.
    pub fn new(sample: Sample) -> Tally {
        Tally {
            seeds: 0,
            passed: 0,
            failed: 0,
            vacuous: 0,
            events: 0,
            simulated: 0,
            groups: Vec::new(),
            ungrouped: 0,
            flat_for: 0,
            reasons: BTreeMap::new(),
            states: BTreeSet::new(),
            sample,
            digest: Digest::new(),
        }
    }

    /// Counts one seed. They come in order.
    pub fn add(&mut self, found: &Found) {
        self.seeds += 1;
        self.events += found.events;
        self.simulated += u128::from(found.simulated);
        match found.verdict {
            Verdict::Holds => self.passed += 1,
            Verdict::Vacuous => self.vacuous += 1,
            Verdict::Fails => self.failed += 1,
        }
        for failure in &found.failures {
            self.group(found.seed, failure);
        }
        if let Some((expectation, why)) = &found.vacuous {
            self.reason(found.seed, expectation, why);
        }
        let before = self.states.len();
        self.states.extend(&found.states);
        self.flat_for = if self.states.len() == before { self.flat_for + 1 } else { 0 };
        self.sample.add(found);
        self.digest.write_u64(found.seed);
        self.digest.write(found.digest.as_bytes());
    }

    fn group(&mut self, seed: u64, failure: &Failure) {
        match self.groups.iter().position(|group| group.failure.is_like(failure)) {
            Some(known) => {
                let group = &mut self.groups[known];
                group.count += 1;
                if group.further.len() < MOST_NAMED {
                    group.further.push(seed);
                }
            }
            None if self.groups.len() == MOST_GROUPS => self.ungrouped += 1,
            None => {
                let failure = failure.clone();
                self.groups.push(Group { seed, failure, count: 1, further: Vec::new() });
            }
        }
    }

    fn reason(&mut self, seed: u64, expectation: &str, why: &str) {
        let key = (expectation.to_owned(), signature(why));
        if self.reasons.len() == MOST_REASONS && !self.reasons.contains_key(&key) {
            return;
        }
        let (expectation, why) = (expectation.to_owned(), why.to_owned());
        let first = Vacuous { expectation, why, seed, count: 0 };
        self.reasons.entry(key).or_insert(first).count += 1;
    }

    /// Why runs were vacuous, the commonest reason first; of two as common, the one that was found first.
    pub fn reasons(&self) -> Vec<&Vacuous> {
        let mut reasons: Vec<&Vacuous> = self.reasons.values().collect();
        reasons.sort_by_key(|reason| (std::cmp::Reverse(reason.count), reason.seed));
        reasons
    }

    /// How many states the runs have been in.
    pub fn states(&self) -> usize {
        self.states.len()
    }

    /// The states that this run has been in and none before it.
    pub fn new_states(&self, found: &Found) -> Vec<u64> {
        found.states.iter().copied().filter(|state| !self.states.contains(state)).collect()
    }

    /// Those to run once more elsewhere.
    pub fn sample(&self) -> &Sample {
        &self.sample
    }

    /// Of all seeds so far with the digests of their runs.
    pub fn digest(&self) -> DigestValue {
        self.digest.value()
    }

    /// What became of all together: a failure counts more than any number of vacuous runs, and these only if there is
    /// nothing else.
    pub fn verdict(&self) -> Verdict {
        match (self.failed, self.passed) {
            (0, 0) if self.vacuous > 0 => Verdict::Vacuous,
            (0, _) => Verdict::Holds,
            (_, _) => Verdict::Fails,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(seed: u64, verdict: Verdict, why: &[&str], states: &[u64]) -> Found {
        let failure = |why: &&str| Failure {
            expectation: "it".to_owned(),
            at_s: None,
            why: (*why).to_owned(),
            on: Vec::new(),
            signature: signature(why),
        };
        Found {
            seed,
            verdict,
            digest: format!("{seed:032x}"),
            events: 10,
            simulated: 1,
            failures: why.iter().map(failure).collect(),
            vacuous: (verdict == Verdict::Vacuous).then(|| ("it".to_owned(), "nothing to see".to_owned())),
            states: states.to_vec(),
        }
    }

    #[test]
    fn failures_are_grouped_by_what_they_say_but_for_numbers() {
        let mut tally = Tally::new(Sample::of(0, 4));
        tally.add(&found(0, Verdict::Holds, &[], &[1, 2]));
        tally.add(&found(1, Verdict::Fails, &["web-1 had none", "it took 3s"], &[2]));
        tally.add(&found(2, Verdict::Fails, &["web-7 had none"], &[1]));
        tally.add(&found(3, Verdict::Vacuous, &[], &[3]));
        assert_eq!((tally.seeds, tally.passed, tally.failed, tally.vacuous), (4, 1, 2, 1));
        assert_eq!(tally.groups.len(), 2);
        assert_eq!((tally.groups[0].seed, tally.groups[0].count), (1, 2));
        assert_eq!(tally.groups[0].further, [2]);
        assert_eq!((tally.states(), tally.flat_for), (3, 0));
        assert_eq!(tally.reasons()[0].seed, 3);
        assert_eq!(tally.verdict(), Verdict::Fails);
    }

    #[test]
    fn many_alike_take_no_more_room_than_some() {
        let mut tally = Tally::new(Sample::of(0, 100_000));
        for seed in 0..100_000 {
            tally.add(&found(seed, Verdict::Fails, &["web-1 had none"], &[seed % 7]));
        }
        assert_eq!((tally.groups.len(), tally.groups[0].count), (1, 100_000));
        assert_eq!(tally.groups[0].further.len(), MOST_NAMED);
        assert_eq!((tally.states(), tally.flat_for), (7, 100_000 - 7));
        assert_eq!(tally.sample().digests().len(), 50);
    }

    #[test]
    fn a_sample_is_one_of_fifty_but_neither_too_few_nor_too_many() {
        let sizes = [1, 3, 100, 1_000, 1_000_000].map(|count| Sample::of(7, 7 + count).wanted.len());
        assert_eq!(sizes, [1, 3, 5, 20, 50]);
        assert!(Sample::of(7, 1_007).wanted.contains(&7), "the first is among them, whenever the hunt ends");
    }

    #[test]
    fn nothing_but_vacuous_runs_is_vacuous() {
        let mut tally = Tally::new(Sample::of(0, 3));
        assert_eq!(tally.verdict(), Verdict::Holds);
        tally.add(&found(0, Verdict::Vacuous, &[], &[]));
        assert_eq!(tally.verdict(), Verdict::Vacuous);
        tally.add(&found(1, Verdict::Holds, &[], &[]));
        assert_eq!(tally.verdict(), Verdict::Holds);
    }
}
