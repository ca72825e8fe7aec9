//! How much of the load each priority level gets, by how many of its hosts are well: Envoy's arithmetic, in whole
//! per cent.
//!
//! Source: `LoadBalancerBase` in load_balancer_impl.cc of envoyproxy/envoy at 00cf9a0, whose unit tests contradict four
//! cells of its documentation; the code is right.

use std::cmp::min;

/// How many hosts of a level are how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// All, however they are.
    pub hosts: u64,
    /// The healthy ones.
    pub healthy: u64,
    /// The degraded ones.
    pub degraded: u64,
    /// Those that do not count.
    pub excluded: u64,
}

/// Whose load a request belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// The healthy hosts of a level.
    Healthy,
    /// The degraded ones.
    Degraded,
}

/// What each level gets, in per cent of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loads {
    /// Its healthy hosts.
    pub healthy: Vec<u64>,
    /// Its degraded ones.
    pub degraded: Vec<u64>,
    /// Whether it has so few healthy hosts that all are used alike.
    pub panic: Vec<bool>,
}

/// All of the load, and all of a level's health.
const ALL: u64 = 100;

impl Loads {
    /// What levels get of which this many hosts are how, and this much of their weight where that is what counts (else
    /// the same again). `overprovisioning` and `panic_threshold` are in per cent.
    pub fn of(
        by_count: &[Census],
        by_weight: &[Census],
        overprovisioning: u64,
        panic_threshold: u64,
    ) -> Loads {
        let share = |of: fn(&Census) -> u64| -> Vec<u64> {
            by_weight.iter().map(|census| census.share(of(census), overprovisioning)).collect()
        };
        let (health, degraded) = (share(|census| census.healthy), share(|census| census.degraded));
        let total = min(ALL, health.iter().chain(&degraded).sum());
        let is_in_panic = |census: &Census| total < ALL && census.is_below(panic_threshold);
        let panic: Vec<bool> = by_count.iter().map(is_in_panic).collect();
        if panic.iter().all(|is_in_panic| *is_in_panic) {
            return Loads { healthy: by_hosts(by_count), degraded: vec![0; by_count.len()], panic };
        }
        let mut rest = ALL;
        let mut healthy = distribute(&mut rest, &health, total);
        let mut degraded_load = distribute(&mut rest, &degraded, total);
        // What rounding down has left goes to the first that has anybody; where nobody has, to the first, in vain.
        match (first_some(&health), first_some(&degraded)) {
            (Some(first), _) => healthy[first] += rest,
            (None, Some(first)) => degraded_load[first] += rest,
            (None, None) => healthy.iter_mut().take(1).for_each(|load| *load = ALL),
        }
        Loads { healthy, degraded: degraded_load, panic }
    }

    /// All to the first level that has a healthy host, as gRPC's `priority_experimental` (gRFC A56) does it; to nobody if
    /// none has.
    pub fn failover(by_count: &[Census]) -> Loads {
        let first = by_count.iter().position(|census| census.healthy > 0);
        let healthy = (0..by_count.len()).map(|level| if Some(level) == first { ALL } else { 0 }).collect();
        Loads { healthy, degraded: vec![0; by_count.len()], panic: vec![false; by_count.len()] }
    }

    /// Where the request of this word goes: Envoy's `choosePriority`.
    pub fn choose(&self, word: u64) -> (usize, Availability) {
        let mut place = word % ALL;
        let loads = [(&self.healthy, Availability::Healthy), (&self.degraded, Availability::Degraded)];
        for (loads, availability) in loads {
            for (level, &load) in loads.iter().enumerate() {
                if place < load {
                    return (level, availability);
                }
                place -= load;
            }
        }
        (0, Availability::Healthy)
    }

    /// Where every request goes, if all go to the same hosts.
    pub fn certain(&self) -> Option<(usize, Availability)> {
        let all = |loads: &[u64]| loads.iter().position(|&load| load >= ALL);
        let healthy = all(&self.healthy).map(|level| (level, Availability::Healthy));
        healthy.or_else(|| all(&self.degraded).map(|level| (level, Availability::Degraded)))
    }
}

impl Census {
    /// The share of those that count which these are, in per cent and with so much allowance, but at most all.
    fn share(&self, these: u64, overprovisioning: u64) -> u64 {
        (overprovisioning * these).checked_div(self.counted()).map_or(0, |share| min(ALL, share))
    }

    fn counted(&self) -> u64 {
        self.hosts - self.excluded
    }

