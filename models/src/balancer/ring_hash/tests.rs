//! Who is found on each flavour's ring, and where a later attempt, a full endpoint or a missing hash leads.

use std::collections::VecDeque;

use schism_core::ZoneId;

use super::*;
use crate::balancer::stand::Stand;
use crate::keys::Subject;

const SIX: [(&str, u32); 6] = [
    ("127.0.0.1:90", 1),
    ("127.0.0.1:91", 1),
    ("127.0.0.1:92", 1),
    ("127.0.0.1:93", 1),
    ("127.0.0.1:94", 1),
    ("127.0.0.1:95", 1),
];

fn envoy(min_ring_size: u32) -> Config {
    Config { min_ring_size, ..Config::default() }
}

fn flavoured(flavour: Flavour) -> Config {
    Config { flavour, ..Config::default() }
}

/// ring_hash_lb_test.cc of envoyproxy/envoy at 13e9fdb, `Basic`: a later attempt moves by entries, and so may come to the
/// same endpoint again.
#[test]
fn envoys_picks_and_attempts_are_ours() {
    let stand = Stand::new(&SIX);
    let mut ring: RingHash = stand.balancer(&envoy(12));
    for (hash, name) in [
        (0, "127.0.0.1:94"),
        (u64::MAX, "127.0.0.1:94"),
        (3_551_244_743_356_806_947, "127.0.0.1:95"),
        (3_551_244_743_356_806_948, "127.0.0.1:93"),
        (16_117_243_373_044_804_880, "127.0.0.1:90"),
    ] {
        assert_eq!(stand.pick(&mut ring, Subject::Hash(hash)), name);
    }
    let attempts = [0, 1, 2, 13].map(|attempt| stand.pick_again(&mut ring, Subject::Hash(0), attempt));
    assert_eq!(attempts, ["127.0.0.1:94", "127.0.0.1:92", "127.0.0.1:90", "127.0.0.1:92"]);
}

#[test]
fn a_ring_is_shown_with_its_size_and_its_entries() {
    let stand = Stand::new(&SIX[..2]);
    let ring: RingHash = stand.balancer(&envoy(2));
    let entry = |hash: u64, name: &str| State::List(vec![State::from(hash), name.into()]);
    assert_eq!(
        ring.state(stand.view()),
        State::table([
            ("size", State::from(2_u32)),
            ("fewest-entries", 1_u32.into()),
            ("most-entries", 1_u32.into()),
            (
                "ring",
                State::List(vec![
                    entry(5_583_722_120_771_150_861, "127.0.0.1:91"),
                    entry(16_117_243_373_044_804_889, "127.0.0.1:90"),
                ])
            ),
        ])
    );
}

/// Envoy draws a hash for a request that has none, and gRPC does since gRFC A76.
#[test]
fn a_request_about_nothing_gets_a_random_hash() {
    let stand = Stand::new(&SIX);
    for flavour in [Flavour::Envoy, Flavour::Grpc] {
        let mut ring: RingHash = stand.balancer(&Config { min_ring_size: 12, ..flavoured(flavour) });
        let mut words = VecDeque::from([3_551_244_743_356_806_948, 0]);
        let call = Call::about(Subject::Nothing);
        assert_eq!(stand.picked(&mut ring, &call, &mut words), "127.0.0.1:93");
        assert_eq!(stand.picked(&mut ring, &call, &mut words), "127.0.0.1:94");
        assert!(words.is_empty());
    }
}

/// gRFC A42: `rotl(hash, 1) ^ next`, for as many policies as find something.
#[test]
fn policies_combine_and_the_source_alone_is_sticky() {
    let stand = Stand::new(&SIX);
    let both = Config { hash_policy: vec![Policy::Key, Policy::Source], ..envoy(12) };
    let alone = Config { hash_policy: vec![Policy::Source], ..envoy(12) };
    let (mut plain, mut both, mut alone): (RingHash, RingHash, RingHash) =
        (stand.balancer(&envoy(12)), stand.balancer(&both), stand.balancer(&alone));
    let source = Hash::Xxh64.of(&7_u64.to_le_bytes());
    let none = &mut VecDeque::new();
    for key in 0..100_u64 {
        let hash = Hash::Xxh64.of(&key.to_le_bytes());
        let call = Call::about(Subject::Key(key)).from_source(7);
        let combined = Subject::Hash(hash.rotate_left(1) ^ source);
        assert_eq!(stand.picked(&mut both, &call, none), stand.pick(&mut plain, combined));
        let from_source = stand.pick(&mut plain, Subject::Hash(source));
        assert_eq!(stand.picked(&mut alone, &call, none), from_source);
        let nothing = Call::about(Subject::Nothing).from_source(7);
        assert_eq!(stand.picked(&mut both, &nothing, none), from_source);
    }
}

