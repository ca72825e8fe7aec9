//! The endpoint of the request's key, by jump consistent hash.
//!
//! Lamping and Veach, "A fast, minimal memory, consistent hash algorithm", 2014 (arXiv:1406.2294). It numbers buckets and
//! knows no names: here the buckets are the places of the view, which is in the order of the instances' numbers.

use super::{Balancer, Call, Seat};
use crate::dice::Dice;
use crate::hash::Hash;
use crate::listing::View;
use crate::options::Nothing;

/// Keeps nothing: the key and the number of endpoints say it all.
#[derive(Clone, Copy, Debug)]
pub struct Jump;

impl Balancer for Jump {
    type Config = Nothing;

    fn new(_: &Nothing, _: &Seat, _: &mut Dice<'_>) -> Jump {
        Jump
    }

    /// A request that is about nothing goes anywhere.
    fn pick(&mut self, view: View<'_>, call: &Call<'_>, dice: &mut Dice<'_>) -> u32 {
        let hash = call.hash(Hash::Xxh64).unwrap_or_else(|| dice.word());
        jump(hash, view.len())
    }
}

/// The bucket of a key among so many: figure 1 of the paper, with its constants.
///
/// The paper computes with doubles, and so does this: conversions, a division and a product, which IEEE 754 makes the
/// same on every machine.
fn jump(mut key: u64, buckets: u32) -> u32 {
    let (mut bucket, mut next) = (0, 0);
    while next < u64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = ((bucket + 1) as f64 * ((1_u64 << 31) as f64 / ((key >> 33) + 1) as f64)) as u64;
    }
    bucket as u32
}

#[cfg(test)]
mod tests {
    use schism_core::{Draw, Seed};

    use super::*;
    use crate::balancer::movement;

    /// For 1, 2, 3, ... buckets, as the C++ of the paper's authors and Guava's `consistentHash` give them
    /// (jump_test.go of dgryski/go-jump at ba001c3; HashingTest.java of google/guava at 00ca457).
    #[test]
    fn buckets_are_those_of_the_reference() {
        let of = |key: u64, most: u32| (1..=most).map(|buckets| jump(key, buckets)).collect::<Vec<_>>();
        assert_eq!(of(0, 20), [0; 20]);
        assert_eq!(of(1, 19), [0, 0, 0, 0, 0, 0, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 6, 17, 17]);
        assert_eq!(of(0xdead_beef, 19), [0, 1, 2, 3, 3, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 16, 16, 16]);
        assert_eq!(
            of(998_690_804_919_562_253, 19),
            [0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 15, 15, 15, 15]
        );
        assert_eq!(jump(10_863_919_174_838_991, 11), 6);
        assert_eq!(jump(1_673_758_223_894_951_030, 11), 5);
        assert_eq!(jump(2_201, 100_001), 22_152);
    }

    /// The hashes by the reference xxHash, the buckets by PyPI's `jump-consistent-hash` 3.6.0.
    #[test]
    fn texts_are_hashed_by_xxh64() {
        let cases: [(&str, u64, [u32; 5]); 3] = [
            ("user:1", 15_692_727_345_848_811_763, [0, 2, 2, 2, 97]),
            ("session-abc", 1_889_263_794_375_132_915, [0, 0, 3, 3, 3]),
            ("x", 6_665_539_201_184_043_299, [0, 0, 0, 0, 0]),
        ];
        for (text, hash, buckets) in cases {
            assert_eq!(Hash::Xxh64.of(text.as_bytes()), hash);
            assert_eq!([2, 3, 5, 10, 100].map(|count| jump(hash, count)), buckets, "{text}");
        }
    }

    fn hashes() -> Vec<u64> {
        let mut luck = Seed(7).luck("keys", "test", 0);
        (0..100_000).map(|_| luck.word()).collect()
    }

    /// The paper's section 2: from n to n + 1 buckets a key stays, or moves to the new bucket; one in n + 1 moves.
    #[test]
    fn keys_move_only_to_the_new_bucket_and_no_more_than_must() {
        let hashes = hashes();
        for buckets in [1, 2, 9, 100] {
            let places = |&hash: &u64| (jump(hash, buckets), jump(hash, buckets + 1));
            let moved: Vec<(u32, u32)> = hashes.iter().map(places).filter(|(old, new)| old != new).collect();
            assert!(moved.iter().all(|&(_, new)| new == buckets));
            let expected = hashes.len() as f64 / f64::from(buckets + 1);
            assert!((moved.len() as f64 - expected).abs() < 4.0 * expected.sqrt(), "{buckets}");
        }
    }

    /// The paper's table 1: the standard error of the buckets' sizes is that of chance alone.
    #[test]
    fn buckets_are_even() {
        let (hashes, buckets) = (hashes(), 1_000);
        let mut sizes = vec![0_u32; buckets];
        hashes.iter().for_each(|&hash| sizes[jump(hash, buckets as u32) as usize] += 1);
        let mean = hashes.len() as f64 / buckets as f64;
        let variance = sizes.iter().map(|&n| (f64::from(n) - mean) * (f64::from(n) - mean)).sum::<f64>()
            / buckets as f64;
        // Chance alone gives a variance of the mean; its own standard deviation is sqrt(2 / buckets) of that.
        assert!((variance / mean - 1.0).abs() < 4.0 * (2.0 / buckets as f64).sqrt(), "{variance}");
    }

    /// Of 20 000 keys with so many servers: how many move with one more. Without consistent hashing nearly all do.
    #[test]
    fn keys_move_as_the_reference_says() {
        for (servers, moved, most, cv) in [
            (5, 3266, 1.005, 0.0035142566781611157),
            (10, 1815, 1.0355, 0.019849433241279208),
            (50, 408, 1.105, 0.048207883172775794),
        ] {
            movement::check((servers, moved, 0), (most, cv), |hash, with_new| {
                jump(hash, servers + u32::from(with_new))
            });
        }
        for (servers, moved, between_old, most, cv) in [
            (5, 16671, 13268, 1.025, 0.018162461286951172),
            (10, 18147, 16272, 1.0535, 0.027192829937319876),
            (50, 19594, 19194, 1.135, 0.056795686455927266),
        ] {
            movement::check((servers, moved, between_old), (most, cv), |hash, with_new| {
                (hash % u64::from(servers + u32::from(with_new))) as u32
            });
        }
    }

    #[test]
    fn a_key_is_hashed_as_its_eight_bytes_little_endian() {
        use crate::keys::Keys;

        let call = Call::new(&Keys::Unique, Draw::new(0x0123_4567_89ab_cdef), None);
        let bytes = [0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01];
        assert_eq!(call.hash(Hash::Xxh64), Some(Hash::Xxh64.of(&bytes)));
    }
}
