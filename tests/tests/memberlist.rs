//! Gossip against real memberlist 0.2.2, and what becomes of who is killed, paused, cut off, restarted, or leaves.

use schism_core::{Duration, NodeId, Time, World};
use schism_models::registry::consul::gossip::Output;
use schism_tests::data::Table;
use schism_tests::gossips::{Gossiper, Gossips, kill, world};
use schism_tests::runs::for_seeds;
use schism_tests::statistics::{Ks, ks_two, summary};

/// How long after the death of the last of `nodes` each of the others declares it dead, none later than 35 s.
fn detections(nodes: u32, seed: u64) -> Vec<f64> {
    let mut world = world(nodes, seed, None);
    let died = Time::START + Duration::from_secs(40) + Duration::from_nanos(seed * 7_919_777 % 1_000_000_000);
    world.run_until(died);
    assert!(world.witness().0.is_empty(), "nobody is declared dead who is not");
    kill(&mut world, nodes - 1);
    world.run_until(died + Duration::from_secs(35));
    let seen = |observer: u32| {
        let first = world.witness().0.iter().find(|(_, by, _)| *by == NodeId(observer));
        first.map_or(35.0, |(at, _, said)| {
            assert_eq!(*said, Output::Failed(nodes - 1));
            at.since(died).as_secs_f64()
        })
    };
    (0..nodes - 1).map(seen).collect()
}

/// How likely the model's own trials, as many as there were, lie as far from all of them as the measured ones do. The
/// observers of one trial hear of a death from each other, so trials are drawn, not observers.
fn likelihood(trials: &[Vec<f64>], real: &[f64], count: usize) -> (f64, f64) {
    let all = trials.concat();
    let apart = |sample: &[f64]| ks_two(&all, sample).d;
    let real = apart(real);
    let as_far = trials.chunks_exact(count).filter(|drawn| apart(&drawn.concat()) >= real).count();
    (real, as_far as f64 / (trials.len() / count) as f64)
}

#[test]
fn probe_figures() {
    for (nodes, count) in [(3, 20), (8, 12)] {
        let real = Table::read("memberlist_lan_detection_0.2.2").with("cluster_size_at_start", &nodes.to_string());
        let mut real = real.numbers("detect_s");
        if nodes == 8 { real.push(35.0); }
        let runs = for_seeds(6000, |seed| detections(nodes, seed));
        let model = runs.concat();
        println!("{:?}", likelihood(&runs, &real, count));
        let first: Vec<f64> = runs.iter().map(|run| run.iter().copied().fold(99.0, f64::min)).collect();
        let last: Vec<f64> = runs.iter().map(|run| run.iter().copied().fold(0.0, f64::max)).collect();
        if nodes == 8 {
            let r = [5.5054, 5.7011, 5.3796, 8.5292, 5.1836, 6.9541, 5.6206, 5.6912, 6.9913, 7.3442, 5.139, 6.9149];
            println!("first {:?}", ks_two(&first, &r));
        }
        for x in [5.1, 5.3,5.5,5.7, 5.9, 6.0,6.2, 6.5,6.7, 7.0, 7.5, 8.0, 8.5, 9.0,12.0, 14.0,30.0] {
            let share = |s: &[f64]| s.iter().filter(|&&y| y < x).count() as f64 / s.len() as f64;
            println!("{x} first {:.3} last {:.3} all {:.3} real {:.3}", share(&first), share(&last), share(&model), share(&real));
        }
    }
}
