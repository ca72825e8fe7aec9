//! gRPC's `weighted_round_robin`: a static stride over the weights that endpoints report of themselves.
//!
//! Sources: gRFC A58 (grpc/proposal at 1fd061a); weighted_round_robin.cc of grpc/grpc at 0723509 and
//! balancer/weightedroundrobin/balancer.go of grpc/grpc-go at 4793ad0. Reports come with replies; there are none out of
//! band. As long as no endpoint of the view has reported, the weights are those of the list, where gRPC would take turns:
//! that is ours, so that one can try the scheduler by hand.

use schism_core::{Duration, Time};

use super::super::PerHost;
use super::super::load_weight::{LoadWeight, reported};
use super::super::round_robin::RoundRobin;
use super::super::stride::Stride;
use super::Config;
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::observation::Outcome;
use crate::state::State;

/// A58: `blackout_period`.
pub(super) const BLACKOUT: Duration = Duration::from_secs(10);

/// A58: `weight_expiration_period`.
pub(super) const EXPIRATION: Duration = Duration::from_secs(180);

/// A58: `weight_update_period`.
pub(super) const UPDATE: Duration = Duration::from_secs(1);

/// A58: a shorter `weight_update_period` is taken as this.
const LEAST_UPDATE: Duration = Duration::from_millis(100);

/// Whose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Core {
    /// grpc/grpc's: single precision, and a sequence for life.
    Cpp,
    /// grpc-go's: double precision, and a new sequence for each list.
    Go,
}

/// The weights that were reported, and the scheduler that was made of them last.
#[derive(Clone, Debug)]
pub struct Grpc {
    core: Core,
    blackout: Duration,
    expiration: Duration,
    period: Duration,
    penalty: f64,
    known: PerHost<LoadWeight>,
    /// None where it takes turns.
    scheduler: Option<Stride>,
    sequence: u32,
    /// C++ counts its turns by themselves.
    turns: RoundRobin,
    due: Option<Time>,
}

impl Grpc {
    pub(super) fn new(core: Core, config: &Config, dice: &mut Dice<'_>) -> Grpc {
        let sequence = match core {
            Core::Cpp => dice.word() as u32,
            // Drawn for each list.
            Core::Go => 0,
        };
        Grpc {
            core,
            blackout: config.blackout_period.unwrap_or(Duration::ZERO),
            expiration: config.weight_expiration_period,
            period: config.weight_update_period.max(LEAST_UPDATE),
            penalty: config.error_utilization_penalty,
            known: PerHost::default(),
            scheduler: None,
            sequence,
            turns: RoundRobin::starting_at(0),
            due: None,
        }
    }

    /// gRPC makes a new picker for each list, whatever has changed in it.
    pub(super) fn on_update(&mut self, view: View<'_>, dice: &mut Dice<'_>) {
        self.known.retain(view);
        match self.core {
            Core::Cpp => self.turns = RoundRobin::starting_at(dice.word()),
            Core::Go => self.sequence = dice.word() as u32,
        }
        self.on_due(view);
    }

    pub(super) fn due(&self) -> Option<Time> {
        self.due
    }

    /// The weights are read again.
    pub(super) fn on_due(&mut self, view: View<'_>) {
        let weights: Vec<f64> = self.weights(view);
        self.scheduler = match self.core {
            Core::Cpp => Stride::cpp(&weights.iter().map(|&weight| weight as f32).collect::<Vec<_>>()),
            Core::Go => Stride::go(&weights),
        };
        // Of one endpoint there is nothing to choose.
        self.due = (view.len() > 1).then(|| view.now() + self.period);
    }

    pub(super) fn pick(&mut self, view: View<'_>) -> u32 {
        match (&self.scheduler, self.core) {
            (Some(stride), _) => stride.pick(&mut self.sequence),
            (None, Core::Cpp) => self.turns.turn(view),
            (None, Core::Go) => {
                let turn = self.sequence;
                self.sequence = turn.wrapping_add(1);
                turn % view.len()
            }
        }
    }

    pub(super) fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        // The next report will come over a new connection.
        if reply.outcome == Outcome::Connect
            && let Some(known) = self.known.get_mut(ordinal)
        {
            known.on_ready();
        }
        if let Some(load) = reply.load {
            let weight = match self.core {
                // The penalty and the weight are a `float` each.
                Core::Cpp => {
                    let penalty = f64::from(self.penalty as f32);
                    f64::from(reported(load.qps, load.eps, load.utilization, penalty) as f32)
                }
                Core::Go => reported(load.qps, load.eps, load.utilization, self.penalty),
            };
            if weight > 0.0 {
                self.known.touch(ordinal, LoadWeight::default).on_report(now, weight);
            }
        }
    }

    pub(super) fn state(&self, view: View<'_>) -> State {
        let weight = |(place, &weight)| (view.name(place), State::from(u32::from(weight)));
        match (&self.scheduler, self.core) {
            (Some(stride), _) => State::table([
                ("sequence", State::from(self.sequence)),
                ("weights", State::table((0..).zip(stride.scaled()).map(weight))),
            ]),
            (None, Core::Cpp) => State::table([("next", State::from(self.turns.next(view)))]),
            (None, Core::Go) => State::table([("next", State::from(view.name(self.sequence % view.len())))]),
        }
    }

    /// What everyone weighs now, by place; zero of whom nothing is known.
    fn weights(&mut self, view: View<'_>) -> Vec<f64> {
        let now = view.now();
        let mut is_reported = false;
        let mut known = |place| {
            let known = self.known.get_mut(view.endpoint(place).ordinal);
            is_reported |= known.is_some();
            known.map_or(0.0, |known| known.now(now, self.blackout, self.expiration))
        };
        let weights = (0..view.len()).map(&mut known).collect();
        if is_reported { weights } else { (0..view.len()).map(|place| view.weight(place)).collect() }
    }
}
