//! Gossip against real memberlist 0.2.2, and what becomes of who is killed, paused, cut off, restarted, or leaves.

use std::collections::BTreeSet;

use schism_core::{Classes, Cut, Duration, Fault, FaultId, Feel, Flows, NodeId, Seed, Time, World};
use schism_models::registry::consul::gossip::{Event, Status};
use schism_tests::data::Table;
use schism_tests::gossips::{DATAGRAMS, Gossiper, Gossips, kill, world};
use schism_tests::runs::for_seeds;
use schism_tests::statistics::{ks_two, quantile, summary};
use schism_tests::toy::{cut, ms, run, set};

// Against the measurements.

/// How long a cluster is watched after a death.
const WATCHED: f64 = 35.0;

/// How long after the death of the last of `nodes`, at a random phase, each of the others declares it dead.
fn detections(nodes: u32, seed: u64) -> Vec<f64> {
    let mut world = world(nodes, seed, None);
    let phase = Duration::from_nanos(Seed(seed).luck("killer", "phase", 0).below(1_000_000_000).into());
    let died = ms(40_000) + phase;
    world.run_until(died);
    assert!(world.witness().0.is_empty(), "nobody is declared dead who is not");
    kill(&mut world, nodes - 1);
    world.run_until(died + Duration::from_secs_f64(WATCHED));
    let seen = |observer: u32| {
        let first = world.witness().0.iter().find(|(_, by, _)| *by == NodeId(observer));
        first.map_or(WATCHED, |(at, _, said)| {
            assert_eq!(*said, Event::Failed(nodes - 1));
            at.since(died).as_secs_f64()
        })
    };
    (0..nodes - 1).map(seen).collect()
}

/// How often as many trials of the model's own, drawn at random, lie as far from all of them as the measured ones do.
/// The observers of one trial hear of a death from each other: trials are independent, observers are not, and the usual
/// probability, which takes them to be, would reject the model's own.
fn likelihood(trials: &[Vec<f64>], count: usize, real: &[f64]) -> f64 {
    let all = trials.concat();
    let apart = |sample: &[f64]| ks_two(&all, sample).d;
    let real = apart(real);
    let drawn = trials.chunks_exact(count);
    let of = drawn.len() as f64;
    drawn.filter(|drawn| apart(&drawn.concat()) >= real).count() as f64 / of
}

/// Holds the model against the measured trials, and against what they would be with a suspicion multiplier of 3 or 5.
fn compare(nodes: u32, count: usize, censored: usize) -> Vec<Vec<f64>> {
    let trials = for_seeds(4_000, |seed| detections(nodes, seed));
    let table = Table::read("memberlist_lan_detection_0.2.2");
    let mut real = table.with("cluster_size_at_start", &nodes.to_string()).numbers("detect_s");
    real.resize(real.len() + censored, WATCHED);
    assert_eq!(real.len(), count * (nodes as usize - 1));
    let p = likelihood(&trials, count, &real);
    assert!(p > 0.01, "{p}: model {}, real {}", summary(&trials.concat()), summary(&real));
    for other in [-1.0, 1.0] {
        let shifted: Vec<f64> = real.iter().map(|x| x + other).collect();
        assert!(likelihood(&trials, count, &shifted) < 0.01, "a probe interval more or less is seen");
    }
    trials
}

#[test]
fn three_nodes_detect_a_death_as_memberlist_does() {
    let trials = compare(3, 20, 0);
    // The first probe, its second, and the least suspicion of four seconds, since two are too few to confirm anything.
    let [least, most] = [0.0, 1.0].map(|share| quantile(&trials.concat(), share));
    assert!(least > 4.999 && most < 8.5, "{least} {most}");
}

#[test]
fn eight_nodes_detect_a_death_as_memberlist_does() {
    let trials = compare(8, 12, 1);
    // Who misses the word of the death and one of two confirmations waits for 11.4 s instead of 4 s: one was measured.
    let late = trials.iter().filter(|trial| trial.iter().any(|x| (12.0..15.0).contains(x))).count();
    assert!((8..=200).contains(&late), "{late} of {} trials", trials.len());
}

// What becomes of nodes.

