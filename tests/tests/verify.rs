//! What verification finds: nothing in the models, and each of six planted kinds of nondeterminism, with its place.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;

use schism_core::Seed;
use schism_models::node::{Node, Process};
use schism_runner::verify::{Aspect, Parted, Twins, check, trail, twins};
use schism_scenario::Scenario;
use schism_tests::binary::example;
use schism_tests::nondeterminism::{
    Address, CULPRIT, DrawOrder, FROM, HashOrder, PURPOSE, Planted, ProcessIdentity, ThreadIdentity,
    WallClock,
};
use schism_tests::runs::scenario;
use serde_json::Value;

/// The executable that is not deterministic.
static NONDETERMINISTIC: LazyLock<PathBuf> = LazyLock::new(|| example("nondeterministic"));

const SCENARIO: &str = r#"
title    = "Verified"
length   = "12s"

[registry.etcd]
members   = 3
lease-ttl = "5s"

[services.orders]
instances = 4
service   = { exponential = "5ms" }

[clients.web]
count    = 3
calls    = "orders"
arrivals = { poisson = "100/s" }
balancer = "p2c"
cache    = "watch"

[[fault]]
id    = "crash"
at    = "6s"
for   = "3s"
crash = "registry:leader"
"#;

fn plain() -> Scenario {
    scenario(SCENARIO)
}

#[test]
fn twins_of_the_models_are_alike_and_do_what_a_run_does() {
    let scenario = plain();
    let trail = trail::<Node>(&scenario, Seed(5));
    assert!(trail.events > 10_000, "{} events are some comparisons", trail.events);
    let alike = Twins::Alike { digest: trail.digest, events: trail.events };
    assert_eq!(twins::<Node>(&scenario, Seed(5)), alike);
    assert_eq!(check::<Node>(&scenario, Seed(5), Vec::new(), |_| None).discord, None);
}

/// Each is found with its place: the process, the event, the stream and the words of it.
fn is_found<P: Process + Debug>() -> Parted {
    let parted = match twins::<P>(&plain(), Seed(5)) {
        Twins::Parted(parted) => *parted,
        Twins::Alike { .. } => panic!("the twins did not part"),
    };
    let first = parted.differences.first().unwrap_or_else(|| panic!("nothing differed: {parted:?}"));
    assert_eq!(first.node.as_deref(), Some(CULPRIT), "{parted:?}");
    assert_eq!(first.what, "timer Arrival", "{parted:?}");
    assert!(first.at_s >= FROM.as_secs_f64() && first.at_s < FROM.as_secs_f64() + 2.0, "{parted:?}");
    let stream = format!("{CULPRIT}/{PURPOSE}");
    assert!(first.drawn.iter().any(|drawn| drawn.stream == stream), "{parted:?}");
    assert!(first.event > 0 && parted.alike.0 < parted.apart.0, "{parted:?}");
    parted
}

/// Another number of words is drawn.
fn draws_differ(parted: &Parted) {
    let first = &parted.differences[0];
    assert_eq!(first.aspect, Aspect::Draws, "{parted:?}");
    let [[from, to], [other_from, other_to]] = first.drawn[0].words;
    assert!(from == other_from && to != other_to, "{parted:?}");
}

#[test]
fn the_order_of_a_hash_table_is_found() {
    draws_differ(&is_found::<Planted<HashOrder>>());
}

#[test]
fn the_clock_of_the_machine_is_found() {
    draws_differ(&is_found::<Planted<WallClock>>());
}

#[test]
fn the_identity_of_a_thread_is_found() {
    draws_differ(&is_found::<Planted<ThreadIdentity>>());
}

#[test]
fn an_address_is_found() {
    let parted = is_found::<Planted<Address>>();
    assert!(parted.differences.iter().any(|difference| difference.aspect == Aspect::Draws), "{parted:?}");
}

/// The same words are drawn, and in another order: what is done with them differs.
#[test]
fn draws_in_an_order_that_is_left_over_are_found() {
    let parted = is_found::<Planted<DrawOrder>>();
    let first = &parted.differences[0];
    assert_eq!(first.aspect, Aspect::Deeds, "{parted:?}");
    assert_eq!(first.drawn[0].words[0], first.drawn[0].words[1], "{parted:?}");
}

/// The runs of one process are all alike: the place is found in what two processes have written down.
#[test]
fn what_differs_from_process_to_process_alone_is_found() {
    let alike = twins::<Planted<ProcessIdentity>>(&plain(), Seed(5));
    assert!(matches!(alike, Twins::Alike { .. }), "{alike:?}");
    let found = verified("process-identity");
    let discord = &found["discord"];
    assert_eq!(discord["afar"], true, "{discord:#}");
    let differences = discord["parted"]["differences"].as_array().expect("they part");
    let of = |aspect: &str| {
        let found = differences.iter().find(|difference| difference["aspect"] == aspect);
        found.unwrap_or_else(|| panic!("no {aspect}: {discord:#}"))
    };
    let draws = of("draws");
    assert_eq!(draws, &differences[0], "{discord:#}");
    assert_eq!((&draws["node"], &draws["what"]), (&CULPRIT.into(), &"timer Arrival".into()), "{discord:#}");
    assert!(draws["at_s"].as_f64() >= Some(FROM.as_secs_f64()), "{discord:#}");
    assert_eq!(draws["drawn"][0]["stream"], format!("{CULPRIT}/{PURPOSE}"), "{discord:#}");
    let words = &draws["drawn"][0]["words"];
    assert!(words[0][0] == words[1][0] && words[0][1] != words[1][1], "{discord:#}");
    assert_eq!(of("deeds")["event"], draws["event"], "{discord:#}");
    assert_eq!(of("state")["place"], "Planted.plant", "{discord:#}");
}

/// What the executable with this plant says of itself.
fn verified(kind: &str) -> Value {
    let folder = tempfile::tempdir().expect("a folder can be had");
    let file = folder.path().join("scenario.toml");
    fs::write(&file, SCENARIO).expect("it can be written");
    let mut command = Command::new(NONDETERMINISTIC.as_path());
    let output = command.arg(kind).arg(&file).arg("5").output().expect("it runs");
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// As the command does it: two processes more.
#[test]
fn a_simulator_that_is_not_deterministic_is_told_so_by_its_own_executable() {
    for kind in ["none", "hash-order", "wall-clock", "thread-identity", "address", "draw-order"] {
        let found = verified(kind);
        assert_eq!(found["runs"].as_array().map(Vec::len), Some(4));
        let first = &found["discord"]["parted"]["differences"][0];
        if kind == "none" {
            assert!(found["discord"].is_null(), "{found}");
        } else {
            assert_eq!(first["node"], CULPRIT, "{kind}: {found:#}");
            assert!(found["discord"]["alike"][0].as_u64() > Some(0), "{kind}: {found:#}");
        }
    }
}
