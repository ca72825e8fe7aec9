//! The model of Nacos: the edges of its mechanisms from both sides, and the grids that times are spread over.

use std::sync::Arc;

use schism_core::{Fault, NodeId, Scene, Seed, Time, Witness};
use schism_models::listing::Listing;
use schism_models::nemesis::{Audience, Struck};
use schism_models::node::Node;
use schism_models::observation::{Cause, Observation, Write};
use schism_runner::Simulation;
use schism_scenario::Scenario;
use schism_tests::runs::{for_seeds, scenario, secs};
use schism_tests::statistics::{Ks, ks, summary, uniform, within};

/// What a run has told, as far as these tests ask.
#[derive(Clone, Debug, Default)]
struct Told {
    /// What a server has written to its table.
    wrote: Vec<(Time, NodeId, Write)>,
    /// When an instance was told that it is registered.
    registered: Vec<(Time, NodeId)>,
    /// When a server heard that an instance lives.
    extended: Vec<Time>,
    /// The lists that servers and clients came to hold.
    views: Vec<(Time, NodeId, Arc<Listing>)>,
    /// Who came to lead.
    leads: Vec<Time>,
    /// When the faults began.
    faults: Vec<Time>,
}

impl Told {
    fn of(scenario: &Scenario, seed: u64) -> Told {
        let mut simulation: Simulation<Told> = Simulation::new(scenario, Seed(seed), Told::default());
        simulation.run_to_end();
        simulation.into_witness()
    }

    /// When the first write of a kind was made after the first fault, by each server that made one.
    fn first_after_fault(&self, wanted: impl Fn(Write) -> bool) -> Vec<(Time, NodeId)> {
        let mut found: Vec<(Time, NodeId)> = Vec::new();
        for &(at, by, write) in self.wrote.iter().filter(|(at, ..)| *at >= self.faults[0]) {
            if wanted(write) && found.iter().all(|(_, known)| *known != by) {
                found.push((at, by));
            }
        }
        found
    }

    /// When an instance was last heard of before a moment.
    fn last_heard(&self, before: Time) -> Time {
        *self.extended.iter().rfind(|at| **at < before).expect("it was heard of")
    }

    /// The lists that came to a node from a moment on.
    fn views_of(&self, node: NodeId, from: Time) -> Vec<(f64, &Arc<Listing>)> {
        let views = self.views.iter().filter(|(at, by, _)| *by == node && *at >= from);
        views.map(|(at, _, listing)| (secs(*at, from), listing)).collect()
    }
}

impl Witness<Node> for Told {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        let now = scene.now();
        match seen {
            Observation::Wrote(write) => self.wrote.push((now, by, *write)),
            Observation::Registered => self.registered.push((now, by)),
            Observation::Extended => self.extended.push(now),
            Observation::View(listing) => self.views.push((now, by, listing.clone())),
            Observation::Leads { .. } => self.leads.push(now),
            Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::Believes { .. }
            | Observation::Blind(_)
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Deposed { .. }
            | Observation::Read
            | Observation::Committed { .. } => {}
        }
    }
    fn on_fault(&mut self, _: &Scene<'_>, _: &Fault) {}
}

