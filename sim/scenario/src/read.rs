//! From the tree of a file to a scenario as written: types, units and names of strategies, one section after another.

mod case;
pub(crate) mod client;
mod distribution;
mod expect;
pub(crate) mod fault;
pub(crate) mod subset;

pub(crate) use expect::{Unit, not_live, spelling};

use schism_core::Distribution;
use schism_models::service::ReRegister;

use crate::diagnostics::{Problem, Report};
use crate::grammar;
use crate::limits;
use crate::reader::{Bits, Section};
use crate::source::At;
use crate::spec::{LinkSpec, ServiceSpec, Spread, Written};
use crate::tree::Tree;

/// Reads the whole file.
pub(crate) fn scenario(tree: &Tree, report: &Report) -> Written {
    let top = Section::open("", tree.place, Some(tree), grammar::SCENARIO, report);
    let topology = top.child("topology");
    let network = top.child("network");
    let faults = top.list("fault", limits::FAULTS);
    Written {
        title: top.must("title"),
        why: top.maybe("why"),
        source: top.maybe("source"),
        length: top.must("length"),
        warmup: top.value("warmup"),
        seed: top.value::<Bits>("seed").map(|bits| bits.0),
        zones: topology.value("zones"),
        links: links(&topology),
        same_zone: network.value::<Distribution>("same-zone").value,
        cross_zone: network.value::<Distribution>("cross-zone").value,
        loss: network.value("loss").value,
        registry: top.choice("registry", |chosen| crate::registry::read(chosen, report)),
        services: top.named("services").into_iter().map(|(name, section)| service(name, &section)).collect(),
        clients: top
            .named("clients")
            .into_iter()
            .map(|(name, section)| client::read(name, &section))
            .collect(),
        faults_readable: faults.is_some() || top.entry("fault").is_none(),
        faults: faults.unwrap_or_default().iter().map(fault::read).collect(),
        expectations: top
            .list("expect", limits::EXPECTATIONS)
            .unwrap_or_default()
            .iter()
            .map(expect::read)
            .collect(),
        case: top.entry("case").and_then(|_| case::read(&top.child("case"))),
    }
}

fn links(topology: &Section<'_>) -> Option<Vec<LinkSpec>> {
    let most = limits::Limit { of: "links", most: limits::ZONES.most * limits::ZONES.most, ..limits::ZONES };
    let read = |link: &Section<'_>| LinkSpec {
        place: link.place,
        between: link.must("between"),
        latency: link.maybe::<Distribution>("latency").map(|at| at.value),
        loss: link.maybe("loss").map(|at| at.value),
    };
    Some(topology.list("links", most)?.iter().map(read).collect())
}

fn service(name: At<String>, section: &Section<'_>) -> ServiceSpec {
    let _: At<String> = section.value("discipline");
    ServiceSpec {
        name,
        instances: section.must("instances"),
        spread: spread(section),
        service: section.must::<Distribution>("service").map(|at| at.value),
        slots: section.value("slots").value,
        queue: section.value("queue").value,
        weight: section.value("weight").value,
        labels: section.maybe::<subset::Labels>("labels").map(|at| At::new(at.value.0, at.place)),
        re_register: if section.value("re-register").value { ReRegister::Always } else { ReRegister::Never },
    }
}

/// `zone` or `zones`, not both.
pub(crate) fn spread(section: &Section<'_>) -> Spread {
    if let (Some(zone), Some(zones)) = (section.entry("zone"), section.entry("zones")) {
        section.report.add(
            Problem::error(zones.place.max(zone.place), "both `zone` and `zones`")
                .related(zones.place.min(zone.place), "the first is here")
                .help("keep one of them"),
        );
    }
    if let Some(zone) = section.maybe::<String>("zone") {
        return Spread::Over(At::new(vec![zone.clone()], zone.place));
    }
    section.maybe("zones").map_or(Spread::All, Spread::Over)
}
