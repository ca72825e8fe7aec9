//! C3: of a group of replicas the one with the lowest score, which is how long answers take and, cubed, how long the queue
//! is there; optionally no faster than answers come back.
//!
//! Suresh, Canini, Schmid and Feldmann, "C3: Cutting Tail Latency in Cloud Data Stores via Adaptive Replica Selection", NSDI
//! 2015, and the authors' Cassandra. The score is in `c3/score.rs`, the rate control in `c3/rate.rs`.

mod rate;
mod score;

use schism_core::{Duration, Time};

use self::rate::Rate;
use self::score::Score;
use super::members::{Members, sample};
use super::{Balancer, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::options::options;
use crate::state::State;

options! {
    /// The options of `c3`.
    pub struct Config {
        choices: Option<u32> = Some(3), "choices", CountOr(2, 16, "all"),
            "How many endpoints are ranked, a replica group drawn anew for each request; all is a full scan";
        clients: Option<u32> = None, "clients", CountOr(1, 1_000_000, "group"),
            "How many clients are thought to have as many requests in flight as this one";
        rate_control: bool = false, "rate-control", Flag,
            "Whether endpoints are passed over from which less comes back than is sent: `c3_rate_limiter_enabled`";
    }
}

/// What one client knows of the endpoints that have answered it.
#[derive(Clone, Debug)]
pub struct C3 {
    config: Config,
    clients: u32,
    members: Members,
    scores: PerHost<Score>,
    rates: PerHost<Rate>,
    drawn: Vec<u32>,
}

impl Balancer for C3 {
    type Config = Config;

    fn new(config: &Config, seat: &Seat, _: &mut Dice<'_>) -> C3 {
        C3 {
            clients: config.clients.unwrap_or(seat.peers),
            members: Members::default(),
            scores: PerHost::default(),
            rates: PerHost::default(),
            drawn: Vec::with_capacity(config.choices.unwrap_or(0) as usize),
            config: config.clone(),
        }
    }

    fn wants_reports(_: &Config) -> bool {
        true
    }

    fn on_update(&mut self, view: View<'_>, what: Update, _: &mut Dice<'_>) {
        if what == Update::Weights {
            return;
        }
        self.scores.retain(view);
        self.rates.retain(view);
        self.members.update(view, |_| {});
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let picked = match self.config.choices {
            Some(choices) if choices < view.len() => {
                let mut drawn = std::mem::take(&mut self.drawn);
                drawn.clear();
                sample(choices, view.len(), &mut drawn, |most| dice.below(most));
                let picked = self.best(view, drawn.iter().copied());
                self.drawn = drawn;
                picked
            }
            // All are ranked, from a random one on, so that clients who know nothing do not agree on whom to ask.
            Some(_) | None => {
                let (first, all) = (dice.below(view.len()), view.len());
                self.best(view, (first..all).chain(0..first))
            }
        };
        if self.config.rate_control {
            let now = view.now();
            self.rates.touch(view.endpoint(picked).ordinal, || Rate::new(now)).send(now);
        }
        picked
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        // What is never answered tells nothing: until it is given up, the requests in flight keep others away.
        if !reply.is_answer() || !self.members.has(ordinal) {
            return;
        }
        if self.config.rate_control {
            self.rates.touch(ordinal, || Rate::new(now)).on_answer(now);
        }
        // An instance that does not say how long it served is taken to have served all the time, and nobody to have waited.
        let (service, queued) = reply.load.map_or((reply.latency, 0), |load| (load.service, load.queued));
        let service = service.min(reply.latency);
        self.scores.touch(ordinal, Score::default).on_answer(reply.latency, service, queued);
    }

    fn state(&self, view: View<'_>) -> State {
        let endpoint = |place| {
            let score = self.score(view, place);
            let Score { response, service, queue } = self.known(view, place);
            State::table([
                ("name", State::from(view.name(place))),
                ("score", State::from(score)),
                ("response_ms", State::from(response)),
                ("service_ms", State::from(service)),
                ("queue", State::from(queue)),
            ])
        };
        State::table([("endpoints", State::List((0..view.len()).map(endpoint).collect()))])
    }
}

impl C3 {
    /// The first of the best. With rate control those that may be sent something at once come first, and then those that
    /// may be soonest: the real one holds the request back until then, and a pick cannot.
    fn best(&self, view: View<'_>, places: impl Iterator<Item = u32>) -> u32 {
        let mut best: Option<(u32, Duration, f64)> = None;
        for place in places {
            let (wait, score) = (self.wait(view, place), self.score(view, place));
            let is_better = |&(_, least, lowest): &(u32, Duration, f64)| {
                wait < least || (wait == least && score < lowest)
            };
            if best.as_ref().is_none_or(is_better) {
                best = Some((place, wait, score));
            }
        }
        best.expect("a group of replicas is not empty").0
    }

    fn wait(&self, view: View<'_>, place: u32) -> Duration {
        let rate = self.rates.get(view.endpoint(place).ordinal);
        rate.map_or(Duration::ZERO, |rate| rate.wait(view.now()))
    }

    fn score(&self, view: View<'_>, place: u32) -> f64 {
        self.known(view, place).of(view.in_flight(place), self.clients)
    }

    fn known(&self, view: View<'_>, place: u32) -> Score {
        self.scores.get(view.endpoint(place).ordinal).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
