//! In which order a node probes the others: all in each round, shuffled anew for the next.
//!
//! memberlist shuffles a list of all nodes. Five thousand nodes with five thousand places each would be much, so the
//! order is a permutation keyed by one word: the swap-or-not shuffle (Hoang, Morris and Rogaway, CRYPTO 2012).

use schism_core::{Draw, Luck};

use super::Peer;

/// So many rounds make every order of a few nodes equally likely, as far as the test below can tell.
const ROUNDS: u64 = 24;

/// A walk through all peers in an order drawn at random.
#[derive(Clone, Debug)]
pub struct Order {
    key: Draw,
    at: u32,
    peers: u32,
}

impl Order {
    /// The beginning of a walk.
    pub fn new(peers: u32, luck: &mut Luck) -> Order {
        Order { key: luck.draw(), at: 0, peers }
    }
}

impl Iterator for Order {
    type Item = Peer;
    fn next(&mut self) -> Option<Peer> {
        let index = self.at;
        (index < self.peers).then(|| {
            self.at += 1;
            place(self.key, self.peers, index)
        })
    }
}

/// Where an index goes: in each round it may trade places with its mirror image at a pivot drawn at random.
fn place(key: Draw, n: u32, index: u32) -> u32 {
    let mut at = index;
    for round in (0..ROUNDS).map(|round| key.derive(round)) {
        let image = (round.below(n) + n - at) % n;
        let trades = round.derive(at.max(image).into()).word() & 1 == 1;
        at = if trades { image } else { at };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use schism_core::Seed;

    fn walk(peers: u32, luck: &mut Luck) -> Vec<Peer> {
        Order::new(peers, luck).collect()
    }

    #[test]
    fn a_walk_meets_everybody_once() {
        let mut luck = Seed(1).luck("a", "order", 0);
        for peers in [1, 2, 3, 7, 8, 100, 4_999] {
            let mut met = walk(peers, &mut luck);
            met.sort_unstable();
            assert!(met.into_iter().eq(0..peers), "{peers}");
        }
    }

    #[test]
    fn all_orders_of_four_are_equally_likely() {
        let mut luck = Seed(2).luck("a", "order", 0);
        let mut seen = [0_u32; 256];
        for _ in 0..24_000 {
            seen[walk(4, &mut luck).into_iter().fold(0, |code, peer| code * 4 + peer as usize)] += 1;
        }
        let met: Vec<f64> = seen.iter().filter(|&&count| count > 0).map(|&count| f64::from(count)).collect();
        let chi: f64 = met.iter().map(|count| (count - 1_000.0) * (count - 1_000.0) / 1_000.0).sum();
        assert_eq!(met.len(), 24);
        assert!(chi < 49.7, "{chi}"); // 99.9% quantile for 23 degrees of freedom
    }

    #[test]
    fn neighbours_in_a_large_walk_are_no_neighbours_by_number() {
        let met = walk(5_000, &mut Seed(3).luck("a", "order", 0));
        let near = met.windows(2).filter(|pair| pair[0].abs_diff(pair[1]) <= 5).count();
        assert!(near < 30, "{near}"); // ten are expected, as in any order drawn at random
    }
}
