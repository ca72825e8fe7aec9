//! Deploys and scaling: each finds who is there when it begins, and what those before it have left.

use schism_core::{Duration, NodeId, Seed, Status, Time};
use schism_models::nemesis::Foresight;
use schism_models::observation::Outcome;
use schism_runner::report::Fault;
use schism_runner::{Report, Simulation, Words};
use schism_tests::faults::{fault, refusal, staged, told};
use schism_tests::runs::{Seen, report};

/// The instances of `orders` that are there from the start: the stage's numbers.
const ORDERS: std::ops::Range<u32> = 3..9;

/// The first node that only a fault boots: the stage's nodes end before it.
const FIRST_SPARE: u32 = 30;

const SEED: u64 = 3;

fn at(secs: u64) -> Time {
    Time::START + Duration::from_secs(secs)
}

/// A deploy that hurries.
fn deploy(keys: &str) -> String {
    format!(r#"deploy = {{ target = "orders", drain = "100ms", pause = "100ms", {keys} }}"#)
}

fn scale(keys: &str) -> String {
    format!(r#"scale = {{ target = "orders", drain = "1s", {keys} }}"#)
}

/// What the report tells of a fault.
fn of<'r>(report: &'r Report, id: &str) -> &'r Fault {
    report.faults.iter().find(|fault| fault.id == id).expect("it has begun")
}

/// Requests offered between these seconds that failed.
fn failed(seen: &Seen, from: u64, to: u64) -> usize {
    let amid = seen.done.iter().filter(|done| (at(from)..at(to)).contains(&done.offered));
    amid.filter(|done| done.outcome == Outcome::Failed).count()
}

/// Which instances of `orders` run at a moment, by the numbers in their names.
fn running(faults: &str, secs: u64) -> Vec<u32> {
    let mut simulation: Simulation<()> = Simulation::new(&staged(faults), Seed(SEED), ());
    simulation.run_until(at(secs));
    let scene = simulation.world().scene();
    let spares = FIRST_SPARE..simulation.world().nodes() as u32;
    let up = ORDERS.chain(spares).map(NodeId).filter(|&node| scene.status(node) == Status::Up);
    up.map(|node| scene.name(node).strip_prefix("orders-").expect("an instance").parse().unwrap()).collect()
}

