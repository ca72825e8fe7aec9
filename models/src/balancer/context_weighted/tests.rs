//! Weights and circuits through the balancer.

use super::*;
use crate::balancer::rig::Rig;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn rig(weights: &[u32]) -> Rig<ContextWeighted> {
    let config = Config { min_requests: 4, ..Config::default() };
    let mut rig = Rig::of(weights.len() as u32, &config);
    rig.weigh(weights);
    rig
}

fn end(rig: &mut Rig<ContextWeighted>, ordinal: u32, outcome: Outcome, times: u32) {
    for _ in 0..times {
        rig.in_flight.add(ordinal);
        rig.end(ordinal, MS(1), outcome, None);
    }
}

fn picks(rig: &mut Rig<ContextWeighted>, words: impl IntoIterator<Item = u64>) -> Vec<u32> {
    words.into_iter().map(|word| rig.send_by(&[word])).collect()
}

#[test]
fn a_word_finds_its_place_among_the_weights() {
    let mut rig = rig(&[2, 0, 1, 3]);
    assert_eq!(picks(&mut rig, 0..7), [0, 0, 2, 3, 3, 3, 0]);
    rig.weigh(&[0, 0, 1, 1]);
    assert_eq!(picks(&mut rig, 0..3), [2, 3, 2]);
}

#[test]
fn more_than_a_hundred_is_a_hundred_and_none_at_all_is_anyone() {
    let mut heavy = rig(&[4_000_000, 100]);
    assert_eq!(picks(&mut heavy, [99, 100, 199, 200]), [0, 1, 1, 0]);
    let mut none = rig(&[0, 0, 0]);
    assert_eq!(picks(&mut none, 0..4), [0, 1, 2, 0]);
}

#[test]
fn who_fails_too_often_is_broken_off_and_tried_by_one_request() {
    let mut rig = rig(&[10, 10]);
    rig.advance(MS(1_000));
    end(&mut rig, 1, Outcome::Failed, 4);
    assert_eq!(picks(&mut rig, [0, 9, 10, 15]), [0; 4]);
    rig.advance(MS(4_999));
    assert_eq!(picks(&mut rig, [15]), [0]);
    rig.advance(MS(1));
    assert_eq!(picks(&mut rig, [9, 15, 15]), [0, 1, 0], "one tries it, and no other");
    rig.advance(MS(20));
    rig.end(1, MS(20), Outcome::Timeout, None);
    rig.advance(MS(4_999));
    assert_eq!(picks(&mut rig, [15]), [0]);
    rig.advance(MS(1));
    assert_eq!(picks(&mut rig, [15]), [1]);
    rig.advance(MS(20));
    rig.end(1, MS(20), Outcome::Success, None);
    assert_eq!(picks(&mut rig, [9, 10, 15]), [0, 1, 1]);
    end(&mut rig, 1, Outcome::Failed, 3);
    assert_eq!(picks(&mut rig, [15]), [1], "it began anew");
}

#[test]
fn where_all_are_broken_off_weights_alone_count() {
    let mut rig = rig(&[1, 3]);
    end(&mut rig, 0, Outcome::Connect, 4);
    end(&mut rig, 1, Outcome::Rejected, 4);
    assert_eq!(picks(&mut rig, 0..4), [0, 1, 1, 1]);
}

#[test]
fn circuits_survive_updates_of_weights_and_members() {
    let mut rig = rig(&[1, 1, 1]);
    end(&mut rig, 0, Outcome::Failed, 4);
    // Not looked at before the update.
    rig.weigh(&[5, 1, 1]);
    assert_eq!(picks(&mut rig, 0..3), [1, 2, 1]);
    rig.list([2, 0, 3]);
    assert_eq!(picks(&mut rig, 0..3), [2, 3, 2]);
    end(&mut rig, 3, Outcome::Failed, 4);
    rig.list([2]);
    rig.list([2, 3]);
    assert_eq!(picks(&mut rig, 0..2), [2, 3], "who comes back is new");
    rig.advance(MS(60_000));
    assert_eq!(picks(&mut rig, 0..2), [2, 3]);
}
