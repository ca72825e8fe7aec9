//! What `schism list` shows can be written into a scenario as it is shown.

use std::fs;
use std::process::Command;

use serde_json::Value;

fn schism(args: &[&str]) -> (bool, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_schism")).args(args).output().expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn listed(catalog: &str) -> Vec<Value> {
    let (_, out, _) = schism(&["list", catalog, "--format", "json"]);
    let all: Value = serde_json::from_str(&out).expect("JSON");
    all[catalog].as_array().expect("a list").clone()
}

fn text<'v>(entry: &'v Value, field: &str) -> &'v str {
    entry[field].as_str().expect("text")
}

/// A scenario that has one of everything.
fn scenario(registry: &str, service: &str, balancer: &str, cache: &str, more: &str) -> String {
    format!(
        r#"
title    = "What is listed"
length   = "90s"
registry = "{registry}"
topology.zones = ["a", "b"]
[services.orders]
instances = 3
service   = {service}
[clients.web]
count    = 2
calls    = "orders"
arrivals = {{ poisson = "20/s" }}
balancer = "{balancer}"
cache    = "{cache}"
{more}
"#
    )
}

fn check(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("listed.toml");
    fs::write(&file, text).unwrap();
    let (holds, _, err) = schism(&["check", file.to_str().unwrap()]);
    assert!(holds, "{text}\n{err}");
}

/// Some metrics count from the first fault or from the last heal.
const FAULT: &str = "[[fault]]\nat = \"1s\"\nfor = \"2s\"\npause = \"orders-0\"";

fn with(more: &str) -> String {
    scenario("etcd", "\"5ms\"", "p2c", "watch", more)
}

#[test]
fn strategies_are_written_as_their_names() {
    for entry in listed("registries") {
        check(&scenario(text(&entry, "name"), "\"5ms\"", "p2c", "watch", ""));
    }
    for entry in listed("balancers") {
        check(&scenario("etcd", "\"5ms\"", text(&entry, "name"), "watch", ""));
    }
    for entry in listed("caches") {
        check(&scenario("etcd", "\"5ms\"", "p2c", text(&entry, "name"), ""));
    }
}

#[test]
fn faults_and_distributions_are_written_as_they_are_shown() {
    for entry in listed("distributions") {
        check(&scenario("etcd", text(&entry, "toml"), "p2c", "watch", ""));
    }
    for entry in listed("faults") {
        let written = with(&format!("[[fault]]\nat = \"1s\"\n{}", text(&entry, "toml")));
        // What ails DNS servers means something only where there are some.
        let of_dns = text(&entry, "name") == "dns";
        let behind = written.replace("registry = \"etcd\"", "registry.dns.backed-by = \"etcd\"");
        check(if of_dns { &behind } else { &written });
    }
}

#[test]
fn oracles_take_each_of_their_moods() {
    for entry in listed("oracles") {
        let (moods, name) = text(&entry, "toml").split_once(" = ").expect("moods and a name");
        for mood in moods.split(" | ") {
            check(&with(&format!("[[expect]]\n{mood} = {name}")));
        }
    }
}

#[test]
fn metrics_can_be_bounded_in_one_unit_or_another() {
    for entry in listed("metrics") {
        let bounded = |bound: &str| {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("metric.toml");
            let metric = text(&entry, "name");
            fs::write(&file, with(&format!("{FAULT}\n[[expect]]\nmetric = \"{metric}\"\nat-most = {bound}")))
                .unwrap();
            schism(&["check", file.to_str().unwrap()]).0
        };
        let units = ["\"50%\"", "\"5s\"", "\"100/s\"", "5"];
        assert_eq!(units.iter().filter(|unit| bounded(unit)).count(), 1, "{entry}");
    }
}
