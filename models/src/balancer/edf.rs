//! Earliest deadline first: the scheduler behind Envoy's weighted round robin, its weighted least request and its
//! locality weighting.
//!
//! Each entry is due one weight's reciprocal after its last pick; the earliest is picked, among equals the one that was
//! put in first. Source: `edf_scheduler.h` of envoyproxy/envoy at 10f2a5b, operation by operation: two orders of the
//! same sums would part after some picks.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use super::Update;
use crate::listing::View;
use crate::state::State;

/// Entries 0, 1, 2, ..., whose weights the caller knows. A pick takes O(log n) and allocates nothing.
#[derive(Clone, Debug)]
pub(crate) struct Edf {
    /// A max-heap, turned round.
    queue: BinaryHeap<Reverse<Due>>,
    /// The number of the next insertion.
    order: u64,
}

/// When an entry is next due.
#[derive(Clone, Copy, Debug)]
struct Due {
    deadline: f64,
    order: u64,
    entry: u32,
}

/// What is added to each weight of a new scheduler. It keeps weights that are multiples of each other from meeting on
/// deadlines that differ in their last bit only, and it can be seen in the picks: with the weights alone, Envoy's own
/// test of changing weights parts at the ninth.
const EPSILON: f64 = 1e-13;

/// More picks ahead than these are taken as the remainder (`% UINT_MAX / 10` in Envoy).
const MOST_PICKS: u32 = 429_496_729;

impl Edf {
    /// A scheduler of so many entries that has already made `seed` picks, as Envoy's `createWithPicks` has: it takes 32
    /// bits of the seed, and counts most of those picks without making them.
    ///
    /// An entry of weight zero is due at infinity: never, if any other weighs anything.
    pub(crate) fn ahead(seed: u64, count: u32, weight: impl Fn(u32) -> f64) -> Edf {
        Edf::ahead_with(EPSILON, seed, count, weight)
    }

    fn ahead_with(epsilon: f64, seed: u64, count: u32, weight: impl Fn(u32) -> f64) -> Edf {
        let picks = seed as u32 % MOST_PICKS;
        let total: f64 = (0..count).map(|entry| weight(entry) + epsilon).sum();
        let mut made = 0;
        let due = |entry| {
            let weight = weight(entry) + epsilon;
            let ahead = picks_ahead(weight, picks, total);
            made += ahead;
            Reverse(Due { deadline: f64::from(ahead + 1) / weight, order: u64::from(entry), entry })
        };
        let queue: Vec<Reverse<Due>> = (0..count).map(due).collect();
        let mut edf = Edf { queue: queue.into(), order: u64::from(count) };
        // Those that rounding down left out: fewer than there are entries, or one for each that floats rounded up.
        for _ in made..picks {
            edf.pick(&weight);
        }
        edf
    }

    /// The entry that is due first; it is due again one reciprocal of its weight of this moment later.
    ///
    /// # Panics
    /// If there are no entries.
    #[inline]
    pub(crate) fn pick(&mut self, weight: impl FnOnce(u32) -> f64) -> u32 {
        let mut first = self.queue.peek_mut().expect("a scheduler that is asked has entries");
        let Due { deadline, entry, .. } = first.0;
        first.0 = Due { deadline: deadline + 1.0 / weight(entry), order: self.order, entry };
        // Put back where it belongs now.
        drop(first);
        self.order += 1;
        entry
    }

    /// The scheduler that Envoy has after an update of its hosts (`EdfLoadBalancerBase::refresh` in
    /// load_balancer_impl.cc at 00cf9a0): with other members a new one, if one is wanted at all and there are two or
    /// more to schedule. One that is there outlives new weights: it reads each when that entry is next picked.
    pub(crate) fn refresh(
        scheduler: &mut Option<Edf>,
        view: View<'_>,
        what: Update,
        is_wanted: bool,
        seed: impl FnOnce() -> u64,
        weight: impl Fn(u32) -> f64,
    ) {
        match (what, &scheduler) {
            (Update::Weights, Some(_)) => {}
            (Update::Weights, None) | (Update::Members, _) => {
                let is_wanted = is_wanted && view.len() > 1;
                *scheduler = is_wanted.then(|| Edf::ahead(seed(), view.len(), weight));
            }
        }
    }

    /// Who is due when, in that order.
    pub(crate) fn state(&self, view: View<'_>) -> State {
        let due = |(place, deadline)| {
            State::table([("endpoint", State::from(view.name(place))), ("deadline", State::from(deadline))])
        };
        State::list(self.deadlines().into_iter().map(due))
    }

    /// Every entry with its deadline, in the order in which they are due.
    fn deadlines(&self) -> Vec<(u32, f64)> {
        let mut due: Vec<Due> = self.queue.iter().map(|reverse| reverse.0).collect();
        due.sort();
        due.iter().map(|due| (due.entry, due.deadline)).collect()
    }
}

/// Whether endpoints are to be scheduled: their weights differ, or one of them does not have all of its own yet.
pub(crate) fn differ(view: View<'_>) -> bool {
    let first = view.listed_weight(0);
    let is_other = |place| {
        let listed = view.listed_weight(place);
        listed != first || view.weight(place) < f64::from(listed)
    };
    (0..view.len()).any(is_other)
}

