//! Properties of every balancer in the catalog, in every flavour: what a picker owes its client whatever its strategy.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schism_core::Duration;
use schism_models::balancer;
use schism_models::observation::Outcome;
use schism_models::options::Value;
use schism_tests::pickers::{Rig, every_balancer, shown};

/// How many instances there are, listed or not.
const INSTANCES: u32 = 12;

/// All of them listed.
const ALL: u16 = (1 << INSTANCES) - 1;

/// What happens to a picker.
#[derive(Clone, Debug)]
enum Step {
    /// A request about a key.
    Send(u64),
    /// The oldest request in flight ends.
    End(u64, Outcome),
    /// Time passes, in milliseconds.
    Wait(u64),
    /// Another list: which are listed, and by how much their weights are turned.
    List(u16, u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Success),
        1 => Just(Outcome::Timeout),
        1 => Just(Outcome::Connect),
        1 => Just(Outcome::Rejected),
        1 => Just(Outcome::Failed),
    ];
    let step = prop_oneof![
        8 => (0..50_u64).prop_map(Step::Send),
        6 => (0..2_000_u64, outcome).prop_map(|(latency, outcome)| Step::End(latency, outcome)),
        3 => (0..3_000_u64).prop_map(Step::Wait),
        // Nobody at all and everybody are listed as often as some are.
        2 => (any::<u16>(), 1..9_u32).prop_map(|(mask, turn)| Step::List(mask & ALL, turn)),
        1 => (1..9_u32).prop_map(|turn| Step::List(0, turn)),
        1 => (1..9_u32).prop_map(|turn| Step::List(ALL, turn)),
    ];
    prop::collection::vec(step, 0..120)
}

/// Tries so many cases with every balancer, always the same.
fn check(cases: u32, holds: impl Fn(&balancer::Config, Vec<Step>) -> Result<(), TestCaseError>) {
    for balancer in every_balancer() {
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let outcome = TestRunner::new_with_rng(config, rng).run(&steps(), |steps| holds(&balancer, steps));
        outcome.unwrap_or_else(|error| panic!("{}: {error}", shown(&balancer)));
    }
}

/// A picker at work, and what is known of it.
#[derive(Clone)]
struct Work {
    rig: Rig,
    listed: BTreeSet<u32>,
    in_flight: Vec<u32>,
    picks: Vec<Option<u32>>,
}

impl Work {
    fn new(balancer: &balancer::Config) -> Work {
        let (listed, in_flight, picks) = (BTreeSet::new(), Vec::new(), Vec::new());
        Work { rig: Rig::new(balancer, INSTANCES, 7), listed, in_flight, picks }
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match *step {
            Step::Send(key) => {
                let picked = self.rig.send(key);
                let fits = picked.map_or(self.listed.is_empty(), |picked| self.listed.contains(&picked));
                prop_assert!(fits, "{picked:?} was picked of {:?}", self.listed);
                self.in_flight.extend(picked);
                self.picks.push(picked);
            }
            Step::End(latency, outcome) => {
                if !self.in_flight.is_empty() {
                    self.rig.end(self.in_flight.remove(0), Duration::from_millis(latency), outcome);
                }
            }
            Step::Wait(time) => self.rig.wait(Duration::from_millis(time)),
            Step::List(mask, turn) => {
                self.listed = (0..INSTANCES).filter(|number| mask >> number & 1 == 1).collect();
                self.rig.list(self.listed.iter().map(|&number| (number, 1 + (number + turn) % 5)));
            }
        }
        Ok(())
    }
}

#[test]
fn nobody_is_picked_who_is_not_listed_and_somebody_whenever_anybody_is() {
    check(40, |balancer, steps| {
        let mut work = Work::new(balancer);
        steps.iter().try_for_each(|step| work.step(step))
    });
}

#[test]
fn a_clone_has_the_same_future_and_so_has_a_second_run() {
    check(20, |balancer, steps| {
        let (past, future) = steps.split_at(steps.len() / 2);
        let mut one = Work::new(balancer);
        past.iter().try_for_each(|step| one.step(step))?;
        let mut other = one.clone();
        future.iter().try_for_each(|step| one.step(step))?;
        future.iter().try_for_each(|step| other.step(step))?;
        prop_assert_eq!(&one.picks, &other.picks, "a clone");
        let mut again = Work::new(balancer);
        steps.iter().try_for_each(|step| again.step(step))?;
        prop_assert_eq!(&one.picks, &again.picks, "a second run");
        Ok(())
    });
}

#[test]
fn the_only_endpoint_gets_everything_whatever_became_of_it() {
    for balancer in every_balancer() {
        let mut rig = Rig::full(&balancer, INSTANCES, 1);
        for round in 0..INSTANCES {
            rig.list([(round, 1 + round)]);
            for (number, outcome) in [Outcome::Success, Outcome::Failed, Outcome::Connect].iter().enumerate()
            {
                assert_eq!(rig.send(number as u64), Some(round), "{}", shown(&balancer));
                rig.end(round, Duration::from_millis(5), *outcome);
                rig.wait(Duration::from_millis(700));
            }
        }
    }
}

