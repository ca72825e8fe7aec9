//! The JSON Schema takes what the reader takes, refuses typos, and has every key documented.

mod validator;

use schism_scenario::{load, schema};
use serde_json::Value;
use validator::wrong;

const FULL: &str = include_str!("data/full.toml");
const LEAST: &str = include_str!("data/least.toml");

fn json(text: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap()
}

#[test]
fn it_takes_scenarios_as_written_and_as_meant() {
    for text in [FULL, LEAST] {
        let plan = load("test.toml", text, &[]).unwrap().scenario.to_toml();
        for text in [text, &plan] {
            assert_eq!(wrong(&schema(), &json(text)), None, "{text}");
        }
    }
}

#[test]
fn it_refuses_what_one_key_alone_can_be_wrong_about() {
    let changes = [
        ("timeout  =", "tiemout  ="),
        ("length = \"180s\"", "length = 180"),
        ("length = \"180s\"", "length = \"180\""),
        ("length = \"180s\"", "length = \"0s\""),
        ("loss       = \"0.01%\"", "loss       = 0.01"),
        ("poisson = \"100/s\"", "poisson = 100"),
        ("poisson = \"100/s\"", "poisson = \"100/s\", constant = \"1/s\""),
        ("members            = 5", "members            = 1000000000"),
        ("members            = 5", "members            = \"5\""),
        ("version            = \"3.5\"", "version            = 3.5"),
        ("balancer = \"p2c\"", "balancer = \"p3c\""),
        ("[registry.etcd]", "[registry.etdc]"),
        ("always = \"single-leader\"", "always = \"stale-request\""),
        ("always = \"single-leader\"", "always = \"single-leader\"\nnever = \"stale-request\""),
        ("metric   = \"success-rate\"", "metric   = \"sucess-rate\""),
        ("at-least = \"99.5%\"", ""),
        ("at        = \"40s\"", ""),
        ("for       = \"35s\"", "for       = \"35s\"\nuntil = \"80s\""),
        ("for       = \"35s\"", "for       = \"35s\"\ncrash = \"orders\""),
        ("p50 = \"4ms\"", "p55 = \"4ms\""),
        ("title  =", "titel  ="),
    ];
    for (from, to) in changes {
        assert!(FULL.contains(from), "{from}");
        let changed = FULL.replacen(from, to, 1);
        assert!(load("test.toml", &changed, &[]).is_err(), "the reader takes {to}");
        assert!(wrong(&schema(), &json(&changed)).is_some(), "the schema takes {to}");
    }
}

#[test]
fn every_key_is_described() {
    fn check(schema: &Value, path: &str) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["description"].is_string(), "{path}.{name}");
            check(property, &format!("{path}.{name}"));
        }
        for inner in ["additionalProperties", "items"] {
            if schema[inner].is_object() {
                check(&schema[inner], path);
            }
        }
    }
    check(&schema(), "");
}

#[test]
fn it_changes_only_on_purpose() {
    insta::assert_snapshot!(serde_json::to_string_pretty(&schema()).unwrap());
}

#[test]
fn that_of_scripts_takes_what_their_reader_takes() {
    let script = r#"{ "balancer": { "ring-hash": { "min-ring-size": 12 } }, "randoms": [0, "7"],
        "endpoints": [{ "name": "a:80", "weight": 2, "healthy": true, "labels": { "v": "1" } }],
        "ops": [{ "pick": { "key": "x" } }, { "picks": 3 }, { "picks": { "count": 2, "keys": "k-{}" } },
                { "reply": { "endpoint": "a:80", "latency": "5ms" } }, { "update": [] }] }"#;
    let changes = [
        ("\"balancer\"", "\"balanser\""),
        ("\"key\": \"x\"", "\"key\": \"x\", \"hash\": 1"),
        ("\"healthy\": true", "\"healthy\": 1"),
        ("\"latency\": \"5ms\"", "\"latency\": 5"),
        ("{ \"picks\": 3 }", "{}"),
        ("[0, \"7\"]", "[-1]"),
    ];
    let schema = schism_scenario::pick::schema();
    let read = |text: &str| serde_json::from_str(text).expect("it is JSON");
    assert_eq!(wrong(&schema, &read(script)), None);
    for (from, to) in changes {
        let changed = script.replacen(from, to, 1);
        assert_ne!(changed, script, "{from}");
        assert!(
            schism_scenario::pick::Script::load("script.json", &changed).is_err(),
            "the reader takes {to}"
        );
        assert!(wrong(&schema, &read(&changed)).is_some(), "the schema takes {to}");
    }
}