/// How many of the picks ahead fall to an entry of this weight for certain, all weights being this total.
fn picks_ahead(weight: f64, picks: u32, total: f64) -> u32 {
    let floor = (weight * f64::from(picks) / total) as u32;
    // The product may have been rounded up: then it is one less.
    let rounded_up = floor > 0 && f64::from(floor) / weight >= f64::from(picks) / total;
    floor - u32::from(rounded_up)
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> Ordering {
        self.deadline.total_cmp(&other.deadline).then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Due {}

#[cfg(test)]
mod tests {
    use super::*;

    fn picks(edf: &mut Edf, weights: &[f64], count: usize) -> Vec<u32> {
        (0..count).map(|_| edf.pick(|entry| weights[entry as usize])).collect()
    }

    fn start(seed: u64, weights: &[f64]) -> Edf {
        Edf::ahead(seed, weights.len() as u32, |entry| weights[entry as usize])
    }

    /// Test `Weighted` of Envoy's round_robin_lb_test.cc at 0d2acde, and rows computed from edf_scheduler.h.
    #[test]
    fn the_first_picks_are_envoys() {
        let cases: [(&[f64], &[u32]); 3] = [
            (&[1.0, 2.0], &[1, 0, 1, 1, 0, 1]),
            (&[2.0, 1.0, 3.0], &[2, 0, 2, 1, 0, 2, 2, 0, 2, 1, 0, 2]),
            (&[1.0, 1.0, 1.0], &[0, 1, 2, 0, 1, 2]),
        ];
        for (weights, expected) in cases {
            assert_eq!(picks(&mut start(0, weights), weights, expected.len()), expected, "{weights:?}");
        }
    }

    /// The same test goes on with the weights swapped; without the epsilon it would part from Envoy at the ninth pick.
    #[test]
    fn weights_that_change_are_read_at_the_next_pick() {
        let after = |mut edf: Edf| {
            let mut picked = picks(&mut edf, &[1.0, 2.0], 6);
            picked.extend(picks(&mut edf, &[2.0, 1.0], 8));
            picked
        };
        let naive = Edf::ahead_with(0.0, 0, 2, |entry| f64::from(entry + 1));
        assert_eq!(after(start(0, &[1.0, 2.0])), [1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0]);
        assert_eq!(after(naive), [1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0]);
    }

    /// Test `Weighted` of Envoy's edf_scheduler_test.cc at 10f2a5b.
    #[test]
    fn counts_are_exact() {
        let weights: Vec<f64> = (1..=128).map(f64::from).collect();
        let mut counts = [0; 128];
        for entry in picks(&mut start(0, &weights), &weights, 128 * 129 / 2) {
            counts[entry as usize] += 1;
        }
        assert!(counts.iter().zip(1..).all(|(&count, weight)| count == weight), "{counts:?}");
    }

    /// grpc-go's internal/wrr/edf_test.go at 4793ad0: without an epsilon, equal weights take turns.
    #[test]
    fn equal_weights_take_turns() {
        let mut edf = Edf::ahead_with(0.0, 0, 3, |_| 1.0);
        assert_eq!(picks(&mut edf, &[1.0; 3], 12), [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
    }

    /// Envoy's tests of slow start (round_robin_lb_test.cc at 0d2acde): an old host and one that warms up.
    #[test]
    fn weights_may_be_fractions() {
        for (young, expected) in
            [(0.35, &[0, 0, 1, 0, 0, 0, 1][..]), (0.316_227_766_016_837_94, &[0, 0, 0, 1])]
        {
            let weights = [1.0, young];
            assert_eq!(picks(&mut start(0, &weights), &weights, expected.len()), expected, "{young}");
        }
    }

    /// Envoy's locality_wrr_test.cc at 7924be2: the weights are those of zones, less what is unhealthy in them.
    #[test]
    fn zones_are_picked_by_their_effective_weights() {
        let cases: [(&[f64], &[u32]); 3] = [
            (&[1.0, 1.0, 1.0], &[0, 1, 2, 0, 1, 2]),
            (&[1.0, 2.0], &[1, 0, 1, 1, 0, 1]),
            (&[1.0, 0.0, 1.0], &[0, 2, 0, 2, 0, 2]),
        ];
        for (weights, expected) in cases {
            assert_eq!(picks(&mut start(0, weights), weights, expected.len()), expected, "{weights:?}");
        }
        for (effective, of_100) in [(1.0, 33), (0.84, 29), (0.279_999_999_999_999_97, 12)] {
            let weights = [effective, 2.0];
            let picked = picks(&mut start(0, &weights), &weights, 100);
            assert_eq!(picked.iter().filter(|&&zone| zone == 0).count(), of_100, "{effective}");
        }
    }

    /// Counting picks and making them comes to the same, but for the last bits: edf_scheduler_test.cc compares the two.
    #[test]
    fn a_seed_is_so_many_picks_ahead() {
        let weights = [25.0, 74.1, 1.3, 3.1, 2.9];
        for seed in [1, 2, 23, 106, 107, 108, 1_000] {
            let mut made = start(0, &weights);
            picks(&mut made, &weights, seed as usize);
            let pairs = start(seed, &weights).deadlines().into_iter().zip(made.deadlines());
            for ((counted, at), (made, due)) in pairs {
                assert!(
                    counted == made && (at - due).abs() < 1e-9,
                    "{seed}: {counted} at {at}, {made} at {due}"
                );
            }
        }
    }

    #[test]
    fn a_seed_counts_by_its_lower_half_and_up_to_a_limit() {
        let weights = [1.0, 2.0, 3.0];
        let first = |seed| picks(&mut start(seed, &weights), &weights, 20);
        assert_eq!(first(5 + (7 << 32)), first(5));
        assert_eq!(first(5 + u64::from(MOST_PICKS)), first(5));
        assert_ne!(first(6), first(5));
    }

    #[test]
    fn who_weighs_nothing_is_not_picked() {
        let weights = [0.0, 1.0, 0.0, 2.0];
        for seed in [0, 1, 1_000_003] {
            assert!(picks(&mut start(seed, &weights), &weights, 300).iter().all(|entry| entry % 2 == 1));
        }
    }
}
