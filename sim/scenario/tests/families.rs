//! Families: what a seed leaves out, varies and draws is the same every time, is what was asked for, and always a scenario.

use proptest::prelude::*;
use schism_core::{Duration, Seed, Time};
use schism_models::nemesis::{End, Planned, Start};
use schism_scenario::{Family, Loaded, Override, Scenario, load};

const BASE: &str = r#"
title = "A family"
length = "100s"
warmup = "5s"

[topology]
zones = ["a", "b", "c"]

[registry.etcd]
members = 3

[services.orders]
instances = 6
service = { exponential = "5ms" }

[clients.web]
count = 6
calls = "orders"
arrivals = { poisson = "10/s" }
timeout = "1s"
"#;

const FAULTS: &str = r#"
[[fault]]
id = "cut"
at = "10s"
for = "5s"
partition = { isolate = "zone:a" }

[[fault]]
at = "20s"
for = "5s"
crash = "orders-0"

[[fault]]
when = "cut.heals"
after = "2s"
for = "3s"
pause = "orders-1"

[[fault]]
between = ["30s", "40s"]
for = "5s"
crash = "orders-2"

[[expect]]
metric = "success-rate"
during = "cut"
at-least = "10%"
"#;

fn read(more: &str) -> Result<Loaded, String> {
    let text = format!("{BASE}{more}");
    load("family.toml", text, &[]).map_err(|errors| errors.to_string())
}

fn family(more: &str) -> Family {
    read(more).unwrap_or_else(|errors| panic!("{errors}")).family
}

fn member(family: &Family, seed: u64) -> Scenario {
    family.member(Seed(seed)).unwrap_or_else(|errors| panic!("seed {seed}: {errors}"))
}

fn ids(scenario: &Scenario) -> Vec<&str> {
    scenario.faults.iter().map(|fault| fault.id.as_str()).collect()
}

fn find<'s>(scenario: &'s Scenario, id: &str) -> Option<&'s Planned> {
    scenario.faults.iter().find(|fault| fault.id == id)
}

/// When a drawn fault begins and has healed.
fn span(fault: &Planned) -> (Time, Time) {
    let Start::At(from) = fault.start else { panic!("chaos says when: {:?}", fault.start) };
    match fault.end {
        End::After(lasts) => (from, from + lasts),
        End::Never => (from, from),
        End::At(to) => (from, to),
    }
}

#[test]
fn a_file_without_either_is_a_family_of_one() {
    let loaded = read(FAULTS).unwrap();
    assert!(loaded.family.is_one());
    assert_eq!(loaded.family.digest(), loaded.scenario.digest);
    let seventh = member(&loaded.family, 7);
    assert_eq!((seventh.seed, seventh.digest), (Seed(7), loaded.scenario.digest));
}

#[test]
fn a_member_is_the_same_every_time_and_explicit() {
    let family = family(&format!(
        "{FAULTS}[swarm]\ntoggle = [\"cut\"]\nvary.\"fault.crash-1.for\" = [\"1s\", \"9s\"]\n[chaos]\n"
    ));
    assert!(!family.is_one());
    for seed in 0..20 {
        let one = member(&family, seed);
        assert_eq!(one.to_toml(), member(&family, seed).to_toml());
        assert_eq!(one.seed, Seed(seed));
        let again = load("again.toml", one.to_toml(), &[]).unwrap_or_else(|errors| panic!("{errors}"));
        assert!(again.family.is_one(), "nothing is left to draw");
        assert_eq!(again.scenario.digest, one.digest);
    }
    assert_ne!(member(&family, 1).digest, member(&family, 2).digest);
}

#[test]
fn the_default_seed_s_member_is_what_is_loaded() {
    let loaded = read("[chaos]\nfaults = [3, 3]").unwrap();
    assert_eq!(loaded.scenario.to_toml(), member(&loaded.family, loaded.scenario.seed.0).to_toml());
}

#[test]
fn what_waits_for_a_fault_that_is_left_out_goes_with_it() {
    let family = family(&format!("{FAULTS}[swarm]\ntoggle = [\"cut\"]\n"));
    let (mut with, mut without) = (0, 0);
    for seed in 0..100 {
        let one = member(&family, seed);
        match ids(&one)[..] {
            ["cut", "crash-1", "pause-1", "crash-2"] => with += 1,
            ["crash-1", "crash-2"] => without += 1,
            ref other => panic!("seed {seed} has {other:?}"),
        }
        assert_eq!(one.expectations.is_empty(), find(&one, "cut").is_none());
    }
    assert!(with > 30 && without > 30, "each is left out by half of the seeds: {with} to {without}");
}

