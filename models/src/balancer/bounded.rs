//! Bounded loads: how many requests an endpoint may have before a hashing balancer goes on to another.
//!
//! Mirrokni, Thorup and Zadimoghaddam, "Consistent hashing with bounded loads", 2016 (arXiv:1608.01350), as Envoy and as
//! HAProxy do it.

use rand_mt::Mt;

use super::shares::Share;

/// Envoy's `hash_balance_factor`: who has too many is passed over for one drawn with the hash, after Chen, Coleman and
/// Shrivastava, "Revisiting consistent hashing with bounded loads", 2019 (arXiv:1908.08762).
///
/// `BoundedLoadHashingLoadBalancer` in source/extensions/load_balancing_policies/common/thread_aware_lb_impl.cc.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    /// Percent of the mean.
    factor: u32,
    shares: Vec<Share>,
    /// By place in the view: who has no share is never asked for it.
    parts: Vec<f64>,
    shuffle: Shuffle,
}

impl Bounds {
    pub(super) fn new(factor: u32, shares: Vec<Share>) -> Bounds {
        let places = shares.iter().map(|share| share.place as usize + 1).max().unwrap_or(0);
        let mut parts = vec![0.0; places];
        shares.iter().for_each(|share| parts[share.place as usize] = share.part);
        let shuffle = Shuffle::new(shares.len() as u32);
        Bounds { factor, shares, parts, shuffle }
    }

    /// How many requests the endpoint at a place may have, with so many in flight in all.
    pub(super) fn slots(&self, all: u32, place: u32) -> u32 {
        slots(total_slots(all, self.factor), self.parts[place as usize])
    }

    /// The place of an endpoint that is not overloaded, with so many requests in flight in all and to each place: the
    /// hashed one, else the first in the order that the hash gives, else the one that is overloaded least.
    pub(super) fn pick(&mut self, all: u32, in_flight: impl Fn(u32) -> u32, hash: u64, hashed: u32) -> u32 {
        let total = total_slots(all, self.factor);
        let overload = |place: u32, part: f64| f64::from(in_flight(place)) / f64::from(slots(total, part));
        let mut least = (hashed, overload(hashed, self.parts[hashed as usize]));
        if least.1 <= 1.0 {
            return hashed;
        }
        let shares = &self.shares;
        let accepted = self.shuffle.walk(hash as u32, |index| {
            let Share { place, part } = shares[index as usize];
            if place == hashed {
                return None;
            }
            let overload = overload(place, part);
            if overload < least.1 {
                least = (place, overload);
            }
            (overload <= 1.0).then_some(place)
        });
        accepted.unwrap_or(least.0)
    }
}

/// How many requests all endpoints may have together, with the one to come: `factor` percent of those there are, rounded
/// up, in the 32 bits of Envoy's and HAProxy's.
pub(super) fn total_slots(in_flight: u32, factor: u32) -> u32 {
    in_flight.wrapping_add(1).wrapping_mul(factor).wrapping_add(99) / 100
}

/// How many of all slots are an endpoint's in Envoy: its part, rounded up, and at least 1.
fn slots(total: u32, part: f64) -> u32 {
    (libm::ceil(f64::from(total) * part) as u32).max(1)
}

/// How many of all slots are a server's in HAProxy: what the running sum of weights gives it, so that none is lost to
/// rounding, and at least 1. `chash_server_is_eligible` in src/lb_chash.c; who has fewer requests may have one more.
pub(super) fn haproxy_slots(total: u32, weights: Weights) -> u32 {
    let each = total / weights.sum;
    let rest = u64::from(total % weights.sum);
    let upto = |weight: u32| (u64::from(weight) * rest / u64::from(weights.sum)) as u32;
    let slots = weights.own * each + upto(weights.before + weights.own) - upto(weights.before);
    slots.max(1)
}

/// A server's weight among the others'.
#[derive(Clone, Copy, Debug)]
pub(super) struct Weights {
    /// Its own.
    pub(super) own: u32,
    /// Of all servers before it in the backend.
    pub(super) before: u32,
    /// Of all.
    pub(super) sum: u32,
}

