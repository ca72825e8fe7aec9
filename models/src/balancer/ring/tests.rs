//! Rings against Envoy's, grpc-go's and the article's, entry by entry, and against the theory of their imbalance.

use schism_core::{Seed, ZoneId};

mod article;
mod spread;

use super::*;
use crate::balancer::shares::{Host, shares};

const ENVOY_MOST: u32 = 8_388_608;

/// A host's weight, and its zone and that zone's weight where those are weighted.
type Weight = (u64, Option<(u16, u32)>);

fn hosts(of: &[Weight]) -> Vec<Host> {
    let host = |(place, &(weight, locality)): (usize, &Weight)| {
        let locality = locality.map(|(zone, weight)| (ZoneId(zone), weight));
        Host { place: place as u32, weight, locality }
    };
    of.iter().enumerate().map(host).collect()
}

fn plain(weights: &[u64]) -> Vec<Host> {
    hosts(&weights.iter().map(|&weight| (weight, None)).collect::<Vec<_>>())
}

fn proportional(names: &[&str], hosts: &[Host], sizes: (u32, u32), hash: Hash) -> Ring {
    Ring::proportional(&shares(hosts), |place| names[place as usize], sizes, hash)
}

fn names_of(ring: &Ring, names: &'static [&'static str]) -> Vec<(u64, &'static str)> {
    ring.entries().map(|(hash, place)| (hash, names[place as usize])).collect()
}

/// Of so many hashes evenly around the ring, how many find each place.
fn histogram(ring: &Ring, places: usize, probes: u64) -> Vec<u32> {
    let mut found = vec![0; places];
    let at = |probe: u64| ring.place(ring.successor(probe * (u64::MAX / probes)));
    (0..probes).for_each(|probe| found[at(probe) as usize] += 1);
    found
}

fn found(ring: &Ring, names: &'static [&'static str], hash: u64) -> &'static str {
    names[ring.place(ring.successor(hash)) as usize]
}

const ADDRESSES: &[&str] =
    &["127.0.0.1:90", "127.0.0.1:91", "127.0.0.1:92", "127.0.0.1:93", "127.0.0.1:94", "127.0.0.1:95"];

// The next five are ring_hash_lb_test.cc of envoyproxy/envoy at 13e9fdb, in the order of its tests.

#[test]
fn envoys_basic_ring_is_ours() {
    let ring = proportional(ADDRESSES, &plain(&[1; 6]), (12, ENVOY_MOST), Hash::Xxh64);
    let expected = [
        (833_437_586_790_550_860, "127.0.0.1:94"),
        (928_266_305_478_181_108, "127.0.0.1:92"),
        (1_033_482_794_131_418_490, "127.0.0.1:90"),
        (3_551_244_743_356_806_947, "127.0.0.1:95"),
        (3_851_675_632_748_031_481, "127.0.0.1:93"),
        (5_583_722_120_771_150_861, "127.0.0.1:91"),
        (6_311_230_543_546_372_928, "127.0.0.1:91"),
        (7_700_377_290_971_790_572, "127.0.0.1:93"),
        (13_144_177_310_400_110_813, "127.0.0.1:95"),
        (13_444_792_449_719_432_967, "127.0.0.1:92"),
        (15_516_499_411_664_133_160, "127.0.0.1:94"),
        (16_117_243_373_044_804_889, "127.0.0.1:90"),
    ];
    assert_eq!(names_of(&ring, ADDRESSES), expected);
    let picks = [
        (0, "127.0.0.1:94"),
        (18_446_744_073_709_551_615, "127.0.0.1:94"),
        (3_551_244_743_356_806_947, "127.0.0.1:95"),
        (3_551_244_743_356_806_948, "127.0.0.1:93"),
        (16_117_243_373_044_804_880, "127.0.0.1:90"),
    ];
    picks.iter().for_each(|&(hash, name)| assert_eq!(found(&ring, ADDRESSES, hash), name));
    let attempts = [(0, "127.0.0.1:94"), (1, "127.0.0.1:92"), (2, "127.0.0.1:90"), (13, "127.0.0.1:92")];
    for (attempt, name) in attempts {
        assert_eq!(ADDRESSES[ring.place(ring.ahead(ring.successor(0), attempt)) as usize], name);
    }
}

