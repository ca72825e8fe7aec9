//! Any healthy endpoint, wherever it is.

use super::{Board, Corner, Group, GroupKey, Locality, Members, Part, Standing};
use crate::balancer::Call;
use crate::dice::Dice;
use crate::options::Nothing;

/// Whether anybody is there.
#[derive(Clone, Copy, Debug)]
pub struct Everyone {
    is_anybody: bool,
}

impl Locality for Everyone {
    type Config = Nothing;

    fn new(_: &Nothing, _: &Corner<'_>, _: &mut Dice<'_>) -> Everyone {
        Everyone { is_anybody: false }
    }

    fn on_update(&mut self, board: &Board<'_>) -> Vec<Group> {
        let is_well = |endpoint: &&_| board.standing(endpoint) == Standing::Healthy;
        let members = if board.endpoints.iter().all(|endpoint| is_well(&endpoint)) {
            Members::All
        } else {
            Members::Some(board.endpoints.iter().filter(is_well).copied().collect())
        };
        self.is_anybody = match &members {
            Members::All => !board.endpoints.is_empty(),
            Members::Some(some) => !some.is_empty(),
        };
        vec![Group { key: GroupKey { level: 0, part: Part::Healthy }, members, zone_weights: Vec::new() }]
    }

    #[inline]
    fn route(&mut self, _: &Call<'_>, _: &mut Dice<'_>) -> Option<usize> {
        self.is_anybody.then_some(0)
    }
}
