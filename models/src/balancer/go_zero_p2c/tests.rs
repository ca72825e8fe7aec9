//! The balancer by what go-zero's source says.

use super::*;
use crate::balancer::rig::Rig;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn rig(endpoints: u32) -> Rig<GoZeroP2c> {
    let mut rig = Rig::plain(endpoints);
    rig.advance(MS(5_000));
    rig
}

/// Each of all, picked and answered once, so that nobody is overdue.
fn warm(rig: &mut Rig<GoZeroP2c>, latency: impl Fn(u32) -> Duration) {
    let mut met = std::collections::BTreeSet::new();
    while met.len() < rig.endpoints.len() {
        let picked = rig.send();
        rig.succeed(picked, latency(picked));
        met.insert(picked);
    }
}

#[test]
fn two_are_compared_without_a_word_and_a_new_one_is_forced() {
    let mut rig = rig(2);
    // Equal loads: the first is less, and the second, never picked, is forced.
    assert_eq!(rig.send_by(&[]), 1);
    assert_eq!(rig.send_by(&[]), 0);
    assert_eq!(rig.send_by(&[]), 0, "both have one, and the first of equals is less");
    rig.advance(MS(1_000));
    assert_eq!(rig.send_by(&[]), 1, "it has less in flight");
    rig.succeed(1, MS(1_000));
    rig.succeed(1, MS(1_000));
    rig.succeed(0, MS(1_000));
    rig.succeed(0, MS(1));
}

#[test]
fn who_is_slow_is_picked_once_a_second() {
    let mut rig = rig(2);
    let latency = |ordinal| if ordinal == 1 { MS(400) } else { MS(1) };
    warm(&mut rig, latency);
    let mut slow = 0;
    for _ in 0..1_000 {
        rig.advance(MS(10));
        let picked = rig.send_by(&[]);
        slow += u32::from(picked == 1);
        rig.succeed(picked, latency(picked));
    }
    assert_eq!(slow, 9, "more than a second apart, in ten seconds");
}

#[test]
fn three_pairs_are_drawn_to_find_two_healthy() {
    let mut rig = rig(4);
    warm(&mut rig, |_| MS(1));
    for ordinal in [0, 1] {
        rig.in_flight.add(ordinal);
        rig.end(ordinal, MS(1), Outcome::Timeout, None);
        rig.in_flight.add(ordinal);
        rig.advance(MS(10_000));
        rig.end(ordinal, MS(1), Outcome::Timeout, None);
    }
    warm_picks(&mut rig);
    // (0, 1), then (2, 0), then (2, 3): the third has two healthy.
    rig.send_by(&[0, 0, 2, 0, 2, 2]);
    // (2, 3) at once.
    rig.send_by(&[2, 2]);
    // Three pairs with a sick one each: the last is taken. Overdue it is not.
    assert_eq!(rig.send_by(&[0, 0, 0, 0, 1, 2]), 1);
}

/// So that nobody is overdue.
fn warm_picks(rig: &mut Rig<GoZeroP2c>) {
    let now = rig.now;
    for ordinal in 0..4 {
        rig.balancer.nodes.get_mut(ordinal).expect("all were met").pick(now);
    }
}

#[test]
fn an_update_forgets_all_and_old_attempts_do_not_count() {
    let mut rig = rig(3);
    warm(&mut rig, |_| MS(100));
    rig.in_flight.add(1);
    rig.advance(MS(10));
    rig.list(0..3);
    let load = |rig: &Rig<GoZeroP2c>, ordinal| {
        let node = rig.balancer.nodes.get(ordinal).copied().unwrap_or(Node::NEW);
        node.load(node.in_flight(rig.in_flight.to(ordinal)))
    };
    assert_eq!(load(&rig, 1), 1);
    rig.advance(MS(5));
    rig.end(1, MS(15), Outcome::Failed, None);
    assert_eq!(rig.balancer.nodes.get(1).map(|node| (node.success, node.before)), Some((1_000, 0)));
    // A new one counts.
    rig.in_flight.add(1);
    assert_eq!(load(&rig, 1), 2);
    rig.advance(MS(1));
    rig.end(1, MS(1), Outcome::Failed, None);
    assert_eq!(rig.balancer.nodes.get(1).map(|node| node.success), Some(0));
}
