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
        choices: u32 = 2, "choices", Count(2, 1_000),
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

    fn warms_up(config: &Config) -> bool {
        config.flavour == Flavour::Envoy
    }

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

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use super::*;

    fn rig(config: Config, weights: &[u32], script: &[u64]) -> Rig<LeastRequest> {
        Rig::new(&config, weights, script)
    }

    /// Tests `Normal` and `PNC` of Envoy's least_request_lb_test.cc at 0a31a54, without the word that Envoy first draws
    /// to choose a priority.
    #[test]
    fn envoy_draws_with_replacement_and_keeps_the_first() {
        let cases: [(&[u32], u32, &[u64], u32); 4] = [
            (&[1, 2], 2, &[2, 3], 0),
            (&[2, 1], 2, &[2, 3], 1),
            (&[4, 3, 2, 1], 5, &[3, 0, 3, 2, 1], 3),
            (&[4, 3, 2, 1], 5, &[0, 0, 0, 0, 0], 0),
        ];
        for (loads, choices, script, expected) in cases {
            let config = Config { choices, ..Config::default() };
            let mut rig = rig(config, &vec![1; loads.len()], script);
            rig.load(loads);
            assert_eq!(rig.pick(), expected, "{loads:?} by {script:?}");
            assert_eq!(rig.words_left(), 0, "one word for each choice");
        }
    }

    /// Tests `FullScanOneHostWithLeastRequests` and `FullScanMultipleHostsWithLeastRequests` of the same.
    #[test]
    fn a_full_scan_finds_the_least_and_shares_ties_evenly() {
        let config = Config { full_scan: true, ..Config::default() };
        let mut one = rig(config.clone(), &[1; 5], &[9]);
        one.load(&[4, 3, 2, 1, 5]);
        assert_eq!((one.pick(), one.words_left()), (3, 1), "nothing ties, and nothing is drawn");

        let mut three = rig(config, &[1; 5], &[]);
        three.load(&[3, 3, 1, 1, 1]);
        let picks = 300_000;
        let mut counts = [0_u32; 5];
        three.picks(picks).iter().for_each(|&ordinal| counts[ordinal as usize] += 1);
        let third = |count: u32| (f64::from(count) / picks as f64 - 1.0 / 3.0).abs() < 0.005;
        assert!(counts[..2] == [0, 0] && counts[2..].iter().all(|&count| third(count)), "{counts:?}");
    }

    /// At the first four ties a word takes the place over if it is a multiple of the number that have tied.
    #[test]
    fn a_tie_is_decided_word_by_word() {
        let config = Config { full_scan: true, ..Config::default() };
        for (script, expected) in [([1, 1, 1], 0), ([2, 1, 1], 1), ([1, 3, 1], 2), ([2, 3, 4], 3)] {
            assert_eq!(rig(config.clone(), &[1; 4], &script).pick(), expected, "{script:?}");
        }
    }

    /// Test `WeightImbalance` of the same: 2 to 1, then 1 to 1, then 1 to 4.
    #[test]
    fn unequal_weights_are_scheduled_by_what_is_in_flight() {
        for bias in [None, Some(1.0), Some(-1.0)] {
            let mut rig = rig(Config { bias, ..Config::default() }, &[1, 2], &[0]);
            assert_eq!(rig.picks(6), [1, 0, 1, 1, 0, 1]);
            rig.load(&[0, 1]);
            assert_eq!(rig.picks(5), [1, 0, 1, 0, 1]);
            rig.load(&[1, 0]);
            assert_eq!(rig.picks(10), [0, 1, 1, 1, 0, 1, 1, 1, 1, 0]);
        }
    }

    /// Test `WeightImbalanceWithCustomActiveRequestBias` of the same: without a bias, what is in flight does not count.
    #[test]
    fn a_bias_of_zero_is_weighted_round_robin() {
        let mut rig = rig(Config { bias: Some(0.0), ..Config::default() }, &[1, 2], &[0]);
        rig.load(&[9, 1]);
        assert_eq!(rig.picks(6), [1, 0, 1, 1, 0, 1]);
    }

    #[test]
    fn a_bias_that_is_written_schedules_equal_weights() {
        let mut rig = rig(Config { bias: Some(1.0), ..Config::default() }, &[1, 1], &[0, 77]);
        assert_eq!((rig.picks(4), rig.words_left()), (vec![0, 1, 0, 1], 1));
    }

    /// The documented example: a bias of 1, a weight of 2 and four in flight make 0.4.
    #[test]
    fn weights_are_divided_by_one_more_than_is_in_flight() {
        let cases = [(1.0, 4, 0.4), (2.0, 1, 0.5), (0.5, 3, 1.0), (0.0, 4, 2.0)];
        for (bias, active, expected) in cases {
            let mut rig = rig(Config::default(), &[2], &[]);
            rig.load(&[active]);
            let weight = rig.with_view(|view| weight(view, 0, bias));
            assert_eq!(weight.to_bits(), f64::to_bits(expected), "{bias}");
        }
    }

    /// gRFC A48: no weights, and ten choices at the most.
    #[test]
    fn grpc_knows_no_weights_and_draws_ten_at_the_most() {
        let grpc = Config { flavour: Flavour::Grpc, ..Config::default() };
        let mut two = rig(grpc.clone(), &[1, 2], &[2, 3]);
        two.load(&[1, 2]);
        assert_eq!((two.pick(), two.words_left()), (0, 0));
        let mut many = rig(Config { choices: 100, ..grpc.clone() }, &[1; 3], &[0; 12]);
        many.pick();
        assert_eq!(many.words_left(), 2);
        for wrong in [Config { full_scan: true, ..grpc.clone() }, Config { bias: Some(1.0), ..grpc }] {
            assert!(LeastRequest::check(&wrong).is_err());
        }
    }

    /// One of n that fails at once never has anything in flight, and the others always do: with d choices it gets
    /// 1 - (1 - 1/n)^d of all, and with a full scan all.
    #[test]
    fn a_black_hole_gets_its_share() {
        let share = |config: Config, count: usize| {
            let mut rig = rig(config, &vec![1; count], &[]);
            rig.load(&[vec![0], vec![1; count - 1]].concat());
            let picks = 100_000;
            rig.picks(picks).iter().filter(|&&ordinal| ordinal == 0).count() as f64 / picks as f64
        };
        for (count, choices, expected) in
            [(3, 2, 0.555_556), (3, 5, 0.868_313), (10, 2, 0.19), (10, 3, 0.271), (20, 5, 0.226_226)]
        {
            let found = share(Config { choices, ..Config::default() }, count);
            assert!((found - expected).abs() < 0.006, "{choices} of {count}: {found}, not {expected}");
        }
        assert!((share(Config { full_scan: true, ..Config::default() }, 10) - 1.0).abs() < 1e-9);
    }
}
