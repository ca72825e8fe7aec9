//! Inspections: what is shown is what is, wherever one comes from; going back and forking are honest.

use schism_core::NodeId;
use schism_models::node::Node;
use schism_runner::Inspection;
use schism_runner::inspect::{Condition, Detail, Moment, NotForked, Reached, Visible};
use schism_scenario::Scenario;
use schism_tests::plain::staged;
use schism_tests::runs::{report, scenario};
use schism_tests::toy::ms;

/// A split from 15 s to 25 s, a pause from 30 s to 35 s, a crash from 40 s to 45 s.
const FAULTS: &str = r#"
[[fault]]
id        = "split"
at        = "15s"
until     = "25s"
partition = { split = [["registry:leader", "web-1"], ["rest"]] }

[[fault]]
id    = "freeze"
at    = "30s"
until = "35s"
pause = { target = "orders-1" }

[[fault]]
id    = "kill"
at    = "40s"
until = "45s"
crash = { target = "orders-2" }

[[expect]]
id     = "leader"
always = "single-leader"
"#;

fn troubled() -> Scenario {
    staged(FAULTS)
}

fn inspection(scenario: Scenario) -> Inspection<Node> {
    let seed = scenario.seed;
    Inspection::new(scenario, seed)
}

fn all(inspection: &Inspection<Node>) -> Moment {
    let nodes: Vec<NodeId> = (0..inspection.names().len() as u32).map(NodeId).collect();
    inspection.moment(&nodes, Visible { state: Detail::Full })
}

fn condition(inspection: &Inspection<Node>, text: &str) -> Condition {
    let read = Condition::read(text, inspection.scenario(), &inspection.names());
    read.unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"))
}

#[test]
fn a_moment_is_the_same_however_one_comes_to_it() {
    let mut direct = inspection(troubled());
    direct.go_to(ms(33_000));
    let wanted = all(&direct);

    let mut wandering = inspection(troubled());
    wandering.go_to(ms(50_000));
    assert_eq!(wandering.go_to(ms(33_000)), Reached::Goal);
    assert_eq!(all(&wandering), wanted, "back from later");

    wandering.go_to(ms(20_000));
    wandering.step(500);
    assert_eq!(wandering.back(700), Reached::Goal);
    wandering.go_to(ms(33_000));
    assert_eq!(all(&wandering), wanted, "by steps there and back");
}

#[test]
fn steps_back_undo_steps() {
    let mut inspection = inspection(troubled());
    inspection.go_to(ms(14_900));
    inspection.step(1);
    let (here, events) = (all(&inspection), inspection.events());
    for steps in [1, 7, 300, 5_000] {
        assert_eq!(inspection.step(steps), Reached::Goal);
        assert_eq!(inspection.events(), events + steps);
        assert_eq!(inspection.back(steps), Reached::Goal);
        assert_eq!(all(&inspection), here, "{steps} there and back");
    }
    assert_eq!(inspection.back(events + 1), Reached::Beginning);
}

#[test]
fn looking_changes_nothing() {
    let scenario = troubled();
    let plain = report(&scenario, scenario.seed.0);
    let mut inspection = inspection(scenario);
    for at in [0, 10_000, 20_000, 20_001, 59_999] {
        inspection.go_to(ms(at));
        let _ = (all(&inspection), inspection.waits());
        assert_eq!(inspection.report(), plain, "from {at} ms");
    }
}

#[test]
fn a_run_goes_on_until_what_it_is_told() {
    let mut inspection = inspection(troubled());
    let mut until = |text: &str| {
        let condition = condition(&inspection, text);
        assert_eq!(inspection.go_until(&condition), Reached::Goal, "{text}");
        inspection.at()
    };
    assert_eq!(until("12s"), ms(12_000));
    assert_eq!(until("split.begins"), ms(15_000));
    let changed = until("leader-changes");
    assert!(ms(15_000) < changed && changed < ms(20_000), "{changed:?}");
    assert_eq!(until("split.heals"), ms(25_000));
    assert_eq!(until("29s"), ms(29_000));
    assert_eq!(until("node orders-1 changes"), ms(30_000));
    assert_eq!(until("kill.begins"), ms(40_000));
    let heard = until("beliefs orders-2 changes");
    assert!(heard > ms(40_000) && heard < ms(50_000), "{heard:?}");
    assert_eq!(inspection.go_until(&Condition::LeaderChanges), Reached::End);
    assert_eq!(inspection.at(), ms(60_000));
}