/// A Fisher-Yates shuffle that is drawn only as far as somebody looks.
#[derive(Clone, Debug)]
struct Shuffle {
    /// 0, 1, 2 and so on, whenever nobody walks.
    order: Vec<u32>,
    /// What the walk under way has swapped each place with.
    swaps: Vec<u32>,
}

impl Shuffle {
    fn new(len: u32) -> Shuffle {
        Shuffle { order: (0..len).collect(), swaps: Vec::with_capacity(len as usize) }
    }

    /// Goes through the order that a seed gives until there is an answer.
    fn walk(&mut self, seed: u32, mut visit: impl FnMut(u32) -> Option<u32>) -> Option<u32> {
        let mut random = Mt::new(seed);
        let len = self.order.len() as u32;
        let answer = (0..len).find_map(|at| {
            let with = at + uniform(&mut random, len - at);
            self.order.swap(at as usize, with as usize);
            self.swaps.push(with);
            visit(self.order[at as usize])
        });
        self.restore();
        answer
    }

    /// Undoes the swaps, the last first: the next walk starts from the same order, and costs no more than it looks at.
    fn restore(&mut self) {
        while let Some(with) = self.swaps.pop() {
            self.order.swap(self.swaps.len(), with as usize);
        }
    }
}

/// A number below `bound`, as Envoy draws it of its Mersenne twister.
fn uniform(random: &mut Mt, bound: u32) -> u32 {
    let width = (1_u64 << 32) / u64::from(bound);
    loop {
        let drawn = u64::from(random.next_u32()) / width;
        if drawn < u64::from(bound) {
            return drawn as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(hosts: u32) -> Vec<Share> {
        (0..hosts).map(|place| Share { place, part: 1.0 / f64::from(hosts) }).collect()
    }

    fn order(seed: u32) -> Vec<u32> {
        let mut order = Vec::new();
        let seen = Shuffle::new(5).walk(seed, |index| {
            order.push(index);
            None
        });
        assert_eq!(seen, None);
        order
    }

    /// bounded_load_hlb_test.cc of envoyproxy/envoy at 8b9304c. Before commit 08e65df a seed of 2 gave 2, 0, 3, 1, 4.
    #[test]
    fn the_order_is_envoys() {
        let orders = [
            [2, 3, 4, 0, 1],
            [2, 4, 1, 0, 3],
            [2, 1, 0, 4, 3],
            [2, 1, 4, 0, 3],
            [4, 0, 3, 2, 1],
            [1, 0, 4, 2, 3],
            [4, 0, 2, 3, 1],
            [0, 1, 4, 3, 2],
            [4, 1, 0, 3, 2],
            [0, 2, 3, 1, 4],
            [3, 2, 1, 0, 4],
            [0, 1, 2, 4, 3],
        ];
        for (seed, expected) in (0..).zip(orders) {
            assert_eq!(order(seed), expected, "seed {seed}");
        }
    }

    #[test]
    fn a_walk_leaves_the_next_one_as_it_was() {
        let mut shuffle = Shuffle::new(5);
        for seed in [11, 2, 7] {
            assert_eq!(shuffle.walk(seed, Some), Some(order(seed)[0]));
            assert_eq!(shuffle.order, [0, 1, 2, 3, 4]);
        }
    }

    /// The two cases of the same file: who is overloaded there has any number of requests, and the others have none.
    #[test]
    fn who_is_overloaded_is_passed_over() {
        let mut bounds = Bounds::new(125, even(5));
        let only = |full: u32| move |place| if place == full { 1_000 } else { 0 };
        assert_eq!(bounds.pick(10, only(2), 2, 2), 1);
        assert_eq!(bounds.pick(10, only(3), 6, 3), 4);
        assert_eq!(bounds.pick(10, only(0), 6, 3), 3);
    }

    #[test]
    fn where_all_are_overloaded_the_least_is_taken_and_the_hashed_one_wins_ties() {
        let mut bounds = Bounds::new(100, even(3));
        assert_eq!(bounds.pick(0, |place| [9, 7, 8][place as usize], 5, 0), 1);
        assert_eq!(bounds.pick(0, |_| 9, 5, 2), 2);
    }

    /// As many as there are slots is not yet too many.
    #[test]
    fn an_endpoint_with_as_many_as_it_has_slots_takes_one_more() {
        let mut bounds = Bounds::new(100, even(1));
        assert_eq!((total_slots(1, 100), slots(2, 1.0)), (2, 2));
        assert_eq!(bounds.pick(1, |_| 2, 0, 0), 0);
        let mut bounds = Bounds::new(100, even(2));
        assert_eq!(bounds.pick(3, |place| [2, 0][place as usize], 0, 0), 0);
        assert_eq!(bounds.pick(3, |place| [3, 0][place as usize], 0, 0), 1);
    }

    /// In flight, factor, part and slots, computed with `hostOverloadFactor`'s expressions.
    #[test]
    fn slots_are_envoys() {
        let rows = [
            (0, 125, 0.2, 1),
            (0, 125, 0.1, 1),
            (0, 150, 0.5, 1),
            (0, 200, 0.2, 1),
            (0, 200, 0.1, 1),
            (1, 125, 0.5, 2),
            (1, 150, 0.2, 1),
            (1, 150, 0.1, 1),
            (1, 200, 0.5, 2),
            (9, 125, 0.2, 3),
            (9, 125, 0.1, 2),
            (9, 150, 0.5, 8),
            (9, 200, 0.2, 4),
            (9, 200, 0.1, 2),
            (10, 125, 0.5, 7),
            (10, 150, 0.2, 4),
            (10, 150, 0.1, 2),
            (10, 200, 0.5, 11),
            (99, 125, 0.2, 25),
            (99, 125, 0.1, 13),
            (99, 150, 0.5, 75),
            (99, 200, 0.2, 40),
            (99, 200, 0.1, 20),
            (100, 125, 0.5, 64),
            (100, 150, 0.2, 31),
            (100, 150, 0.1, 16),
            (100, 200, 0.5, 101),
        ];
        for (in_flight, factor, part, expected) in rows {
            assert_eq!(slots(total_slots(in_flight, factor), part), expected, "{in_flight} {factor} {part}");
        }
    }

    /// In flight, factor, all slots and those of three servers of one weight, by `chash_server_is_eligible` of
    /// haproxy/haproxy at 50872da.
    #[test]
    fn slots_are_haproxys() {
        let rows = [
            (0, 125, 2, [1, 1, 1]),
            (0, 150, 2, [1, 1, 1]),
            (0, 200, 2, [1, 1, 1]),
            (1, 125, 3, [1, 1, 1]),
            (1, 150, 3, [1, 1, 1]),
            (1, 200, 4, [1, 1, 2]),
            (5, 125, 8, [2, 3, 3]),
            (5, 150, 9, [3, 3, 3]),
            (5, 200, 12, [4, 4, 4]),
            (9, 125, 13, [4, 4, 5]),
            (9, 150, 15, [5, 5, 5]),
            (9, 200, 20, [6, 7, 7]),
            (29, 125, 38, [12, 13, 13]),
            (29, 150, 45, [15, 15, 15]),
            (29, 200, 60, [20, 20, 20]),
            (99, 125, 125, [41, 42, 42]),
            (99, 150, 150, [50, 50, 50]),
            (99, 200, 200, [66, 67, 67]),
        ];
        for (in_flight, factor, total, expected) in rows {
            assert_eq!(total_slots(in_flight, factor), total);
            // The scale of weights cancels out: HAProxy counts 16 for each unit.
            for scale in [1, 16] {
                let own = |before| Weights { own: scale, before: before * scale, sum: 3 * scale };
                let found = [0, 1, 2].map(|before| haproxy_slots(total, own(before)));
                assert_eq!(found, expected, "{in_flight} in flight, {factor}%");
            }
        }
    }

    /// Some server may always have one more.
    #[test]
    fn haproxys_slots_are_more_than_the_requests() {
        for weights in [[1, 1, 1], [3, 1, 7], [256, 1, 1]] {
            for in_flight in 0..200 {
                let sum = weights.iter().sum();
                let mut before = 0;
                let slots = weights.map(|own| {
                    let slots = haproxy_slots(total_slots(in_flight, 101), Weights { own, before, sum });
                    before += own;
                    slots
                });
                assert!(slots.iter().sum::<u32>() > in_flight, "{weights:?} {in_flight}");
            }
        }
    }
}