#[test]
fn envoys_ring_of_host_names_is_ours() {
    const NAMES: &[&str] = &["90", "91", "92", "93", "94", "95"];
    let ring = proportional(NAMES, &plain(&[1; 6]), (12, ENVOY_MOST), Hash::Xxh64);
    let expected = [
        (1_975_508_444_536_362_413, "95"),
        (2_376_063_919_839_173_711, "95"),
        (2_386_806_903_309_390_596, "93"),
        (6_749_904_478_991_551_885, "94"),
        (6_803_900_775_736_438_537, "93"),
        (7_225_015_537_174_310_577, "92"),
        (8_787_465_352_164_086_522, "90"),
        (11_282_020_843_382_717_940, "92"),
        (13_723_418_369_486_627_818, "91"),
        (13_776_502_110_861_797_421, "90"),
        (14_338_313_586_354_474_791, "91"),
        (15_364_271_037_087_512_980, "94"),
    ];
    assert_eq!(names_of(&ring, NAMES), expected);
    let picks = [
        (0, "95"),
        (18_446_744_073_709_551_615, "95"),
        (7_225_015_537_174_310_577, "92"),
        (6_803_900_775_736_438_537, "93"),
    ];
    picks.iter().for_each(|&(hash, name)| assert_eq!(found(&ring, NAMES, hash), name));
}

#[test]
fn envoys_tiny_weighted_ring_is_ours() {
    let ring = proportional(ADDRESSES, &plain(&[1, 2, 3]), (6, 6), Hash::Xxh64);
    let expected = [
        (928_266_305_478_181_108, "127.0.0.1:92"),
        (4_443_673_547_860_492_590, "127.0.0.1:92"),
        (5_583_722_120_771_150_861, "127.0.0.1:91"),
        (6_311_230_543_546_372_928, "127.0.0.1:91"),
        (13_444_792_449_719_432_967, "127.0.0.1:92"),
        (16_117_243_373_044_804_889, "127.0.0.1:90"),
    ];
    assert_eq!(names_of(&ring, ADDRESSES), expected);
    assert_eq!(ring.counts(3), [1, 2, 3]);
}

#[test]
fn envoys_rings_of_weighted_localities_are_ours() {
    let locality = |zone| Some((zone, u32::from(zone + 1) % 4));
    let alone = hosts(&[(1, locality(0)), (1, locality(1)), (1, locality(2)), (1, locality(3))]);
    let ring = proportional(ADDRESSES, &alone, (6_144, ENVOY_MOST), Hash::Xxh64);
    assert_eq!(ring.counts(4), [1_024, 2_048, 3_072, 0], "a locality of weight 0 is left out");
    assert_eq!(histogram(&ring, 4, 6_000), [987, 1_932, 3_081, 0]);

    let pairs = hosts(&[(1, locality(0)), (2, locality(0)), (1, locality(1)), (2, locality(1))]);
    let ring = proportional(ADDRESSES, &pairs, (9_216, ENVOY_MOST), Hash::Xxh64);
    assert_eq!(ring.len(), 9_216);
    assert_eq!(ring.counts(4), [1_024, 2_048, 2_048, 4_096]);
    assert_eq!(histogram(&ring, 4, 9_000), [924, 2_009, 2_053, 4_014]);
}

#[test]
fn envoys_ring_of_a_fractional_scale_is_ours() {
    let ring = proportional(ADDRESSES, &plain(&[1, 1]), (1_023, 1_023), Hash::Xxh64);
    assert_eq!(ring.counts(2), [512, 511]);
    assert_eq!(histogram(&ring, 2, 1_023), [526, 497]);
}