/// The nodes of whom this was said, by anybody, and by how many.
fn said(world: &World<Gossiper, Gossips>, what: fn(u32) -> Event) -> Vec<(u32, usize)> {
    let by_whom = |of: u32| {
        let those = world.witness().0.iter().filter(|(_, _, said)| *said == what(of));
        those.map(|(_, by, _)| *by).collect::<BTreeSet<NodeId>>().len()
    };
    (0..world.nodes() as u32).map(|of| (of, by_whom(of))).filter(|(_, by)| *by > 0).collect()
}

/// Whom each living node takes to be up.
fn is_whole(world: &World<Gossiper, Gossips>) -> bool {
    let nodes = 0..world.nodes() as u32;
    let is_up = |by: u32, of: u32| world.actor(NodeId(by)).is_some_and(|node| node.gossip().is_up(of));
    nodes.clone().all(|by| nodes.clone().all(|of| is_up(by, of)))
}

#[test]
fn who_pauses_for_less_than_a_suspicion_refutes_and_hardly_anybody_misses_that() {
    let mut missed = 0;
    for seed in 0..50 {
        let mut world = world(8, seed, None);
        let faults = [(ms(5_000), Fault::Pause(NodeId(0))), (ms(8_500), Fault::Resume(NodeId(0)))];
        run(&mut world, &faults, ms(90_000));
        // Each piece of news is sent four times: now and then one node hears of the suspicion and not of the refutation.
        let failed = said(&world, Event::Failed);
        assert!(failed.iter().all(|(of, by)| (*of, *by) == (0, 1)), "seed {seed}: {failed:?}");
        missed += failed.len();
        assert!(is_whole(&world), "seed {seed}: the next exchange of all that is known tells it");
    }
    assert!(missed <= 10, "{missed} of 50");
}

#[test]
fn who_pauses_for_long_is_declared_dead_and_refutes_that_when_it_goes_on() {
    for seed in 0..20 {
        let mut world = world(8, seed, None);
        run(
            &mut world,
            &[(ms(5_000), Fault::Pause(NodeId(0))), (ms(25_000), Fault::Resume(NodeId(0)))],
            ms(120_000),
        );
        assert_eq!(said(&world, Event::Failed).iter().map(|it| it.0).collect::<Vec<_>>(), [0], "seed {seed}");
        assert_eq!(said(&world, Event::Joined), said(&world, Event::Failed), "seed {seed}");
        assert!(is_whole(&world), "seed {seed}");
    }
}

/// Nobody of the first two hears anybody of the others, by datagrams at least.
fn cuts(nodes: u32, classes: Classes) -> Vec<Fault> {
    let (few, many) = (set(&[0, 1]), set(&(2..nodes).collect::<Vec<u32>>()));
    let stop = |from, to| {
        Fault::Cut(Cut { id: FaultId(1), from, to, feel: Feel::Silent, classes, flows: Flows::All })
    };
    vec![stop(few.clone(), many.clone()), stop(many, few)]
}

fn parted(classes: Classes, mended: u64, end: u64) -> World<Gossiper, Gossips> {
    let mut world = world(8, 1, None);
    let mut faults: Vec<(Time, Fault)> = cuts(8, classes).into_iter().map(|cut| (ms(5_000), cut)).collect();
    faults.push((ms(mended), Fault::Mend(FaultId(1))));
    run(&mut world, &faults, ms(end));
    world
}

#[test]
fn two_sides_declare_each_other_dead_and_find_each_other_again() {
    let world = parted(Classes::ALL, 125_000, 240_000);
    let failed = said(&world, Event::Failed);
    assert_eq!(failed, [(0, 6), (1, 6), (2, 2), (3, 2), (4, 2), (5, 2), (6, 2), (7, 2)]);
    assert_eq!(said(&world, Event::Joined), failed);
    assert!(is_whole(&world));
    // Only serf's reconnecting brings them together: the dead are not probed, and hear no gossip after 30 s.
    let joined = world.witness().0.iter().find(|(_, _, said)| matches!(said, Event::Joined(_)));
    let after = joined.expect("they joined").0.since(ms(125_000));
    assert!(after < Duration::from_secs(35), "{after}");
}

