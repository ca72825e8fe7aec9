//! The model of Nacos: the edges of its mechanisms from both sides, and the grids that times are spread over.

#[path = "nacos/grpc.rs"]
mod grpc;
#[path = "nacos/http.rs"]
mod http;
#[path = "nacos/told.rs"]
mod told;

use schism_models::observation::{Cause, Write};
use schism_scenario::Scenario;
use schism_tests::runs::scenario;
use schism_tests::statistics::{Ks, ks, summary, uniform};

/// Some instances and one client, 100 us one way whoever talks to whom. The servers are the first nodes, the instances
/// come next, and the client last.
fn nacos(length: &str, registry: &str, instances: u32, rest: &str) -> Scenario {
    scenario(&format!(
        r#"
        title  = "Nacos"
        length = "{length}"
        [topology]
        zones = ["a"]
        [network]
        same-zone = "100us"
        [registry.nacos]
        {registry}
        [services.orders]
        instances = {instances}
        service   = "1ms"
        [clients.web]
        count    = 1
        calls    = "orders"
        arrivals = {{ constant = "1/s" }}
        timeout  = "250ms"
        balancer = "random"
        cache    = {{ watch = {{ on-empty = "accept" }} }}
        {rest}
        "#
    ))
}

/// That chance alone may have parted a sample from a uniform distribution. The seeds are fixed, so the bound is never
/// passed by bad luck later on.
fn is_uniform(what: &str, sample: &[f64], from: f64, to: f64) {
    let Ks { d, p } = ks(sample, uniform(from, to));
    assert!(p > 0.02, "{what}: D = {d:.3}, p = {p:.1e}; {} of U({from}, {to})", summary(sample));
}

fn is_removal(write: Write) -> bool {
    matches!(write, Write::Remove(_, Cause::Expired))
}

const CUT: &str = r#"
    [[fault]]
    between   = ["20s", "30s"]
    for       = "60s"
    partition = { split = [["orders"], ["registry"]] }
"#;
