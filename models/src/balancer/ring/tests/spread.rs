//! How even rings are, and how many keys move, against theory and other implementations.

use super::*;
use crate::balancer::movement;

/// How many hashes there are.
const ALL: f64 = 18_446_744_073_709_551_616.0;

/// The share of the whole ring that each place owns.
fn owned(ring: &Ring, places: usize) -> Vec<f64> {
    let mut owned = vec![0.0; places];
    let mut before = ring.entries().last().expect("a ring has an entry").0;
    for (hash, place) in ring.entries() {
        owned[place as usize] += hash.wrapping_sub(before) as f64 / ALL;
        before = hash;
    }
    owned
}

/// A server's share is Beta(V, V (N - 1)), so its coefficient of variation is sqrt((N - 1) / (N V + 1)): within 10% over
/// forty sets of names.
#[test]
fn imbalance_is_what_theory_says_of_virtual_nodes() {
    for (servers, vnodes, expected) in [
        (10_u32, 1_u32, 0.904_534),
        (10, 40, 0.149_813),
        (10, 160, 0.074_977),
        (100, 10, 0.314_486),
        (100, 100, 0.099_494),
    ] {
        let squares = |set: u32| {
            let names: Vec<String> = (0..servers).map(|server| format!("10.{set}.0.{server}:80")).collect();
            let ring = Ring::proportional(
                &shares(&plain(&vec![1; servers as usize])),
                |place| &names[place as usize],
                (servers * vnodes, ENVOY_MOST),
                Hash::Xxh64,
            );
            let off = |part: &f64| (part * f64::from(servers) - 1.0) * (part * f64::from(servers) - 1.0);
            owned(&ring, servers as usize).iter().map(off).sum::<f64>() / f64::from(servers)
        };
        let sets = 40 * 100 / servers;
        let found = (((0..sets).map(squares).sum::<f64>()) / f64::from(sets)).sqrt();
        assert!((found / expected - 1.0).abs() < 0.1, "{servers} x {vnodes}: {found} for {expected}");
    }
}

/// From n to n + 1 servers, of 20 000 keys: how many move, and that none moves between two that stay. Each has 100
/// virtual nodes (Karger et al., 1997).
#[test]
fn keys_move_only_to_the_new_server() {
    let ring = |servers: u32, names: &[String]| {
        let sizes = (100 * servers, ENVOY_MOST);
        Ring::proportional(
            &shares(&plain(&vec![1; servers as usize])),
            |place| &names[place as usize],
            sizes,
            Hash::Xxh64,
        )
    };
    for (servers, moved, most, cv) in [
        (5, 3_938, 1.0355, 0.059_782_313_438_006_066),
        (10, 1_887, 1.2205, 0.122_737_728_510_837_28),
        (50, 353, 1.36, 0.116_481_758_228_488_29),
    ] {
        let names: Vec<String> = (0..=servers).map(|server| format!("s{server}")).collect();
        let (old, new) = (ring(servers, &names), ring(servers + 1, &names));
        movement::check((servers, moved, 0), (most, cv), |hash, with_new| {
            let ring = if with_new { &new } else { &old };
            ring.place(ring.successor(hash))
        });
    }
}
