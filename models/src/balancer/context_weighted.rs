//! An endpoint at random by its weight, 0 to 100, out of those of which not too many requests failed lately.
//!
//! A picker as services with a context of their own have it: what travels with the request's context, the endpoints'
//! weights and how often they failed, decides. One that fails more often than a threshold is broken off, and tried again by
//! one request after a while. When a circuit opens and closes is in `context_weighted/circuit.rs`; its defaults are those
//! of Netflix/Hystrix (`HystrixCommandProperties`).

mod circuit;

use schism_core::{Duration, Ratio, Time};

use self::circuit::{Circuit, Rules, State as Shut, Turn};
use super::fenwick::Fenwick;
use super::members::{Members, place_of};
use super::{Balancer, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::observation::Outcome;
use crate::options::options;
use crate::state::State;

options! {
    /// The options of `context-weighted`.
    pub struct Config {
        threshold: Ratio = Ratio::new(1, 2), "failure-threshold", Share,
            "An endpoint is broken off when more of its requests than this failed";
        window: Duration = Duration::from_secs(10), "window", Time, "Within so much time";
        min_requests: u32 = 20, "min-requests", Count(1, 1_000_000), "If there were so many at least";
        open_for: Duration = Duration::from_secs(5), "half-open-after", Time,
            "After so long one request tries whether it is well again";
    }
}

/// The greatest weight; more counts as this.
const MOST_WEIGHT: u32 = 100;

/// One client's weights and circuits.
#[derive(Clone, Debug)]
pub struct ContextWeighted {
    rules: Rules,
    members: Members,
    /// The weights as listed, and without those that are broken off.
    listed: Fenwick,
    open: Fenwick,
    hosts: PerHost<Host>,
    /// Those whose circuits have changed since the last pick, and those whose circuits are not closed.
    turned: Vec<u32>,
    shut: Vec<u32>,
    /// When time changes the first of these.
    due: Option<Time>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Host {
    circuit: Circuit,
    /// Whether its weight is missing among those that are picked.
    is_out: bool,
}

impl Balancer for ContextWeighted {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> ContextWeighted {
        let Config { threshold, window, min_requests, open_for } = *config;
        ContextWeighted {
            rules: Rules { threshold, window, least: min_requests, open_for },
            members: Members::default(),
            listed: Fenwick::default(),
            open: Fenwick::default(),
            hosts: PerHost::default(),
            turned: Vec::new(),
            shut: Vec::new(),
            due: None,
        }
    }

    fn on_update(&mut self, view: View<'_>, what: Update, _: &mut Dice<'_>) {
        // Places are new, and all weights are filled in anew: only who is out is settled.
        while let Some(ordinal) = self.turned.pop() {
            self.settle(ordinal);
        }
        match what {
            Update::Members => {
                self.hosts.retain(view);
                self.members.update(view, |_| {});
                let members = &self.members;
                self.shut.retain(|&ordinal| members.has(ordinal));
                self.set_due();
            }
            Update::Weights => {}
        }
        let hosts = &self.hosts;
        let is_out = |place| hosts.get(view.endpoint(place).ordinal).is_some_and(|host| host.is_out);
        self.listed.fill((0..view.len()).map(|place| weight(view, place)));
        self.open.fill((0..view.len()).map(|place| if is_out(place) { 0 } else { weight(view, place) }));
    }

    /// By one word, below the sum of the weights of those that are not broken off. If all are, the weights alone count, and
    /// where there are none, anyone is picked.
    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        self.turn(view);
        self.pass(view);
        let weights = if self.open.total() > 0 { &self.open } else { &self.listed };
        if weights.total() == 0 {
            return dice.below(view.len());
        }
        let picked = weights.at(dice.word() % weights.total());
        let ordinal = view.endpoint(picked).ordinal;
        if let Some(host) = self.hosts.get_mut(ordinal)
            && host.circuit.on_pick(view.now()) != Turn::Stays
        {
            self.note(ordinal);
            self.turn(view);
        }
        picked
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        if !self.members.has(ordinal) {
            return;
        }
        let rules = self.rules;
        let host = self.hosts.touch(ordinal, || Host { circuit: Circuit::new(&rules), is_out: false });
        let ok = reply.outcome == Outcome::Success;
        if host.circuit.on_answer(now, now - reply.latency, ok, &rules) != Turn::Stays {
            self.note(ordinal);
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let endpoint = |place| {
            let host = self.hosts.get(view.endpoint(place).ordinal).copied();
            let failed = host.map_or(0.0, |mut host| host.circuit.failed(view.now()));
            let circuit = match host.map_or(Shut::Closed, |host| host.circuit.state()) {
                Shut::Closed => "closed",
                Shut::Open(_) => "open",
                Shut::HalfOpen | Shut::Tried(_) => "half-open",
            };
            State::table([
                ("name", State::from(view.name(place))),
                ("weight", State::from(weight(view, place))),
                ("failed_percent", State::from(failed)),
                ("circuit", State::from(circuit)),
            ])
        };
        State::table([("endpoints", State::List((0..view.len()).map(endpoint).collect()))])
    }
}

impl ContextWeighted {
    /// An endpoint's circuit has changed: its weight follows at the next pick, which knows its place.
    fn note(&mut self, ordinal: u32) {
        self.turned.push(ordinal);
    }

    /// Gives those their weights back, or takes them, whose circuits have changed.
    fn turn(&mut self, view: View<'_>) {
        while let Some(ordinal) = self.turned.pop() {
            let (Some(turn), Some(place)) = (self.settle(ordinal), place_of(view, ordinal)) else { continue };
            let weight = weight(view, place);
            match turn {
                Turn::Stays => {}
                Turn::Opens => self.open.change(place, weight, 0),
                Turn::Closes => self.open.change(place, 0, weight),
            }
        }
    }

    /// Sees whether an endpoint is picked now that its circuit has changed.
    fn settle(&mut self, ordinal: u32) -> Option<Turn> {
        let host = self.hosts.get_mut(ordinal)?;
        let was_out = host.is_out;
        let state = host.circuit.state();
        host.is_out = match state {
            Shut::Closed | Shut::HalfOpen => false,
            Shut::Open(_) | Shut::Tried(_) => true,
        };
        let turn = match (was_out, host.is_out) {
            (false, true) => Turn::Opens,
            (true, false) => Turn::Closes,
            (false, false) | (true, true) => Turn::Stays,
        };
        self.shut.retain(|&other| other != ordinal);
        if state != Shut::Closed {
            self.shut.push(ordinal);
        }
        self.set_due();
        Some(turn)
    }

    /// Looks at the circuits that time has something to change about.
    fn pass(&mut self, view: View<'_>) {
        let now = view.now();
        if self.due.is_some_and(|due| due <= now) {
            for at in 0..self.shut.len() {
                let ordinal = self.shut[at];
                let host = self.hosts.get_mut(ordinal).expect("who is broken off was met");
                if host.circuit.on_time(now, &self.rules) {
                    self.note(ordinal);
                }
            }
            self.turn(view);
            self.set_due();
        }
    }

    fn set_due(&mut self) {
        let due = |ordinal: &u32| self.hosts.get(*ordinal)?.circuit.due(&self.rules);
        self.due = self.shut.iter().filter_map(due).min();
    }
}

fn weight(view: View<'_>, place: u32) -> u32 {
    view.listed_weight(place).min(MOST_WEIGHT)
}

#[cfg(test)]
mod tests;