/// thread_aware_lb_impl.cc leaves a locality of weight 0 out.
#[test]
fn localities_have_weights() {
    let mut stand = Stand::new(&SIX[..4]);
    stand.endpoints.iter_mut().for_each(|endpoint| endpoint.zone = ZoneId(endpoint.ordinal as u16));
    stand.zone_weights = vec![(ZoneId(0), 1), (ZoneId(1), 2), (ZoneId(2), 3)];
    let counts = |config: &Config| {
        let ring: RingHash = stand.balancer(config);
        let built = Built::new(config, ring.hash, stand.view());
        built.ring.counts(4)
    };
    assert_eq!(counts(&envoy(6_144)), [1_024, 2_048, 3_072, 0]);
    assert_eq!(counts(&Config { min_ring_size: 600, ..flavoured(Flavour::Grpc) }), [100, 200, 300, 0]);
}

/// ring_test.go of grpc/grpc-go at 4793ad0. Its endpoints are sorted by name, whatever their order.
#[test]
fn grpcs_picks_are_ours_in_any_order_of_endpoints() {
    let config = Config { min_ring_size: 10, max_ring_size: Some(20), ..flavoured(Flavour::Grpc) };
    for endpoints in [[("a", 3), ("b", 3), ("c", 4)], [("c", 4), ("a", 3), ("b", 3)]] {
        let stand = Stand::new(&endpoints);
        let mut ring: RingHash = stand.balancer(&config);
        let picks = ["1", "2", "3", "4"].map(|key| stand.pick(&mut ring, Subject::Text(key)));
        assert_eq!(picks, ["c", "a", "a", "c"]);
    }
}

/// Entries go a, b, c, b, b, a, c, c, c, a. A later attempt takes the next endpoint that this request has not been to.
#[test]
fn grpcs_attempts_go_to_other_endpoints() {
    let stand = Stand::new(&[("a", 3), ("b", 3), ("c", 4)]);
    let config = Config { min_ring_size: 10, max_ring_size: Some(20), ..flavoured(Flavour::Grpc) };
    let mut ring: RingHash = stand.balancer(&config);
    let mut walk =
        |hash| [0, 1, 2, 3].map(|attempt| stand.pick_again(&mut ring, Subject::Hash(hash), attempt));
    assert_eq!(walk(5_051_629_784_258_667_480), ["b", "a", "c", "b"]);
    assert_eq!(walk(u64::MAX), ["a", "b", "c", "a"]);
}

/// gRFC A42: both sizes are capped at 4096.
#[test]
fn grpcs_sizes_are_capped() {
    let stand = Stand::new(&SIX);
    let config = Config { min_ring_size: 10_000, max_ring_size: Some(20_000), ..flavoured(Flavour::Grpc) };
    assert_eq!(Built::new(&config, Hash::Xxh64, stand.view()).ring.len(), 4_096);
    let config = flavoured(Flavour::Grpc);
    assert_eq!(Built::new(&config, Hash::Xxh64, stand.view()).ring.len(), 1_026);
}

/// Claim B4, with the article's own keys.
#[test]
fn the_articles_picks_are_ours() {
    let stand = Stand::new(&[("node-a", 1), ("node-b", 1), ("node-c", 2)]);
    let rows = [
        (Function::Xxh64, "", "aacaaaacac"),
        (Function::Xxh64, "-", "bcbcccaccc"),
        (Function::Fnv1a, "#", "bbbbbbbbbb"),
        (Function::Crc32, "", "ababbabbaa"),
        (Function::Crc32, "-", "acccaaaaaa"),
        (Function::Murmur3, "#", "ccbcbcaaca"),
    ];
    for (hash, separator, expected) in rows {
        let config = Config { hash, separator: separator.to_owned(), ..flavoured(Flavour::Article) };
        let mut ring: RingHash = stand.balancer(&config);
        let letter = |key: u32| stand.pick(&mut ring, Subject::Text(&format!("key-{key}"))).chars().last();
        let picks: String = (0..10).filter_map(letter).collect();
        assert_eq!(picks, expected, "{hash:?} {separator:?}");
    }
}