/// The balancers that promise shares by weight to requests with keys of their own, with the deviation from its share,
/// relative, that they allow themselves over many requests.
const BY_WEIGHT: &[(&str, f64)] = &[
    ("weighted-round-robin", 0.03),
    ("least-request", 0.05),
    ("least-conn", 0.05),
    ("ring-hash", 0.35),
    ("maglev", 0.03),
    ("rendezvous", 0.06),
    ("context-weighted", 0.05),
];

/// Whether an option of this name says this.
fn says(config: &balancer::Config, option: &str, word: &'static str) -> bool {
    let entry = balancer::CATALOG.iter().find(|entry| entry.name == config.name());
    let knobs = entry.map_or(&[][..], |entry| entry.knobs);
    knobs.iter().zip(config.values()).any(|(knob, value)| knob.name == option && value == Value::Word(word))
}

/// Those that spread requests: not who stays with one endpoint, nor C3, which ranks by its score and draws nothing, nor
/// rings of functions that hash names like
/// `orders-0_1` next to each other (the ring's own tests say how far they are off), nor Envoy's peak EWMA, of which
/// more below.
fn even_balancers() -> impl Iterator<Item = balancer::Config> {
    every_balancer().into_iter().filter(|config| {
        let is_skewed = says(config, "hash", "fnv1a") || says(config, "hash", "crc32");
        !["pick-first", "c3"].contains(&config.name()) && !is_skewed && !is_envoys_peak_ewma(config)
    })
}

fn is_envoys_peak_ewma(config: &balancer::Config) -> bool {
    config.name() == "peak-ewma" && says(config, "flavour", "envoy")
}

/// Envoy breaks ties by the lowest bit of the very word that chose the first candidate, modulo the hosts: among an even
/// number of equals an odd first is taken and an even first gives way (`PeakEwmaLoadBalancer::selectFromTwoCandidates`
/// in contrib/peak_ewma). Of four idle hosts with equal round trips the odd ones get seven sixteenths each.
#[test]
fn envoys_peak_ewma_prefers_odd_places_among_an_even_number_of_equals() {
    let envoys = every_balancer().into_iter().find(is_envoys_peak_ewma).expect("it is in the catalog");
    let shares = |instances: u32| {
        let mut rig = Rig::full(&envoys, instances, 3);
        let mut picks = vec![0_u32; instances as usize];
        for key in 0..32_000 {
            let picked = rig.send(key).expect("there are some");
            picks[picked as usize] += 1;
            rig.wait(Duration::from_nanos(500_000));
            rig.end(picked, Duration::from_nanos(500_000), Outcome::Success);
        }
        picks
    };
    let near = |picks: &[u32], expected: &[u32]| {
        let is_near = picks.iter().zip(expected).all(|(picked, expected)| picked.abs_diff(*expected) < 400);
        assert!(is_near, "{picks:?}, not about {expected:?}");
    };
    near(&shares(4), &[2_000, 14_000, 2_000, 14_000]);
    near(&shares(2), &[0, 32_000]);
}

#[test]
fn shares_follow_weights_where_that_is_promised() {
    // HAProxy gives sixteen points of its ring for each unit of weight, so that small weights are far off.
    let weights = [10_u32, 20, 30, 40];
    // gRPC's least request is for equal weights alone (gRFC A48).
    for balancer in even_balancers().filter(|it| it.name() != "least-request" || !says(it, "flavour", "grpc"))
    {
        let Some((_, tolerance)) = BY_WEIGHT.iter().find(|(name, _)| *name == balancer.name()) else {
            continue;
        };
        let mut rig = Rig::new(&balancer, 4, 3);
        rig.list((0..).zip(weights));
        let mut picks = [0_u32; 4];
        for key in 0..40_000 {
            let picked = rig.send(key).expect("there are four");
            picks[picked as usize] += 1;
            rig.end(picked, Duration::from_millis(1), Outcome::Success);
        }
        for (picked, weight) in picks.iter().zip(weights) {
            let share = f64::from(*picked) / 400.0 / f64::from(weight);
            assert!((share - 1.0).abs() < *tolerance, "{}: {picks:?}", shown(&balancer));
        }
    }
}

#[test]
fn shares_are_equal_where_weights_are() {
    for balancer in even_balancers() {
        let mut rig = Rig::full(&balancer, 4, 3);
        let mut picks = [0_u32; 4];
        for key in 0..40_000 {
            let picked = rig.send(key).expect("there are four");
            picks[picked as usize] += 1;
            rig.wait(Duration::from_nanos(500_000));
            rig.end(picked, Duration::from_nanos(500_000), Outcome::Success);
        }
        assert!(
            picks.iter().all(|&picked| (6_000..=14_000).contains(&picked)),
            "{}: {picks:?}",
            shown(&balancer)
        );
    }
}
