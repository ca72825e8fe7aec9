//! A stand on which a balancer is tried, in tests: endpoints with names, weights and zones, and requests in flight.

use std::collections::VecDeque;

use schism_core::{Draw, NodeId, Time, ZoneId};

use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::keys::Subject;
use crate::listing::{Endpoint, InFlight, Roster, Scene, View};

/// The endpoints, and what is in flight to them.
pub(super) struct Stand {
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) zone_weights: Vec<(ZoneId, u32)>,
    pub(super) in_flight: InFlight,
    roster: Roster,
}

impl Stand {
    /// Endpoints of these names and weights, all in one zone.
    pub(super) fn new(endpoints: &[(&str, u32)]) -> Stand {
        let endpoint = |(ordinal, &(_, weight)): (usize, &(&str, u32))| Endpoint {
            node: NodeId(ordinal as u32),
            ordinal: ordinal as u32,
            zone: ZoneId(0),
            weight,
        };
        Stand {
            endpoints: endpoints.iter().enumerate().map(endpoint).collect(),
            zone_weights: Vec::new(),
            in_flight: InFlight::default(),
            roster: Roster::new(endpoints.iter().map(|(name, _)| (*name).to_owned()).collect()),
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        let Stand { endpoints, zone_weights, in_flight, roster } = self;
        let scene = Scene { now: Time::START, in_flight, roster, zone_weights, warm_up: None };
        View::new(endpoints, scene).expect("a stand has endpoints")
    }

    /// A balancer that has seen them.
    pub(super) fn balancer<B: Balancer>(&self, config: &B::Config) -> B {
        assert_eq!(B::check(config), Ok(()), "the options go together");
        let mut dice = Dice::new(Draw::new(1).many());
        let mut balancer = B::new(config, &Seat { index: 0, peers: 1 }, &mut dice);
        balancer.on_update(self.view(), Update::Members, &mut dice);
        balancer
    }

    /// The name of the endpoint that a request gets, in its first attempt.
    pub(super) fn pick<B: Balancer>(&self, balancer: &mut B, subject: Subject<'_>) -> &str {
        self.pick_again(balancer, subject, 0)
    }

    /// The same, in this attempt.
    pub(super) fn pick_again<B: Balancer>(
        &self,
        balancer: &mut B,
        subject: Subject<'_>,
        attempt: u32,
    ) -> &str {
        self.picked(balancer, &Call::about(subject).attempted(attempt), &mut VecDeque::new())
    }

    /// The same of any call, with words for the dice.
    pub(super) fn picked<B: Balancer>(
        &self,
        balancer: &mut B,
        call: &Call<'_>,
        words: &mut VecDeque<u64>,
    ) -> &str {
        let mut dice = Dice::scripted(words, Draw::new(2).many());
        let place = balancer.pick(self.view(), call, &mut dice);
        self.roster.name(self.endpoints[place as usize].ordinal)
    }

    /// So many more requests to the endpoint with this ordinal.
    pub(super) fn load(&mut self, ordinal: u32, requests: u32) {
        (0..requests).for_each(|_| self.in_flight.add(ordinal));
    }
}
