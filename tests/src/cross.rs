//! The two engines held against each other: the same scenarios with the same seeds, on ours and on madsim.
//!
//! Where luck of the network decides, a seed is another run on each of the two: so what is compared is how often an
//! expectation holds, and where the middle of a time lies, each with its interval.

use std::fmt;

use rayon::prelude::*;
use schism_core::Seed;
use schism_live::Trouble;
use schism_runner::Report;
use schism_runner::ledger::Listed;
use schism_runner::report::Verdict;
use schism_scenario::Scenario;

use crate::statistics::quantile;

/// Scenarios of many families that ask for nothing that madsim cannot do.
pub const COMMON: [&str; 14] = [
    "scenarios/change/rolling-deploy-undrained.toml",
    "scenarios/locks/cut-holder.toml",
    "scenarios/partitions/cut-past-the-lease.toml",
    "scenarios/partitions/leader-isolated.toml",
    "scenarios/partitions/split-brain.toml",
    "scenarios/processes/power-loss.toml",
    "scenarios/processes/zombie.toml",
    "scenarios/registries/consul/leader-lost.toml",
    "scenarios/registries/dns/replaced-go-net.toml",
    "scenarios/registries/etcd/leader-loss-keeps-the-dead.toml",
    "scenarios/registries/kubernetes/node-death-1.32.toml",
    "scenarios/registries/nacos/crash.toml",
    "scenarios/registries/zookeeper/leader-killed.toml",
    "scenarios/zones/outage.toml",
];

/// How far two intervals may lie apart, in seconds. A message of its own takes madsim two milliseconds more, and the health
/// check, the election or the watch that a time rests on takes several of them.
const DETOUR: f64 = 0.05;

/// The share of intervals that miss what they are of.
const RISK: f64 = 0.01;

/// What became of a scenario on both engines.
pub struct Crossed {
    /// How many seeds.
    pub seeds: usize,
    /// By expectation: on how many seeds it held, on ours and on madsim.
    pub verdicts: Vec<(String, [usize; 2])>,
    /// By time: of each seed on which it can be told, in seconds, on ours and on madsim.
    pub times: Vec<(&'static str, [Vec<f64>; 2])>,
}

/// The smallest and the largest value that a figure can well have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Between(pub f64, pub f64);

impl Between {
    fn meets(self, other: Between, slack: f64) -> bool {
        self.0 <= other.1 + slack && other.0 <= self.1 + slack
    }
}

/// Runs a scenario with so many seeds from its own on.
///
/// # Errors
///
/// Why madsim cannot.
pub fn cross(scenario: &Scenario, seeds: u64) -> Result<Crossed, Trouble> {
    let pair = |more: u64| {
        let seed = Seed(scenario.seed.0 + more);
        let theirs = schism_live::run(scenario, seed, Listed::Wrong)?;
        Ok([schism_runner::run(scenario, seed, Listed::Wrong), theirs])
    };
    let pairs: Vec<[Report; 2]> = (0..seeds).into_par_iter().map(pair).collect::<Result<_, Trouble>>()?;
    let both = |of: &dyn Fn(&Report) -> Option<f64>| {
        [0, 1].map(|engine: usize| pairs.iter().filter_map(|pair| of(&pair[engine])).collect::<Vec<f64>>())
    };
    let held = |number: usize| {
        [0, 1].map(|engine: usize| {
            pairs.iter().filter(|pair| pair[engine].expect[number].verdict == Verdict::Holds).count()
        })
    };
    let expectations = pairs.first().map_or(&[][..], |pair| &pair[0].expect);
    let ids = expectations.iter().enumerate();
    Ok(Crossed {
        seeds: pairs.len(),
        verdicts: ids.map(|(number, expectation)| (expectation.id.clone(), held(number))).collect(),
        times: vec![
            ("detect", both(&|report| report.recovery.detect_s)),
            ("reroute", both(&|report| report.recovery.reroute_s)),
            ("failover", both(&|report| report.recovery.failover_s)),
            ("converge", both(&|report| report.recovery.converge_s)),
        ],
    })
}

impl Crossed {
    /// What the two do not agree on: an expectation that one of them meets clearly more often, a time that can clearly be
    /// told more often on one, or whose middle lies elsewhere.
    pub fn disagreements(&self) -> Vec<String> {
        let share = |count: usize| wilson(count, self.seeds);
        let apart = |[ours, theirs]: [usize; 2]| !share(ours).meets(share(theirs), 0.0);
        let mut found: Vec<String> = self
            .verdicts
            .iter()
            .filter(|(_, held)| apart(*held))
            .map(|(id, [ours, theirs])| {
                format!("{id} holds on {ours} of {0} seeds here, and on {theirs} of {0} there", self.seeds)
            })
            .collect();
        for (what, [ours, theirs]) in &self.times {
            if apart([ours.len(), theirs.len()]) {
                found.push(format!(
                    "{what} can be told of {} of {2} seeds here, and of {} of {2} there",
                    ours.len(),
                    theirs.len(),
                    self.seeds
                ));
            } else if !ours.is_empty() && !theirs.is_empty() && !middle(ours).meets(middle(theirs), DETOUR) {
                let [ours, theirs] = [ours, theirs].map(|times| said(times));
                found.push(format!("the middle of {what} is {ours} here, and {theirs} there"));
            }
        }
        found
    }
}

impl fmt::Display for Crossed {
    /// Rows of a table in Markdown: each time with its middle on both engines, and in brackets the interval of that.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.verdicts.iter().map(|(_, held)| held);
        let sum = |engine: usize| all.clone().map(|held| held[engine]).sum::<usize>();
        let asked = self.seeds * self.verdicts.len();
        write!(f, "{} and {} of {asked}", sum(0), sum(1))?;
        for (_, [ours, theirs]) in &self.times {
            let cell = if ours.is_empty() && theirs.is_empty() {
                "-".to_owned()
            } else {
                format!("{} / {}", said(ours), said(theirs))
            };
            write!(f, " | {cell}")?;
        }
        Ok(())
    }
}

