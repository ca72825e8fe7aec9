//! The aperture through the balancer.

use super::*;
use crate::balancer::rig::Rig;

fn rig(index: u32, peers: u32, endpoints: u32, min_aperture: u32) -> Rig<Aperture> {
    let config = Config { min_aperture, ..Config::default() };
    Rig::seated(endpoints, &config, Seat { index, peers })
}

fn shown(rig: &Rig<Aperture>) -> (String, Vec<(String, String)>) {
    let State::Table(parts) = rig.with_view(|view| rig.balancer.state(view)) else { panic!("a table") };
    let [_, (_, State::Text(width)), (_, State::List(endpoints))] = &parts[..] else { panic!("{parts:?}") };
    let text = |state: &State| {
        let State::Text(text) = state else { panic!("{state:?} is no text") };
        text.clone()
    };
    let row = |endpoint: &State| {
        let State::Table(row) = endpoint else { panic!("{endpoint:?} is no row") };
        (text(&row[0].1), text(&row[1].1))
    };
    (width.clone(), endpoints.iter().map(row).collect())
}

/// Exact fractions, computed from Finagle's formulas.
#[test]
fn the_state_shows_width_and_weights() {
    let row = |endpoint: u32, weight: &str| (format!("e-{endpoint}"), weight.to_owned());
    let whole = |count: u32| (0..count).map(|endpoint| row(endpoint, "1")).collect::<Vec<_>>();
    let with = |mut rows: Vec<(String, String)>, endpoint, weight| {
        rows.push(row(endpoint, weight));
        rows
    };
    assert_eq!(shown(&rig(0, 3, 3, 1)), ("1/3".to_owned(), whole(1)));
    assert_eq!(shown(&rig(0, 4, 3, 2)), ("3/4".to_owned(), with(whole(2), 2, "1/4")));
    assert_eq!(shown(&rig(0, 10, 12, 12)), ("1".to_owned(), whole(12)));
    assert_eq!(shown(&rig(0, 7, 10, 3)), ("3/7".to_owned(), with(whole(4), 4, "2/7")));
}

/// All clients together, each with as many requests and answers at once: every endpoint has the same.
#[test]
fn load_is_even_over_all_clients() {
    let (clients, endpoints, requests) = (7, 10, 20_000);
    let mut load = vec![0.0; endpoints as usize];
    for client in 0..clients {
        let mut rig = rig(client, clients, endpoints, 3);
        for _ in 0..requests {
            let picked = rig.send();
            load[picked as usize] += 1.0;
            rig.in_flight.remove(picked);
        }
    }
    let mean = f64::from(clients * requests) / f64::from(endpoints);
    // Two are compared and nobody is loaded, so that the first drawn is taken: by its weight.
    assert!(load.iter().all(|&load| (load / mean - 1.0_f64).abs() < 0.03), "{load:?}");
}

/// Client 0 of 4 has servers 0, 1 and a quarter of 2.
#[test]
fn load_counts_by_weight() {
    let mut rig = rig(0, 4, 3, 2);
    let at = |units: u64, of: u64| ((u128::from(units) << 64) / u128::from(of)) as u64 + 1;
    // 9 units: four of server 0, four of server 1, one of server 2; then five without server 1.
    assert_eq!(rig.send_by(&[at(4, 9), at(4, 5)]), 1, "nobody has anything, and the first stays");
    // One request weighs more than none, whatever the weight.
    assert_eq!(rig.send_by(&[at(4, 9), at(4, 5)]), 2);
    // One to each: server 2's counts four times.
    assert_eq!(rig.send_by(&[at(8, 9), at(4, 8)]), 1);
    assert_eq!(rig.send_by(&[at(8, 9), at(4, 8)]), 1);
    assert_eq!(rig.send_by(&[at(8, 9), at(4, 8)]), 1);
    // Four to server 1 and one to a quarter of server 2 are equal: the first stays.
    assert_eq!(rig.send_by(&[at(8, 9), at(4, 8)]), 2);
}

#[test]
fn with_peak_ewma_the_slower_is_left() {
    let config = Config { min_aperture: 2, load: Metric::PeakEwma, ..Config::default() };
    let mut rig = Rig::<Aperture>::of(2, &config);
    let first = rig.send();
    rig.advance(Duration::from_millis(50));
    rig.succeed(first, Duration::from_millis(50));
    let other = 1 - first;
    let picked: Vec<u32> = (0..20)
        .map(|_| {
            let picked = rig.send();
            rig.advance(Duration::from_millis(1));
            rig.succeed(picked, Duration::from_millis(1));
            picked
        })
        .collect();
    assert_eq!(picked, [other; 20]);
}
