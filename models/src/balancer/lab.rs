//! One balancer alone, for tests: endpoints, a clock, words to draw, and what is in flight.

use std::collections::VecDeque;

use schism_core::{Draw, Draws, Duration, NodeId, Time, ZoneId};

use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::keys::Subject;
use crate::listing::{Endpoint, InFlight, Roster, Scene, View};
use crate::load::{Feedback, Load};
use crate::observation::Outcome;

/// A balancer and all that it sees.
#[derive(Clone, Debug)]
pub(super) struct Rig<B> {
    pub(super) balancer: B,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) in_flight: InFlight,
    /// What is drawn before luck is.
    pub(super) script: VecDeque<u64>,
    pub(super) now: Time,
    roster: Roster,
    luck: Draws,
}

impl<B: Balancer> Rig<B> {
    /// With so many endpoints of weight 1, as the only client of its group.
    pub(super) fn new(endpoints: u32, config: &B::Config) -> Rig<B> {
        Rig::seated(endpoints, config, Seat { index: 0, peers: 1 })
    }

    /// The same with default options.
    pub(super) fn plain(endpoints: u32) -> Rig<B> {
        Rig::new(endpoints, &B::Config::default())
    }

    /// The same for one client of several.
    pub(super) fn seated(endpoints: u32, config: &B::Config, seat: Seat) -> Rig<B> {
        let mut luck = Draw::new(7).many();
        let balancer = B::new(config, &seat, &mut Dice::new(luck.draw().many()));
        let names = (0..1_000).map(|ordinal| format!("e-{ordinal}")).collect();
        let mut rig = Rig {
            balancer,
            endpoints: Vec::new(),
            in_flight: InFlight::default(),
            script: VecDeque::new(),
            now: Time::START,
            roster: Roster::new(names),
            luck,
        };
        rig.list(0..endpoints);
        rig
    }

    /// These are listed from now on, each with weight 1.
    pub(super) fn list(&mut self, ordinals: impl IntoIterator<Item = u32>) {
        self.endpoints = ordinals.into_iter().map(|ordinal| endpoint(ordinal, 1)).collect();
        self.update(Update::Members);
    }

    /// The weights change to these.
    pub(super) fn weigh(&mut self, weights: &[u32]) {
        for (endpoint, weight) in self.endpoints.iter_mut().zip(weights) {
            endpoint.weight = *weight;
        }
        self.update(Update::Weights);
    }

    /// The ordinal of who is picked; it has one request more in flight.
    pub(super) fn pick(&mut self) -> u32 {
        let mut dice = Dice::scripted(&mut self.script, self.luck.draw().many());
        let scene = Scene {
            now: self.now,
            in_flight: &self.in_flight,
            roster: &self.roster,
            zone_weights: &[],
            warm_up: None,
        };
        let view = View::new(&self.endpoints, scene).expect("there are endpoints");
        let place = self.balancer.pick(view, &Call::about(Subject::Nothing), &mut dice);
        let ordinal = self.endpoints[place as usize].ordinal;
        self.in_flight.add(ordinal);
        ordinal
    }

    /// The same with these words.
    pub(super) fn pick_by(&mut self, words: &[u64]) -> u32 {
        self.script.extend(words);
        let picked = self.pick();
        assert!(self.script.is_empty(), "{} words were not drawn", self.script.len());
        picked
    }

    /// Someone answers after so long, well.
    pub(super) fn answer(&mut self, ordinal: u32, latency: Duration) {
        self.end(ordinal, latency, Outcome::Success, None);
    }

    /// An attempt ends.
    pub(super) fn end(&mut self, ordinal: u32, latency: Duration, outcome: Outcome, load: Option<&Load>) {
        self.in_flight.remove(ordinal);
        self.balancer.on_reply(self.now, ordinal, &Feedback { latency, outcome, load });
    }

    /// Time passes.
    pub(super) fn advance(&mut self, by: Duration) {
        self.now += by;
    }

    /// What it looks at.
    pub(super) fn with_view<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        let scene = Scene {
            now: self.now,
            in_flight: &self.in_flight,
            roster: &self.roster,
            zone_weights: &[],
            warm_up: None,
        };
        look(View::new(&self.endpoints, scene).expect("there are endpoints"))
    }

    fn update(&mut self, what: Update) {
        let mut dice = Dice::scripted(&mut self.script, self.luck.draw().many());
        let scene = Scene {
            now: self.now,
            in_flight: &self.in_flight,
            roster: &self.roster,
            zone_weights: &[],
            warm_up: None,
        };
        if let Some(view) = View::new(&self.endpoints, scene) {
            self.balancer.on_update(view, what, &mut dice);
        }
    }
}

fn endpoint(ordinal: u32, weight: u32) -> Endpoint {
    Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(0), weight }
}