/// Which of `orders` died from this second on, before that one: each once.
fn died(seen: &Seen, from: u64, to: u64) -> Vec<u32> {
    let amid = seen.died.iter().filter(|(when, _)| (at(from)..at(to)).contains(when));
    let mut nodes: Vec<u32> = amid.map(|(_, node)| node.0).collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

#[test]
fn a_good_deploy_replaces_a_bad_one() {
    let bad = fault("bad", "at = \"5s\"", &deploy("batch = 6, new = { error-rate = \"90%\" }"));
    let good = fault("good", "at = \"30s\"", &deploy("batch = 6"));
    let seen = Seen::of(&staged(&(bad + &good)), SEED);
    assert!(failed(&seen, 20, 30) > 100, "the bad version fails requests until it is replaced");
    assert_eq!(failed(&seen, 40, 60), 0, "nothing of it is left");
}

#[test]
fn a_deploy_replaces_what_a_blue_green_deploy_has_left() {
    let bad = "strategy = \"blue-green\", new = { error-rate = \"90%\" }";
    for good in ["batch = 6", "batch = 2", "strategy = \"blue-green\""] {
        let both = fault("bad", "at = \"5s\"", &deploy(bad)) + &fault("good", "at = \"30s\"", &deploy(good));
        let report = told(&both, SEED);
        let good_ran = of(&report, "good");
        assert!(good_ran.to_s.is_some_and(|to| to < 45.0), "{good}: it comes to its end");
        assert!(good_ran.touched >= 6, "{good}: it touched {}", good_ran.touched);
        let seen = Seen::of(&staged(&both), SEED);
        assert!(failed(&seen, 20, 30) > 100, "{good}: the bad version is there until it is replaced");
        assert_eq!(failed(&seen, 45, 60), 0, "{good}: nothing of it is left");
    }
}

#[test]
fn a_deploy_leaves_alone_whom_a_scale_in_has_taken() {
    let both = fault("in", "at = \"10s\"", &scale("in = 2"))
        + &fault("deploy", "at = \"20s\"", &deploy("batch = 2"));
    let report = told(&both, SEED);
    assert!(of(&report, "deploy").to_s.is_some_and(|to| to < 30.0), "it waits for nobody who has left");
    assert_eq!(of(&report, "deploy").on, ["orders-0", "orders-1", "orders-2", "orders-3"]);
    assert_eq!(running(&both, 40), [0, 1, 2, 3]);
}

#[test]
fn a_deploy_does_not_wait_for_whom_a_scale_in_takes_meanwhile() {
    // The last batch cannot register, and is taken away.
    let stuck = fault("dead", "at = \"10s\"", "crash = [\"orders-4\", \"orders-5\"]");
    let deploy = fault("deploy", "at = \"15s\"", &deploy("batch = 2"));
    assert!(of(&told(&(stuck.clone() + &deploy), SEED), "deploy").to_s.is_none(), "it is stuck");
    let scale_in = fault("in", "at = \"40s\"\nmay-overlap = true", &scale("in = 2"));
    let report = told(&(stuck + &deploy + &scale_in), SEED);
    assert!(of(&report, "deploy").to_s.is_some_and(|to| to < 41.0), "what is left is new");
}

#[test]
fn a_deploy_reaches_those_that_a_scale_out_has_brought() {
    let out = fault("out", "at = \"10s\"", &scale("out = 2"));
    let spares = [FIRST_SPARE, FIRST_SPARE + 1];
    // Those that are there when it begins, and those that come while it is under way.
    for (from, batch) in [(20, 8), (9, 2)] {
        let deploy =
            fault("deploy", &format!("at = \"{from}s\""), &deploy(&format!("batch = {}", batch.min(6))));
        let seen = Seen::of(&staged(&(out.clone() + &deploy)), SEED);
        let replaced: Vec<u32> = ORDERS.chain(spares).collect();
        let mut dead = died(&seen, from, 60);
        dead.retain(|node| replaced.contains(node));
        assert_eq!(dead, replaced, "from {from} s on");
        let report = told(&(out.clone() + &deploy), SEED);
        assert!(of(&report, "deploy").to_s.is_some(), "from {from} s on");
    }
}

#[test]
fn scale_outs_that_repeat_add_up() {
    let when = "at = \"10s\"\nfor = \"25s\"\nrepeat = { every = \"10s\", times = 3 }";
    let out = fault("out", when, &scale("out = 2"));
    let there = [15, 25, 33, 40, 50, 59].map(|secs| running(&out, secs).len());
    assert_eq!(there, [8, 10, 12, 10, 8, 6]);
}

#[test]
fn blue_and_green_take_turns() {
    let when = "at = \"10s\"\nrepeat = { every = \"10s\", times = 3 }";
    let deploy = fault("deploy", when, &deploy("strategy = \"blue-green\""));
    let report = told(&deploy, SEED);
    assert!(
        report.faults.iter().filter(|fault| fault.id.starts_with("deploy")).all(|fault| fault.to_s.is_some())
    );
    assert_eq!(running(&deploy, 50), [18, 19, 20, 21, 22, 23]);
}

#[test]
fn what_is_in_vain_for_one_group_is_not_for_another() {
    let crash = |id: &str, when: &str| fault(id, when, "crash = \"orders\"");
    let both = crash("first", "at = \"10s\"\nfor = \"40s\"") + &crash("second", "at = \"30s\"\nfor = \"5s\"");
    assert!(refusal(&both).is_some_and(|refused| refused.contains("in vain")));
    let out = fault("out", "at = \"20s\"", &scale("out = 2"));
    assert_eq!(of(&told(&(both + &out), SEED), "second").touched, 2);
}

#[test]
fn a_service_is_scaled_by_itself() {
    let two = fault("out", "at = \"20s\"", r#"scale = { target = ["orders", "stock"], out = 2 }"#);
    assert!(refusal(&two).is_some_and(|refused| refused.contains("acts on one service")));
}

#[test]
fn a_scale_in_takes_the_newest() {
    let out = fault("out", "at = \"10s\"", &scale("out = 3"));
    let both = out + &fault("in", "at = \"20s\"", &scale("in = 2"));
    assert_eq!(of(&told(&both, SEED), "in").on, ["orders-7", "orders-8"]);
    assert_eq!(running(&both, 40), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn a_scale_in_gives_back_whom_it_took_unless_they_are_gone_for_good() {
    let out = fault("out", "at = \"10s\"\nfor = \"25s\"", &scale("out = 2"));
    let briefly = fault("in", "at = \"20s\"\nfor = \"5s\"", &scale("in = 3"));
    let both = out.clone() + &briefly;
    assert_eq!(running(&both, 24), [0, 1, 2, 3, 4]);
    assert_eq!(running(&both, 30), [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(running(&both, 40), [0, 1, 2, 3, 4, 5]);
    let longer = fault("in", "at = \"20s\"\nfor = \"25s\"", &scale("in = 3"));
    let both = out + &longer;
    assert_eq!(running(&both, 40), [0, 1, 2, 3, 4]);
    assert_eq!(running(&both, 50), [0, 1, 2, 3, 4, 5], "those that came for a while are gone for good");
}

#[test]
fn a_second_scale_in_takes_others_and_leaves_one() {
    let both = fault("first", "at = \"10s\"\nfor = \"30s\"", &scale("in = 4"))
        + &fault("second", "at = \"20s\"\nfor = \"10s\"", &scale("in = 4"));
    assert_eq!(of(&told(&both, SEED), "second").on, ["orders-1"]);
    assert_eq!(running(&both, 25), [0]);
    assert_eq!(running(&both, 35), [0, 1]);
    assert_eq!(running(&both, 45), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_blue_green_deploy_starts_as_many_as_there_are() {
    let both = fault("in", "at = \"10s\"", &scale("in = 2"))
        + &fault("deploy", "at = \"20s\"", &deploy("strategy = \"blue-green\""));
    assert_eq!(running(&both, 50), [6, 7, 8, 9]);
}

#[test]
fn a_group_means_whoever_is_there() {
    let out = fault("out", "at = \"10s\"", &scale("out = 2"));
    let pause = fault("pause", "at = \"20s\"\nfor = \"2s\"", "pause = \"orders\"");
    let eight: Vec<String> = (0..8).map(|number| format!("orders-{number}")).collect();
    assert_eq!(of(&told(&(out + &pause), SEED), "pause").on, eight);
    let gone = fault("in", "at = \"10s\"", &scale("in = 4"));
    assert_eq!(of(&told(&(gone.clone() + &pause), SEED), "pause").on, ["orders-0", "orders-1"]);
    let drawn = fault("drawn", "at = \"20s\"\nfor = \"2s\"", "pause = \"orders:pick(3)\"");
    assert_eq!(of(&told(&(gone + &drawn), SEED), "drawn").on, ["orders-0", "orders-1"]);
}

#[test]
fn a_later_scale_out_changes_nothing_of_what_was_before() {
    let outage = fault(
        "dark",
        "at = \"10s\"\nfor = \"4s\"",
        r#"zone-outage = { zone = "a", recovery = { waves = { size = 1, every = "500ms" } } }"#,
    );
    let cut = fault("cut", "at = \"10s\"\nfor = \"4s\"", r#"partition = { split = [["zone:b"], ["rest"]] }"#);
    let swizzle = r#"partition = { isolate = "zone:c", swizzle = { over = "1s" } }"#;
    let swizzle = fault("swizzle", "at = \"20s\"\nfor = \"4s\"", swizzle);
    let pause = fault("pause", "at = \"28s\"\nfor = \"2s\"", "pause = \"zone:a\"");
    let before = outage + &cut + &swizzle + &pause;
    let after = before.clone() + &fault("out", "at = \"50s\"\nfor = \"5s\"", &scale("out = 9"));
    let (without, with) = (told(&before, SEED), told(&after, SEED));
    for id in ["dark", "cut", "swizzle", "pause"] {
        assert_eq!(of(&with, id), of(&without, id));
    }
    let lived = |scenario: &str| {
        let seen = Seen::of(&staged(scenario), SEED);
        seen.done.into_iter().filter(|done| done.at < at(50)).collect::<Vec<_>>()
    };
    assert_eq!(lived(&after), lived(&before), "nor does any request fare otherwise");
}

#[test]
fn who_comes_while_a_zone_is_dark_waits_for_its_power() {
    let outage = fault("dark", "at = \"10s\"\nfor = \"20s\"", r#"zone-outage = { zone = "a" }"#);
    let out = fault("out", "at = \"20s\"", &scale("out = 3"));
    let others = [1, 2, 4, 5, 7, 8];
    assert_eq!(running(&(outage.clone() + &out), 25), others);
    assert_eq!(running(&(outage.clone() + &out), 35), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    // And so does who comes back.
    let scale_in = fault("in", "at = \"5s\"\nfor = \"15s\"", &scale("in = 3"));
    assert_eq!(running(&(scale_in.clone() + &outage), 25), [1, 2, 4, 5]);
    assert_eq!(running(&(scale_in + &outage), 35), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn who_comes_into_a_zone_that_is_cut_off_stands_on_its_side() {
    let out = fault("out", "at = \"20s\"", &scale("out = 3"));
    let registered = |cut: &str| {
        let cut = fault("cut", "at = \"10s\"\nfor = \"20s\"", cut);
        let seen = Seen::of(&staged(&(cut + &out)), SEED);
        let early = seen.renewed.into_iter().filter(|(when, _)| (at(20)..at(30)).contains(when));
        let mut fresh: Vec<u32> = early.filter_map(|(_, node)| node.0.checked_sub(FIRST_SPARE)).collect();
        fresh.sort_unstable();
        fresh.dedup();
        fresh
    };
    // One of three members is on the side of the zone, two on the other.
    assert_eq!(registered(r#"partition = { split = [["zone:b"], ["rest"]] }"#), [0, 2]);
    assert_eq!(registered(r#"partition = { isolate = "zone:b" }"#), [0, 2]);
    assert_eq!(registered(r#"partition = { split = [["registry"], ["rest"]] }"#), [0; 0]);
}

#[test]
fn the_plan_leaves_out_whom_no_fault_has_brought_yet() {
    let both = fault("pause", "at = \"10s\"\nfor = \"2s\"", "pause = \"zone:b\"")
        + &fault("out", "at = \"20s\"", &scale("out = 9"));
    let scenario = staged(&both);
    let planned = scenario.faults.iter().find(|planned| planned.id == "pause").expect("it is planned");
    let foresight = Foresight::new(&scenario.faults, scenario.zones(), Seed(SEED));
    let whom = foresight.whom(planned).expect("it is certain").concat();
    assert!(!whom.is_empty() && whom.iter().all(|node| node.0 < FIRST_SPARE), "{whom:?}");
}

#[test]
fn the_plan_says_whom_it_knows() {
    let pause = |id: &str, from: u64, target: &str| {
        fault(id, &format!("at = \"{from}s\"\nfor = \"2s\""), &format!("pause = \"{target}\""))
    };
    let faults = pause("early", 10, "orders:pick(2)")
        + &fault("out", "at = \"20s\"", &scale("out = 2"))
        + &pause("group", 30, "orders:pick(2)")
        + &pause("zone", 34, "zone:b")
        + &pause("other", 38, "stock:one")
        + &pause("node", 42, "orders-2");
    let scenario = staged(&faults);
    let foresight = Foresight::new(&scenario.faults, scenario.zones(), Seed(SEED));
    let report = report(&scenario, SEED);
    for planned in &scenario.faults {
        let known = !["group", "zone"].contains(&planned.id.as_str());
        let whom = foresight.whom(planned).map(|sides| Words::new(&scenario).each(&sides.concat()));
        assert_eq!(whom.is_some(), known, "{}", planned.id);
        assert!(whom.is_none_or(|whom| whom == of(&report, &planned.id).on), "{}", planned.id);
    }
}
