//! Partitions: every shape parts whom it says, both ways asked for, and every tempo comes and goes as it says.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestRunner};
use schism_core::{Duration, NodeId, Seed, Time};
use schism_models::node::Node;
use schism_runner::Simulation;
use schism_tests::faults::fault;
use schism_tests::plain::{staged, told};
use schism_tests::runs::played;

const MEMBERS: std::ops::Range<u32> = 0..3;
const ORDERS: std::ops::Range<u32> = 3..9;
const WEB: std::ops::Range<u32> = 9..21;
const ALL: std::ops::Range<u32> = 0..21;
const SEEDS: std::ops::Range<u64> = 0..12;

/// A stage with one partition from 20 s to 30 s.
fn parted(toml: &str, seed: u64) -> Simulation<()> {
    let scenario = staged(&fault("f", "at = \"20s\"\nfor = \"10s\"", &format!("partition = {toml}")));
    Simulation::new(&scenario, Seed(seed), ())
}

fn at(millis: u64) -> Time {
    Time::START + Duration::from_millis(millis)
}

fn is_open(run: &Simulation<()>, from: u32, to: u32) -> bool {
    run.world().scene().network().is_open(NodeId(from), NodeId(to))
}

/// Who hears whom while it lasts, both ways of every two nodes; and that nobody is parted before and after.
fn check(toml: &str, open: impl Fn(u32, u32) -> bool) {
    let mut run = parted(toml, 1);
    run.run_until(at(20_000));
    all_open(&run);
    run.run_until(at(25_000));
    for (from, to) in pairs() {
        assert_eq!(is_open(&run, from, to), open(from, to), "{toml}: {from} to {to}");
    }
    run.run_until(at(30_001));
    all_open(&run);
}

fn pairs() -> impl Iterator<Item = (u32, u32)> {
    ALL.flat_map(|from| ALL.map(move |to| (from, to))).filter(|(from, to)| from != to)
}

fn all_open(run: &Simulation<()>) {
    assert!(pairs().all(|(from, to)| is_open(run, from, to)));
    assert!(run.world().wounds().is_empty());
}

/// The pairs among some nodes whose ways are closed at 25 s, from whom to whom.
fn closed(toml: &str, seed: u64, among: std::ops::Range<u32>) -> BTreeSet<(u32, u32)> {
    let mut run = parted(toml, seed);
    run.run_until(at(25_000));
    pairs()
        .filter(|(from, to)| among.contains(from) && among.contains(to))
        .filter(|&(from, to)| !is_open(&run, from, to))
        .collect()
}

/// The sides of nodes that reach each other, if those that do are whole sides.
fn sides(closed: &BTreeSet<(u32, u32)>, among: std::ops::Range<u32>) -> BTreeSet<Vec<u32>> {
    let near = |node: u32| -> Vec<u32> {
        among
            .clone()
            .filter(|&other| !closed.contains(&(node, other)) && !closed.contains(&(other, node)))
            .collect()
    };
    among.clone().map(near).collect()
}

#[test]
fn named_sides_are_parted_each_way_that_is_asked_for() {
    let member = |node: u32| MEMBERS.contains(&node);
    let orders = |node: u32| ORDERS.contains(&node);
    check(r#"{ split = [["registry"], ["rest"]] }"#, |from, to| member(from) == member(to));
    check(r#"{ split = [["registry"], ["rest"]], direction = "forward" }"#, |from, to| {
        !member(from) || member(to)
    });
    check(r#"{ split = [["registry"], ["rest"]], direction = "rest->registry" }"#, |from, to| {
        member(from) || !member(to)
    });
    check(r#"{ isolate = "orders", mode = "reject" }"#, |from, to| orders(from) == orders(to));
    check(r#"{ one-way = "orders->registry", mode = "hold" }"#, |from, to| !orders(from) || !member(to));
    check(r#"{ partial = [["web-0", "orders-0"], ["web-1", "registry"]] }"#, |from, to| {
        let (low, high) = (from.min(to), from.max(to));
        (low, high) != (3, 9) && !(member(low) && high == 10)
    });
    // Nodes take turns in the zones a, b and c, each group from the first.
    check(r#"{ zone-cut = ["a", "b"], direction = "zone:b->zone:a" }"#, |from, to| {
        !(from % 3 == 1 && to % 3 == 0)
    });
}

