//! From the tree of a script to what is meant.

use std::collections::{BTreeMap, BTreeSet};

use schism_core::{Duration, NodeId, Seed, ZoneId};
use schism_models::balancer::Seat;
use schism_models::listing::{Endpoint, Labels};
use schism_models::load::Load;
use schism_models::locality::Standing;
use schism_models::observation::Outcome;
use schism_models::picker;

use super::{About, Ask, Client, Keys, Listed, Many, Op, Reply, Script};
use crate::check::picker as check;
use crate::diagnostics::{Problem, Report, shorten, suggest};
use crate::grammar::{self, OPS};
use crate::knobs::Counts;
use crate::limits::{self, Limit};
use crate::read::client;
use crate::read::subset::{self, Texts};
use crate::reader::{Bits, Number, Section, too_many};
use crate::source::{At, Place};
use crate::tree::Tree;

/// Reads the whole script. What is wrong with it has then been reported.
pub(super) fn script(tree: &Tree, report: &Report) -> Option<Script> {
    let top =
        Section::open("", Place { end: tree.place.start, ..tree.place }, Some(tree), grammar::PICK, report);
    let balancer = top.choice("balancer", |chosen| client::balancer(chosen, report));
    let locality = top.choice("locality", |chosen| client::locality(chosen, report));
    let subset = top.tree("subset").and_then(|_| top.choice("subset", |chosen| subset::read(chosen, report)));
    let wanted = top.maybe::<Texts>("match").map(|at| At::new(at.value.0, at.place));
    let slow_start = top.entry("slow-start").and_then(|_| client::slow_start(&top.child("slow-start")));
    let randoms = top.maybe::<Vec<At<Bits>>>("randoms").map(|at| at.value).unwrap_or_default();
    let _: Option<At<String>> = top.maybe("$schema");
    let mut names = Names::new(&top);
    let who = top.child("client");
    let home = who.maybe::<String>("zone");
    let home = home.and_then(|zone| names.zone(&zone, report));
    names.home = home.unwrap_or(names.home);
    top.present("endpoints");
    let endpoints = names.list(&top, "endpoints");
    let steps = top.list("ops", limits::PICK_OPS).unwrap_or_default();
    let mut ops = Vec::with_capacity(steps.len());
    // Lists are read first: a reply may be of an endpoint that is listed later, and has a number by then.
    let mut updates: Vec<Option<Vec<Listed>>> = Vec::with_capacity(steps.len());
    for step in &steps {
        updates.push(step.entry("update").and_then(|_| names.list(step, "update")));
    }
    for (step, update) in steps.iter().zip(updates) {
        if report.errors() > limits::ERRORS {
            break;
        }
        ops.extend(op(step, update, &names));
    }
    within(&top, &ops);
    let client = seated(&who, &mut names);
    names.check_zones(top.place, report);
    let zones: Vec<&str> = names.zones.iter().map(String::as_str).collect();
    locality.iter().for_each(|locality| check::zones_are_there(locality, &zones, report));
    let labels: BTreeSet<&str> = names.labels.iter().flatten().map(|(label, _)| label.as_str()).collect();
    let labels: Vec<&str> = labels.into_iter().collect();
    let subset = check::subset(subset.as_ref(), wanted.as_ref(), &labels, report);
    if report.has_errors() {
        return None;
    }
    Some(Script {
        picker: picker::Config {
            balancer: balancer?.value,
            locality: locality?.value,
            subset: subset?,
            slow_start,
        },
        seed: Seed(top.value::<Bits>("seed").value.0),
        randoms: randoms.into_iter().map(|at| at.value.0).collect(),
        client,
        zones: names.zones,
        names: names.endpoints,
        labels: names.labels,
        priorities: names.priorities,
        endpoints: endpoints?,
        ops,
    })
}

/// Who has been named so far, and which number that is.
struct Names<'t> {
    report: &'t Report,
    endpoints: Vec<String>,
    /// What was said of each endpoint that no list may change.
    labels: Vec<Labels>,
    priorities: Vec<Option<u32>>,
    ordinals: BTreeMap<String, u32>,
    zones: Vec<String>,
    /// Whether the script says which zones there are.
    are_zones_given: bool,
    /// The client's own zone: by default the first.
    home: ZoneId,
    /// Requests in flight of all lists.
    active: u64,
}