/// The middle, and in brackets where it can well lie.
fn said(times: &[f64]) -> String {
    if times.is_empty() {
        return "-".to_owned();
    }
    let Between(least, most) = middle(times);
    format!("{:.2} [{least:.2}..{most:.2}]", quantile(times, 0.5))
}

/// Where the median of what a sample is of can well lie, by the ranks of the sample: the smallest that are far enough from the
/// middle for the binomial distribution.
pub fn middle(sample: &[f64]) -> Between {
    let mut sorted = sample.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (mut rank, mut below) = (0, 0.0);
    let mut weight = libm::pow(0.5, sorted.len() as f64);
    while below + weight <= RISK / 2.0 {
        below += weight;
        weight *= (sorted.len() - rank) as f64 / (rank + 1) as f64;
        rank += 1;
    }
    // So many of the sample, on either side, are too many to be on that side of the median.
    let first = rank.saturating_sub(1);
    Between(sorted[first], sorted[sorted.len() - 1 - first])
}

/// Where the share that `count` of `all` is a sample of can well lie (Wilson, J. Am. Stat. Assoc. 22, 1927).
fn wilson(count: usize, all: usize) -> Between {
    /// The quantile of the normal distribution at 99.5%.
    const Z: f64 = 2.575_829_303_548_901;
    let (n, p) = (all as f64, count as f64 / all as f64);
    let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * libm::sqrt(p * (1.0 - p) / n + Z * Z / (4.0 * n * n));
    Between(middle - half, middle + half)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_fifty_lies_between_the_sixteenth_and_the_thirty_fifth() {
        // As tables of the sign test have it for fifty and 1%: at most 15 on one side.
        let sample: Vec<f64> = (1..=50).map(f64::from).collect();
        assert_eq!(middle(&sample), Between(16.0, 35.0));
        assert_eq!(middle(&[3.0, 1.0, 2.0]), Between(1.0, 3.0));
    }

    #[test]
    fn a_share_of_none_may_yet_be_some() {
        let Between(least, most) = wilson(0, 50);
        assert!(least.abs() < 1e-9 && (most - 0.117).abs() < 1e-3, "{least}..{most}");
    }

    fn crossed(held: [usize; 2], ours: &[f64], theirs: &[f64]) -> Crossed {
        let times = vec![("detect", [ours.to_vec(), theirs.to_vec()])];
        Crossed { seeds: 50, verdicts: vec![("one".to_owned(), held)], times }
    }

    #[test]
    fn engines_that_differ_are_found_out() {
        let spread = |from: f64| (0..50).map(|number| from + f64::from(number) / 50.0).collect::<Vec<f64>>();
        assert_eq!(crossed([50, 48], &spread(1.0), &spread(1.1)).disagreements(), Vec::<String>::new());
        assert_eq!(crossed([50, 30], &spread(1.0), &spread(1.0)).disagreements().len(), 1);
        assert_eq!(crossed([50, 50], &spread(1.0), &spread(2.0)).disagreements().len(), 1);
        assert_eq!(crossed([50, 50], &spread(1.0), &[]).disagreements().len(), 1);
    }
}