#[test]
fn spokes_reach_the_hub_and_a_mesh_only_its_pairs() {
    let orders = |node: u32| ORDERS.contains(&node);
    check(r#"{ star = { hub = "orders-2", of = "orders" } }"#, |from, to| {
        !orders(from) || !orders(to) || from == 5 || to == 5
    });
    check(
        r#"{ mesh = [["web", "orders-0"], ["orders-0", "orders-1"], ["orders-2", "registry-0"]] }"#,
        |from, to| {
            let place = |node: u32| match node {
                0 => Some(0),
                3..6 => Some(node),
                9..21 => Some(9),
                _ => None,
            };
            let (Some(a), Some(b)) = (place(from), place(to)) else { return true };
            a == b || matches!((a.min(b), a.max(b)), (3, 9) | (3, 4) | (0, 5))
        },
    );
}

#[test]
fn halves_are_drawn_anew_by_each_seed_and_differ_by_one_at_most() {
    let mut seen = BTreeSet::new();
    for seed in SEEDS {
        let closed = closed(r#"{ halves = "registry" }"#, seed, MEMBERS);
        let sides = sides(&closed, MEMBERS);
        assert_eq!(sides.iter().map(Vec::len).sum::<usize>(), 3, "{sides:?}");
        assert!(sides.iter().all(|side| (1..=2).contains(&side.len())), "{sides:?}");
        seen.insert(sides);
    }
    assert!(seen.len() > 1, "every seed draws the same");
}

#[test]
fn random_sides_are_never_empty() {
    for seed in SEEDS {
        let sides = sides(&closed(r#"{ random = "registry" }"#, seed, MEMBERS), MEMBERS);
        assert_eq!(sides.len(), 2, "{sides:?}");
    }
}

#[test]
fn a_minority_has_the_leader_if_it_shall_and_everyone_else_where_it_says() {
    for seed in SEEDS {
        for (leader, led) in [("minority", true), ("majority", false)] {
            for (rest, few, many) in
                [("majority", false, true), ("minority", true, false), ("both", true, true)]
            {
                let toml =
                    format!("{{ majority-minority = {{ leader = \"{leader}\", rest = \"{rest}\" }} }}");
                let mut run = parted(&toml, seed);
                run.run_until(at(20_001));
                let alone = MEMBERS.filter(|&node| {
                    MEMBERS.into_iter().all(|other| other == node || !is_open(&run, node, other))
                });
                let [alone] = alone.collect::<Vec<_>>()[..] else { panic!("one of three is the minority") };
                assert_eq!(leads(&run, alone), led, "{toml} with seed {seed}");
                for node in ORDERS.chain(WEB) {
                    assert_eq!(
                        (is_open(&run, node, alone), is_open(&run, alone, node)),
                        (few, few),
                        "{toml}"
                    );
                    let other = (alone + 1) % 3;
                    assert_eq!(
                        (is_open(&run, node, other), is_open(&run, other, node)),
                        (many, many),
                        "{toml}"
                    );
                }
            }
        }
    }
}

fn leads(run: &Simulation<()>, node: u32) -> bool {
    match run.world().actor(NodeId(node)) {
        Some(Node::Member(member)) => member.leads().is_some(),
        Some(Node::Instance(_) | Node::Client(_) | Node::Aide(_)) | None => false,
    }
}

#[test]
fn a_bridge_reaches_both_halves() {
    for seed in SEEDS {
        let toml = r#"{ bridge = { over = "orders-0", of = "orders" } }"#;
        let closed = closed(toml, seed, ORDERS);
        assert!(closed.iter().all(|&(from, to)| from != 3 && to != 3), "{closed:?}");
        // Five others: two on the one side, three on the other, six pairs between them, both ways.
        assert_eq!(closed.len(), 12);
    }
    assert_eq!(closed(r#"{ bridge = "registry-1" }"#, 1, MEMBERS), [(0, 2), (2, 0)].into());
}

#[test]
fn on_a_ring_each_hears_a_majority_and_no_two_the_same() {
    for (of, among) in [("registry", MEMBERS), ("orders", ORDERS), ("orders:pick(5)", ORDERS)] {
        for seed in SEEDS {
            let closed = closed(&format!("{{ majorities-ring = \"{of}\" }}"), seed, among.clone());
            let picked: Vec<u32> =
                among.clone().filter(|node| closed.iter().any(|(_, to)| to == node)).collect();
            let hears = |node: u32| -> Vec<u32> {
                picked.iter().copied().filter(|&other| !closed.contains(&(other, node))).collect()
            };
            let views: BTreeSet<Vec<u32>> = picked.iter().map(|&node| hears(node)).collect();
            assert_eq!(views.len(), picked.len(), "{of}: {views:?}");
            assert!(views.iter().all(|view| view.len() == picked.len() / 2 + 1), "{of}: {views:?}");
        }
    }
}

#[test]
fn a_plane_is_cut_and_the_other_is_not() {
    let control =
        told(&fault("f", "at = \"20s\"\nfor = \"10s\"", r#"partition = { plane-cut = "control" }"#), 1);
    assert!(control.registry.leases.expired > 0, "leases of 5 s run out in 10 s without a renewal");
    let lost = |errors: u64| assert!(errors > 0, "requests are lost");
    let data = told(&fault("f", "at = \"20s\"\nfor = \"10s\"", r#"partition = { plane-cut = "data" }"#), 1);
    assert_eq!(data.registry.leases.expired, 0);
    lost(data.requests.failed);
    // No island is made of either: some traffic still goes everywhere.
    check(r#"{ plane-cut = "control" }"#, |_, _| true);
}

#[test]
fn a_slow_partition_delays_each_message_once() {
    let slow = |toml: &str| {
        let report = told(&fault("f", "at = \"10s\"", &format!("partition = {toml}")), 1);
        report.latency_ms.p50
    };
    let base =
        slow(r#"{ isolate = "orders", mode = "slow", latency = "0s" , flap = { up = "1s", down = "1s" } }"#);
    // A request and its reply: twice the delay, not more, however the sides are told.
    for toml in [
        r#"{ isolate = "orders", mode = "slow", latency = "50ms" }"#,
        r#"{ plane-cut = "data", mode = "slow", latency = "50ms" }"#,
        r#"{ split = [["orders"], ["web"]], mode = "slow", latency = "50ms", swizzle = { over = "1ms" } }"#,
    ] {
        let more = slow(toml) - base;
        assert!((95.0..110.0).contains(&more), "{toml}: {more} ms more");
    }
}

#[test]
fn what_is_open_stays_open_if_it_is_kept() {
    let kept = r#"partition = { split = [["registry"], ["rest"]], existing = "keep" }"#;
    let reset = "\n[[fault]]\nid = \"r\"\nat = \"21s\"\nconnection = { reset = { target = \"registry\" } }\n";
    let when = "at = \"20s\"\nfor = \"10s\"\nmay-miss = true";
    let expired = |more: &str| told(&(fault("f", when, kept) + more), 1).registry.leases.expired;
    assert_eq!(expired(""), 0, "nobody needs a new connection");
    assert!(expired(reset) > 0, "nobody gets a new connection");
}

/// Whether a way is open, every so many milliseconds from the beginning to the end.
fn course(toml: &str, every: u64, of: impl Fn(&Simulation<()>) -> u32) -> Vec<u32> {
    let mut run = parted(toml, 1);
    let moments = (0..10_000 / every).map(|turn| 20_000 + turn * every + every / 2);
    moments
        .map(|millis| {
            run.run_until(at(millis));
            of(&run)
        })
        .collect()
}

fn cut_off(run: &Simulation<()>, among: std::ops::Range<u32>, from: u32) -> u32 {
    among.filter(|&node| !is_open(run, node, from)).count() as u32
}

#[test]
fn a_flap_comes_so_many_times_and_no_more() {
    let toml = r#"{ isolate = "orders", flap = { up = "2s", down = "1s", count = 3 } }"#;
    let seen = course(toml, 1_000, |run| u32::from(!is_open(run, 3, 9)));
    assert_eq!(seen, [1, 0, 0, 1, 0, 0, 1, 0, 0, 0]);
}

#[test]
fn a_flap_with_jitter_stays_within_it() {
    let toml = r#"{ isolate = "orders", flap = { up = "1s", down = "1s", jitter = "10%" } }"#;
    let seen = course(toml, 100, |run| u32::from(!is_open(run, 3, 9)));
    let turns: Vec<usize> = seen.chunk_by(|a, b| a == b).map(<[u32]>::len).collect();
    assert!(turns[..turns.len() - 1].iter().all(|turn| (8..=12).contains(turn)), "{turns:?}");
    assert!(turns.iter().any(|turn| *turn != 10), "{turns:?}");
}

#[test]
fn a_swizzle_takes_nodes_away_one_by_one_and_gives_them_back_in_another_order() {
    let toml = r#"{ split = [["orders"], ["registry-0"]], swizzle = { over = "3500ms" } }"#;
    let mut run = parted(toml, 1);
    let mut sets: Vec<BTreeSet<u32>> = Vec::new();
    for turn in 0..100 {
        run.run_until(at(20_050 + turn * 100));
        let cut: BTreeSet<u32> = ORDERS.filter(|&node| !is_open(&run, node, 0)).collect();
        if sets.last() != Some(&cut) {
            sets.push(cut);
        }
    }
    let most = sets.iter().position(|cut| cut.len() == 6).expect("all are cut off in the end");
    assert!(sets[..=most].windows(2).all(|two| two[0].is_subset(&two[1])), "{sets:?}");
    assert!(sets[most..].windows(2).all(|two| two[1].is_subset(&two[0])), "{sets:?}");
    assert!(sets.len() > 4, "{sets:?}");
}

#[test]
fn an_isolation_rolls_over_the_nodes_of_a_group_and_begins_again() {
    let toml = r#"{ isolate = "registry", rolling = { each = "2s" } }"#;
    let who = |run: &Simulation<()>| {
        assert_eq!(cut_off(run, MEMBERS, 9), 1, "one at a time");
        MEMBERS.clone().find(|&node| !is_open(run, node, 9)).expect("one is isolated")
    };
    assert_eq!(course(toml, 2_000, who), [0, 1, 2, 0, 1]);
    let toml = r#"{ isolate = ["zone:a", "zone:b"], rolling = { each = "5s" } }"#;
    assert_eq!(course(toml, 5_000, |run| cut_off(run, ALL, 2)), [7, 7]);
    assert_eq!(course(toml, 5_000, |run| u32::from(is_open(run, 0, 2))), [0, 1]);
}

const SHAPES: &[&str] = &[
    r#"split = [["zone:b"], ["rest"]]"#,
    r#"isolate = "registry:leader""#,
    r#"one-way = "zone:b->zone:a""#,
    r#"partial = [["web-0", "orders-0"], ["web-1", "registry"]]"#,
    r#"halves = ["registry", "orders"]"#,
    r#"random = ["registry", "orders"]"#,
    "majority-minority = true",
    r#"bridge = "registry-1""#,
    r#"majorities-ring = "registry""#,
    r#"star = { hub = "registry", of = ["web", "orders"] }"#,
    r#"mesh = [["web", "registry"], ["orders", "registry"]]"#,
    r#"plane-cut = "control""#,
    r#"plane-cut = "data""#,
];
const MODES: &[&str] = &[
    "",
    r#", mode = "reject""#,
    r#", mode = "hold""#,
    r#", mode = "slow", latency = "30ms""#,
    r#", existing = "keep""#,
];
const TEMPOS: &[&str] =
    &["", r#", flap = { up = "700ms", down = "900ms", jitter = "50%" }"#, r#", swizzle = { over = "2s" }"#];

#[test]
fn partitions_of_every_kind_overlap_and_heal_to_nothing() {
    let one = (0..SHAPES.len(), 0..MODES.len(), 0..TEMPOS.len(), 6_000..20_000_u64, 1..12_000_u64);
    let config =
        Config { cases: 24, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    let strategy = (prop::collection::vec(one, 1..6), any::<u64>());
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&strategy, |(drawn, seed)| {
        let faults: String = (0..)
            .zip(drawn)
            .map(|(number, (shape, mode, tempo, from, lasts))| {
                let when =
                    format!("at = \"{from}ms\"\nfor = \"{lasts}ms\"\nmay-miss = true\nmay-overlap = true");
                let partition =
                    format!("partition = {{ {}{}{} }}", SHAPES[shape], MODES[mode], TEMPOS[tempo]);
                fault(&format!("f{number}"), &when, &partition)
            })
            .collect();
        let run = played(&staged(&faults), seed);
        prop_assert!(run.world().wounds().is_empty(), "{faults}");
        prop_assert!(pairs().all(|(from, to)| is_open(&run, from, to)), "{faults}");
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
