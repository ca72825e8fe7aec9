//! How many keys move when a server comes: the table that all hashing balancers are held to, in their tests.

use crate::hash::Hash;

/// The servers there were, how many of 20 000 keys moved with one more, and how many of them between two that stayed.
pub(super) type Moves = (u32, u32, u32);

/// How uneven the keys lay before: the fullest server over the mean, and the coefficient of variation.
pub(super) type Spread = (f64, f64);

/// Holds a way of choosing, with or without the new server, to a row.
pub(super) fn check(
    (servers, moved, between_old): Moves,
    (most, cv): Spread,
    choose: impl Fn(u64, bool) -> u32,
) {
    let hashes = (0..20_000).map(|key| Hash::Xxh64.of(format!("key-{key}").as_bytes()));
    let places: Vec<(u32, u32)> = hashes.map(|hash| (choose(hash, false), choose(hash, true))).collect();
    let moves: Vec<u32> = places.iter().filter(|(old, new)| old != new).map(|&(_, new)| new).collect();
    assert_eq!(moves.len() as u32, moved, "of {servers} servers");
    assert_eq!(
        moves.iter().filter(|&&new| new != servers).count() as u32,
        between_old,
        "of {servers} servers"
    );

    let mut counts = vec![0.0; servers as usize];
    places.iter().for_each(|&(old, _)| counts[old as usize] += 1.0);
    let mean = 20_000.0 / f64::from(servers);
    let squares =
        counts.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / f64::from(servers);
    let found_most = counts.iter().fold(0.0, |most: f64, &count| most.max(count)) / mean;
    assert!((found_most - most).abs() < 1e-9, "{found_most} for {most} of {servers} servers");
    assert!(
        (squares.sqrt() / mean - cv).abs() < 1e-9,
        "{} for {cv} of {servers} servers",
        squares.sqrt() / mean
    );
}
