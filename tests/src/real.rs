//! Models of registries against real ones: the same experiments as scenarios, and the same figures.

use schism_runner::Report;
use schism_runner::report::Lease;

use crate::statistics::{Ks, ks_two, summary};

/// A scenario's text as the measurements were taken: on loopback, 100 us one way whoever talks to whom. Members and
/// whoever else counts are spread over three zones.
pub fn on_loopback(length: &str, registry: &str, rest: &str) -> String {
    format!(
        r#"
        title  = "Against a real registry"
        length = "{length}"
        [topology]
        zones = ["a", "b", "c"]
        [network]
        same-zone  = "100us"
        cross-zone = "100us"
        {registry}
        {rest}
        "#
    )
}

/// Clients that ask the registry for something so often, and wait long for the answer.
pub fn callers(name: &str, count: u32, operation: &str, rate: u32) -> String {
    format!(
        r#"
        [clients.{name}]
        count     = {count}
        calls     = "registry"
        operation = "{operation}"
        timeout   = "30s"
        arrivals  = {{ constant = "{rate}/s" }}
        "#
    )
}

/// Removal less last refresh less time to live, in seconds, of all leases that ran out.
pub fn excesses(report: &Report, ttl: f64) -> Vec<f64> {
    let expired = report.leases.iter().filter(|lease| lease.cause == Some("expired"));
    let excess = |lease: &Lease| Some(lease.removed_s? - lease.last_renewal_s? - ttl);
    expired.filter_map(excess).collect()
}

/// That chance alone may have parted the two samples. The seeds are fixed, so the bound is never passed by bad luck
/// later on; a wrong mechanism, such as a read that is retried half a second late, is far beyond it.
///
/// # Panics
/// If it hardly can have.
pub fn alike(what: &str, Ks { d, p }: Ks, model: &[f64], real: &str) {
    assert!(p > 0.02, "{what}: D = {d:.3}, p = {p:.1e}; model {}, real {real}", summary(model));
}

/// The same of two samples.
///
/// # Panics
/// If chance alone can hardly have parted them.
pub fn alike_two(what: &str, model: &[f64], real: &[f64]) {
    alike(what, ks_two(model, real), model, &summary(real));
}
