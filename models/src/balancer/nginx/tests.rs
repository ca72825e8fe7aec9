//! nginx's peers, by the states that its own commit messages show and by the rules of its source.

use super::*;

const TEN: Duration = Duration::from_secs(10);

fn peers(weights: &[u32]) -> Peers {
    let mut peers = Peers::new(1, TEN);
    peers.update((0..).zip(weights.iter().copied()));
    peers
}

fn at(seconds: u64) -> Time {
    Time::from_nanos(seconds * 1_000_000_000)
}

fn current(peers: &Peers) -> Vec<i64> {
    peers.all().iter().map(|peer| peer.current).collect()
}

fn picks(peers: &mut Peers, now: u64, count: usize) -> Vec<u32> {
    (0..count).map(|_| peers.smooth(at(now))).collect()
}

/// Weights, picks, and what is current after each.
type Case = (&'static [u32], &'static [u32], &'static [&'static [i64]]);

/// The table in the message of nginx's commit 21ad7d0 (2012-06-04): weights 5, 1, 1 give a a b a c a a. The other
/// rows are computed from the C at 3f6f782.
#[test]
fn smooth_picks_and_their_states_are_nginxs() {
    let cases: [Case; 4] = [
        (
            &[5, 1, 1],
            &[0, 0, 1, 0, 2, 0, 0],
            &[&[-2, 1, 1], &[-4, 2, 2], &[1, -4, 3], &[-1, -3, 4], &[4, -2, -2], &[2, -1, -1], &[0, 0, 0]],
        ),
        (
            &[4, 2, 1],
            &[0, 1, 0, 2, 0, 1, 0],
            &[&[-3, 2, 1], &[1, -3, 2], &[-2, -1, 3], &[2, 1, -3], &[-1, 3, -2], &[3, -2, -1], &[0, 0, 0]],
        ),
        (
            &[2, 1, 1, 1],
            &[0, 1, 2, 3, 0],
            &[&[-3, 1, 1, 1], &[-1, -3, 2, 2], &[1, -2, -2, 3], &[3, -1, -1, -1], &[0, 0, 0, 0]],
        ),
        (
            &[7, 2, 3],
            &[0, 2, 0, 1, 0, 0, 2, 0, 1, 0, 2, 0],
            &[
                &[-5, 2, 3],
                &[2, 4, -6],
                &[-3, 6, -3],
                &[4, -4, 0],
                &[-1, -2, 3],
                &[-6, 0, 6],
                &[1, 2, -3],
                &[-4, 4, 0],
                &[3, -6, 3],
                &[-2, -4, 6],
                &[5, -2, -3],
                &[0, 0, 0],
            ],
        ),
    ];
    for (weights, expected, states) in cases {
        let mut peers = peers(weights);
        // The state is back where it was, and so it all comes again.
        for (&pick, state) in expected.iter().zip(states).chain(expected.iter().zip(states)) {
            assert_eq!(peers.smooth(at(0)), pick, "{weights:?}");
            assert_eq!(current(&peers), *state, "{weights:?}");
        }
    }
}

/// Computed from ngx_http_upstream_least_conn_module.c at 3f6f782.
#[test]
fn least_connections_are_nginxs() {
    let mut three = peers(&[1, 1, 1]);
    let mut connections = [0; 3];
    let picked: Vec<u32> = (0..9)
        .map(|_| {
            let pick = three.least(at(0), |place| connections[place as usize]);
            connections[pick as usize] += 1;
            pick
        })
        .collect();
    assert_eq!(picked, [0, 1, 2, 2, 1, 0, 0, 1, 2]);

    let mut two = peers(&[1, 1]);
    let states = [[0, 0], [1, 0], [0, 1], [1, 1]];
    let picked = states.map(|connections| two.least(at(0), |place| connections[place as usize]));
    assert_eq!(picked, [0, 1, 0, 1]);
}

#[test]
fn connections_count_by_weight() {
    let mut peers = peers(&[3, 1]);
    assert_eq!(peers.least(at(0), |place| [2, 1][place as usize]), 0, "two of three is less than one of one");
    assert_eq!(peers.least(at(0), |place| [4, 1][place as usize]), 1);
}

