//! Prequal: endpoints are asked for their load beforehand, and a request goes to the fastest of those that are not hot.
//!
//! Wydrowski, Kleinberg, Rumble and Archer, "Load is not what you should balance: Introducing Prequal", NSDI 2024
//! (arXiv:2312.10172), section 4, in its asynchronous form: each request has probes sent whose answers serve later ones. The
//! rules by which answers are picked are in `prequal/pool.rs`.

mod pool;

use std::collections::VecDeque;

use schism_core::{Duration, Time};

use self::pool::{Probe, Recent};
use super::members::{Members, place_of, sample};
use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Load;
use crate::options::options;
use crate::state::State;

/// The quantile of requests in flight above which an endpoint is hot: 2^-0.25, the paper's baseline.
const Q_RIF: f64 = 0.840_896_415_253_714_5;

options! {
    /// The options of `prequal`, with the paper's baseline.
    pub struct Config {
        r_probe: f64 = 3.0, "r-probe", Number(0.0, 16.0), "How many endpoints are probed for each request";
        pool: u32 = 16, "pool", Count(1, 64), "How many answers are held at most";
        q_rif: f64 = Q_RIF, "q-rif", Number(0.0, 1.0),
            "An endpoint is hot above this quantile of requests in flight: 0 heeds only those, and 1 only latency";
        r_remove: f64 = 1.0, "r-remove", Number(0.0, 16.0),
            "How many answers are dropped for each request, the oldest and the worst in turn";
        delta: f64 = 1.0, "delta", Number(0.0, 100.0), "The greater, the more often an answer is used";
        probe_age: Duration = Duration::from_secs(1), "probe-age", Time, "An answer older than this is dropped";
        fallback_pool_min: u32 = 2, "fallback-pool-min", Count(1, 64),
            "With fewer answers than this, an endpoint is drawn at random";
    }
}

/// One client's answers, and the probes that it still has to send.
#[derive(Clone, Debug)]
pub struct Prequal {
    config: Config,
    members: Members,
    /// In the order in which they came. An endpoint has one at most: a newer answer takes the place of an older one.
    pool: Vec<Probe>,
    recent: Recent,
    /// How often an answer may be used, by the number of endpoints.
    reuse: f64,
    /// The places drawn for one request's probes, and the endpoints that are still to be asked.
    drawn: Vec<u32>,
    wanted: VecDeque<u32>,
    /// Parts of probes and of removals that are still owed, where there is no whole number for each request.
    probes: f64,
    removals: f64,
    next: Removal,
}

/// Which answer is dropped next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Removal {
    Oldest,
    Worst,
}

impl Balancer for Prequal {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> Prequal {
        let most = config.r_probe as usize + 1;
        Prequal {
            config: config.clone(),
            members: Members::default(),
            pool: Vec::with_capacity(config.pool as usize),
            recent: Recent::new(),
            reuse: 1.0,
            drawn: Vec::with_capacity(most),
            wanted: VecDeque::with_capacity(most),
            probes: 0.0,
            removals: 0.0,
            next: Removal::Oldest,
        }
    }

    /// They come with the answers to probes; but what these say of latency is counted with each reply.
    fn wants_reports(_: &Config) -> bool {
        true
    }

    fn on_update(&mut self, view: View<'_>, what: Update, _: &mut Dice<'_>) {
        if what == Update::Weights {
            return;
        }
        let members = &mut self.members;
        members.update(view, |_| {});
        self.pool.retain(|probe| members.has(probe.ordinal));
        self.wanted.retain(|&ordinal| members.has(ordinal));
        let Config { delta, pool, r_probe, r_remove, .. } = self.config;
        self.reuse = pool::reuse(delta, pool, view.len(), r_probe, r_remove);
    }

    /// The draws are: one for the endpoint if the pool is short, one for whether an answer serves again where its last use
    /// is a matter of luck, and one for each probe.
    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let (now, age) = (view.now(), self.config.probe_age);
        self.pool.retain(|probe| now.since(probe.at) <= age);
        let picked = if self.pool.len() < self.config.fallback_pool_min as usize {
            dice.below(view.len())
        } else {
            self.use_best(view, dice)
        };
        self.remove();
        self.want_probes(view, dice);
        picked
    }

    fn next_probe(&mut self) -> Option<u32> {
        self.wanted.pop_front()
    }

    fn on_probed(&mut self, now: Time, ordinal: u32, load: &Load) {
        if !self.members.has(ordinal) {
            return;
        }
        self.recent.note(load.in_flight);
        let older = self.pool.iter().position(|probe| probe.ordinal == ordinal);
        let oldest = (self.pool.len() == self.config.pool as usize).then_some(0);
        if let Some(at) = older.or(oldest) {
            self.pool.remove(at);
        }
        let Load { in_flight, latency, .. } = *load;
        self.pool.push(Probe { ordinal, in_flight, latency, at: now, uses: 0 });
    }

    fn state(&self, view: View<'_>) -> State {
        let probe = |probe: &Probe| {
            let name = place_of(view, probe.ordinal).map_or("", |place| view.name(place));
            State::table([
                ("name", State::from(name)),
                ("in_flight", State::from(probe.in_flight)),
                ("latency_ms", State::from(probe.latency.as_millis_f64())),
                ("age_ms", State::from(view.now().since(probe.at).as_millis_f64())),
                ("uses", State::from(probe.uses)),
            ])
        };
        let limit = match self.recent.limit(self.config.q_rif) {
            pool::Limit::Above(most) => State::from(most),
            pool::Limit::None | pool::Limit::Any => State::None,
        };
        State::table([
            ("hot_above", limit),
            ("reuse", State::from(self.reuse)),
            ("pool", State::List(self.pool.iter().map(probe).collect())),
        ])
    }
}

impl Prequal {
    /// The best of the pool, which then has one request more in flight, and one use less.
    fn use_best(&mut self, view: View<'_>, dice: &mut Dice<'_>) -> u32 {
        let limit = self.recent.limit(self.config.q_rif);
        let at = pool::best(&self.pool, limit).expect("there are enough answers");
        let probe = &mut self.pool[at];
        probe.in_flight += 1;
        probe.uses += 1;
        let (uses, ordinal) = (f64::from(probe.uses), probe.ordinal);
        if uses >= libm::floor(self.reuse) {
            // The part of a use that is left decides by luck, so that the mean number of uses is what it should be.
            let left = self.reuse - uses;
            if left <= 0.0 || dice.unit() >= left {
                self.pool.remove(at);
            }
        }
        place_of(view, ordinal).expect("who has left the view has left the pool")
    }

    /// Drops as many answers as are due.
    fn remove(&mut self) {
        self.removals += self.config.r_remove;
        while self.removals >= 1.0 {
            self.removals -= 1.0;
            let (at, next) = match self.next {
                Removal::Oldest => ((!self.pool.is_empty()).then_some(0), Removal::Worst),
                Removal::Worst => {
                    (pool::worst(&self.pool, self.recent.limit(self.config.q_rif)), Removal::Oldest)
                }
            };
            self.next = next;
            if let Some(at) = at {
                self.pool.remove(at);
            }
        }
    }

    /// Draws whom to probe for this request: so many different endpoints.
    fn want_probes(&mut self, view: View<'_>, dice: &mut Dice<'_>) {
        self.probes += self.config.r_probe;
        let count = libm::floor(self.probes);
        self.probes -= count;
        self.drawn.clear();
        sample(count as u32, view.len(), &mut self.drawn, |most| dice.below(most));
        self.wanted.extend(self.drawn.iter().map(|&place| view.endpoint(place).ordinal));
    }
}

#[cfg(test)]
mod tests;
