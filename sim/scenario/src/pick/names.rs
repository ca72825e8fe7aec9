//! Who is named in a script: endpoints and zones, with the numbers that they get in the order in which they come.

use std::collections::BTreeMap;

use schism_core::{NodeId, ZoneId};
use schism_models::listing::{Endpoint, Labels};
use schism_models::locality::Standing;

use super::Listed;
use super::read::{not_both, text};
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::limits;
use crate::read::subset::Texts;
use crate::reader::{Section, too_many};
use crate::source::{At, Place};

/// Who has been named so far, and which number that is.
pub(super) struct Names<'t> {
    report: &'t Report,
    pub(super) endpoints: Vec<String>,
    /// What was said of each endpoint that no list may change.
    pub(super) labels: Vec<Labels>,
    pub(super) priorities: Vec<Option<u32>>,
    ordinals: BTreeMap<String, u32>,
    pub(super) zones: Vec<String>,
    /// Whether the script says which zones there are.
    are_zones_given: bool,
    /// The client's own zone: by default the first.
    pub(super) home: ZoneId,
    /// Requests in flight of all lists.
    active: u64,
}

impl<'t> Names<'t> {
    pub(super) fn new(top: &Section<'t>) -> Names<'t> {
        let given = top.maybe::<Vec<At<String>>>("zones");
        let mut names = Names {
            report: top.report,
            endpoints: Vec::new(),
            labels: Vec::new(),
            priorities: Vec::new(),
            ordinals: BTreeMap::new(),
            zones: Vec::new(),
            are_zones_given: false,
            home: ZoneId(0),
            active: 0,
        };
        for zone in given.iter().flat_map(|at| &at.value) {
            names.zone(zone, top.report);
        }
        names.are_zones_given = given.is_some();
        names
    }

    /// The number of a zone, which it gets now unless all zones are known.
    pub(super) fn zone(&mut self, name: &At<String>, report: &Report) -> Option<ZoneId> {
        let at = self.zones.iter().position(|zone| *zone == name.value);
        if at.is_none() && self.are_zones_given {
            let message = format!("there is no zone `{}`", shorten(&name.value));
            let help = suggest(&name.value, self.zones.iter().map(String::as_str));
            report.add(Problem::error(name.place, message).maybe_help(help));
            return None;
        }
        // One more than there may be is enough to refuse them.
        if at.is_none() && self.zones.len() as u64 <= limits::ZONES.most {
            self.zones.push(name.value.clone());
        }
        Some(ZoneId(at.unwrap_or(self.zones.len() - 1) as u16))
    }

    pub(super) fn check_zones(&mut self, place: Place, report: &Report) {
        if self.zones.len() as u64 > limits::ZONES.most {
            report.add(too_many(place, limits::ZONES, self.zones.len() as u64));
        }
    }

    /// The number of an endpoint, which it gets now if it has none.
    fn ordinal(&mut self, name: &str) -> u32 {
        if let Some(ordinal) = self.ordinals.get(name) {
            return *ordinal;
        }
        let ordinal = self.endpoints.len() as u32;
        self.endpoints.push(name.to_owned());
        self.labels.push(Labels::new());
        self.priorities.push(None);
        self.ordinals.insert(name.to_owned(), ordinal);
        ordinal
    }

    /// The number of an endpoint that some list has.
    pub(super) fn known(&self, section: &Section<'_>, key: &str) -> Option<u32> {
        let name = section.must::<String>(key)?;
        let ordinal = self.ordinals.get(&name.value).copied();
        if ordinal.is_none() {
            let message = format!("no list has an endpoint `{}`", shorten(&name.value));
            let help = suggest(&name.value, self.endpoints.iter().map(String::as_str));
            section.report.add(Problem::error(name.place, message).maybe_help(help));
        }
        ordinal
    }

    /// A list of endpoints.
    pub(super) fn list(&mut self, section: &Section<'t>, key: &str) -> Option<Vec<Listed>> {
        let mut seen: BTreeMap<u32, Place> = BTreeMap::new();
        let mut list = Vec::new();
        for one in &section.list(key, limits::PICK_ENDPOINTS)? {
            let Some((name, listed)) = self.endpoint(one) else { continue };
            if let Some(first) = seen.insert(listed.endpoint.ordinal, name) {
                let twice = &self.endpoints[listed.endpoint.ordinal as usize];
                self.report.add(
                    Problem::error(name, format!("there are two endpoints `{}`", shorten(twice)))
                        .related(first, "the first is here")
                        .help("leave one of them out, or give it a name of its own"),
                );
            }
            list.push(listed);
        }
        Some(list)
    }

    /// Its labels and its priority level.
    fn for_good(&mut self, section: &Section<'_>, ordinal: u32) {
        let (place, report) = (ordinal as usize, section.report);
        let labels = section.maybe::<Texts>("labels").map(|at| At::new(at.value.0, at.place));
        let priority = section.maybe::<u32>("priority").map(|at| at.map(Some));
        settle(&mut self.labels[place], &Labels::new(), labels, "labels", report);
        settle(&mut self.priorities[place], &None, priority, "priority", report);
    }

    fn endpoint(&mut self, section: &Section<'_>) -> Option<(Place, Listed)> {
        let report = section.report;
        let name = text(section, section.must("name")?)?;
        let weight = section.value("weight").value;
        if name.value.is_empty() {
            report.add(Problem::error(name.place, "an endpoint needs a name").help("its address will do"));
            return None;
        }
        let zone = section.maybe("zone").map_or(Some(self.home), |zone| self.zone(&zone, report))?;
        let standing = standing(section)?;
        let active = section.maybe::<u32>("active");
        self.active += active.map_or(0, |at| u64::from(at.value));
        if let Some(active) = active
            && self.active > limits::PICK_ACTIVE_TOTAL.most
        {
            report.add(too_many(active.place, limits::PICK_ACTIVE_TOTAL, self.active));
            return None;
        }
        let ordinal = self.ordinal(&name.value);
        self.for_good(section, ordinal);
        let endpoint = Endpoint { node: NodeId(ordinal), ordinal, zone, weight };
        Some((name.place, Listed { endpoint, standing, active: active.map(|at| at.value) }))
    }
}

/// Takes what is said of an endpoint for the first time; later lists may say the same or nothing.
fn settle<T: Clone + PartialEq>(known: &mut T, none: &T, said: Option<At<T>>, key: &str, report: &Report) {
    let Some(At { value, place }) = said else { return };
    if *known != *none && *known != value {
        let message = format!("another list has another `{key}` for this endpoint");
        report.add(Problem::error(place, message).help("it is the same for good: say it once"));
    }
    *known = value;
}

/// `healthy` or `health`, not both.
fn standing(section: &Section<'_>) -> Option<Standing> {
    not_both(section, "healthy", "health");
    let is_healthy = section.maybe::<bool>("healthy").map(|at| at.value);
    let health = section.maybe::<String>("health").map(|at| at.value);
    Some(match health.as_deref() {
        Some("degraded") => Standing::Degraded,
        Some("unhealthy") => Standing::Unhealthy,
        Some("excluded") => Standing::Excluded,
        None if is_healthy == Some(false) => Standing::Unhealthy,
        Some(_) | None => Standing::Healthy,
    })
}
