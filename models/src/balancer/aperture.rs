//! Finagle's deterministic aperture: each client talks to its own arc of the ring of endpoints, and all arcs together cover
//! each endpoint as much as any other.
//!
//! `DeterministicAperture` and `WeightedP2CPick` of twitter/finagle at 4feb34c, `loadbalancer/aperture`. The arithmetic of
//! arcs is in `aperture/arc.rs`.

mod arc;

use schism_core::{Duration, Time};

use self::arc::Arc;
use super::members::Members;
use super::peak_ewma::Peak;
use super::{Balancer, Call, PerHost, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::load::Feedback;
use crate::options::{options, words};
use crate::state::State;

words! {
    /// What makes an endpoint loaded.
    pub enum Metric {
        /// The client's requests in flight: `ApertureLeastLoaded`.
        LeastLoaded = "least-loaded",
        /// The same times the peak-sensitive average of round trips: `AperturePeakEwma`.
        PeakEwma = "peak-ewma",
    }
}

options! {
    /// The options of `aperture`.
    pub struct Config {
        min_aperture: u32 = 12, "min-aperture", Count(1, 1_000_000),
            "How many endpoints a client talks to at least: `MinDeterministicAperture`";
        load: Metric = Metric::LeastLoaded, "load", Word(Metric::WORDS), "What makes an endpoint loaded";
        decay: Duration = Duration::from_secs(10), "decay", Time,
            "With `load = \"peak-ewma\"`, after how long a round trip counts 1/e of what it did";
    }
}

/// Weights nearer to each other than this are taken for equal: `approxEqual`.
const SAME_WEIGHT: f64 = 0.0001;

/// One client's arc, and what it knows of the endpoints in it.
#[derive(Clone, Debug)]
pub struct Aperture {
    config: Config,
    seat: Seat,
    arc: Option<Arc>,
    members: Members,
    peaks: PerHost<Peak>,
}

impl Balancer for Aperture {
    type Config = Config;

    fn new(config: &Config, seat: &Seat, _: &mut Dice<'_>) -> Aperture {
        let (members, peaks) = (Members::default(), PerHost::default());
        Aperture { config: config.clone(), seat: *seat, arc: None, members, peaks }
    }

    fn on_update(&mut self, view: View<'_>, what: Update, _: &mut Dice<'_>) {
        if what == Update::Weights {
            return;
        }
        let aperture = self.config.min_aperture.min(view.len());
        self.arc = Some(Arc::new(self.seat.index, self.seat.peers, view.len(), aperture));
        self.peaks.retain(view);
        self.members.update(view, |_| {});
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let arc = self.arc.expect("an update comes before the first pick");
        let first = arc.pick(dice.word());
        let second = arc.pick_other(first, || dice.word());
        let weigh = |place| arc.overlap(place) as f64 / arc.whole() as f64;
        let weights = [first, second].map(weigh);
        let loads = [first, second].map(|place| self.load(view, place));
        let takes_first = if (weights[0] - weights[1]).abs() < SAME_WEIGHT {
            loads[0] <= loads[1]
        } else {
            loads[0] / weights[0] <= loads[1] / weights[1]
        };
        if takes_first { first } else { second }
    }

    fn on_reply(&mut self, now: Time, ordinal: u32, reply: &Feedback<'_>) {
        if self.config.load == Metric::PeakEwma && self.members.has(ordinal) {
            let peak = self.peaks.touch(ordinal, || Peak::new(Duration::ZERO, now));
            peak.observe(now, reply.latency, self.config.decay);
        }
    }

    fn state(&self, view: View<'_>) -> State {
        let Some(arc) = self.arc else { return State::empty() };
        let part = |(units, all): (u64, u64)| State::from(fraction(units, all));
        let endpoint = |place| {
            State::table([
                ("name", State::from(view.name(place))),
                ("weight", part((arc.overlap(place), arc.whole()))),
            ])
        };
        State::table([
            ("offset", part(arc.offset())),
            ("width", part(arc.width())),
            ("endpoints", State::List(arc.members().map(endpoint).collect())),
        ])
    }
}

impl Aperture {
    fn load(&mut self, view: View<'_>, place: u32) -> f64 {
        let (in_flight, now) = (view.in_flight(place), view.now());
        match self.config.load {
            Metric::LeastLoaded => f64::from(in_flight),
            Metric::PeakEwma => {
                let ordinal = view.endpoint(place).ordinal;
                let peak = self.peaks.touch(ordinal, || Peak::new(Duration::ZERO, now));
                peak.finagle_load(now, self.config.decay, in_flight)
            }
        }
    }
}

/// A fraction in its lowest terms, as it is written.
fn fraction(part: u64, of: u64) -> String {
    let (mut common, mut rest) = (of, part);
    while rest > 0 {
        (common, rest) = (rest, common % rest);
    }
    match of / common {
        1 => format!("{}", part / common),
        below => format!("{}/{below}", part / common),
    }
}

#[cfg(test)]
mod tests;