/// The same names, and so the same luck when the run draws where, when and whom.
#[test]
fn leaving_a_fault_out_renames_nothing() {
    let family = family(&format!("{FAULTS}[swarm]\ntoggle = [\"crash-1\"]\n"));
    let all = read(FAULTS).unwrap().scenario;
    for seed in 0..30 {
        let one = member(&family, seed);
        for fault in &one.faults {
            let there = find(&all, &fault.id).expect("it is one of those in the file");
            assert_eq!((&there.start, &there.fault), (&fault.start, &fault.fault), "{}", fault.id);
        }
    }
}

#[test]
fn each_toggle_and_each_path_has_its_own_luck() {
    let one = family(&format!(
        "{FAULTS}[swarm]\ntoggle = [\"crash-1\"]\nvary.\"fault.crash-2.for\" = [\"1s\", \"50s\"]"
    ));
    let two = family(&format!(
        "{FAULTS}[swarm]\ntoggle = [\"cut\", \"crash-1\"]\nvary.\"clients.web.timeout\" = [\"100ms\", \"5s\"]\nvary.\"fault.crash-2.for\" = [\"1s\", \"50s\"]"
    ));
    for seed in 0..50 {
        let (one, two) = (member(&one, seed), member(&two, seed));
        assert_eq!(find(&one, "crash-1"), find(&two, "crash-1"), "seed {seed}");
        assert_eq!(find(&one, "crash-2"), find(&two, "crash-2"), "seed {seed}");
    }
}

#[test]
fn what_varies_stays_within_its_range_and_reaches_all_of_it() {
    let family = family(
        r#"
        [swarm.vary]
        "clients.web.timeout" = ["100ms", "10s"]
        "services.orders.instances" = [3, 5]
        "clients.web.arrivals.poisson" = ["1/s", "5/s"]
        "network.loss" = ["0%", "2%"]
        "clients.web.balancer" = ["random", "p2c", "pick-first"]
        "registry.etcd.members" = { one-of = [3, 5] }
        "#,
    );
    let members: Vec<Scenario> = (0..300).map(|seed| member(&family, seed)).collect();
    let timeouts: Vec<Duration> = members.iter().map(|one| one.clients[0].config.timeout).collect();
    let (least, most) = (Duration::from_millis(100), Duration::from_secs(10));
    assert!(timeouts.iter().all(|timeout| (least..=most).contains(timeout)));
    let short = timeouts.iter().filter(|timeout| **timeout < Duration::from_secs(1)).count();
    assert!((100..200).contains(&short), "half of two orders of magnitude is the lower one: {short}");
    let sizes = |count: usize| members.iter().filter(|one| one.services[0].nodes.len() == count).count();
    assert!((3..=5).all(|count| sizes(count) > 60));
    let registries = |count: usize| members.iter().filter(|one| one.members.len() == count).count();
    assert_eq!(registries(3) + registries(5), 300, "two values in `one-of` are no range");
    let named = |name: &str| {
        members.iter().filter(|one| one.clients[0].config.picker.balancer.name() == name).count()
    };
    assert!(["random", "p2c", "pick-first"].into_iter().all(|name| named(name) > 60));
}

#[test]
fn what_the_command_line_sets_does_not_vary() {
    let text = format!("{BASE}[swarm]\nvary.\"clients.web.timeout\" = [\"100ms\", \"10s\"]\n[chaos]\n");
    let set = [Override::new("clients.web.timeout=3s"), Override::new("chaos.faults=[2, 2]")];
    let family = load("family.toml", text, &set).unwrap_or_else(|errors| panic!("{errors}")).family;
    for seed in 0..10 {
        let one = member(&family, seed);
        assert_eq!(one.clients[0].config.timeout, Duration::from_secs(3));
        assert!(one.faults.len() <= 2);
    }
}

#[test]
fn comments_and_layout_do_not_change_what_a_family_is() {
    let digest = |more: &str| read(more).unwrap().family.digest();
    assert_eq!(digest("[chaos]\nfaults = [1, 2]"), digest("# why\n[chaos]\n\nfaults = [ 1,2 ]\n"));
    assert_ne!(digest("[chaos]\nfaults = [1, 2]"), digest("[chaos]\nfaults = [1, 3]"));
}

