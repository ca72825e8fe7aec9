//! Zones and links: names that exist, links that connect all.

use std::collections::BTreeMap;

use schism_core::{Link, Topology, ZoneId};

use crate::diagnostics::{Problem, Report, shorten};
use crate::limits;
use crate::reader::too_many;
use crate::source::At;
use crate::spec::{LinkSpec, Written};
use crate::target::is_name;

/// The zones by name.
pub(super) struct Zones {
    ids: BTreeMap<String, ZoneId>,
    names: Vec<String>,
}

impl Zones {
    pub(super) fn find(&self, name: &str) -> Option<ZoneId> {
        self.ids.get(name).copied()
    }

    pub(super) fn name(&self, zone: ZoneId) -> &str {
        &self.names[usize::from(zone.0)]
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.names.iter().map(String::as_str)
    }

    pub(super) fn all(&self) -> Vec<ZoneId> {
        (0..self.names.len() as u16).map(ZoneId).collect()
    }
}

/// The graph. None if so much is wrong that nothing else can be checked.
pub(super) fn check(written: &Written, report: &Report) -> Option<(Topology, Zones)> {
    let zones = zones(&written.zones, report)?;
    let link = |latency| Link { latency, loss: written.loss };
    let mut topology = Topology::new();
    for name in &zones.names {
        topology.add_zone(name, link(written.same_zone.clone()));
    }
    match &written.links {
        Some(links) => add_links(&mut topology, links, written, &zones, report),
        None => {
            for (a, b) in zones
                .all()
                .iter()
                .flat_map(|a| zones.all().into_iter().map(|b| (*a, b)))
                .filter(|(a, b)| a < b)
            {
                topology.add_link(a, b, link(written.cross_zone.clone()));
            }
        }
    }
    Some((topology, zones))
}

fn zones(written: &At<Vec<At<String>>>, report: &Report) -> Option<Zones> {
    let given = written.value.len() as u64;
    if given == 0 {
        report.add(
            Problem::error(written.place, "`zones` is empty").help("write zones = [\"a\"], or leave it out"),
        );
        return None;
    }
    if given > limits::ZONES.most {
        report.add(too_many(written.place, limits::ZONES, given));
        return None;
    }
    let mut zones = Zones { ids: BTreeMap::new(), names: Vec::new() };
    for zone in &written.value {
        if !is_name(&zone.value) {
            report.add(bad_name("zone", zone));
        } else if zones.ids.contains_key(&zone.value) {
            let message = format!("the zone `{}` is there twice", zone.value);
            report.add(Problem::error(zone.place, message).help("remove one, or give it another name"));
        }
        zones.ids.entry(zone.value.clone()).or_insert(ZoneId(zones.names.len() as u16));
        zones.names.push(zone.value.clone());
    }
    Some(zones)
}

/// A name that would not do in a target or in a report.
pub(super) fn bad_name(what: &str, name: &At<String>) -> Problem {
    let message = format!("`{}` cannot be the name of a {what}", shorten(&name.value));
    Problem::error(name.place, message).help(format!(
        "use letters, digits, `-` and `_`, at most {} of them, with a letter or digit at both ends",
        limits::NAME_BYTES
    ))
}

fn add_links(topology: &mut Topology, links: &[LinkSpec], written: &Written, zones: &Zones, report: &Report) {
    let mut seen = BTreeMap::new();
    for spec in links {
        let Some((a, b)) = ends(spec, zones, report) else { continue };
        if let Some(first) = seen.insert((a.min(b), a.max(b)), spec.place) {
            let message = format!("`{}` and `{}` are linked twice", zones.name(a), zones.name(b));
            report.add(
                Problem::error(spec.place, message)
                    .related(first, "the first is here")
                    .help("links go both ways: keep one"),
            );
        }
        let latency = spec.latency.clone().unwrap_or_else(|| written.cross_zone.clone());
        topology.add_link(a, b, Link { latency, loss: spec.loss.unwrap_or(written.loss) });
    }
    if !report.has_errors() {
        connected(topology, written, zones, report);
    }
}

fn ends(spec: &LinkSpec, zones: &Zones, report: &Report) -> Option<(ZoneId, ZoneId)> {
    let between = spec.between.as_ref()?;
    let [a, b] = &between.value[..] else {
        let message = format!("`between` is two zones, not {}", between.value.len());
        report.add(Problem::error(between.place, message).help("write between = [\"a\", \"b\"]"));
        return None;
    };
    let find = |name: &At<String>| {
        zones.find(&name.value).or_else(|| {
            report.add(super::no_zone(name, zones));
            None
        })
    };
    let (first, second) = (find(a), find(b));
    let (first, second) = (first?, second?);
    if first == second {
        let message = format!("a link from `{}` to itself", a.value);
        report.add(
            Problem::error(between.place, message).help("`network.same-zone` is the latency within a zone"),
        );
        return None;
    }
    Some((first, second))
}

/// Whether every zone reaches every other, when nothing is cut.
fn connected(topology: &Topology, written: &Written, zones: &Zones, report: &Report) {
    let all = zones.all();
    let mut reached = vec![false; all.len()];
    let mut open = vec![all[0]];
    while let Some(here) = open.pop() {
        reached[usize::from(here.0)] = true;
        let next = topology.links().filter_map(|(a, b, _)| match here {
            _ if a == here => Some(b),
            _ if b == here => Some(a),
            _ => None,
        });
        open.extend(next.filter(|zone| !reached[usize::from(zone.0)]));
    }
    let Some(lost) = all.iter().find(|zone| !reached[usize::from(zone.0)]) else { return };
    let (a, b) = (zones.name(all[0]), zones.name(*lost));
    let message = format!("no links lead from zone `{a}` to zone `{b}`");
    report.add(Problem::error(written.zones.value[usize::from(lost.0)].place, message).help(format!(
        "add {{ between = [\"{a}\", \"{b}\"] }} to `links`; to cut zones for a while, use a fault"
    )));
}