#[test]
fn who_fails_is_out_for_more_than_the_timeout_in_whole_seconds() {
    let mut peers = peers(&[1, 1]);
    peers.on_failed(at(100), 0);
    assert_eq!(picks(&mut peers, 110, 3), [1, 1, 1], "ten seconds are not more than ten");
    assert_eq!(
        picks(&mut peers, 111, 2),
        [1, 0],
        "its weight of one had gone, and is back at the first look"
    );
}

/// One probe at a time: once let through, it stays out until that one has been answered, or the timeout is over.
#[test]
fn who_is_let_through_is_checked_until_it_passes() {
    let mut peers = peers(&[1, 1]);
    peers.on_failed(at(100), 0);
    assert_eq!(picks(&mut peers, 111, 2), [1, 0]);
    assert_eq!(picks(&mut peers, 115, 2), [1, 1], "it is being tried since 111");
    peers.on_passed(0);
    assert_eq!(peers.all()[0].fails, 0);
    assert!(picks(&mut peers, 115, 2).contains(&0));
}

#[test]
fn an_answer_to_what_was_sent_before_the_failure_clears_nothing() {
    let mut peers = peers(&[1, 1]);
    peers.on_failed(at(100), 0);
    peers.on_passed(0);
    assert_eq!(peers.all()[0].fails, 1);
}

/// A failed peer of the weight five has all of it back after five looks, and not before its timeout.
#[test]
fn effective_weight_comes_back_by_one_at_each_look() {
    let mut peers = peers(&[5, 5]);
    peers.on_failed(at(100), 0);
    picks(&mut peers, 105, 20);
    assert_eq!(peers.all()[0].effective, 0, "nobody looks at who is out");
    for effective in [1, 2, 3, 4, 5, 5] {
        peers.smooth(at(111));
        peers.on_passed(0);
        assert_eq!(peers.all()[0].effective, effective);
    }
}

#[test]
fn a_failure_takes_its_share_of_the_weight() {
    let mut peers = Peers::new(3, TEN);
    peers.update([(7, 10), (8, 10)].into_iter());
    peers.on_failed(at(0), 7);
    assert_eq!(peers.all()[0].effective, 7, "ten by three is three");
    peers.smooth(at(0));
    assert_eq!(peers.all()[0].effective, 8);
    for _ in 0..3 {
        peers.on_failed(at(0), 7);
    }
    assert_eq!(peers.all()[0].effective, 0);
    assert_eq!(picks(&mut peers, 0, 3), [1, 1, 1]);
}

#[test]
fn when_all_are_out_the_gate_is_lifted() {
    let mut peers = peers(&[1, 1]);
    peers.on_failed(at(100), 0);
    peers.on_failed(at(100), 1);
    let picked = picks(&mut peers, 101, 10);
    assert!(picked.contains(&0) && picked.contains(&1), "{picked:?}");
}

#[test]
fn without_max_fails_nobody_is_out() {
    let mut peers = Peers::new(0, TEN);
    peers.update([(0, 1), (1, 1)].into_iter());
    peers.on_failed(at(100), 0);
    assert_eq!(picks(&mut peers, 100, 4), [0, 1, 0, 1]);
}

#[test]
fn who_stays_keeps_its_state() {
    let mut peers = peers(&[5, 1, 1]);
    picks(&mut peers, 0, 3);
    peers.update([(2, 1), (0, 5), (9, 1)].into_iter());
    assert_eq!(current(&peers), [3, 1, 0]);
    peers.update([(0, 2), (2, 1)].into_iter());
    assert_eq!((peers.all()[0].effective, peers.all()[0].current), (2, 1));
}

#[test]
fn who_weighs_nothing_is_down() {
    let mut peers = peers(&[0, 1, 2]);
    assert!(!picks(&mut peers, 0, 30).contains(&0));
    assert_eq!(peers.least(at(0), |place| [0, 5, 5][place as usize]), 2);
}