#[test]
fn a_run_goes_back_to_where_something_happened_last() {
    let mut inspection = inspection(troubled());
    inspection.go_until(&Condition::LeaderChanges);
    let (changed, events) = (inspection.at(), inspection.events());
    inspection.go_to(ms(55_000));
    assert_eq!(inspection.back_until(&Condition::LeaderChanges), Reached::Goal);
    assert_eq!((inspection.at(), inspection.events()), (changed, events));
    assert_eq!(inspection.back_until(&Condition::LeaderChanges), Reached::Beginning);
}

#[test]
fn what_is_no_condition_says_what_would_be_one() {
    let inspection = inspection(troubled());
    let wrong = |text: &str| {
        let read = Condition::read(text, inspection.scenario(), &inspection.names());
        let wrong = read.expect_err(text);
        format!("{} {}", wrong.message, wrong.help.unwrap_or_default())
    };
    assert!(wrong("leader-change").contains("did you mean `leader-changes`?"));
    assert!(wrong("split.heal").contains("did you mean `split.heals`?"));
    assert!(wrong("beliefs orders-77 changes").contains("there is no node `orders-77`"));
    assert!(wrong("the end of the world").contains("leader-changes"));
    assert!(wrong("12 parsecs").contains("is not something to wait for"));
}

#[test]
fn nodes_are_shown_as_they_are() {
    let mut inspection = inspection(troubled());
    inspection.go_to(ms(31_000));
    let moment = all(&inspection);
    let node = |name: &str| moment.nodes.iter().find(|node| node.name == name).expect("it is there");
    assert_eq!((node("orders-1").status, node("orders-1").since_s), ("paused", 30.0));
    assert!(!node("orders-1").held.is_empty(), "requests reach its host while it stands still");
    assert_eq!(moment.faults.iter().map(|fault| fault.id.as_str()).collect::<Vec<_>>(), ["freeze"]);
    assert_eq!(moment.islands.len(), 1);
    assert!(node("web-0").summary.as_ref().is_some_and(|summary| summary.contains("client")));

    inspection.go_to(ms(18_000));
    assert_eq!(all(&inspection).islands.len(), 2);
    inspection.go_to(ms(41_000));
    let moment = all(&inspection);
    let dead = moment.nodes.iter().find(|node| node.name == "orders-2").expect("it is there");
    assert_eq!((dead.status, &dead.summary, dead.life), ("down", &None, 1));
    assert!(dead.waits.is_empty() && dead.timers.is_empty());
}

#[test]
fn each_wait_names_whom_it_waits_for_and_until_when() {
    let mut inspection = inspection(troubled());
    // The paused instance answers nobody: whoever has asked it waits.
    inspection.go_to(ms(30_200));
    let moment = all(&inspection);
    let waiting: Vec<_> = moment
        .nodes
        .iter()
        .filter(|node| node.name.starts_with("web-"))
        .flat_map(|node| &node.waits)
        .filter(|wait| wait.on == ["orders-1"])
        .collect();
    assert!(!waiting.is_empty());
    for wait in waiting {
        let (since, until) = (wait.since_s.expect("it knows"), wait.until_s.expect("it knows"));
        assert!(since <= 30.2 && until >= 30.2, "{wait:?}");
        assert!((until - since - 0.25).abs() < 1e-9, "the time-out of an attempt is 250 ms: {wait:?}");
    }
    let edges = inspection.waits().edges;
    let edge = edges.iter().find(|edge| edge.to == "orders-1").expect("someone waits for it");
    assert!(!edge.can_answer);
    assert!(inspection.waits().dot().contains("\" -> \"orders-1\" ["));
}

#[test]
fn members_without_a_quorum_wait_for_each_other_in_a_ring() {
    let apart = staged(
        r#"
[[fault]]
id        = "apart"
at        = "15s"
partition = { split = [["registry-0"], ["registry-1"], ["registry-2"]] }
"#,
    );
    let mut inspection = inspection(apart);
    inspection.go_to(ms(30_000));
    let waits = inspection.waits();
    assert!(!waits.cycles.is_empty(), "{waits:?}");
    assert!(waits.cycles[0].iter().all(|node| node.starts_with("registry-")), "{:?}", waits.cycles);
    assert!(waits.dot().contains("color = red"));
}

