//! The three flavours through the balancer.

use super::*;
use crate::balancer::rig::Rig;
use crate::observation::Outcome;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn rig(endpoints: u32, config: &Config) -> Rig<PeakEwma> {
    Rig::of(endpoints, config)
}

fn of(flavour: Flavour) -> Config {
    Config { flavour, ..Config::default() }
}

fn load(rig: &mut Rig<PeakEwma>, place: u32) -> f64 {
    let mut looked = rig.balancer.clone();
    let load = rig.with_view(|view| looked.load(view, place));
    rig.balancer = looked;
    load
}

#[track_caller]
fn same(have: f64, want: f64) {
    assert!((have - want).abs() <= want.abs() * 1e-15, "{have:?} is not {want:?}");
}

/// The steps of tower's `compound_decay`, by requests.
#[test]
fn tower_decays_what_compounds() {
    let config = Config { decay: MS(1_000), default_rtt: Some(MS(20)), ..of(Flavour::Tower) };
    let mut rig = rig(1, &config);
    same(load(&mut rig, 0), 20_000_000.0);
    rig.advance(MS(100));
    rig.send_by(&[]);
    same(load(&mut rig, 0), 36_193_496.721_438_38);
    rig.advance(MS(100));
    rig.send_by(&[]);
    same(load(&mut rig, 0), 49_123_845.184_678_905);
    rig.advance(MS(100));
    rig.succeed(0, MS(200));
    same(load(&mut rig, 0), 400_000_000.0);
    rig.advance(MS(100));
    rig.succeed(0, MS(200));
    same(load(&mut rig, 0), 200_000_000.0);
    rig.advance(MS(1_000));
    same(load(&mut rig, 0), 73_575_888.234_288_47);
    rig.advance(MS(10_000));
    same(load(&mut rig, 0), 3_340.340_158_049_132_2);
}

#[test]
fn what_tower_takes_for_unknown_decays_from_when_it_came() {
    let config = Config { decay: MS(1_000), default_rtt: Some(MS(10)), ..of(Flavour::Tower) };
    let mut rig = rig(2, &config);
    rig.advance(MS(200));
    rig.list([0, 1, 2]);
    same(load(&mut rig, 0), 8_187_307.530_779_817);
    same(load(&mut rig, 2), 10_000_000.0);
    rig.advance(MS(200));
    same(load(&mut rig, 2), 8_187_307.530_779_817);
    // Who leaves and comes back is new.
    rig.list([0, 1]);
    rig.list([0, 1, 2]);
    same(load(&mut rig, 2), 10_000_000.0);
}

#[test]
fn the_lower_of_two_is_picked_and_the_first_of_equals() {
    for flavour in [Flavour::Tower, Flavour::Finagle] {
        let mut rig = rig(3, &of(flavour));
        // Words 1 and 1 are places 1 and 2; words 2 and 1 are 2 and 1.
        assert_eq!(rig.send_by(&[1, 1]), 1);
        rig.succeed(1, MS(5));
        assert_eq!(rig.send_by(&[2, 0]), 2, "{flavour:?}");
        rig.succeed(2, MS(80));
        assert_eq!(rig.send_by(&[2, 1]), 1, "{flavour:?}");
        assert_eq!(rig.send_by(&[1, 1]), 1, "{flavour:?}");
    }
}

#[test]
fn finagle_loads_are_those_of_its_arithmetic() {
    let config = Config { decay: Duration::from_nanos(150), ..of(Flavour::Finagle) };
    let mut rig = rig(1, &config);
    let ns = Duration::from_nanos;
    same(load(&mut rig, 0), 0.0);
    rig.send_by(&[]);
    same(load(&mut rig, 0), 140_737_488_355_328.0);
    rig.advance(ns(5));
    rig.succeed(0, ns(5));
    same(load(&mut rig, 0), 5.0);
    rig.send_by(&[]);
    rig.advance(ns(10));
    rig.succeed(0, ns(10));
    same(load(&mut rig, 0), 10.0);
    rig.advance(ns(150));
    same(load(&mut rig, 0), 10.0 * libm::exp(-1.0));
    rig.send_by(&[]);
    rig.advance(ns(5));
    rig.succeed(0, ns(5));
    same(load(&mut rig, 0), 5.0);
}

