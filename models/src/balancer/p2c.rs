//! Of two distinct endpoints drawn at random, the less loaded.
//!
//! Load is the client's own requests in flight; the first drawn wins a tie (Finagle's `P2CPicker`, tower's
//! `p2c::Balance`). After Mitzenmacher, "The power of two choices in randomized load balancing", 2001.

use super::{Balancer, Call, Seat};
use crate::dice::Dice;
use crate::listing::View;
use crate::options::Nothing;

/// Keeps nothing: the view knows what is in flight.
#[derive(Clone, Copy, Debug)]
pub struct P2c;

impl Balancer for P2c {
    type Config = Nothing;

    fn new(_: &Nothing, _: &Seat, _: &mut Dice<'_>) -> P2c {
        P2c
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let Some((first, second)) = two_distinct(view.len(), dice) else { return 0 };
        if view.in_flight(second) < view.in_flight(first) { second } else { first }
    }
}

/// Two distinct places of so many, each pair as likely, by two words; none of one place.
#[inline]
pub(super) fn two_distinct(places: u32, dice: &mut Dice<'_>) -> Option<(u32, u32)> {
    if places < 2 {
        return None;
    }
    let first = dice.below(places);
    // The second is drawn from the others: those behind the first move up by one.
    let second = dice.below(places - 1);
    Some((first, second + u32::from(second >= first)))
}