impl Audience for Told {
    fn fault_began(&mut self, scene: &Scene<'_>, _: usize, _: &Struck) {
        self.faults.push(scene.now());
    }
    fn fault_healed(&mut self, _: &Scene<'_>, _: usize, _: u64) {}
    fn fault_lasts(&mut self, _: usize, _: u64) {}
}

/// Some instances and one client, 100 us one way whoever talks to whom. The servers are the first nodes, the instances
/// come next, and the client last.
fn nacos(length: &str, registry: &str, instances: u32, rest: &str) -> Scenario {
    scenario(&format!(
        r#"
        title  = "Nacos"
        length = "{length}"
        [topology]
        zones = ["a"]
        [network]
        same-zone = "100us"
        [registry.nacos]
        {registry}
        [services.orders]
        instances = {instances}
        service   = "1ms"
        [clients.web]
        count    = 1
        calls    = "orders"
        arrivals = {{ constant = "1/s" }}
        timeout  = "250ms"
        balancer = "random"
        cache    = {{ watch = {{ on-empty = "accept" }} }}
        {rest}
        "#
    ))
}

/// That chance alone may have parted a sample from a uniform distribution. The seeds are fixed, so the bound is never
/// passed by bad luck later on.
fn is_uniform(what: &str, sample: &[f64], from: f64, to: f64) {
    let Ks { d, p } = ks(sample, uniform(from, to));
    assert!(p > 0.02, "{what}: D = {d:.3}, p = {p:.1e}; {} of U({from}, {to})", summary(sample));
}

fn is_removal(write: Write) -> bool {
    matches!(write, Write::Remove(_, Cause::Expired))
}

const CUT: &str = r#"
    [[fault]]
    between   = ["20s", "30s"]
    for       = "60s"
    partition = { split = [["orders"], ["registry"]] }
"#;

// From 2.0 on.

#[test]
fn a_silent_connection_outlives_its_idle_time_by_a_uniform_share_of_the_ejectors_grid_and_the_answer() {
    for (version, answer) in [("2.2", 1.0), ("2.3", 5.0), ("3.0", 5.0)] {
        let scenario = nacos("75s", &format!("version = \"{version}\""), 1, CUT);
        let excess = for_seeds(120, |seed| {
            let told = Told::of(&scenario, seed);
            let (removed, _) = told.first_after_fault(is_removal)[0];
            secs(removed, told.last_heard(removed)) - 20.0 - answer
        });
        is_uniform(version, &excess, 0.0, 3.0);
    }
}

#[test]
fn isolation_is_noticed_after_20_to_28_seconds() {
    let scenario = nacos("75s", "", 1, CUT);
    let noticed = for_seeds(120, |seed| {
        let told = Told::of(&scenario, seed);
        secs(told.first_after_fault(is_removal)[0].0, told.faults[0])
    });
    within("from the cut", &noticed, 19.4, 28.1);
    assert!(noticed.iter().any(|&x| x < 21.5) && noticed.iter().any(|&x| x > 26.5), "{}", summary(&noticed));
}

#[test]
fn a_reset_is_noticed_at_once_and_told_to_the_others_after_a_second_and_to_subscribers_half_a_second_later() {
    let crash = "[[fault]]\nbetween = [\"20s\", \"30s\"]\nfor = \"9s\"\ncrash = \"orders-0\"";
    let scenario = nacos("40s", "", 2, crash);
    for told in for_seeds(40, |seed| Told::of(&scenario, seed)) {
        let removed = told.first_after_fault(is_removal);
        let delays: Vec<f64> = removed.iter().map(|(at, _)| secs(*at, told.faults[0])).collect();
        assert_eq!(delays.len(), 3, "every server removes it: {delays:?}");
        within("its own server", &delays[..1], 0.0, 0.001);
        // The delay, the engine's grid, and a hop.
        within("the others", &delays[1..], 1.0, 1.101);
        let pushed = told.views_of(NodeId(5), told.faults[0])[0].0;
        assert!((0.5..=1.702).contains(&pushed), "{pushed}");
    }
}

#[test]
fn changes_within_half_a_second_are_one_push_and_later_ones_another() {
    for (second, pushes) in [("20.499s", 1), ("20.7s", 2)] {
        let crash = |at: &str, who: u32| {
            format!("[[fault]]\nat = \"{at}\"\nfor = \"15s\"\ncrash = \"orders-{who}\"\n")
        };
        let crashes = crash("20s", 0) + &crash(second, 1);
        let scenario = nacos("36s", "members = 1", 3, &crashes);
        for told in for_seeds(20, |seed| Told::of(&scenario, seed)) {
            let views = told.views_of(NodeId(4), told.faults[0]);
            let before_restart = views.iter().filter(|(at, _)| *at < 14.0).count();
            assert_eq!(before_restart, pushes, "with the second at {second}");
        }
    }
}

/// Whoever was connected to a server that stops is removed there at once. It connects elsewhere within some 100 ms, and
/// registers at the next turn of its redo task, whose phase is that of its start.
#[test]
fn who_has_lost_its_connection_registers_at_the_next_turn_of_the_redo_task() {
    let stop = "[[fault]]\nbetween = [\"20s\", \"30s\"]\nfor = \"9s\"\nstop = \"registry-0\"";
    let scenario = nacos("40s", "", 6, stop);
    let gaps = for_seeds(60, |seed| {
        let told = Told::of(&scenario, seed);
        let stopped = told.faults[0];
        let lost = told.wrote.iter().filter_map(|&(at, by, write)| match write {
            Write::Remove(node, _) => (at == stopped && by == NodeId(0)).then_some(node),
            Write::Grant
            | Write::Register(_)
            | Write::Fail(_)
            | Write::Recover(_)
            | Write::Revoke(_)
            | Write::Put => None,
        });
        let again = |node| {
            let then = told.registered.iter().find(|(at, who)| *who == node && *at > stopped);
            secs(then.expect("it registers again").0, stopped)
        };
        lost.map(again).collect::<Vec<f64>>()
    });
    let gaps = gaps.concat();
    assert!(gaps.len() >= 100, "{}", gaps.len());
    is_uniform("redo", &gaps, 0.101, 3.101);
}

#[test]
fn replicas_of_a_server_that_has_died_last_three_minutes_after_their_last_verification() {
    // The instance's host dies with the server: nobody says so to the others.
    let deaths = "[[fault]]\nat = \"30s\"\nfor = \"260s\"\nzone-outage = { zone = \"a\" }";
    let text = format!(
        r#"
        title  = "A zone dies"
        length = "300s"
        [topology]
        zones = ["a", "b"]
        [registry.nacos]
        members = 2
        [services.orders]
        instances = 12
        service   = "1ms"
        [clients.web]
        count    = 1
        calls    = "orders"
        zones    = ["b"]
        arrivals = {{ constant = "1/s" }}
        timeout  = "250ms"
        balancer = "random"
        cache    = "watch"
        {deaths}
        "#
    );
    let scenario = scenario(&text);
    let told = Told::of(&scenario, 1);
    let removed: Vec<f64> = told
        .wrote
        .iter()
        .filter(|(at, by, write)| *by == NodeId(1) && *at > told.faults[0] && is_removal(*write))
        .map(|(at, ..)| secs(*at, told.faults[0]))
        .collect();
    // Its own connections by the ejector, and the other server's by their expiry, on a grid of 5 s.
    assert_eq!(removed.len(), 6, "{removed:?}");
    let (own, copies): (Vec<f64>, Vec<f64>) = removed.iter().partition(|&&at| at < 60.0);
    within("its own", &own, 19.0, 28.1);
    within("copies", &copies, 175.0, 185.1);
}

#[test]
fn a_weight_is_told_with_the_next_push_and_causes_one_itself_only_if_metadata_are_events() {
    let rest = r#"
        [[fault]]
        at  = "20s"
        for = "25s"
        config-push = { target = "orders-0", weight = 7 }
        [[fault]]
        at    = "30s"
        for   = "15s"
        crash = "orders-1"
    "#;
    let weights = |events: bool| {
        let scenario = nacos("45s", &format!("metadata-events = {events}"), 3, rest);
        let told = Told::of(&scenario, 1);
        let from = told.faults[0];
        let views = told.views_of(NodeId(6), from);
        let seven = views.iter().find(|(_, view)| view.endpoints[0].weight == 7);
        seven.expect("it is told at last").0
    };
    // A round through the group, the delay of the push, and its grid; or the push for another's death.
    within("with events", &[weights(true)], 0.5, 0.7);
    within("without", &[weights(false)], 10.5, 12.0);
}

#[test]
fn the_metadata_have_another_leader_within_one_election_timeout_and_a_second() {
    let crash = "[[fault]]\nbetween = [\"20s\", \"30s\"]\nfor = \"20s\"\ncrash = \"registry:leader\"";
    let scenario = nacos("60s", "", 1, crash);
    let times = for_seeds(40, |seed| {
        let told = Told::of(&scenario, seed);
        let next = told.leads.iter().find(|at| **at > told.faults[0]).expect("somebody comes to lead");
        secs(*next, told.faults[0])
    });
    // Since the last heartbeat, up to half a second ago; on ticks of half a second.
    within("election", &times, 4.5, 6.1);
}

// 1.4.

#[test]
fn without_beats_an_instance_is_unhealthy_and_later_gone_on_a_grid_of_five_seconds() {
    let scenario = nacos("75s", "version = \"1.4\"", 1, CUT);
    let times = for_seeds(120, |seed| {
        let told = Told::of(&scenario, seed);
        let (failed, _) = told.first_after_fault(|write| matches!(write, Write::Fail(_)))[0];
        let (removed, _) = told.first_after_fault(is_removal)[0];
        let heard = told.last_heard(failed);
        (secs(failed, heard) - 15.0, secs(removed, heard) - 30.0)
    });
    let (failed, removed): (Vec<f64>, Vec<f64>) = times.into_iter().unzip();
    is_uniform("unhealthy", &failed, 0.0, 5.0);
    is_uniform("deleted", &removed, 0.0, 5.0);
}

/// When another server comes to answer for the service, whose instances it has not heard a beat of for long, a check in
/// the next 5 s deletes whoever has not sent a beat to it by then: of many instances about a half, as both the check and
/// the beats are spread evenly over the same 5 s.
#[test]
fn about_half_of_the_instances_are_deleted_when_another_server_answers_for_them() {
    let crash = "[[fault]]\nbetween = [\"60s\", \"70s\"]\nfor = \"30s\"\ncrash = \"registry-0\"";
    let scenario = nacos("100s", "version = \"1.4\"", 20, crash);
    let shares = for_seeds(40, |seed| {
        let told = Told::of(&scenario, seed);
        let new = NodeId(2);
        let gone = told.wrote.iter().filter(|(at, by, write)| {
            *by == new
                && (0.0..15.0).contains(&secs(*at, told.faults[0]))
                && *at > told.faults[0]
                && is_removal(*write)
        });
        gone.count() as f64 / 20.0
    });
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((0.35..=0.65).contains(&mean), "{}", summary(&shares));
    assert!(shares.iter().any(|&share| share < 0.25) && shares.iter().any(|&share| share > 0.75));
}

#[test]
fn a_client_of_1_4_learns_of_a_failure_by_a_push_after_a_second_unless_a_poll_comes_first() {
    let rest = r#"
        [[fault]]
        at    = "20s"
        for   = "40s"
        crash = "orders-0"
    "#;
    let scenario = nacos("62s", "version = \"1.4\"\nmembers = 1", 3, rest);
    let delays = for_seeds(40, |seed| {
        let told = Told::of(&scenario, seed);
        let (failed, _) = told.first_after_fault(|write| matches!(write, Write::Fail(_)))[0];
        let views = told.views_of(NodeId(4), failed);
        let without = views.iter().find(|(_, view)| view.endpoints.len() == 2).expect("it learns of it").0;
        assert!(without <= 1.001, "{without}");
        without
    });
    assert!(delays.iter().any(|&delay| delay > 0.999), "most are pushed to: {}", summary(&delays));
    assert!(delays.iter().any(|&delay| delay < 0.999), "some have polled: {}", summary(&delays));
}
