//! Envoy's weighted round robin: in turn where all weights are equal, and by deadlines where they are not.
//!
//! Sources: round_robin_lb.h and `EdfLoadBalancerBase` in load_balancer_impl.cc of envoyproxy/envoy at 12ca3fd.

use super::super::Update;
use super::super::edf::{Edf, differ};
use super::super::round_robin::RoundRobin;
use crate::dice::Dice;
use crate::listing::View;
use crate::state::State;

/// Where it is in its turns, and its scheduler, where it has one.
#[derive(Clone, Debug)]
pub struct Envoy {
    /// Drawn once: the turns begin there, and each scheduler so many picks ahead.
    seed: u64,
    turns: RoundRobin,
    scheduler: Option<Edf>,
}

impl Envoy {
    pub(super) fn new(dice: &mut Dice<'_>) -> Envoy {
        let seed = dice.word();
        Envoy { seed, turns: RoundRobin::starting_at(seed), scheduler: None }
    }

    pub(super) fn on_update(&mut self, view: View<'_>, what: Update) {
        let seed = self.seed;
        let weight = |place| view.weight(place);
        Edf::refresh(&mut self.scheduler, view, what, differ(view), || seed, weight);
    }

    pub(super) fn pick(&mut self, view: View<'_>) -> u32 {
        match &mut self.scheduler {
            Some(scheduler) => scheduler.pick(|place| view.weight(place)),
            None => self.turns.turn(view),
        }
    }

    pub(super) fn state(&self, view: View<'_>) -> State {
        let order = match &self.scheduler {
            Some(scheduler) => ("deadlines", scheduler.state(view)),
            None => ("next", State::from(self.turns.next(view))),
        };
        State::table([("seed", State::from(self.seed)), order])
    }
}
