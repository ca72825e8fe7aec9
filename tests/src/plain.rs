//! A plain stage, on which nothing happens but what a test adds: its nodes have numbers that a test may know.

use schism_runner::Report;
use schism_scenario::Scenario;

use crate::runs::{report, scenario};

/// Three zones, which nodes take turns in; members 0 to 2, instances 3 to 8, clients 9 to 20.
const PLAIN: &str = r#"
title  = "plain"
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
count    = 12
calls    = "orders"
arrivals = { poisson = "20/s" }
timeout  = "250ms"
balancer = "p2c"
"#;

/// The stage with something more.
pub fn staged(more: &str) -> Scenario {
    scenario(&format!("{PLAIN}{more}"))
}

/// A run of the stage with something more, told.
pub fn told(more: &str, seed: u64) -> Report {
    report(&staged(more), seed)
}
