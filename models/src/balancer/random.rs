//! Any endpoint, uniformly at random.

use schism_core::{Draws, Luck};

use super::{Balancer, Call};
use crate::listing::View;

/// Keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct Random;

impl Random {
    pub(super) fn new(_: &mut Luck) -> Random {
        Random
    }
}

impl Balancer for Random {
    fn pick(&mut self, luck: &mut Draws, view: View<'_>, _: &Call<'_>) -> u32 {
        luck.below(view.len())
    }
}
