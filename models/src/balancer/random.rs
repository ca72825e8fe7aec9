//! Any endpoint, uniformly at random.

use super::{Balancer, Call, Seat};
use crate::dice::Dice;
use crate::listing::View;
use crate::options::Nothing;

/// Keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Balancer for Random {
    type Config = Nothing;

    fn new(_: &Nothing, _: &Seat, _: &mut Dice<'_>) -> Random {
        Random
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        dice.below(view.len())
    }
}
