//! Weighted round robin, in each flavour, as `schism pick` drives it.

use schism_core::Duration;

use super::super::rig::Rig;
use super::super::{Balancer, Update};
use super::{Config, Flavour, WeightedRoundRobin};
use crate::load::Load;
use crate::observation::Outcome;

fn rig(flavour: Flavour, weights: &[u32], script: &[u64]) -> Rig<WeightedRoundRobin> {
    Rig::new(&Config { flavour, ..Config::default() }, weights, script)
}

/// Tests `Weighted`, `WeightedSeed` and `Seed` of Envoy's round_robin_lb_test.cc at 0d2acde.
#[test]
fn envoy_picks_by_deadline_from_its_seed_or_in_turn() {
    let cases: [(&[u32], u64, &[u32]); 4] = [
        (&[1, 2], 0, &[1, 0, 1, 1, 0, 1]),
        (&[2, 1, 3], 0, &[2, 0, 2, 1, 0, 2, 2, 0, 2, 1, 0, 2]),
        (&[1, 1, 1], 0, &[0, 1, 2, 0, 1, 2]),
        (&[1, 1, 1], 1, &[1, 2, 0, 1]),
    ];
    for (weights, seed, expected) in cases {
        let mut rig = rig(Flavour::Envoy, weights, &[seed]);
        assert_eq!(rig.words_left(), 0, "the seed is the first word, and the only one");
        assert_eq!(rig.picks(expected.len()), expected, "{weights:?} from {seed}");
    }
}

/// The test goes on: weights that change are read at the next pick of each, and nothing starts anew.
#[test]
fn envoy_reads_new_weights_at_the_next_pick() {
    let mut rig = rig(Flavour::Envoy, &[1, 2], &[0]);
    assert_eq!(rig.picks(6), [1, 0, 1, 1, 0, 1]);
    rig.update(Update::Weights, &[(0, 2), (1, 1)]);
    assert_eq!(rig.picks(8), [1, 0, 0, 1, 0, 0, 1, 0]);
}

#[test]
fn envoy_begins_to_schedule_when_weights_begin_to_differ() {
    let mut rig = rig(Flavour::Envoy, &[1, 1], &[0]);
    assert_eq!(rig.picks(3), [0, 1, 0]);
    rig.update(Update::Weights, &[(0, 1), (1, 2)]);
    assert_eq!(rig.picks(6), [1, 0, 1, 1, 0, 1]);
}

/// Test `Normal` of the same: the turns go on over a longer list.
#[test]
fn envoy_keeps_its_turn_over_changes() {
    let mut rig = rig(Flavour::Envoy, &[1, 1], &[0]);
    assert_eq!(rig.picks(5), [0, 1, 0, 1, 0]);
    rig.update(Update::Members, &[(0, 1), (1, 1), (2, 1)]);
    assert_eq!(rig.picks(4), [2, 0, 1, 2]);
}

#[test]
fn nginx_is_smooth_and_leaves_out_who_fails() {
    let mut rig = rig(Flavour::Nginx, &[5, 1, 1], &[]);
    assert_eq!(rig.picks(14), [0, 0, 1, 0, 2, 0, 0, 0, 0, 1, 0, 2, 0, 0]);
    rig.reply(0, Outcome::Timeout, None);
    assert!(!rig.picks(20).contains(&0));
    rig.advance(Duration::from_secs(11));
    assert!(rig.picks(20).contains(&0));
}

#[test]
fn an_answer_is_no_failure_to_nginx() {
    for (outcome, is_out) in [
        (Outcome::Timeout, true),
        (Outcome::Connect, true),
        (Outcome::Deadline, true),
        (Outcome::Rejected, false),
        (Outcome::Failed, false),
        (Outcome::Success, false),
    ] {
        let mut rig = rig(Flavour::Nginx, &[1, 1], &[]);
        rig.reply(0, outcome, None);
        assert_eq!(!rig.picks(4).contains(&0), is_out, "{outcome:?}");
    }
}

