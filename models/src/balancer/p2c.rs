//! Of two distinct endpoints drawn at random, the less loaded.
//!
//! Load is the client's own requests in flight; the first drawn wins a tie (Finagle's `P2CPicker`, tower's
//! `p2c::Balance`). After Mitzenmacher, "The power of two choices in randomized load balancing", 2001.

use schism_core::{Draws, Luck};

use super::{Balancer, Call};
use crate::listing::View;

/// Keeps nothing: the view knows what is in flight.
#[derive(Clone, Copy, Debug)]
pub struct P2c;

impl P2c {
    pub(super) fn new(_: &mut Luck) -> P2c {
        P2c
    }
}

impl Balancer for P2c {
    fn pick(&mut self, luck: &mut Draws, view: View<'_>, _: &Call<'_>) -> u32 {
        if view.len() == 1 {
            return 0;
        }
        let first = luck.below(view.len());
        // The second is drawn from the others: those behind the first move up by one.
        let second = luck.below(view.len() - 1);
        let second = second + u32::from(second >= first);
        if view.in_flight(second) < view.in_flight(first) { second } else { first }
    }
}
