//! Families and what a hunt makes of them: chaos stays within its budget, a fault that is left out takes nobody's luck,
//! and what is covered is a plain function of scenario and seed.

use schism_core::{Actor, Fault, NodeId, Scene, Seed, Status, Witness};
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Node;
use schism_models::observation::Observation;
use schism_runner::hunt::{self, Sample, Tally};
use schism_runner::ledger::Listed;
use schism_runner::{Simulation, run};
use schism_scenario::{Family, Scenario, load};
use schism_tests::runs::for_seeds;

const STAGE: &str = r#"
title  = "A stage for families"
length = "40s"
warmup = "1s"

[topology]
zones = ["a", "b", "c"]

[registry.etcd]
members   = 3
lease-ttl = "4s"

[services.orders]
instances = 6
service   = { exponential = "5ms" }

[clients.web]
count    = 3
calls    = "orders"
arrivals = { poisson = "2/s" }
"#;

fn family(more: &str) -> Family {
    let loaded = load("stage.toml", format!("{STAGE}{more}"), &[]);
    loaded.unwrap_or_else(|errors| panic!("{errors}")).family
}

fn member(family: &Family, seed: u64) -> Scenario {
    family.member(Seed(seed)).unwrap_or_else(|errors| panic!("seed {seed}: {errors}"))
}

/// At most how many nodes of each group did not run at one moment.
#[derive(Clone)]
struct Fallen {
    groups: Vec<Vec<NodeId>>,
    most: Vec<usize>,
}

impl Fallen {
    fn new(scenario: &Scenario) -> Fallen {
        let ids = |nodes: &[schism_scenario::Node]| nodes.iter().map(|node| node.id).collect();
        let groups =
            vec![ids(&scenario.members), ids(&scenario.services[0].nodes), ids(&scenario.clients[0].nodes)];
        Fallen { most: vec![0; groups.len()], groups }
    }
}

impl<A: Actor<Observation = Observation>> Witness<A> for Fallen {
    fn observe(&mut self, _: &Scene<'_>, _: NodeId, _: &Observation) {}

    fn on_fault(&mut self, scene: &Scene<'_>, _: &Fault) {
        for (group, most) in self.groups.iter().zip(&mut self.most) {
            let down = group.iter().filter(|node| scene.status(**node) != Status::Up).count();
            *most = (*most).max(down);
        }
    }
}

impl Audience for Fallen {
    fn fault_began(&mut self, _: &Scene<'_>, _: usize, _: &Struck) {}
    fn fault_healed(&mut self, _: &Scene<'_>, _: usize, _: u64) {}
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}

#[test]
fn chaos_holds_no_more_down_than_it_may_at_any_moment() {
    let kinds =
        r#"families = ["crash", "pause", "vm-stall", "zombie", "stop", "zone-outage", "crash-loop", "disk"]"#;
    let with =
        |max_down: &str| family(&format!("[chaos]\n{kinds}\nfaults = [6, 12]\nat-once = 6\n{max_down}"));
    let budgets = [("", [1, 3, 3]), ("max-down = { registry = 2, orders = \"40%\", web = 1 }", [2, 2, 1])];
    for (max_down, most) in budgets {
        let family = with(max_down);
        let fallen = for_seeds(60, |seed| {
            let scenario = member(&family, seed);
            let mut simulation: Simulation<Fallen, Node> =
                Simulation::new(&scenario, scenario.seed, Fallen::new(&scenario));
            simulation.run_to_end();
            simulation.into_witness().most
        });
        for (seed, fallen) in fallen.iter().enumerate() {
            assert!(fallen.iter().zip(most).all(|(fallen, most)| *fallen <= most), "seed {seed}: {fallen:?}");
        }
        let reached = |group: usize| fallen.iter().any(|fallen| fallen[group] == most[group]);
        assert!((0..3).all(reached), "the budget is used: {max_down:?}");
    }
}

#[test]
fn a_fault_that_is_left_out_takes_nobody_s_luck() {
    let faults = r#"
        [[fault]]
        id = "one"
        between = ["5s", "15s"]
        for = "5s"
        crash = "orders:one"

        [[fault]]
        id = "two"
        between = ["5s", "15s"]
        for = "5s"
        pause = "orders:pick(2)"
    "#;
    let (whole, toggled) = (family(faults), family(&format!("{faults}[swarm]\ntoggle = [\"one\"]")));
    let mut without = 0;
    for seed in 0..20 {
        let of = |family: &Family| run(&member(family, seed), Seed(seed), Listed::Wrong).faults;
        let (whole, toggled) = (of(&whole), of(&toggled));
        let two = |faults: &[schism_runner::report::Fault]| {
            let two = faults.iter().find(|fault| fault.id == "two").expect("it is always there");
            (two.from_s, two.to_s, two.on.clone())
        };
        assert_eq!(two(&whole), two(&toggled), "seed {seed}");
        without += usize::from(toggled.len() == 1);
    }
    assert!((3..=17).contains(&without), "some seeds leave it out: {without}");
}

#[test]
fn what_is_covered_is_a_function_of_scenario_and_seed() {
    let family = family("[chaos]\n");
    for seed in 0..10 {
        let scenario = member(&family, seed);
        let (one, two) = (hunt::look(&scenario), hunt::look(&scenario));
        assert_eq!(one, two);
        let plain = run(&scenario, scenario.seed, Listed::Wrong);
        assert_eq!((one.digest, one.events, one.verdict), (plain.digest, plain.events, plain.verdict));
    }
}

#[test]
fn chaos_reaches_more_states_than_calm_and_soon_fewer_new_ones() {
    let tally = |more: &str, seeds: u64| {
        let family = family(more);
        let mut tally = Tally::new(Sample::of(0, seeds));
        let mut states = Vec::new();
        for found in for_seeds(seeds, |seed| hunt::look(&member(&family, seed))) {
            tally.add(&found);
            states.push(tally.states());
        }
        (tally, states)
    };
    let (calm, _) = tally("", 20);
    let (chaos, states) = tally("[chaos]\n", 200);
    assert!(chaos.states() > 10 * calm.states(), "{} and {}", chaos.states(), calm.states());
    assert!(calm.flat_for > 5, "there is little to see where nothing goes wrong");
    let (early, late) = (states[99] - states[0], states[199] - states[100]);
    assert!(late < early, "{early} new states in the first hundred seeds, {late} in the second");
}
