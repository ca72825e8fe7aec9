//! Scenarios as meant: the examples load, and their resolved form means the same.

use schism_scenario::{Loaded, Override, Spec, load};

const FULL: &str = include_str!("data/full.toml");
const LEAST: &str = include_str!("data/least.toml");

fn loaded(text: &str) -> Loaded {
    load("test.toml", text, &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn the_resolved_scenario_means_the_same() {
    for text in [FULL, LEAST] {
        let first = loaded(text).scenario;
        let plan = first.to_toml();
        let second =
            load("plan.toml", &plan, &[]).unwrap_or_else(|errors| panic!("{errors}\n{plan}")).scenario;
        assert_eq!(second.to_toml(), plan);
        assert_eq!(second.digest, first.digest);
    }
}

#[test]
fn the_least_scenario_spells_out_its_defaults() {
    insta::assert_snapshot!(loaded(LEAST).scenario.to_toml(), @r##"
title = "As little as can be written"
seed = 0
length = "10s"
warmup = "0s"

[topology]
zones = ["a"]

[network]
same-zone = { lognormal = { p50 = "250us", p99 = "1ms" } }
loss = "0%"

[registry.etcd]
members = 3
zones = ["a"]
version = "3.6"
lease-ttl = "10s"
heartbeat-interval = "100ms"
election-timeout = "1s"
fsync = { lognormal = { p50 = "1ms", p99 = "8ms" } }
request-timeout = "5s"
keepalive-time = "none"
lease-clock = "monotonic"
lease-checkpoint = false
require-leader = false
"##);
}

#[test]
fn the_full_scenario_spells_out_its_defaults() {
    insta::assert_snapshot!(loaded(FULL).scenario.to_toml());
}

/// Makes the same change to a text, and says whether it means the same still.
fn same(a: &str, b: &str) -> bool {
    loaded(a).scenario.digest == loaded(b).scenario.digest
}

#[test]
fn comments_order_prose_and_the_seed_are_not_part_of_the_meaning() {
    let commented: String = FULL.lines().map(|line| format!("{line} # a comment\n")).collect();
    assert!(same(FULL, &commented));
    assert!(same(FULL, &FULL.replace("seed   = 42", "seed   = 43")));
    assert!(same(FULL, &FULL.replace("A zone goes dark", "Another title")));
    assert!(same(
        FULL,
        &FULL.replace("length = \"180s\"\nwarmup = \"10s\"", "warmup = \"10000ms\"\nlength = \"3m\"")
    ));
    assert!(same(FULL, &FULL.replace("zone      = \"b\"\nservice", "zones     = [\"b\"]\nservice")));
}

#[test]
fn all_that_decides_what_happens_is_part_of_the_meaning() {
    let changes = [
        ("length = \"180s\"", "length = \"181s\""),
        ("warmup = \"10s\"", "warmup = \"11s\""),
        ("latency = \"1ms\"", "latency = \"2ms\""),
        ("loss       = \"0.01%\"", "loss       = \"0.02%\""),
        ("version            = \"3.5\"", "version            = \"3.4\""),
        ("instances   = 30", "instances   = 31"),
        ("p99 = \"40ms\"", "p99 = \"41ms\""),
        ("poisson = \"100/s\"", "poisson = \"101/s\""),
        ("balancer = \"p2c\"", "balancer = \"random\""),
        ("on-empty = \"keep\"", "on-empty = \"accept\""),
        ("for       = \"35s\"", "for       = \"36s\""),
        ("after  = [\"500ms\", \"1s\"]", "after  = [\"500ms\", \"2s\"]"),
        ("every = \"3s\", times = 3", "every = \"3s\", times = 4"),
        ("then = \"2s\"", "then = \"3s\""),
        ("{ pause = \"orders-8\" }", "{ pause = \"orders-6\" }"),
        ("below = \"42%\"", "below = \"43%\""),
        ("registry:leader", "registry:followers"),
        ("always = \"single-leader\"", "always = \"never-empty\""),
        ("at-least = \"99.5%\"", "at-least = \"99.6%\""),
        ("id        = \"cut\"\n", ""),
    ];
    for (from, to) in changes {
        let changed = FULL
            .replace(from, to)
            .replace("during   = \"cut\"", if to.is_empty() { "" } else { "during = \"cut\"" })
            .replace("cut.heals", if to.is_empty() { "partition-1.heals" } else { "cut.heals" });
        assert_ne!(changed, FULL, "{from}");
        assert!(!same(FULL, &changed), "{from} => {to}");
    }
}

#[test]
fn nodes_are_numbered_members_first_and_take_turns_in_their_zones() {
    let scenario = loaded(FULL).scenario;
    let node = |node: &schism_scenario::Node| {
        format!("{:?} {} {}", node.id, node.name, scenario.topology.name(node.zone))
    };
    assert_eq!(
        scenario.members.iter().map(node).collect::<Vec<_>>(),
        ["#0 registry-0 a", "#1 registry-1 b", "#2 registry-2 a", "#3 registry-3 b", "#4 registry-4 a",]
    );
    assert_eq!(node(&scenario.services[0].nodes[5]), "#10 orders-5 c");
    assert_eq!(node(&scenario.services[1].nodes[0]), "#35 stock-0 b");
    assert_eq!(node(&scenario.clients[2].nodes[0]), "#100 cron-0 c");
}

/// What the resolved scenario says of one key, with overrides.
fn overridden(overrides: &[&str]) -> String {
    let overrides: Vec<Override> = overrides.iter().map(|text| Override::new(*text)).collect();
    load("test.toml", FULL, &overrides).unwrap_or_else(|errors| panic!("{errors}")).scenario.to_toml()
}

#[test]
fn overrides_take_the_place_of_what_the_file_says() {
    let cases = [
        ("clients.web.timeout=100ms", "timeout = \"100ms\""),
        ("clients.web.timeout=\"100ms\"", "timeout = \"100ms\""),
        ("clients.cron.deadline=7s", "deadline = \"7s\""),
        ("seed=7", "seed = 7"),
        ("title=2024", "title = \"2024\""),
        ("registry.etcd.version=3.4", "version = \"3.4\""),
        ("fault.cut.for=20s", "for = \"20s\""),
        ("fault.0.for=20s", "for = \"20s\""),
        ("fault.crash-1.crash.restart-after=3s", "for = \"3s\""),
        ("fault.pause-1.pause.target=web-9", "pause = [\"web-9\"]"),
        ("fault.cut.partition.mode=reject", "mode = \"reject\""),
        ("expect.eventually-views-agree.within=33s", "within = \"33s\""),
        ("expect.it keeps serving.at-least=42%", "at-least = \"42%\""),
        ("clients.web.arrivals.constant=10/s", "arrivals = { constant = \"10/s\" }"),
        (
            "clients.web.balancer=round-robin",
            "balancer = \"round-robin\"\ncache = { watch = { on-empty = \"keep\"",
        ),
        ("clients.cron.cache.ttl.ttl=9s", "cache = { ttl = { ttl = \"9s\", reads = \"linearizable\" } }"),
        ("services.orders.service.exponential=9ms", "service = { exponential = { mean = \"9ms\" } }"),
        (
            "services.orders.service.lognormal.p99=50ms",
            "service = { lognormal = { p50 = \"4ms\", p99 = \"50ms\" } }",
        ),
        ("network.loss=1.5%", "loss = \"1.5%\""),
        ("topology.zones=[\"a\", \"b\", \"c\"]", "zones = [\"a\", \"b\", \"c\"]"),
    ];
    for (text, says) in cases {
        let plan = overridden(&[text]);
        assert!(plan.contains(says), "{text} is not in\n{plan}");
    }
}

#[test]
fn the_last_override_of_a_path_holds() {
    assert!(overridden(&["seed=1", "seed=2"]).contains("seed = 2"));
}

#[test]
fn naming_another_registry_chooses_it() {
    let least = |text| load("test.toml", LEAST, &[Override::new(text)]);
    let members = |text| least(text).unwrap().scenario.members.len();
    assert_eq!(members("registry.etcd.members=5"), 5);
    let errors = least("registry=static").unwrap_err().to_string();
    assert!(errors.contains("there is nobody to simulate"), "{errors}");
}

#[test]
fn links_that_are_all_alike_are_one_cross_zone_latency() {
    let three = "[topology]\nzones = [\"a\", \"b\", \"c\"]\n";
    let links = "links = [{ between = [\"c\", \"a\"] }, { between = [\"b\", \"a\"] }, { between = [\"c\", \"b\"] }]\n";
    let implied = format!("{LEAST}{three}");
    assert!(same(&implied, &format!("{LEAST}{three}{links}")));
    assert!(loaded(&implied).scenario.to_toml().contains("cross-zone = "));
}

#[test]
fn parsing_and_checking_are_two_steps() {
    let loaded = FULL.parse::<Spec>().unwrap().check().unwrap();
    assert_eq!(loaded.scenario.title, "A zone goes dark");
    assert!("title = 3".parse::<Spec>().is_err());
}