#[test]
fn beliefs_are_held_against_the_truth() {
    let mut inspection = inspection(troubled());
    let orders_2 = inspection.node("orders-2").expect("it is there");
    inspection.go_to(ms(40_500));
    let beliefs = inspection.beliefs(orders_2).expect("it is an instance");
    assert_eq!((beliefs.alive, beliefs.since_s), (false, 40.0));
    assert!(!beliefs.minds.is_empty());
    let is_right = |opinion: Option<&str>| opinion.map(|opinion| opinion == "down");
    assert!(beliefs.minds.iter().all(|mind| mind.right == is_right(mind.opinion)), "{beliefs:?}");
    assert!(beliefs.minds.iter().any(|mind| mind.right == Some(false)), "its lease has not run out yet");
    assert!(inspection.beliefs(NodeId(0)).is_none(), "nobody has beliefs about a member");
}

#[test]
fn a_fork_without_a_fault_is_the_run_without_it() {
    let mut inspection = inspection(troubled());
    inspection.go_to(ms(28_000));
    inspection.fork_without(&["kill".to_owned()]).expect("it has not begun");
    let kill = FAULTS.find("[[fault]]\nid    = \"kill\"").expect("it is there");
    let expect = FAULTS.find("[[expect]]").expect("it is there");
    let without = staged(&format!("{}{}", &FAULTS[..kill], &FAULTS[expect..]));
    let plain = report(&without, without.seed.0);
    assert_eq!(inspection.report().digest, plain.digest);
    assert_eq!(inspection.go_to(ms(20_000)), Reached::Beginning, "what was before is another run's");
}

#[test]
fn a_fork_with_another_fault_is_the_run_with_that() {
    let longer = FAULTS.replace("until = \"45s\"", "until = \"50s\"");
    let mut inspection = inspection(troubled());
    inspection.go_to(ms(28_000));
    inspection.fork(staged(&longer)).expect("it has not begun");
    let plain = report(&staged(&longer), troubled().seed.0);
    assert_eq!(inspection.report().digest, plain.digest);
    assert_ne!(plain.digest, report(&troubled(), troubled().seed.0).digest);
}

#[test]
fn a_fork_refuses_what_would_not_be_honest() {
    let mut inspection = inspection(troubled());
    inspection.go_to(ms(28_000));
    let before = all(&inspection);
    let changed = |from: &str, to: &str| staged(&FAULTS.replace(from, to));
    assert!(matches!(inspection.fork_without(&["split".to_owned()]), Err(NotForked::Begun(..))));
    assert!(matches!(inspection.fork_without(&["splat".to_owned()]), Err(NotForked::NoFault(..))));
    let earlier = changed("at    = \"40s\"", "at    = \"39s\"");
    assert!(matches!(inspection.fork(earlier), Err(NotForked::OtherStart(..))));
    let begun = changed("until     = \"25s\"", "until     = \"29s\"");
    assert!(matches!(inspection.fork(begun), Err(NotForked::Begun(..))));
    let other = Scenario { length: schism_core::Duration::from_secs(61), ..troubled() };
    assert_eq!(inspection.fork(other), Err(NotForked::NotAFault));
    assert_eq!(all(&inspection), before, "what is refused changes nothing");
}

/// Two clients of a lock, of which the one that holds it stands still for longer than its lease lasts.
const RIVALS: &str = r#"
title  = "A holder stands still"
length = "60s"
warmup = "5s"

[topology]
zones = ["a"]

[registry.etcd]
members = 1

[services.store]
instances = 1
service   = "2ms"

[clients.job]
count     = 2
calls     = "registry"
operation = "lock"
lock      = { ttl = "5s", hold = "3s", writes = "store", every = "500ms" }
arrivals  = { closed = { think = "2s" } }

[[fault]]
id    = "pause-0"
at    = "20s"
for   = "12s"
pause = ["job-0"]

[[fault]]
id    = "pause-1"
at    = "40s"
for   = "12s"
pause = ["job-1"]

