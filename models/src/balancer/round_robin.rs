//! Each endpoint in turn, from a random start, as grpc-go's `round_robin` does.

use schism_core::{Draws, Luck};

use super::{Balancer, Call};
use crate::listing::View;

/// A cyclic index into the view. It goes on over changes of the view: clients that started apart stay apart.
#[derive(Clone, Copy, Debug)]
pub struct RoundRobin {
    next: u32,
}

impl RoundRobin {
    pub(super) fn new(luck: &mut Luck) -> RoundRobin {
        RoundRobin { next: luck.below(1 << 16) }
    }
}

impl Balancer for RoundRobin {
    fn pick(&mut self, _: &mut Draws, view: View<'_>, _: &Call<'_>) -> u32 {
        let place = self.next % view.len();
        self.next = self.next.wrapping_add(1);
        place
    }
}
