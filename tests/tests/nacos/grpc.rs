//! From 2.0 on: connections, merged pushes, and the redo task.

use schism_core::NodeId;
use schism_models::observation::Write;
use schism_tests::runs::{for_seeds, scenario, secs};
use schism_tests::statistics::{summary, within};

use super::told::Told;
use super::{CUT, is_removal, is_uniform, nacos};

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
            | Write::Put
            | Write::Claim { .. }
            | Write::Release { .. } => None,
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