#[test]
fn a_full_endpoint_of_the_article_spills_to_the_next_on_the_ring() {
    let mut stand = Stand::new(&[("node-a", 1), ("node-b", 1), ("node-c", 2)]);
    let bounded = Config { bounded_load: Some(100), ..flavoured(Flavour::Article) };
    let mut ring: RingHash = stand.balancer(&bounded);
    let start = Built::new(&bounded, Hash::Xxh64, stand.view())
        .ring
        .entries()
        .map(|(hash, _)| hash)
        .collect::<Vec<_>>();
    let owner = stand.pick(&mut ring, Subject::Hash(start[0])).to_owned();
    assert_eq!(owner, "node-c");
    // Of six with the one to come, three are the share of weight 2.
    stand.load(2, 3);
    stand.load(0, 2);
    assert_eq!(stand.pick(&mut ring, Subject::Hash(start[0])), "node-b", "the other is full, too");
    assert_eq!(stand.pick(&mut ring, Subject::Hash(start[1])), "node-b");
}

/// bounded_load_hlb_test.cc of envoyproxy/envoy at 8b9304c, with a ring in place of its fixed one.
#[test]
fn envoys_overloaded_endpoint_gives_way_to_one_drawn_with_the_hash() {
    let mut stand = Stand::new(&SIX[..5]);
    let config = Config { bounded_load: Some(125), ..envoy(10) };
    let mut ring: RingHash = stand.balancer(&config);
    let hash = 833_437_586_790_550_860;
    assert_eq!(stand.pick(&mut ring, Subject::Hash(hash)), "127.0.0.1:94");
    // Eleven with the one to come, 13 slots plus what rounding adds, of which each has three.
    stand.load(4, 3);
    stand.load(0, 7);
    assert_eq!(stand.pick(&mut ring, Subject::Hash(hash)), "127.0.0.1:94", "as many as it has slots");
    stand.load(4, 1);
    let other = stand.pick(&mut ring, Subject::Hash(hash)).to_owned();
    assert!(other != "127.0.0.1:94" && other != "127.0.0.1:90", "{other}");
    assert_eq!(stand.pick(&mut ring, Subject::Hash(hash)), other, "the same hash leads to the same endpoint");
}

#[test]
fn haproxys_attempts_avoid_only_the_server_before() {
    let stand = Stand::new(&[("a", 1), ("b", 1)]);
    let mut ring: RingHash = stand.balancer(&flavoured(Flavour::Haproxy));
    for hash in [0, 1 << 20, 1 << 31, u64::from(u32::MAX)] {
        let walk = [0, 1, 2, 3].map(|attempt| stand.pick_again(&mut ring, Subject::Hash(hash), attempt));
        assert!(walk[0] != walk[1] && walk[0] == walk[2] && walk[1] == walk[3], "{walk:?}");
    }
    let alone = Stand::new(&[("a", 1)]);
    let mut ring: RingHash = alone.balancer(&flavoured(Flavour::Haproxy));
    assert_eq!(alone.pick_again(&mut ring, Subject::Hash(5), 3), "a", "there is no other");
}

/// Only the low 32 bits of a hash count, and a key is hashed by sdbm with an avalanche.
#[test]
fn haproxys_hashes_have_32_bits() {
    let stand = Stand::new(&SIX);
    let mut ring: RingHash = stand.balancer(&flavoured(Flavour::Haproxy));
    for key in ["alice", "bob", "carol"] {
        let hash = Hash::Sdbm.of(key.as_bytes());
        let picked = stand.pick(&mut ring, Subject::Text(key)).to_owned();
        assert_eq!(stand.pick(&mut ring, Subject::Hash(hash)), picked);
        assert_eq!(stand.pick(&mut ring, Subject::Hash(hash | 0xabcd << 32)), picked);
    }
}

