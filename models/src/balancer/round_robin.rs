//! Each endpoint in turn, from a random start, as grpc-go's `round_robin` and Envoy's unweighted one do.

use super::{Balancer, Call, Seat};
use crate::dice::Dice;
use crate::listing::View;
use crate::options::Nothing;
use crate::state::State;

/// A count of picks, taken modulo the endpoints that there are. It goes on over changes of the view, as Envoy's
/// `rr_indexes_` do: clients that started apart stay apart.
#[derive(Clone, Copy, Debug)]
pub struct RoundRobin {
    next: u64,
}

impl Balancer for RoundRobin {
    type Config = Nothing;

    fn new(_: &Nothing, _: &Seat, dice: &mut Dice<'_>) -> RoundRobin {
        RoundRobin::starting_at(dice.word())
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, _: &mut Dice<'_>) -> u32 {
        self.turn(view)
    }

    fn state(&self, view: View<'_>) -> State {
        State::table([("next", State::from(self.next(view)))])
    }
}

impl RoundRobin {
    /// A count that starts there.
    pub(super) fn starting_at(next: u64) -> RoundRobin {
        RoundRobin { next }
    }

    /// Whose turn it is.
    #[inline]
    pub(super) fn turn(&mut self, view: View<'_>) -> u32 {
        let place = (self.next % u64::from(view.len())) as u32;
        self.next = self.next.wrapping_add(1);
        place
    }

    /// The name of who is next.
    pub(super) fn next<'a>(&self, view: View<'a>) -> &'a str {
        view.name((self.next % u64::from(view.len())) as u32)
    }
}
