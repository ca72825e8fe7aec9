//! Bounded loads of the paper: whoever is full passes its keys on to the next on the ring.
//!
//! Mirrokni, Thorup and Zadimoghaddam, 2016 (arXiv:1608.01350): with m requests and the one to come, an endpoint takes at
//! most ceil(c (m + 1) / n), here in proportion to the weights.

use crate::balancer::ring::Ring;
use crate::balancer::shares::Host;
use crate::listing::View;

/// How much each endpoint takes.
#[derive(Clone, Debug)]
pub(super) struct Spill {
    /// Percent of its share.
    factor: u32,
    /// By place in the view.
    weights: Vec<u64>,
    sum: u64,
}

impl Spill {
    pub(super) fn new(factor: u32, hosts: &[Host]) -> Spill {
        let places = hosts.iter().map(|host| host.place as usize + 1).max().unwrap_or(0);
        let mut weights = vec![0; places];
        hosts.iter().for_each(|host| weights[host.place as usize] = host.weight);
        Spill { factor, weights, sum: hosts.iter().map(|host| host.weight).sum() }
    }

    /// The place of the first endpoint from an entry on that has room. All together have room for one more than there
    /// are, so somebody does.
    pub(super) fn find(&self, ring: &Ring, view: View<'_>, start: u32) -> u32 {
        let all = u128::from(view.total_in_flight()) + 1;
        let has_room = |place: u32| {
            let part = all * u128::from(self.factor) * u128::from(self.weights[place as usize]);
            u128::from(view.in_flight(place)) < part.div_ceil(100 * u128::from(self.sum))
        };
        let mut at = start;
        while !has_room(ring.place(at)) {
            at = ring.after(at);
            assert!(at != start, "somebody has room for one more");
        }
        ring.place(at)
    }
}