/// chash_server_is_eligible of haproxy/haproxy at 50872da: three servers of one weight, five requests at 125% leave 2, 3
/// and 3 slots.
#[test]
fn haproxys_full_server_gives_way_to_the_next_node() {
    let mut stand = Stand::new(&[("a", 1), ("b", 1), ("c", 1)]);
    let plain = flavoured(Flavour::Haproxy);
    let bounded = Config { bounded_load: Some(125), ..plain.clone() };
    let (mut plain, mut ring): (RingHash, RingHash) = (stand.balancer(&plain), stand.balancer(&bounded));
    stand.load(0, 2);
    stand.load(1, 3);
    let spread = |ring: &mut RingHash| {
        let mut names: Vec<String> =
            (0..64).map(|step| stand.pick(ring, Subject::Hash(step << 26)).to_owned()).collect();
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(spread(&mut plain), ["a", "b", "c"]);
    assert_eq!(spread(&mut ring), ["c"], "a and b are full");
}

/// `chash_get_next_server`: a request without a hash takes the next node of the tree, and so all of them in turn.
#[test]
fn haproxys_requests_without_a_hash_go_round() {
    let stand = Stand::new(&[("a", 1), ("b", 3)]);
    let mut ring: RingHash = stand.balancer(&flavoured(Flavour::Haproxy));
    let mut count = |name| (0..64).filter(|_| stand.pick(&mut ring, Subject::Nothing) == name).count();
    assert_eq!((count("a"), count("b")), (16, 48));
}

/// All flavours: who leaves takes no other's keys along, and comes back to just what it had.
#[test]
fn updates_rebuild_the_ring_as_if_from_nothing() {
    for flavour in [Flavour::Envoy, Flavour::Grpc, Flavour::Haproxy, Flavour::Article] {
        let mut stand = Stand::new(&SIX);
        let mut ring: RingHash = stand.balancer(&flavoured(flavour));
        let mut dice = Dice::new(schism_core::Draw::new(3).many());
        let picks = |stand: &Stand, ring: &mut RingHash| -> Vec<String> {
            let pick = |key: u64| stand.pick(ring, Subject::Key(key)).to_owned();
            (0..500).map(pick).collect()
        };
        let before = picks(&stand, &mut ring);
        let gone = stand.endpoints.remove(2);
        ring.on_update(stand.view(), Update::Members, &mut dice);
        let without = picks(&stand, &mut ring);
        let moved =
            before.iter().zip(&without).filter(|(old, new)| old != new && *old != "127.0.0.1:92").count();
        // Rings of at least so many entries have more for each endpoint when there are fewer, here 205 in place of 171:
        // a sixth of the entries is new, and takes keys that need not have moved.
        let most = match flavour {
            Flavour::Envoy | Flavour::Grpc => 500 / 6,
            Flavour::Haproxy | Flavour::Article => 0,
        };
        assert!(moved <= most, "{flavour:?}: {moved} keys of others moved");
        assert!(without.iter().all(|name| name != "127.0.0.1:92"));
        stand.endpoints.insert(2, gone);
        ring.on_update(stand.view(), Update::Members, &mut dice);
        assert_eq!(picks(&stand, &mut ring), before, "{flavour:?}");
    }
}

#[test]
fn endpoints_of_weight_zero_are_left_out_unless_all_are() {
    for flavour in [Flavour::Envoy, Flavour::Grpc, Flavour::Haproxy, Flavour::Article] {
        let config = flavoured(flavour);
        let counts = |endpoints: &[(&str, u32)]| {
            let stand = Stand::new(endpoints);
            Built::new(&config, config.hash(), stand.view()).ring.counts(2)
        };
        let some = counts(&[("a", 0), ("b", 5)]);
        assert!(some[0] == 0 && some[1] > 0, "{flavour:?}: {some:?}");
        let none = counts(&[("a", 0), ("b", 0)]);
        assert!(none[0] > 0 && none[0] == none[1], "{flavour:?}: {none:?}");
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let clash = |config: Config| RingHash::check(&config).expect_err("it is refused").option;
    assert_eq!(clash(Config { max_ring_size: Some(10), ..envoy(20) }), "min-ring-size");
    assert_eq!(clash(Config { min_ring_size: 5_000, ..flavoured(Flavour::Grpc) }), "min-ring-size");
    assert_eq!(clash(Config { bounded_load: Some(125), ..flavoured(Flavour::Grpc) }), "bounded-load");
    assert_eq!(clash(Config { bounded_load: Some(100), ..flavoured(Flavour::Haproxy) }), "bounded-load");
    assert_eq!(clash(Config { separator: "-".to_owned(), ..envoy(20) }), "separator");
    assert_eq!(clash(Config { virtual_nodes: 40, ..flavoured(Flavour::Haproxy) }), "virtual-nodes");
    assert_eq!(clash(Config { min_ring_size: 40, ..flavoured(Flavour::Article) }), "min-ring-size");
    let message =
        RingHash::check(&Config { max_ring_size: Some(10), ..envoy(20) }).expect_err("refused").message;
    assert_eq!(message, "min-ring-size (20) is more than max-ring-size (10)");
    for flavour in [Flavour::Envoy, Flavour::Grpc, Flavour::Haproxy, Flavour::Article] {
        assert_eq!(RingHash::check(&flavoured(flavour)), Ok(()));
    }
}