/// What goes wrong with families, each with what is said of it.
#[test]
fn families_that_cannot_be() {
    let faulty = |more: &str| format!("{}\n", read(&format!("{FAULTS}{more}")).map(|_| ()).expect_err(more));
    let cases = [
        "[swarm]\ntoggle = [\"cot\"]",
        "[swarm]\nvary.\"fault.cot.for\" = [\"1s\", \"2s\"]",
        "[swarm]\nvary.\"fault.cut.fro\" = [\"1s\", \"2s\"]",
        "[swarm]\nvary.fault.cut.for = [\"1s\", \"2s\"]",
        "[swarm]\nvary.\"fault.cut.for\" = [\"90s\", \"1s\"]",
        "[swarm]\nvary.\"fault.cut.for\" = []",
        "[swarm]\nvary.\"fault.cut.for\" = \"1s\"",
        "[swarm]\nvary.\"services.orders.instances\" = [0, 3]",
        "[swarm]\nvary.\"clients.web.timeout\" = [\"1s\", 5]",
        "[swarm]\nvary.\"clients.web.balancer\" = [\"p2c\", \"p3c\"]",
        "[swarm]\nvary.\"length\" = [\"20s\", \"100s\"]",
        "[swarm]\ntogle = [\"cut\"]",
        "[chaos]\nfamilies = [\"partitoin\"]",
        "[chaos]\nfamilies = [\"deploy\"]",
        "[chaos]\nfamilies = [\"dns\"]",
        "[chaos]\nfamilies = []",
        "[chaos]\nfamilies = [{ crash = \"order\" }]",
        "[chaos]\nfamilies = [{ slow = \"registry\" }]",
        "[chaos]\nfaults = [4, 1]",
        "[chaos]\nat-once = 0",
        "[chaos]\nmax-down = { regstry = 1 }",
        "[chaos]\nbetween = [\"40s\", \"10s\"]",
        "[chaos]\nbetween = [\"90s\", \"95s\"]",
        "[chaos]\nfamilies = [\"crash\"]\nmax-down = { registry = 0, orders = 0, web = 0 }",
        "[chaos]\n[[expect]]\neventually = \"views-agree\"\nwithin = \"95s\"",
    ];
    insta::assert_snapshot!(cases.map(faulty).join("\n"));
}

/// Scenarios that chaos has to get along with.
const STAGES: &[&str] = &[
    "",
    FAULTS,
    "[[expect]]\neventually = \"views-agree\"\nwithin = \"60s\"\n",
    "[[expect]]\nmetric = \"converge\"\nat-most = \"60s\"\n[[expect]]\nmetric = \"success-rate\"\nduring = \"before\"\nat-least = \"1%\"\n",
    "[services.stock]\ninstances = 1\nzone = \"b\"\nservice = \"1ms\"\n",
];

/// With all that can be drawn.
const ALL: &str = r#"families = ["partition", "crash", "pause", "latency", "loss", "clock", "zone-outage", "slow", "gc", "disk",
    "registry", "duplicate", "corrupt", "connection", "vm-stall", "zombie", "stop", "crash-loop",
    "error-rate", "partial-capacity", "noisy-neighbour", "zone-brownout", "reorder", "load"]"#;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_drawn_plan_is_always_a_scenario(
        seed: u64,
        stage in 0..STAGES.len(),
        all: bool,
        members in prop::sample::select(vec![1, 2, 3, 5]),
        zones in 1..=3,
        (least, more) in (0..4_usize, 0..5_usize),
        at_once in 1..4_usize,
    ) {
        let families = if all { ALL } else { "" };
        let most = least + more;
        let chaos = format!("{}\n[chaos]\nfaults = [{least}, {most}]\nat-once = {at_once}\n", STAGES[stage]);
        // A zone that is named has to be there.
        let zones = match zones {
            _ if stage == 1 || stage == 4 || all => "[\"a\", \"b\", \"c\"]",
            1 => "[\"a\"]",
            2 => "[\"a\", \"b\"]",
            _ => "[\"a\", \"b\", \"c\"]",
        };
        let members = if all { members.max(3) } else { members };
        let text = format!("{BASE}{chaos}{families}\n")
            .replace("[\"a\", \"b\", \"c\"]", zones)
            .replace("members = 3", &format!("members = {members}"));
        let family = load("family.toml", &text, &[]).unwrap_or_else(|errors| panic!("{errors}")).family;
        let one = family.member(Seed(seed)).unwrap_or_else(|errors| panic!("{errors}"));
        let drawn: Vec<&Planned> = one.faults.iter().filter(|fault| fault.id.starts_with("chaos-")).collect();
        prop_assert!(drawn.len() <= most, "no more than were asked for");
        prop_assert!(least == 0 || !drawn.is_empty(), "the first always fits");
        let heal_by = if stage == 2 { 40 } else { 80 };
        for fault in &drawn {
            let (from, to) = span(fault);
            prop_assert!(from >= Time::START + Duration::from_secs(5), "not in the warm-up");
            prop_assert!(to <= Time::START + Duration::from_secs(heal_by), "{} heals at {to}", fault.id);
            let beside = drawn.iter().filter(|other| {
                let (begins, heals) = span(other);
                begins <= from && (from < heals || begins == from)
            });
            prop_assert!(beside.count() <= at_once, "at most {at_once} at once");
        }
    }
}
