//! Prequal through the balancer.

use super::*;
use crate::balancer::rig::Rig;

const MS: fn(u64) -> Duration = Duration::from_millis;

/// No probes of its own, and nothing is dropped but by use and age.
fn still() -> Config {
    Config { r_probe: 0.0, r_remove: 0.0, ..Config::default() }
}

fn told(rig: &mut Rig<Prequal>, answers: &[(u32, u32, u64)]) {
    for &(ordinal, in_flight, latency) in answers {
        let load = Load { in_flight, latency: MS(latency), ..Load::default() };
        rig.balancer.on_probed(rig.now, ordinal, &load);
    }
}

fn held(rig: &Rig<Prequal>) -> Vec<(u32, u32)> {
    rig.balancer.pool.iter().map(|probe| (probe.ordinal, probe.in_flight)).collect()
}

/// The hot-cold rule, with the quantile of all three at the middle one, at none, and at all.
#[test]
fn the_rule_is_hot_or_cold_then_latency_or_requests_in_flight() {
    let picked = |q_rif, answers: &[(u32, u32, u64)]| {
        let mut rig = Rig::<Prequal>::of(3, &Config { q_rif, ..still() });
        told(&mut rig, answers);
        rig.send_by(&[])
    };
    let answers = [(0, 1, 50), (1, 2, 40), (2, 9, 5)];
    assert_eq!(picked(0.5, &answers), 1);
    assert_eq!(picked(1.0, &answers), 2);
    assert_eq!(picked(0.0, &answers), 0);
    assert_eq!(picked(0.5, &[(0, 3, 10), (1, 3, 10)]), 0);
}

#[test]
fn with_less_than_two_answers_a_word_decides() {
    let mut rig = Rig::<Prequal>::of(5, &still());
    assert_eq!(rig.send_by(&[13]), 3);
    told(&mut rig, &[(2, 0, 1)]);
    assert_eq!(rig.send_by(&[14]), 4);
}

#[test]
fn an_answer_counts_what_was_sent_since_and_is_used_once() {
    let config = Config { r_probe: 3.0, r_remove: 0.0, ..Config::default() };
    // With 4 endpoints and a pool of 16 equation 1 is negative, and each answer serves once.
    let mut rig = Rig::<Prequal>::of(4, &config);
    told(&mut rig, &[(0, 1, 10), (1, 1, 20), (2, 1, 30)]);
    assert_eq!(rig.send(), 0);
    assert_eq!(held(&rig), [(1, 1), (2, 1)]);
    // With 100 endpoints it is 1.316 for one removal: the 0.316 is luck's.
    let config = Config { r_remove: 1.0, ..config };
    let mut rig = Rig::<Prequal>::of(100, &config);
    assert!((rig.balancer.reuse - 1.315_789_473_684_210_6).abs() < 1e-15);
    let stays = |word: u64| {
        let mut rig = rig.clone();
        rig.balancer.config.r_remove = 0.0;
        rig.balancer.config.r_probe = 0.0;
        told(&mut rig, &[(0, 1, 10), (1, 1, 20)]);
        rig.send_by(&[word]);
        held(&rig)
    };
    assert_eq!(stays(0), [(0, 2), (1, 1)]);
    assert_eq!(stays(u64::MAX / 2), [(1, 1)]);
    let used: u32 = (0..2_000)
        .map(|_| {
            rig.balancer.pool.clear();
            rig.balancer.config.r_remove = 0.0;
            told(&mut rig, &[(0, 0, 1), (1, 100, 99)]);
            let uses = (0..5).filter(|_| held(&rig).iter().any(|probe| probe.0 == 0) && rig.send() == 0);
            uses.count() as u32
        })
        .sum();
    assert!((f64::from(used) / 2_000.0 - 1.3158).abs() < 0.05, "{used}");
}

#[test]
fn answers_grow_old_and_are_replaced() {
    let mut rig = Rig::<Prequal>::of(3, &Config { pool: 2, ..still() });
    told(&mut rig, &[(0, 1, 10), (1, 1, 20), (2, 1, 30)]);
    assert_eq!(held(&rig), [(1, 1), (2, 1)], "the oldest makes room");
    told(&mut rig, &[(1, 5, 20)]);
    assert_eq!(held(&rig), [(2, 1), (1, 5)], "one answer of each");
    rig.advance(MS(1_000));
    rig.clone().send_by(&[]);
    rig.advance(Duration::from_nanos(1));
    assert_eq!(rig.send_by(&[4]), 1, "all are too old");
    told(&mut rig, &[(1, 5, 20), (2, 5, 20)]);
    rig.list([0, 2]);
    assert_eq!(held(&rig), [(2, 5)], "who has left has left the pool");
}

#[test]
fn the_oldest_and_the_worst_are_dropped_in_turn() {
    let mut rig = Rig::<Prequal>::of(10, &Config { delta: 100.0, r_remove: 0.5, ..still() });
    told(&mut rig, &[(0, 1, 10), (1, 1, 20), (2, 1, 30), (3, 1, 11), (4, 9, 1)]);
    rig.balancer.reuse = 100.0;
    rig.send();
    assert_eq!(held(&rig).len(), 5, "half a removal");
    rig.send();
    assert_eq!(held(&rig).first(), Some(&(1, 1)), "the oldest");
    rig.send();
    rig.send();
    assert!(held(&rig).iter().all(|&(ordinal, _)| ordinal != 4), "the hottest: {:?}", held(&rig));
}

#[test]
fn each_request_has_three_different_endpoints_probed() {
    let mut rig = Rig::<Prequal>::plain(10);
    let mut asked = [0; 10];
    for _ in 0..1_000 {
        rig.send();
        let mut targets: Vec<u32> = std::iter::from_fn(|| rig.balancer.next_probe()).collect();
        targets.iter().for_each(|&target| asked[target as usize] += 1);
        targets.sort_unstable();
        targets.dedup();
        assert_eq!(targets.len(), 3);
    }
    assert!(asked.iter().all(|&times| (240..360).contains(&times)), "{asked:?}");
    let mut rig = Rig::<Prequal>::of(10, &Config { r_probe: 1.5, ..Config::default() });
    let targets = (0..4).map(|_| {
        rig.send();
        std::iter::from_fn(|| rig.balancer.next_probe()).count()
    });
    assert_eq!(targets.collect::<Vec<_>>(), [1, 2, 1, 2]);
}

#[test]
fn answers_from_who_has_left_are_not_heard() {
    let mut rig = Rig::<Prequal>::of(3, &still());
    rig.list([0, 1]);
    told(&mut rig, &[(2, 0, 1)]);
    assert_eq!(held(&rig), []);
}