    /// Whether less than so many per cent of those that count are healthy or degraded.
    fn is_below(&self, threshold: u64) -> bool {
        let counted = self.counted();
        let of = |these: u64| if counted == 0 { 0.0 } else { 100.0 * these as f64 / counted as f64 };
        of(self.healthy) + of(self.degraded) < threshold.min(ALL) as f64
    }
}

/// As much of the rest to each level as its availability is of the total.
fn distribute(rest: &mut u64, availability: &[u64], total: u64) -> Vec<u64> {
    let load = |available: &u64| {
        let load = (available * ALL).checked_div(total).map_or(0, |share| min(*rest, share));
        *rest -= load;
        load
    };
    availability.iter().map(load).collect()
}

fn first_some(availability: &[u64]) -> Option<usize> {
    availability.iter().position(|&available| available > 0)
}

/// Where every level is in panic: by how many hosts there are, however they are.
fn by_hosts(levels: &[Census]) -> Vec<u64> {
    let all: u64 = levels.iter().map(|level| level.hosts).sum();
    let mut loads: Vec<u64> =
        levels.iter().map(|level| (ALL * level.hosts).checked_div(all).unwrap_or(0)).collect();
    let first = levels.iter().position(|level| level.hosts > 0).unwrap_or(0);
    let rest = ALL - loads.iter().sum::<u64>();
    loads.iter_mut().skip(first).take(1).for_each(|load| *load += rest);
    loads
}

#[cfg(test)]
mod tests {
    use super::*;

    fn census((hosts, healthy, degraded, excluded): (u64, u64, u64, u64)) -> Census {
        Census { hosts, healthy, degraded, excluded }
    }

    fn of(levels: &[(u64, u64, u64, u64)], overprovisioning: u64) -> Loads {
        let levels: Vec<Census> = levels.iter().copied().map(census).collect();
        Loads::of(&levels, &levels, overprovisioning, 50)
    }

    /// The tables of Envoy's priority.rst and panic_threshold.rst, as its code computes them.
    #[test]
    fn the_tables_of_the_documentation() {
        let cases: [(&[u64], &[u64], bool); 9] = [
            (&[100, 100], &[100, 0], false),
            (&[71, 100], &[99, 1], false),
            (&[25, 100], &[35, 65], false),
            (&[72, 72], &[100, 0], false),
            (&[50, 60], &[70, 30], false),
            (&[25, 25], &[50, 50], true),
            (&[25, 25, 100], &[35, 35, 30], false),
            (&[5, 65], &[8, 92], false),
            (&[25, 25, 20], &[34, 33, 33], true),
        ];
        for (per_cent, load, panic) in cases {
            let levels: Vec<_> = per_cent.iter().map(|&healthy| (100, healthy, 0, 0)).collect();
            let loads = of(&levels, 140);
            assert_eq!(loads.healthy, load, "{per_cent:?}");
            // Only in total panic is every level in it.
            assert_eq!(loads.panic.iter().all(|it| *it), panic, "{per_cent:?}");
        }
    }

    #[test]
    fn a_word_falls_into_healthy_loads_first_and_then_into_degraded_ones() {
        let loads = of(&[(5, 0, 1, 0), (5, 0, 5, 0), (5, 1, 0, 0)], 140);
        assert_eq!((&loads.healthy[..], &loads.degraded[..]), (&[0, 0, 28][..], &[28, 44, 0][..]));
        let chosen = [0, 27, 28, 55, 56, 99, 100].map(|word| loads.choose(word));
        use Availability::{Degraded, Healthy};
        let expected = [
            (2, Healthy),
            (2, Healthy),
            (0, Degraded),
            (0, Degraded),
            (1, Degraded),
            (1, Degraded),
            (2, Healthy),
        ];
        assert_eq!(chosen, expected);
    }

    #[test]
    fn without_a_threshold_nobody_panics_and_nobody_is_there() {
        let levels = [census((4, 0, 0, 0)), census((4, 0, 0, 0))];
        let loads = Loads::of(&levels, &levels, 140, 0);
        assert_eq!(loads, Loads { healthy: vec![100, 0], degraded: vec![0, 0], panic: vec![false, false] });
    }

    #[test]
    fn grpc_takes_the_first_level_that_has_anybody() {
        let levels = [census((4, 0, 4, 0)), census((4, 1, 0, 0)), census((4, 4, 0, 0))];
        assert_eq!(Loads::failover(&levels).healthy, [0, 100, 0]);
        assert_eq!(Loads::failover(&levels[..1]).healthy, [0]);
    }
}