impl<'t> Names<'t> {
    fn new(top: &Section<'t>) -> Names<'t> {
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
    fn zone(&mut self, name: &At<String>, report: &Report) -> Option<ZoneId> {
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

    fn check_zones(&mut self, place: Place, report: &Report) {
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
    fn known(&self, section: &Section<'_>, key: &str) -> Option<u32> {
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
    fn list(&mut self, section: &Section<'t>, key: &str) -> Option<Vec<Listed>> {
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

/// A name or a key that is not a page long.
fn text(section: &Section<'_>, text: At<String>) -> Option<At<String>> {
    if text.value.len() > limits::PICK_NAME_BYTES {
        let message = format!("{} bytes are too many for a name", text.value.len());
        let help = format!("the limit is {}", limits::PICK_NAME_BYTES);
        section.report.add(Problem::error(text.place, message).help(help));
        return None;
    }
    Some(text)
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

fn not_both(section: &Section<'_>, one: &str, other: &str) {
    if let (Some(one), Some(other)) = (section.entry(one), section.entry(other)) {
        let (first, second) = if one.place < other.place { (one, other) } else { (other, one) };
        section.report.add(
            Problem::error(second.place, format!("both `{}` and `{}`", first.key, second.key))
                .related(first.place, "the first is here")
                .help("keep one of them"),
        );
    }
}

/// Who picks, by what was written of it and who else is there.
fn seated(section: &Section<'_>, names: &mut Names<'_>) -> Client {
    if names.zones.is_empty() {
        names.zones.push("a".to_owned());
    }
    let zone = names.home;
    let counts = section.maybe::<Counts>("locals");
    let mut locals = Vec::new();
    let place = counts.as_ref().map_or(section.place, |at| at.place);
    for (name, count) in counts.iter().flat_map(|at| &at.value.0) {
        if let Some(zone) = names.zone(&At::new(name.clone(), place), section.report) {
            locals.push((zone, *count));
        }
    }
    let index = section.value::<u32>("index");
    let there: u64 = locals.iter().map(|&(_, count)| u64::from(count)).sum();
    let peers = section
        .maybe::<u32>("peers")
        .map_or_else(|| u32::try_from(there).unwrap_or(u32::MAX).max(index.value + 1), |at| at.value);
    if index.value >= peers {
        let message = format!("client {} of {peers}: they are numbered from 0", index.value);
        section.report.add(Problem::error(index.place, message).help(format!("write at most {}", peers - 1)));
    }
    let mut by_zone = vec![0; names.zones.len()];
    if counts.is_none() {
        by_zone[usize::from(zone.0)] = peers;
    }
    for (zone, count) in locals {
        by_zone[usize::from(zone.0)] = count;
    }
    Client { seat: Seat { index: index.value, peers }, zone, locals: by_zone }
}

fn op(step: &Section<'_>, update: Option<Vec<Listed>>, names: &Names<'_>) -> Option<Op> {
    let what = step.only("what is done", OPS)?;
    match what.key.as_str() {
        "pick" => ask(&step.child("pick")).map(Op::Pick),
        "picks" => many(step).map(Op::Picks),
        "reply" => reply(&step.child("reply"), names).map(Op::Reply),
        "done" => names.known(step, "done").map(Op::Done),
        "advance" => step.must("advance").map(|at| Op::Advance(at.value)),
        "update" => update.map(Op::Update),
        "probe" => {
            let section = step.child("probe");
            Some(Op::Probe(names.known(&section, "endpoint")?, load(&section)))
        }
        name => unreachable!("there is no `{name}` among what can be done"),
    }
}

fn ask(section: &Section<'_>) -> Option<Ask> {
    not_both(section, "hash", "key");
    let hash = section.maybe::<Bits>("hash").map(|at| About::Hash(at.value.0));
    let key = match section.maybe::<String>("key") {
        Some(key) => Some(About::Key(text(section, key)?.value)),
        None => None,
    };
    Some(Ask { about: hash.or(key).unwrap_or(About::Nothing), attempt: section.value("attempt").value })
}

/// A bare count, or a table that begins with it.
fn many(step: &Section<'_>) -> Option<Many> {
    if step.tree("picks")?.as_table().is_none() {
        let count = step.must("picks")?.value;
        return Some(Many { count, keys: None, attempt: 0 });
    }
    let section = step.child("picks");
    let count = section.must("count")?.value;
    let from = section.value("from").value;
    let keys = match section.maybe::<String>("keys") {
        Some(keys) => Some(numbered(&section, text(&section, keys)?, from)?),
        None => None,
    };
    Some(Many { count, keys, attempt: section.value("attempt").value })
}

fn numbered(section: &Section<'_>, keys: At<String>, from: u64) -> Option<Keys> {
    let Some((before, after)) = keys.value.split_once("{}") else {
        let help = format!("write where their number goes: \"{}-{{}}\"", shorten(&keys.value));
        section.report.add(Problem::error(keys.place, "all these keys are the same").help(help));
        return None;
    };
    Some(Keys { before: before.to_owned(), after: after.to_owned(), from })
}

fn reply(section: &Section<'_>, names: &Names<'_>) -> Option<Reply> {
    let endpoint = names.known(section, "endpoint")?;
    let latency = section.maybe::<Duration>("latency").map(|at| at.value);
    let ok = section.maybe::<bool>("ok");
    let error = section.maybe::<String>("error");
    if let (Some(At { value: true, .. }), Some(error)) = (&ok, &error) {
        section.report.add(
            Problem::error(error.place, "an answer that is `ok` has no `error`").help("keep one of them"),
        );
    }
    let outcome = match error.as_ref().map(|at| at.value.as_str()) {
        Some("timeout") => Outcome::Timeout,
        Some("connect") => Outcome::Connect,
        Some("rejected") => Outcome::Rejected,
        Some("deadline") => Outcome::Deadline,
        None if ok.is_none_or(|at| at.value) => Outcome::Success,
        // Nobody takes this for an answer, as nginx and pick-first take an error that the endpoint itself answers.
        None => Outcome::Connect,
        Some(_) => Outcome::Failed,
    };
    let load = section.entry("load").map(|_| load(&section.child("load")));
    Some(Reply { endpoint, latency, outcome, load })
}

fn load(section: &Section<'_>) -> Load {
    let rate = |key: &str| section.value::<Number>(key).value.0;
    Load {
        in_flight: section.value("rif").value,
        queued: section.value("queued").value,
        service: section.value("service").value,
        latency: section.value("latency").value,
        qps: rate("qps"),
        eps: rate("eps"),
        utilization: rate("utilization"),
    }
}

/// What all steps together may ask for.
fn within(top: &Section<'_>, ops: &[Op]) {
    let place = top.entry("ops").map_or(top.place, |entry| entry.place);
    let refuse = |limit: Limit, given: u64| {
        if given > limit.most {
            top.report.add(too_many(place, limit, given));
        }
    };
    let picks = |op: &Op| match op {
        Op::Pick(_) => 1,
        Op::Picks(many) => u64::from(many.count),
        Op::Reply(_) | Op::Done(_) | Op::Advance(_) | Op::Update(_) | Op::Probe(..) => 0,
    };
    refuse(limits::PICKS_TOTAL, ops.iter().map(picks).sum());
    if ops.iter().any(|op| matches!(op, Op::Update(_))) {
        let keyed = |op: &&Op| match op {
            Op::Pick(ask) => ask.about != About::Nothing,
            Op::Picks(many) => many.keys.is_some(),
            Op::Reply(_) | Op::Done(_) | Op::Advance(_) | Op::Update(_) | Op::Probe(..) => false,
        };
        refuse(limits::PICK_KEYS, ops.iter().filter(keyed).map(picks).sum());
    }
    let times = ops.iter().map(|op| if let Op::Advance(by) = op { u128::from(by.as_nanos()) } else { 0 });
    if times.sum::<u128>() > u128::from(limits::LENGTH.as_nanos()) {
        let message = format!("more than {} pass in all", limits::LENGTH);
        top.report.add(Problem::error(place, message).help("no run is longer"));
    }
}