#[test]
fn who_is_deaf_to_datagrams_alone_is_found_over_tcp() {
    let world = parted(Classes::NONE.with(DATAGRAMS), 125_000, 240_000);
    assert_eq!(said(&world, Event::Failed), []);
}

#[test]
fn a_quick_restart_goes_unnoticed_and_a_slow_one_is_a_death_and_a_join() {
    for (back, noticed) in [(1_000, 0), (20_000, 7)] {
        let mut world = world(8, 2, None);
        world.run_until(ms(5_000));
        kill(&mut world, 3);
        run(&mut world, &[(ms(5_000 + back), Fault::Restart(NodeId(3)))], ms(120_000));
        let of_it = |of: Vec<(u32, usize)>| of.iter().find(|it| it.0 == 3).map_or(0, |it| it.1);
        assert_eq!(of_it(said(&world, Event::Failed)), noticed, "back after {back} ms");
        assert_eq!(of_it(said(&world, Event::Joined)), noticed, "back after {back} ms");
        assert!(is_whole(&world));
        assert!(world.witness().0.iter().any(|(_, by, said)| (*by, said) == (NodeId(3), &Event::Known)));
    }
}

#[test]
fn a_cluster_that_lost_power_comes_together_again() {
    let mut world = world(8, 3, None);
    world.run_until(ms(5_000));
    (0..8).for_each(|node| kill(&mut world, node));
    let restarts: Vec<(Time, Fault)> =
        (0..8).map(|node| (ms(6_000 + 10 * u64::from(node)), Fault::Restart(NodeId(node)))).collect();
    run(&mut world, &restarts, ms(120_000));
    assert!(is_whole(&world));
}

#[test]
fn who_leaves_has_left_and_has_not_failed() {
    for (nodes, seed) in [(3, 1), (8, 1), (100, 1)] {
        let mut world = world(nodes, seed, Some((2, ms(5_000))));
        world.run_until(ms(60_000));
        assert_eq!(said(&world, Event::Left), [(2, nodes as usize - 1)], "{nodes}");
        assert_eq!(said(&world, Event::Failed), []);
        let gone = world.witness().0.iter().find(|(_, _, said)| *said == Event::Gone).expect("it may go").0;
        let took = gone.since(ms(5_000)).as_secs_f64();
        assert!((3.0..9.0).contains(&took), "{took}");
    }
}

#[test]
fn a_node_that_hears_nobody_takes_itself_to_be_unwell() {
    let mut world = world(8, 1, None);
    let alone = |from: &[u32], to: &[u32]| cut(1, from, to);
    let rest = [1, 2, 3, 4, 5, 6, 7];
    run(&mut world, &[(ms(5_000), alone(&[0], &rest)), (ms(5_000), alone(&rest, &[0]))], ms(15_000));
    let health = |node| world.actor(NodeId(node)).expect("it lives").gossip().health();
    assert!(health(0) >= 3, "{}", health(0));
    assert_eq!(world.actor(NodeId(1)).expect("it lives").gossip().status(2), Status::Alive);
}

// What it costs.

#[test]
fn a_node_of_a_quiet_cluster_makes_four_events_a_second_however_large_it_is() {
    for nodes in [8, 5_000] {
        let mut world = world(nodes, 1, None);
        world.run_until(ms(1_000));
        let before = world.events();
        world.run_until(ms(6_000));
        let each = (world.events() - before) as f64 / 5.0 / f64::from(nodes);
        // Ping, ack and two reminders; besides, an exchange of all that is known, every half minute at most.
        assert!((3.99..4.3).contains(&each), "{nodes}: {each}");
        assert_eq!(world.witness().0.len(), 0);
    }
}

#[test]
fn all_of_two_thousand_know_of_a_death_within_the_half_minute() {
    let mut world = world(2_000, 1, None);
    world.run_until(ms(5_000));
    kill(&mut world, 7);
    world.run_until(ms(35_000));
    assert_eq!(said(&world, Event::Failed), [(7, 1_999)]);
    // Four times the logarithm of the cluster's size, after the first probe.
    let first = world.witness().0[0].0.since(ms(5_000)).as_secs_f64();
    assert!((14.2..20.0).contains(&first), "{first}");
}
