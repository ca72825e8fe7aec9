//! Envoy's weighted round robin: in turn where all weights are equal, and by deadlines where they are not.
//!
//! Sources: round_robin_lb.h and `EdfLoadBalancerBase` in load_balancer_impl.cc of envoyproxy/envoy at 12ca3fd.

use super::super::Update;
use super::super::edf::{Edf, differ};
use crate::dice::Dice;
use crate::listing::View;
use crate::state::State;

/// Where it is in its turns, and its scheduler, where it has one.
#[derive(Clone, Debug)]
pub struct Envoy {
    /// Drawn once: the turns begin there, and each scheduler so many picks ahead.
    seed: u64,
    /// A count of picks in turn: it goes on over all changes.
    turns: u64,
    scheduler: Option<Edf>,
}

impl Envoy {
    pub(super) fn new(dice: &mut Dice<'_>) -> Envoy {
        let seed = dice.word();
        Envoy { seed, turns: seed, scheduler: None }
    }

    pub(super) fn on_update(&mut self, view: View<'_>, what: Update) {
        let seed = self.seed;
        let weight = |place| view.weight(place);
        Edf::refresh(&mut self.scheduler, view, what, differ(view), || seed, weight);
    }

    pub(super) fn pick(&mut self, view: View<'_>) -> u32 {
        if let Some(scheduler) = &mut self.scheduler {
            return scheduler.pick(|place| view.weight(place));
        }
        let place = (self.turns % u64::from(view.len())) as u32;
        self.turns = self.turns.wrapping_add(1);
        place
    }

    pub(super) fn state(&self, view: View<'_>) -> State {
        match &self.scheduler {
            Some(scheduler) => {
                State::table([("seed", State::from(self.seed)), ("deadlines", scheduler.state(view))])
            }
            None => {
                let next = (self.turns % u64::from(view.len())) as u32;
                State::table([("seed", State::from(self.seed)), ("next", State::from(view.name(next)))])
            }
        }
    }
}
