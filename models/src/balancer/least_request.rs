//! The endpoint with the fewest of the client's own requests in flight, of some that are drawn or of all.
//!
//! Envoy's (least_request_lb.cc of envoyproxy/envoy at 0a31a54) and gRPC's (gRFC A48). Endpoints are drawn with
//! replacement, and the first drawn wins a tie. Where weights differ, Envoy draws nobody: it schedules by deadlines, with
//! weights that requests in flight lower.

use super::edf::{Edf, differ};
use super::jsq::draw;
use super::{Balancer, Call, Seat, Update};
use crate::dice::Dice;
use crate::listing::View;
use crate::options::{Clash, options, words};
use crate::state::State;

options! {
    /// The options of `least-request`.
    pub struct Config {
        flavour: Flavour = Flavour::Envoy, "flavour", Word(Flavour::WORDS),
            "Whose rules; gRPC's know no weights, and draw ten at the most";
        choices: u32 = 2, "choices", Count(2, 1_000_000),
            "How many endpoints are drawn, each from all: one may be drawn twice";
        full_scan: bool = false, "full-scan", Flag, "Whether all endpoints are looked at, and nobody is drawn";
        bias: Option<f64> = None, "bias", NumberOr(-1_000.0, 1_000.0, "default"),
            "The power of the requests in flight by which a weight is divided; once written, equal weights count as well";
    }
}

words! {
    /// Whose least request.
    pub enum Flavour {
        /// Envoy's.
        Envoy = "envoy",
        /// gRPC's.
        Grpc = "grpc",
    }
}

/// The scheduler, where there is one.
#[derive(Clone, Debug)]
pub struct LeastRequest {
    config: Config,
    /// Drawn with the first scheduler. Envoy draws it when it is made; where weights are equal nothing depends on it.
    seed: Option<u64>,
    scheduler: Option<Edf>,
}

/// gRPC draws no more than these (A48).
const MOST_CHOICES: u32 = 10;

/// What the bias is if none is written, and also if it makes no sense.
const BIAS: f64 = 1.0;

impl Balancer for LeastRequest {
    type Config = Config;

    fn new(config: &Config, _: &Seat, _: &mut Dice<'_>) -> LeastRequest {
        LeastRequest { config: config.clone(), seed: None, scheduler: None }
    }

    fn check(config: &Config) -> Result<(), Clash> {
        let option = match config.flavour {
            Flavour::Envoy => return Ok(()),
            Flavour::Grpc if config.full_scan => "full-scan",
            Flavour::Grpc if config.bias.is_some() => "bias",
            Flavour::Grpc => return Ok(()),
        };
        let message = format!("gRPC's least request has no `{option}`");
        Err(Clash { option, message, help: "leave it out, or write flavour = \"envoy\"".to_owned() })
    }

    fn on_update(&mut self, view: View<'_>, what: Update, dice: &mut Dice<'_>) {
        let is_scheduled = match self.config.flavour {
            Flavour::Envoy => self.config.bias.is_some() || differ(view),
            Flavour::Grpc => false,
        };
        let (bias, seed) = (self.bias(), &mut self.seed);
        let seed = || *seed.get_or_insert_with(|| dice.word());
        Edf::refresh(&mut self.scheduler, view, what, is_scheduled, seed, |place| weight(view, place, bias));
    }

    fn pick(&mut self, view: View<'_>, _: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let bias = self.bias();
        match &mut self.scheduler {
            Some(scheduler) => scheduler.pick(|place| weight(view, place, bias)),
            None if self.config.full_scan => scan(view, dice),
            None => draw(self.choices(), view.len(), |place| view.in_flight(place), dice),
        }
    }

    fn state(&self, view: View<'_>) -> State {
        match (&self.scheduler, self.seed) {
            (Some(scheduler), Some(seed)) => {
                State::table([("seed", State::from(seed)), ("deadlines", scheduler.state(view))])
            }
            _ => State::empty(),
        }
    }
}

impl LeastRequest {
    fn choices(&self) -> u32 {
        match self.config.flavour {
            Flavour::Envoy => self.config.choices,
            Flavour::Grpc => self.config.choices.min(MOST_CHOICES),
        }
    }

    fn bias(&self) -> f64 {
        self.config.bias.filter(|&bias| bias >= 0.0).unwrap_or(BIAS)
    }
}

/// The weight of an endpoint with requests in flight: by one more than those, to the power of the bias.
fn weight(view: View<'_>, place: u32, bias: f64) -> f64 {
    let active = f64::from(view.in_flight(place)) + 1.0;
    let divisor = if (bias - BIAS).abs() == 0.0 { active } else { libm::pow(active, bias) };
    view.weight(place) / divisor
}

/// The least loaded of all. Each that ties with the best so far takes its place with the chance of one in those that
/// have tied: so Envoy gives each of them the same.
fn scan(view: View<'_>, dice: &mut Dice<'_>) -> u32 {
    let (mut best, mut least, mut tied) = (0, view.in_flight(0), 1);
    for place in 1..view.len() {
        let load = view.in_flight(place);
        if load < least {
            (best, least, tied) = (place, load, 1);
        } else if load == least {
            tied += 1;
            if dice.below(tied) == 0 {
                best = place;
            }
        }
    }
    best
}
