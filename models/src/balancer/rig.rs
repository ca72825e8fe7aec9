//! For tests: a balancer with endpoints, a clock, requests in flight and scripted words, and no network.

use std::collections::VecDeque;

use schism_core::{Draw, Draws, Duration, NodeId, Time, ZoneId};

use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::keys::Subject;
use crate::listing::{Endpoint, InFlight, Roster, Scene, View};
use crate::load::{Feedback, Load};
use crate::observation::Outcome;

/// One balancer and its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Rig<B> {
    pub(crate) balancer: B,
    pub(crate) endpoints: Vec<Endpoint>,
    pub(crate) in_flight: InFlight,
    /// What is drawn before luck is.
    pub(crate) script: VecDeque<u64>,
    pub(crate) now: Time,
    roster: Roster,
    luck: Draws,
}

/// The only client of its group.
const ALONE: Seat = Seat { index: 0, peers: 1 };

/// More than any test lists.
const NAMES: u32 = 1_000;

impl<B: Balancer> Rig<B> {
    /// Endpoints 0, 1, 2, ... of these weights; the balancer draws these words first.
    pub(crate) fn new(config: &B::Config, weights: &[u32], script: &[u64]) -> Rig<B> {
        let mut rig = Rig::made(config, ALONE, script);
        let listed: Vec<(u32, u32)> = (0..).zip(weights.iter().copied()).collect();
        rig.update(Update::Members, &listed);
        rig
    }

    /// So many endpoints of weight 1.
    pub(crate) fn of(endpoints: u32, config: &B::Config) -> Rig<B> {
        Rig::seated(endpoints, config, ALONE)
    }

    /// The same with default options.
    pub(crate) fn plain(endpoints: u32) -> Rig<B> {
        Rig::of(endpoints, &B::Config::default())
    }

    /// The same for one client of several.
    pub(crate) fn seated(endpoints: u32, config: &B::Config, seat: Seat) -> Rig<B> {
        let mut rig = Rig::made(config, seat, &[]);
        rig.list(0..endpoints);
        rig
    }

    fn made(config: &B::Config, seat: Seat, script: &[u64]) -> Rig<B> {
        assert_eq!(B::check(config), Ok(()), "the options go together");
        let (mut script, mut luck) = (VecDeque::from(script.to_vec()), Draw::new(7).many());
        let balancer = B::new(config, &seat, &mut Dice::scripted(&mut script, luck.draw().many()));
        let roster = Roster::new((0..NAMES).map(|ordinal| format!("e-{ordinal}")).collect());
        let (in_flight, now) = (InFlight::default(), Time::START);
        Rig { balancer, endpoints: Vec::new(), in_flight, script, now, roster, luck }
    }

    /// The list is now of these ordinals and weights.
    pub(crate) fn update(&mut self, what: Update, listed: &[(u32, u32)]) {
        let endpoint =
            |&(ordinal, weight)| Endpoint { node: NodeId(ordinal), ordinal, zone: ZoneId(0), weight };
        self.endpoints = listed.iter().map(endpoint).collect();
        if !self.endpoints.is_empty() {
            self.act(|balancer, view, dice| balancer.on_update(view, what, dice));
        }
    }

    /// These are listed from now on, each with weight 1.
    pub(crate) fn list(&mut self, ordinals: impl IntoIterator<Item = u32>) {
        let listed: Vec<(u32, u32)> = ordinals.into_iter().map(|ordinal| (ordinal, 1)).collect();
        self.update(Update::Members, &listed);
    }

    /// The weights change to these.
    pub(crate) fn weigh(&mut self, weights: &[u32]) {
        let ordinals = self.endpoints.iter().map(|endpoint| endpoint.ordinal);
        let listed: Vec<(u32, u32)> = ordinals.zip(weights.iter().copied()).collect();
        self.update(Update::Weights, &listed);
    }

    /// Who is picked, by ordinal; nothing is in flight for it.
    pub(crate) fn pick(&mut self) -> u32 {
        let call = Call::about(Subject::Nothing);
        let place = self.act(|balancer, view, dice| balancer.pick(view, &call, dice));
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

    /// The same with these words, and no others.
    pub(crate) fn send_by(&mut self, words: &[u64]) -> u32 {
        self.script.extend(words);
        let picked = self.send();
        assert!(self.script.is_empty(), "{} words were not drawn", self.script.len());
        picked
    }

    /// So many are in flight to each ordinal, and no others.
    pub(crate) fn load(&mut self, loads: &[u32]) {
        self.in_flight = InFlight::default();
        for (ordinal, &load) in (0..).zip(loads) {
            (0..load).for_each(|_| self.in_flight.add(ordinal));
        }
    }

    /// One that was in flight is no more, and nothing is said of it.
    pub(crate) fn done(&mut self, ordinal: u32) {
        self.in_flight.remove(ordinal);
    }

    /// One that was in flight ends well, after so long.
    pub(crate) fn succeed(&mut self, ordinal: u32, latency: Duration) {
        self.end(ordinal, latency, Outcome::Success, None);
    }

    /// One that was in flight ends.
    pub(crate) fn end(&mut self, ordinal: u32, latency: Duration, outcome: Outcome, load: Option<&Load>) {
        self.done(ordinal);
        self.balancer.on_reply(self.now, ordinal, &Feedback { latency, outcome, load });
    }

    /// An attempt at that ordinal has ended like this, whether or not it was in flight.
    pub(crate) fn reply(&mut self, ordinal: u32, outcome: Outcome, load: Option<&Load>) {
        let feedback = Feedback { latency: Duration::ZERO, outcome, load };
        self.balancer.on_reply(self.now, ordinal, &feedback);
    }

    /// Time passes, and the balancer is woken when it wants to be.
    pub(crate) fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        while let Some(due) = self.balancer.due().filter(|&due| due <= end) {
            self.now = due;
            self.act(|balancer, view, dice| balancer.on_due(view, dice));
        }
        self.now = end;
    }

    /// Everyone who is asked for its load answers with this many requests.
    pub(crate) fn answer_probes(&mut self, load: impl Fn(u32) -> u32) -> Vec<u32> {
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

    /// What it looks at.
    pub(crate) fn with_view<T>(&self, look: impl FnOnce(View<'_>) -> T) -> T {
        let Rig { endpoints, roster, in_flight, now, .. } = self;
        let scene = Scene { now: *now, in_flight, roster, zone_weights: &[], warm_up: None };
        look(View::new(endpoints, scene).expect("there are endpoints"))
    }

    fn act<T>(&mut self, act: impl FnOnce(&mut B, View<'_>, &mut Dice<'_>) -> T) -> T {
        let Rig { balancer, endpoints, roster, in_flight, now, script, luck } = self;
        let scene = Scene { now: *now, in_flight, roster, zone_weights: &[], warm_up: None };
        let view = View::new(endpoints, scene).expect("there are endpoints");
        act(balancer, view, &mut Dice::scripted(script, luck.draw().many()))
    }
}