/// `BasicWithMurmur2` of the same file has the hash of an entry in its expectations.
#[test]
fn envoys_ring_may_be_hashed_with_murmur() {
    let ring = proportional(&["127.0.0.1:90"], &plain(&[1]), (2, ENVOY_MOST), Hash::Murmur);
    let hashes: Vec<u64> = ring.entries().map(|(hash, _)| hash).collect();
    assert_eq!(hashes, [5_656_417_760_668_758_976, 7_593_076_544_525_390_372]);
}

/// ring_test.go of grpc/grpc-go at 4793ad0; the comment in its ring.go shows an older ring.
#[test]
fn grpcs_rings_are_ours() {
    const NAMES: &[&str] = &["a", "b", "c"];
    let hosts = plain(&[3, 3, 4]);
    let ring = proportional(NAMES, &hosts, (10, 20), Hash::Xxh64);
    let expected = [
        (4_148_279_810_343_392_165, "a"),
        (4_189_641_231_046_734_040, "b"),
        (5_051_629_784_258_667_479, "c"),
        (5_637_671_355_026_233_228, "b"),
        (6_560_897_439_782_492_108, "b"),
        (7_866_922_100_246_443_948, "a"),
        (8_142_612_688_290_817_183, "c"),
        (14_554_126_711_339_088_812, "c"),
        (14_801_583_559_950_740_418, "c"),
        (18_017_992_814_255_492_179, "a"),
    ];
    assert_eq!(names_of(&ring, NAMES), expected);
    for (min, sizes) in [(3, [1, 1, 2]), (4, [2, 2, 3]), (6, [2, 2, 3]), (8, [3, 3, 4])] {
        assert_eq!(proportional(NAMES, &hosts, (min, 20), Hash::Xxh64).counts(3), sizes, "min {min}");
    }
    for (key, name) in [("1", "c"), ("2", "a"), ("3", "a"), ("4", "c")] {
        assert_eq!(found(&ring, NAMES, Hash::Xxh64.of(key.as_bytes())), name);
    }
}

/// eb32 trees keep keys in their order, and HAProxy takes the nearer of two: on a tie the one before.
#[test]
fn haproxy_takes_the_nearest() {
    let ring = Ring { hashes: vec![10, 20, 0xffff_fff0], places: vec![0, 1, 2] };
    let nearest = |hash| ring.place(ring.nearest(hash));
    assert_eq!([10, 14, 15, 16, 20, 100].map(nearest), [0, 0, 0, 1, 1, 1]);
    assert_eq!([0xffff_ff00, 0xffff_fff0, u32::MAX, 0, 9].map(nearest), [2, 2, 0, 0, 0]);
    // Thirteen from either: 0xfffffff0 is 16 before 0.
    assert_eq!(nearest(0xffff_fffd), 2);
    assert_eq!(nearest(0xffff_fffe), 0);
}

#[test]
fn haproxys_nodes_are_of_numbers_alone() {
    let server = |id, weight| Server { id, place: id - 1, weight };
    let ring = Ring::haproxy([server(1, 1), server(2, 3)].into_iter());
    assert_eq!(ring.counts(2), [16, 48]);
    let mut keys: Vec<u64> = (0..16).map(|index| u64::from(full_hash(4_096 + index))).collect();
    keys.sort_unstable();
    let first: Vec<u64> = ring.entries().filter(|&(_, place)| place == 0).map(|(hash, _)| hash).collect();
    assert_eq!(first, keys);
    assert_eq!(server(1, 1_000).nodes(), 4_096);
}

/// Whatever the ring, a hash finds the first entry from it on.
#[test]
fn a_successor_is_what_a_walk_finds() {
    let mut luck = Seed(3).luck("ring", "test", 0);
    for size in [1, 2, 3, 64, 1_000] {
        let mut entries: Vec<(u64, u32)> = (0..size).map(|place| (luck.word() % 5_000, place)).collect();
        let ring = Ring::sorted(entries.clone());
        entries.sort();
        for hash in 0..5_001 {
            let walked = entries.iter().position(|&(entry, _)| entry >= hash).unwrap_or(0);
            assert_eq!(ring.successor(hash), walked as u32);
        }
    }
}
