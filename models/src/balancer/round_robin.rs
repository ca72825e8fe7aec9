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
        RoundRobin { next: dice.word() }
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, _: &mut Dice<'_>) -> u32 {
        let place = (self.next % u64::from(view.len())) as u32;
        self.next = self.next.wrapping_add(1);
        place
    }

    fn state(&self, view: View<'_>) -> State {
        let next = (self.next % u64::from(view.len())) as u32;
        State::table([("next", view.name(next))].map(|(part, name)| (part, State::from(name))))
    }
}