/// `P2CPeakEwmaTest` of Finagle at 4feb34c: nine endpoints answer in one unit, and a tenth never: it is asked once.
#[test]
fn finagle_asks_who_has_not_answered_once() {
    let config = Config { decay: Duration::from_nanos(150), ..of(Flavour::Finagle) };
    let mut rig = rig(10, &config);
    let mut asked = [0; 10];
    for _ in 0..10_000 {
        let picked = rig.send();
        asked[picked as usize] += 1;
        rig.advance(Duration::from_nanos(1));
        if picked != 9 {
            rig.succeed(picked, Duration::from_nanos(1));
        }
    }
    assert_eq!(asked[9], 1);
    assert!(asked[..9].iter().all(|&times| times > 1_000), "{asked:?}");
}

/// The third test there: nine answer in 5 units and one in 10, which has half their mean load.
#[test]
fn finagle_gives_the_slower_half_as_much() {
    let config = Config { decay: Duration::from_nanos(150), ..of(Flavour::Finagle) };
    let mut rig = rig(10, &config);
    let latency = |ordinal| if ordinal == 9 { 10 } else { 5 };
    let (mut out, mut asked) = (std::collections::VecDeque::new(), [0.0; 10]);
    for _ in 0..100_000_u32 {
        let picked = rig.send();
        asked[picked as usize] += 1.0;
        out.push_back((rig.now + Duration::from_nanos(latency(picked)), picked));
        out.make_contiguous().sort_unstable();
        while let Some(&(at, ordinal)) = out.front()
            && at <= rig.now
        {
            out.pop_front();
            rig.succeed(ordinal, Duration::from_nanos(latency(ordinal)));
        }
        rig.advance(Duration::from_nanos(1));
    }
    let mean = asked[..9].iter().sum::<f64>() / 9.0;
    assert!((asked[9] / mean - 0.5).abs() < 0.25, "{asked:?}");
}

/// One word gives both: here 3 and 6 of ten, and of equals the first if the word is odd.
#[test]
fn envoy_draws_one_word() {
    let word = |first: u64, second: u64, odd: u64| {
        (0..1_000_u64)
            .flat_map(|high| (0..65_536).map(move |low| (high << 16) | low))
            .find(|word| word % 10 == first && (word >> 16) % 10 == second && word & 1 == odd)
            .expect("one of so many")
    };
    let mut rig = rig(10, &of(Flavour::Envoy));
    assert_eq!(rig.send_by(&[word(3, 6, 1)]), 3);
    assert_eq!(rig.send_by(&[word(4, 4, 0)]), 5, "the same twice is the next one");
    // Three has a request in flight and has never answered.
    assert_eq!(rig.send_by(&[word(3, 6, 1)]), 6);
    rig.advance(MS(50));
    rig.succeed(3, MS(50));
    rig.succeed(5, MS(3));
    rig.succeed(6, MS(50));
    // Not seen before an aggregation.
    assert_eq!(rig.send_by(&[word(3, 5, 1)]), 3);
    rig.advance(MS(50));
    assert_eq!(rig.send_by(&[word(3, 5, 1)]), 5);
    same(load(&mut rig, 3), 100.0);
    same(load(&mut rig, 5), 6.0);
}

#[test]
fn envoy_learns_nothing_from_who_does_not_answer() {
    let mut rig = rig(2, &of(Flavour::Envoy));
    rig.send_by(&[1]);
    rig.advance(MS(200));
    rig.end(1, MS(200), Outcome::Timeout, None);
    // Low bits 0 and 1: the second, after an aggregation.
    assert_eq!(rig.send_by(&[1 << 16]), 1, "they are equal, and the word is even");
    same(load(&mut rig, 0), 10.0);
    same(load(&mut rig, 1), 1_000_001.0);
}

#[test]
fn one_endpoint_is_picked_without_a_word() {
    for flavour in [Flavour::Tower, Flavour::Finagle, Flavour::Envoy] {
        assert_eq!(rig(1, &of(flavour)).send_by(&[]), 0);
    }
}

#[test]
fn options_of_another_flavour_are_refused() {
    let refused = |config: &Config| PeakEwma::check(config).expect_err("it is").option;
    assert_eq!(refused(&Config { default_rtt: Some(MS(1)), ..of(Flavour::Finagle) }), "default-rtt");
    assert_eq!(refused(&Config { penalty: 5.0, ..of(Flavour::Tower) }), "penalty");
    assert_eq!(refused(&Config { aggregation: MS(1), ..of(Flavour::Tower) }), "aggregation-interval");
    assert_eq!(PeakEwma::check(&Config { penalty: 5.0, ..of(Flavour::Envoy) }), Ok(()));
}
