//! How clients pick endpoints: zones and labels that are there, and keys that go together.

use schism_models::client::Callee;
use schism_models::locality::{self, OWN, REST};
use schism_models::options::Value;
use schism_models::subset::{self, Labels, Selector};
use schism_models::{balancer, picker, service};

use super::topology::Zones;
use crate::diagnostics::{Language, Problem, Report, shorten, suggest};
use crate::source::{At, Place};
use crate::spec::{ClientSpec, ServiceSpec};

/// How one client group picks.
pub(super) fn config(
    spec: &ClientSpec,
    calls: Callee,
    services: &[ServiceSpec],
    zones: &Zones,
    report: &Report,
) -> Option<picker::Config> {
    let locality = spec.locality.as_ref()?;
    zones_are_there(locality, &zones.names().collect::<Vec<_>>(), report);
    let subset = match calls {
        Callee::Service(service) => {
            let labels = services[service].labels.iter().flat_map(|labels| &labels.value);
            let names: Vec<&str> = labels.map(|label| label.name.as_str()).collect();
            subset(spec.subset.as_ref(), spec.wanted.as_ref(), &names, report)
        }
        Callee::Registry(_) | Callee::Locks => {
            for_instances_alone(spec, report);
            Some(subset::Config::All)
        }
    };
    if let (Some(slow_start), Some(balancer)) = (&spec.slow_start, &spec.balancer) {
        warms_up(slow_start.place, balancer, report);
    }
    Some(picker::Config {
        balancer: spec.balancer.clone()?,
        locality: locality.value.clone(),
        subset: subset?,
        slow_start: spec.slow_start.as_ref().map(|at| at.value),
    })
}

/// A balancer that heeds no weights gives new endpoints as much as old ones.
fn warms_up(slow_start: Place, balancer: &balancer::Config, report: &Report) {
    if !balancer.warms_up() {
        let message = format!("`slow-start` means nothing to `{}`, which heeds no weights", balancer.name());
        let help =
            "Envoy's round robin is balancer = \"weighted-round-robin\"; `least-request` warms up, too";
        report.add(Problem::warning(slow_start, message).help(help));
    }
}

/// The labels of a service's instances, no more of them than there are instances.
pub(super) fn labels(spec: &ServiceSpec, report: &Report) -> Vec<service::Label> {
    let Some(labels) = &spec.labels else { return Vec::new() };
    let instances = spec.instances.map_or(u64::MAX, |at| at.value.into());
    for label in &labels.value {
        let labelled: u64 = label.values.iter().map(|(_, count)| u64::from(*count)).sum();
        if labelled > instances {
            let message = format!(
                "`{}` is on {labelled} instances, and `{}` has {instances}",
                shorten(&label.name),
                spec.name.value
            );
            report.add(Problem::error(labels.place, message).help("label no more instances than there are"));
        }
    }
    labels.value.clone()
}

/// Every table and list among a locality's options is about zones.
pub(crate) fn zones_are_there(locality: &At<locality::Config>, zones: &[&str], report: &Report) {
    for value in locality.value.values() {
        let named: Vec<String> = match value {
            Value::Table(table) => table.into_iter().map(|(zone, _)| zone).collect(),
            Value::Lists(lists) => {
                lists.into_iter().flatten().filter(|zone| zone != OWN && zone != REST).collect()
            }
            Value::None
            | Value::Count(_)
            | Value::Number(_)
            | Value::Flag(_)
            | Value::Time(_)
            | Value::Share(_)
            | Value::Word(_)
            | Value::Words(_)
            | Value::Text(_)
            | Value::Names(_) => Vec::new(),
        };
        for zone in named.iter().filter(|zone| !zones.contains(&zone.as_str())) {
            let message = format!("there is no zone `{}`", shorten(zone));
            let help = suggest(zone, zones.iter().copied());
            report.add(Problem::error(locality.place, message).maybe_help(help));
        }
    }
}

/// What the clients use, with what they ask for, where endpoints have labels of these names.
pub(crate) fn subset(
    subset: Option<&At<subset::Config>>,
    wanted: Option<&At<Vec<(String, String)>>>,
    there: &[&str],
    report: &Report,
) -> Option<subset::Config> {
    match (subset, wanted) {
        (None, None) => Some(subset::Config::All),
        (Some(At { value: subset::Config::Labels(labels), place }), wanted) => {
            let place = wanted.map_or(*place, |at| at.place);
            let wanted = wanted.map_or_else(Vec::new, |at| at.value.clone());
            let names = wanted.iter().map(|(name, _)| name);
            let keys: Vec<String> = names.clone().cloned().collect();
            let of_selectors = labels.selectors.iter().flat_map(|selector| &selector.keys);
            let of_default = labels.default.iter().map(|(name, _)| name);
            labels_are_there(of_selectors.chain(of_default), there, place, report, |place, message| {
                Problem::error(place, message)
            });
            // Whoever asks for what nobody has gets what the fallback says: in a script that may be what is to be seen.
            if report.language() == Language::Toml {
                labels_are_there(names, there, place, report, Problem::warning);
            }
            // Whoever asks without saying what may be asked for means just that.
            let own = || vec![Selector { keys, fallback: None }];
            let selectors = if labels.selectors.is_empty() { own() } else { labels.selectors.clone() };
            Some(subset::Config::Labels(Labels { wanted, selectors, ..labels.clone() }))
        }
        (Some(At { value, .. }), None) => Some(value.clone()),
        (Some(_) | None, Some(wanted)) => {
            let message = "`match` asks for labels, and `subset` is not by labels";
            let help = format!("write {} beside it", report.language().pair("subset", "\"labels\""));
            report.add(Problem::error(wanted.place, message).help(help));
            None
        }
    }
}

fn labels_are_there<'n>(
    names: impl Iterator<Item = &'n String>,
    there: &[&str],
    place: Place,
    report: &Report,
    problem: impl Fn(Place, String) -> Problem,
) {
    for name in names.filter(|name| !there.contains(&name.as_str())) {
        let message = format!("nobody has a label `{}`", shorten(name));
        let help = suggest(name, there.iter().copied());
        let or = || "label them: `labels` is beside what else is said of them".to_owned();
        report.add(problem(place, message).help(help.unwrap_or_else(or)));
    }
}

/// Clients of the registry pick no instance.
fn for_instances_alone(spec: &ClientSpec, report: &Report) {
    let written = [
        ("subset", spec.subset.as_ref().map(|at| at.place)),
        ("match", spec.wanted.as_ref().map(|at| at.place)),
        ("slow-start", spec.slow_start.as_ref().map(|at| at.place)),
        ("health-check", spec.health_check.as_ref().map(|at| at.place)),
    ];
    for (key, place) in written {
        let Some(place) = place else { continue };
        let message = format!("`{key}` is about instances, and these clients call the registry");
        report.add(Problem::error(place, message).help("leave it out"));
    }
}