[[expect]]
always = "single-holder"
"#;

#[test]
fn who_holds_a_lock_by_the_registry_and_by_its_own_word() {
    let rivals = scenario(RIVALS);
    let fails = (0..50).find(|seed| report(&rivals, *seed).failures().next().is_some());
    let seed = schism_core::Seed(fails.expect("one of fifty seeds fails"));
    let mut inspection: Inspection<Node> = Inspection::new(rivals, seed);
    let failed = condition(&inspection, "always-single-holder");
    assert!(all(&inspection).failed.is_empty());
    assert_eq!(inspection.go_until(&failed), Reached::Goal);

    let moment = all(&inspection);
    assert_eq!(moment.failed.len(), 1, "{:?}", moment.failed);
    assert!(moment.failed[0].why.starts_with("two hold lock 0"), "{:?}", moment.failed);
    let locks = inspection.locks();
    let [lock] = &locks[..] else { panic!("there is one lock: {locks:?}") };
    assert_eq!(lock.believers.len(), 2, "{lock:?}");
    let (wrong, right): (Vec<_>, Vec<_>) = lock.believers.iter().partition(|it| it.dropped_s.is_some());
    assert_eq!((wrong.len(), right.len()), (1, 1), "{lock:?}");
    assert_eq!(lock.claims[0].by, right[0].client, "the registry's holder is the one who is right");
    assert!(wrong[0].token < right[0].token, "{lock:?}");

    // Who holds it does not wait for it.
    let job = |name: &str| moment.nodes.iter().find(|node| node.name == name).expect("it is there");
    for believer in &lock.believers {
        let node = job(&believer.client);
        assert!(node.waits.iter().all(|wait| wait.what != "lock 0"), "{:?}", node.waits);
        assert!(!lock.wanted_by.contains(&believer.client), "{lock:?}");
        let told = format!("believes that it holds lock 0 (token {})", believer.token);
        assert!(node.summary.as_ref().is_some_and(|summary| summary.contains(&told)), "{:?}", node.summary);
    }
}

#[test]
fn another_future_is_the_one_that_an_explanation_counts() {
    let scenario = troubled();
    let (seed, middle) = (scenario.seed, ms(28_000));
    let mut run: schism_runner::Simulation<()> = schism_runner::Simulation::new(&scenario, seed, ());
    run.run_until(middle);
    let mut future = run.redrawn(3);
    future.run_to_end();
    let mut inspection = inspection(scenario);
    inspection.go_to(middle);
    inspection.redraw(3);
    assert_eq!(inspection.report().digest, future.digest().to_string());
    assert_eq!(inspection.go_to(ms(20_000)), Reached::Beginning, "what was before is another run's");
}

#[test]
fn every_registry_says_what_its_tasks_wait_for() {
    for (name, registry) in [
        ("etcd", "etcd"),
        ("consul", "consul"),
        ("zookeeper", "zookeeper"),
        ("eureka", "eureka"),
        ("nacos", "nacos"),
        ("kubernetes", "kubernetes"),
    ] {
        let text = format!(
            r#"
title  = "{name}"
length = "120s"

[topology]
zones = ["a", "b", "c"]

[registry.{registry}]

[services.orders]
instances = 3
service   = {{ exponential = "5ms" }}

[clients.web]
count    = 3
calls    = "orders"
arrivals = {{ poisson = "20/s" }}

[[fault]]
id        = "cut"
at        = "60s"
partition = {{ split = [["registry"], ["rest"]] }}
"#
        );
        let mut inspection = inspection(scenario(&text));
        let mut named = std::collections::BTreeSet::new();
        for at in (60_000..120_000).step_by(500) {
            inspection.go_to(ms(at));
            let nodes: Vec<NodeId> = (0..inspection.names().len() as u32).map(NodeId).collect();
            let moment = inspection.moment(&nodes, Visible { state: Detail::None });
            let waits = moment.nodes.iter().flat_map(|node| &node.waits);
            named.extend(
                waits
                    .filter(|wait| wait.on.iter().any(|on| on.starts_with("registry-")))
                    .map(|wait| wait.task.split(' ').next().unwrap_or_default().to_owned()),
            );
        }
        assert!(!named.is_empty(), "{name}: somebody waits for a member that is cut off");
    }
}
