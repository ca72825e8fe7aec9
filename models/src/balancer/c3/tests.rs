//! C3 through the balancer.

use super::*;
use crate::balancer::rig::Rig;
use crate::load::Load;
use crate::observation::Outcome;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn told(rig: &mut Rig<C3>, ordinal: u32, latency: u64, service: u64, queued: u32) {
    let load = Load { queued, service: MS(service), ..Load::default() };
    rig.in_flight.add(ordinal);
    rig.end(ordinal, MS(latency), Outcome::Success, Some(&load));
}

#[test]
fn the_lowest_score_is_picked() {
    let mut rig = Rig::<C3>::plain(3);
    told(&mut rig, 0, 10, 4, 3);
    told(&mut rig, 1, 10, 4, 1);
    assert_eq!(rig.send_by(&[0]), 2, "nothing is known of it");
    rig.in_flight.remove(2);
    told(&mut rig, 2, 20, 4, 1);
    assert_eq!(rig.send_by(&[0]), 1, "the queue is shorter");
    assert_eq!(rig.send_by(&[0]), 2, "one in flight is worth more than ten milliseconds");
}

#[test]
fn of_equals_the_first_from_a_random_one_on_is_picked() {
    assert_eq!(Rig::<C3>::plain(3).send_by(&[5]), 2);
    let config = Config { choices: None, ..Config::default() };
    assert_eq!(Rig::<C3>::of(50, &config).send_by(&[117]), 17);
}

/// Floyd's three of ten: words below 8, 9 and 10.
#[test]
fn of_many_a_group_of_three_is_drawn() {
    let mut rig = Rig::<C3>::plain(10);
    for ordinal in 0..10 {
        told(&mut rig, ordinal, 20 - u64::from(ordinal), 4, 0);
    }
    assert_eq!(rig.send_by(&[2, 5, 3]), 5);
    rig.in_flight.remove(5);
    assert_eq!(rig.send_by(&[2, 2, 2]), 9, "2 drawn twice stands for 8, and thrice for 9");
}

/// Each client in flight counts for all clients of its group.
#[test]
fn requests_in_flight_count_for_all_clients() {
    let seat = |peers| Seat { index: 0, peers };
    let score = |peers, config: &Config| {
        let mut rig = Rig::<C3>::seated(1, config, seat(peers));
        told(&mut rig, 0, 10, 4, 0);
        rig.in_flight.add(0);
        rig.with_view(|view| rig.balancer.score(view, 0))
    };
    let of = |clients: f64| 5.4 + (1.0 + clients) * (1.0 + clients) * (1.0 + clients) * 3.6;
    let plain = Config::default();
    assert!((score(1, &plain) - of(1.0)).abs() < 1e-9);
    assert!((score(20, &plain) - of(20.0)).abs() < 1e-9);
    assert!((score(20, &Config { clients: Some(3), ..plain }) - of(3.0)).abs() < 1e-9);
}

#[test]
fn what_is_never_answered_changes_no_score() {
    let mut rig = Rig::<C3>::plain(2);
    told(&mut rig, 0, 10, 4, 0);
    let before = rig.with_view(|view| rig.balancer.score(view, 0));
    rig.in_flight.add(0);
    rig.end(0, MS(500), Outcome::Timeout, None);
    let after = rig.with_view(|view| rig.balancer.score(view, 0));
    assert_eq!(before.to_bits(), after.to_bits());
}

/// The best has spent what it had saved up, and the next best gets what it may not have.
#[test]
fn rate_control_passes_over_who_answers_less_than_is_sent() {
    let config = Config { rate_control: true, ..Config::default() };
    let mut rig = Rig::<C3>::of(2, &config);
    let mut picked = [0; 2];
    for _ in 0..300 {
        let ordinal = rig.send();
        picked[ordinal as usize] += 1;
        rig.in_flight.remove(ordinal);
        if ordinal == 1 {
            told(&mut rig, 1, 50, 20, 5);
        }
    }
    // Endpoint 0 never answers and keeps the best score; it had saved up 200.
    assert_eq!(picked, [200, 100]);
}
