//! A stage on which every kind of fault has something to strike, and a line for each way to write one.

use schism_runner::Report;
use schism_scenario::Scenario;

use crate::runs::{report, scenario};

/// One way to write a fault, as `schism list faults` shows it.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The key of the kind.
    pub kind: &'static str,
    /// The whole line.
    pub toml: &'static str,
}

/// Every way to write a fault; each kind has at least one.
pub fn ways() -> Vec<Way> {
    schism_scenario::faults().map(|(kind, _, toml)| Way { kind, toml }).collect()
}

/// The stage: three zones, a registry of three, a service of six, a dozen clients of it, one who writes to the registry,
/// and no fault but one: an instance of another service comes and goes, so that the registry has something to tell
/// between 23 and 27 s. Some clients watch, and some list again and again.
pub const STAGE: &str = r#"
title  = "stage"
length = "60s"
warmup = "5s"

[topology]
zones = ["a", "b", "c"]

[registry.etcd]
lease-ttl = "5s"

[services.orders]
instances = 6
service   = { exponential = "5ms" }
slots     = 4
queue     = 50

[clients.web]
count    = 6
calls    = "orders"
arrivals = { poisson = "20/s" }
timeout  = "250ms"
balancer = "p2c"

[clients.cron]
count    = 6
calls    = "stock"
arrivals = { constant = "2/s" }
cache    = { ttl = { ttl = "1s" } }

[clients.shop]
count    = 6
calls    = "stock"
arrivals = { constant = "1/s" }

[services.stock]
instances = 2
service   = "1ms"

[clients.writer]
count     = 1
calls     = "registry"
operation = "put"
arrivals  = { constant = "2/s" }
timeout   = "5s"

[[fault]]
id    = "churn"
at    = "18s"
for   = "8s"
crash = "stock-0"
"#;

/// The part of the stage that is its registry, and what it is where faults of DNS servers are tried: in front of the same.
/// There nobody writes to the registry, since a name server takes no writes, and clients look up every two seconds.
const DNS: [(&str, &str); 2] = [
    (
        "[registry.etcd]\nlease-ttl = \"5s\"\n",
        "[registry.dns]\nbacked-by.etcd = { lease-ttl = \"5s\" }\nresolver = { envoy-strict = { refresh = \"2s\" } }\n",
    ),
    (WRITER, ""),
];

const WRITER: &str = r#"[clients.writer]
count     = 1
calls     = "registry"
operation = "put"
arrivals  = { constant = "2/s" }
timeout   = "5s"
"#;

/// Whether something more has to do with DNS servers.
pub fn is_of_dns(more: &str) -> bool {
    more.contains("dns = ")
}

/// The stage with something more: in front of the registry stand DNS servers, if that is a fault of theirs.
fn stage(more: &str) -> String {
    bare(is_of_dns(more)) + more
}

/// The stage itself.
fn bare(of_dns: bool) -> String {
    let mut stage = STAGE.to_owned();
    if of_dns {
        for (part, instead) in DNS {
            assert!(stage.contains(part), "the stage has {part}");
            stage = stage.replace(part, instead);
        }
    }
    stage
}

/// The stage that something more would be put on, without it.
pub fn without(more: &str) -> Scenario {
    scenario(&bare(is_of_dns(more)))
}

/// A fault of the stage: where it stands in time, and what it is.
pub fn fault(id: &str, when: &str, toml: &str) -> String {
    format!("\n[[fault]]\nid = \"{id}\"\n{when}\n{toml}\n")
}

/// The stage with something more.
pub fn staged(more: &str) -> Scenario {
    scenario(&stage(more))
}

/// What the loader says of the stage with something more, if it refuses it.
pub fn refusal(more: &str) -> Option<String> {
    schism_scenario::load("stage.toml", stage(more), &[]).err().map(|errors| errors.to_string())
}

/// What madsim cannot do of the stage with something more, if there is anything.
pub fn misfit(more: &str) -> Option<String> {
    schism_scenario::fit_for_madsim("stage.toml", stage(more), &[]).err().map(|errors| errors.to_string())
}

/// A run of the stage with something more, told.
pub fn told(more: &str, seed: u64) -> Report {
    report(&staged(more), seed)
}
