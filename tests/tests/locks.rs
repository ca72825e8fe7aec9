//! Locks: the recipes of the registries' client libraries against what their sources say, from both sides of each edge.

#[path = "locks/consul.rs"]
mod consul;
#[path = "locks/etcd.rs"]
mod etcd;
#[path = "locks/family.rs"]
mod family;
#[path = "locks/kubernetes.rs"]
mod kubernetes;
#[path = "locks/zookeeper.rs"]
mod zookeeper;

use std::collections::BTreeMap;

use schism_core::{NodeId, Time};
use schism_models::observation::Observation;
use schism_scenario::Scenario;
use schism_tests::runs::{Seen, scenario, secs};

/// Three members, a store and two clients who want the same lock: `first`, who has it from the start, and `second`.
const STORE: NodeId = NodeId(3);
const FIRST: NodeId = NodeId(4);
const SECOND: NodeId = NodeId(5);

/// When faults begin.
const FAULT_S: f64 = 20.0;

/// A run of a minute in which `first` wants to keep the lock for long.
fn contended(registry: &str, lock: &str, more: &str) -> Scenario {
    let client = |name: &str, hold: &str, think: &str| {
        format!(
            "[clients.{name}]\ncount = 1\ncalls = \"registry\"\noperation = \"lock\"\n\
             lock = {{ {lock}, hold = \"{hold}\", writes = \"store\", every = \"500ms\" }}\n\
             arrivals = {{ closed = {{ think = \"{think}\" }} }}\n"
        )
    };
    scenario(&format!(
        "title = \"Two want a lock\"\nlength = \"80s\"\n{registry}\n\
         [services.store]\ninstances = 1\nservice = \"1ms\"\n\
         {}{}\n{more}",
        client("first", "70s", "2s"),
        client("second", "2s", "6s"),
    ))
}

/// A run in which two take turns with a lock.
fn turns(registry: &str) -> Scenario {
    scenario(&format!(
        "title = \"Turns\"\nlength = \"80s\"\n{registry}\n[services.store]\ninstances = 1\nservice = \"1ms\"\n\
         [clients.worker]\ncount = 2\ncalls = \"registry\"\noperation = \"lock\"\nlock = {{ hold = \"1s\" }}\n\
         arrivals = {{ closed = {{ think = \"100ms\" }} }}\n"
    ))
}

fn fault(lasts: &str, what: &str) -> String {
    format!("[[fault]]\nat = \"{FAULT_S}s\"\nfor = \"{lasts}\"\n{what}\n")
}

/// When someone believed that it held the lock, and when it ceased to, in seconds; the end of the run, if it did not.
fn beliefs(seen: &Seen, of: NodeId) -> Vec<(f64, f64)> {
    let mut spans = Vec::new();
    for (at, _, told) in seen.told.iter().filter(|told| told.1 == of) {
        let at = secs(*at, Time::START);
        if let Observation::Acquired { .. } = told {
            spans.push((at, 80.0));
        }
        if let Observation::Released { .. } | Observation::LockLost { .. } = told {
            spans.last_mut().unwrap_or_else(|| panic!("{of:?} had a lock")).1 = at;
        }
    }
    spans
}

/// When `second` got the lock for the first time, if it did.
fn taken_over(seen: &Seen) -> Option<f64> {
    beliefs(seen, SECOND).first().map(|span| span.0)
}

/// When `first` ceased to believe, after the fault.
fn given_up(seen: &Seen) -> f64 {
    let held = beliefs(seen, FIRST);
    held.first().unwrap_or_else(|| panic!("first has the lock from the start")).1
}

/// Writes that the store has accepted: when, whose, and with which token.
fn writes(seen: &Seen) -> Vec<(f64, NodeId, u64)> {
    let written = seen.told.iter().filter_map(|(at, keeper, told)| {
        let Observation::GuardedWrite { token, by, .. } = told else { return None };
        assert_eq!(*keeper, STORE, "only the store takes writes");
        Some((secs(*at, Time::START), *by, *token))
    });
    written.collect()
}

/// The numbers that came with a lock, in the order in which it was acquired.
fn tokens(seen: &Seen) -> BTreeMap<u32, Vec<(NodeId, u64)>> {
    let mut tokens: BTreeMap<u32, Vec<(NodeId, u64)>> = BTreeMap::new();
    for (_, by, told) in &seen.told {
        if let Observation::Acquired { lock, token } = *told {
            tokens.entry(lock).or_default().push((*by, token));
        }
    }
    tokens
}

#[test]
fn registries_without_locks_say_so() {
    let refusals = [
        ("[registry.static]", "`registry` is static: it has no member to call"),
        ("[registry.eureka]\nmembers = 2", "eureka has no locks"),
        ("[registry.nacos]\nmembers = 3", "nacos has no locks"),
        ("[registry.dns]", "dns has no locks"),
    ];
    for (registry, why) in refusals {
        let text = format!(
            "title = \"Refused\"\nlength = \"80s\"\n{registry}\n[services.store]\ninstances = 1\nservice = \"1ms\"\n\
             [clients.worker]\ncount = 2\ncalls = \"registry\"\noperation = \"lock\"\n\
             arrivals = {{ closed = {{ think = \"100ms\" }} }}\n"
        );
        let refused = schism_scenario::load("test.toml", &text, &[]).expect_err(why).to_string();
        assert!(refused.contains(why), "{registry}: {refused}");
    }
}

/// From both sides of the edge: Consul takes no session of less than ten seconds.
#[test]
fn consul_takes_no_session_of_less_than_ten_seconds() {
    let with = |ttl: &str| {
        let text = format!(
            "title = \"Short\"\nlength = \"80s\"\n[registry.consul]\nmembers = 3\nlease-ttl = \"15s\"\n\
             [clients.worker]\ncount = 2\ncalls = \"registry\"\noperation = \"lock\"\nlock = {{ ttl = \"{ttl}\" }}\n\
             arrivals = {{ closed = {{ think = \"100ms\" }} }}\n"
        );
        schism_scenario::load("test.toml", &text, &[]).map(|_| ()).map_err(|errors| errors.to_string())
    };
    assert_eq!(with("10s"), Ok(()));
    let refused = with("9999ms").expect_err("it is too short");
    assert!(refused.contains("consul takes no time to live of 9.999s for a lock"), "{refused}");
}
