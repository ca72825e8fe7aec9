//! For tests: a balancer with endpoints, a clock, requests in flight and scripted words, and no network.

use std::collections::VecDeque;

use schism_core::{Draw, Draws, Duration, NodeId, Time, ZoneId};

use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::keys::Subject;
use crate::listing::{Endpoint, InFlight, Roster, Scene, View};
use crate::load::{Feedback, Load};
use crate::observation::Outcome;

/// One balancer and its surroundings. Endpoints have their ordinals for names.
pub(crate) struct Rig<B: Balancer> {
    pub(crate) balancer: B,
    endpoints: Vec<Endpoint>,
    roster: Roster,
    in_flight: InFlight,
    now: Time,
    script: VecDeque<u64>,
    luck: Draws,
}

impl<B: Balancer> Rig<B> {
    /// Endpoints 0, 1, 2, ... of these weights; the balancer draws these words first.
    pub(crate) fn new(config: &B::Config, weights: &[u32], script: &[u64]) -> Rig<B> {
        B::check(config).expect("the options go together");
        let (mut script, luck) = (VecDeque::from(script.to_vec()), Draw::new(7).many());
        let balancer = B::new(config, &Seat { index: 0, peers: 1 }, &mut Dice::scripted(&mut script, luck));
        let roster = Roster::new((0..64).map(|ordinal| ordinal.to_string()).collect());
        let (in_flight, now) = (InFlight::default(), Time::START);
        let mut rig = Rig { balancer, endpoints: Vec::new(), roster, in_flight, now, script, luck };
        let listed: Vec<(u32, u32)> = (0..).zip(weights.iter().copied()).collect();
        rig.update(Update::Members, &listed);
        rig
    }

    /// The list is now of these ordinals and weights.
    pub(crate) fn update(&mut self, what: Update, listed: &[(u32, u32)]) {
        let endpoint =
            |&(ordinal, weight)| Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(0), weight };
        self.endpoints = listed.iter().map(endpoint).collect();
        self.with_view(|balancer, view, dice| balancer.on_update(view, what, dice));
    }

    /// Who is picked, by ordinal; nothing is in flight for it.
    pub(crate) fn pick(&mut self) -> u32 {
        let call = Call::about(Subject::Nothing);
        let place = self.with_view(|balancer, view, dice| balancer.pick(view, &call, dice));
        self.endpoints[place as usize].ordinal
    }

    /// The same so many times.
    pub(crate) fn picks(&mut self, count: usize) -> Vec<u32> {
        (0..count).map(|_| self.pick()).collect()
    }

    /// Who is picked, and has one more in flight.
    pub(crate) fn send(&mut self) -> u32 {
        let ordinal = self.pick();
        self.in_flight.add(ordinal);
        ordinal
    }

    /// So many are in flight to each ordinal, and no others.
    pub(crate) fn load(&mut self, loads: &[u32]) {
        self.in_flight = InFlight::default();
        for (ordinal, &load) in (0..).zip(loads) {
            (0..load).for_each(|_| self.in_flight.add(ordinal));
        }
    }

    /// One that was in flight has ended.
    pub(crate) fn done(&mut self, ordinal: u32) {
        self.in_flight.remove(ordinal);
    }

    /// An attempt at that ordinal has ended like this.
    pub(crate) fn reply(&mut self, ordinal: u32, outcome: Outcome, load: Option<&Load>) {
        let feedback = Feedback { latency: Duration::ZERO, outcome, load };
        self.balancer.on_reply(self.now, ordinal, &feedback);
    }

    /// Time passes, and the balancer is woken when it wants to be.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(due) = self.balancer.due().filter(|&due| due <= end) {
            self.now = due;
            self.with_view(|balancer, view, dice| balancer.on_due(view, dice));
        }
        self.now = end;
    }

    /// Everyone who is asked for its load answers with this many requests.
    pub(crate) fn answer(&mut self, load: impl Fn(u32) -> u32) -> Vec<u32> {
        let mut asked = Vec::new();
        while let Some(ordinal) = self.balancer.next_probe() {
            let load = Load { in_flight: load(ordinal), ..Load::default() };
            self.balancer.on_probed(self.now, ordinal, &load);
            asked.push(ordinal);
        }
        asked
    }

    /// How many scripted words have not been drawn.
    pub(crate) fn words_left(&self) -> usize {
        self.script.len()
    }

    fn with_view<T>(&mut self, act: impl FnOnce(&mut B, View<'_>, &mut Dice<'_>) -> T) -> T {
        let Rig { balancer, endpoints, roster, in_flight, now, script, luck } = self;
        let scene = Scene { now: *now, in_flight, roster, zone_weights: &[], warm_up: None };
        let view = View::new(endpoints, scene).expect("there are endpoints");
        let words = luck.draw().many();
        act(balancer, view, &mut Dice::scripted(script, words))
    }
}
