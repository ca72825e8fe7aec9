//! `registry`, with its options.

use schism_core::Distribution;
use schism_models::registry::etcd::{LeaseClock, Version};

use crate::diagnostics::Report;
use crate::grammar;
use crate::reader::Chosen;
use crate::source::At;
use crate::spec::{EtcdSpec, RegistrySpec};

pub(super) fn read(chosen: &Chosen<'_>, report: &Report) -> Option<RegistrySpec> {
    match chosen.name {
        "static" => {
            chosen.options("registry", &[], report);
            Some(RegistrySpec::Static)
        }
        "etcd" => Some(RegistrySpec::Etcd(Box::new(etcd(chosen, report)))),
        name => unreachable!("the catalog has a registry `{name}` that cannot be read"),
    }
}

fn etcd(chosen: &Chosen<'_>, report: &Report) -> EtcdSpec {
    let section = chosen.options("registry", grammar::ETCD, report);
    let version: At<String> = section.value("version");
    EtcdSpec {
        members: section.value("members"),
        spread: super::spread(&section),
        version: match version.value.as_str() {
            "3.4" => Version::V3_4,
            "3.5" => Version::V3_5,
            _ => Version::V3_6,
        },
        lease_ttl: section.value("lease-ttl"),
        heartbeat: section.value("heartbeat-interval"),
        election: section.value("election-timeout"),
        fsync: section.value::<Distribution>("fsync").value,
        request_timeout: section.value("request-timeout"),
        keepalive_time: section.value("keepalive-time"),
        keepalive_timeout: section.value("keepalive-timeout").value,
        lease_clock: match section.value::<String>("lease-clock").value.as_str() {
            "wall" => LeaseClock::Wall,
            _ => LeaseClock::Monotonic,
        },
    }
}