/// Before any report the weights of the list count: static_stride_scheduler_test.cc of grpc/grpc at 6574c82, and the
/// sequences that the cited sources give.
#[test]
fn grpc_takes_strides() {
    let long = [1, 2, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 2, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1, 3, 3, 1];
    for flavour in [Flavour::GrpcCpp, Flavour::GrpcGo] {
        let first = |weights: &[u32], count| rig(flavour, weights, &[0, 0]).picks(count);
        assert_eq!(first(&[1, 2, 3], 12), [1, 2, 2, 0, 1, 2, 1, 2, 2, 0, 1, 2]);
        assert_eq!(first(&[1, 10, 2, 20], 30), long);
        assert_eq!(first(&[300, 300, 0], 9), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
        assert_eq!(first(&[7], 3), [0, 0, 0]);
    }
}

/// The same list in both: fifty to one in C++, eighty-one to one in Go.
#[test]
fn cpp_and_go_differ_on_one_that_weighs_much_more() {
    let weights = [vec![81], vec![1; 19]].concat();
    let of_the_first = |flavour, count| {
        let mut rig = rig(flavour, &weights, &[0, 0]);
        rig.picks(count).iter().filter(|&&ordinal| ordinal == 0).count()
    };
    assert_eq!(of_the_first(Flavour::GrpcCpp, 69), 50);
    assert_eq!(of_the_first(Flavour::GrpcGo, 1_000), 810);
}

#[test]
fn cpp_keeps_its_sequence_over_lists_and_go_draws_another() {
    let after = |flavour| {
        let mut rig = rig(flavour, &[1, 2, 3], &[0, 0, 0]);
        rig.picks(6);
        rig.update(Update::Members, &[(0, 1), (1, 2), (3, 3)]);
        rig.picks(2)
    };
    // Six picks took nine looks, which is three rounds: the pattern begins again either way.
    assert_eq!(after(Flavour::GrpcCpp), [1, 3]);
    assert_eq!(after(Flavour::GrpcGo), [1, 3]);
    let next = |flavour, words: &[u64]| {
        let mut rig = rig(flavour, &[1, 2, 3], words);
        rig.update(Update::Members, &[(0, 1), (1, 2), (2, 3)]);
        rig.pick()
    };
    assert_eq!(next(Flavour::GrpcCpp, &[0, 5, 3]), 1, "C++ drew its sequence first");
    assert_eq!(next(Flavour::GrpcGo, &[1, 3]), 2, "Go drew it last");
}

fn load(qps: f64, utilization: f64) -> Load {
    Load { qps, utilization, ..Load::default() }
}

fn shares(rig: &mut Rig<WeightedRoundRobin>, count: usize) -> Vec<usize> {
    let picked = rig.picks(count);
    (0..2).map(|ordinal| picked.iter().filter(|&&it| it == ordinal).count()).collect()
}

/// grpc-go's balancer_test.go at 4793ad0: utilizations of 1 and 0.1 at the same rate make one to ten, after the blackout
/// and until the reports have expired.
#[test]
fn grpc_goes_by_reports_once_the_blackout_is_over() {
    for flavour in [Flavour::GrpcCpp, Flavour::GrpcGo] {
        let mut rig = rig(flavour, &[1, 1], &[]);
        rig.reply(0, Outcome::Success, Some(&load(10.0, 1.0)));
        rig.reply(1, Outcome::Success, Some(&load(10.0, 0.1)));
        rig.advance(Duration::from_millis(9_999));
        assert_eq!(shares(&mut rig, 22), [11, 11]);
        rig.advance(Duration::from_millis(1));
        assert!(shares(&mut rig, 220)[0].abs_diff(20) <= 1, "one to ten, wherever the sequence began");
        rig.advance(Duration::from_secs(169));
        assert!(shares(&mut rig, 220)[0].abs_diff(20) <= 1, "one to ten, wherever the sequence began");
        rig.advance(Duration::from_secs(1));
        assert_eq!(shares(&mut rig, 22), [11, 11]);
    }
}

#[test]
fn grpc_reads_weights_once_a_period() {
    let config = Config {
        flavour: Flavour::GrpcGo,
        blackout_period: None,
        weight_update_period: Duration::from_millis(1),
        ..Config::default()
    };
    let mut rig = Rig::<WeightedRoundRobin>::new(&config, &[1, 1], &[]);
    rig.reply(0, Outcome::Success, Some(&load(10.0, 1.0)));
    rig.reply(1, Outcome::Success, Some(&load(10.0, 0.1)));
    rig.advance(Duration::from_millis(99));
    assert_eq!(shares(&mut rig, 22), [11, 11], "no period is shorter than 100 ms");
    rig.advance(Duration::from_millis(1));
    assert_eq!(shares(&mut rig, 22), [2, 20]);
}

#[test]
fn a_lost_connection_begins_another_blackout() {
    let mut rig = rig(Flavour::GrpcGo, &[1, 1], &[]);
    for ordinal in 0..2 {
        rig.reply(ordinal, Outcome::Success, Some(&load(10.0, 0.1 + f64::from(ordinal))));
    }
    rig.advance(Duration::from_secs(10));
    assert_eq!(shares(&mut rig, 24), [22, 2]);
    rig.reply(0, Outcome::Connect, None);
    rig.reply(0, Outcome::Success, Some(&load(10.0, 0.1)));
    rig.advance(Duration::from_secs(9));
    assert_eq!(shares(&mut rig, 24), [12, 12], "with one that is known there is nothing to compare");
    rig.advance(Duration::from_secs(1));
    assert_eq!(shares(&mut rig, 24), [22, 2]);
}

#[test]
fn options_of_another_flavour_are_refused() {
    let refused =
        |config: &Config| WeightedRoundRobin::check(config).expect_err("they do not go together").option;
    let envoy = Config::default();
    assert_eq!(WeightedRoundRobin::check(&envoy), Ok(()));
    assert_eq!(refused(&Config { max_fails: 3, ..envoy.clone() }), "max-fails");
    let nginx =
        Config { flavour: Flavour::Nginx, fail_timeout: Duration::from_millis(1_500), ..envoy.clone() };
    assert_eq!(refused(&nginx), "fail-timeout");
    assert_eq!(
        refused(&Config { flavour: Flavour::Nginx, blackout_period: None, ..envoy }),
        "blackout-period"
    );
}
