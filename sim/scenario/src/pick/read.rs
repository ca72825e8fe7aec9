//! From the tree of a script to what is meant.

use std::collections::BTreeSet;

use schism_core::{Duration, Seed};
use schism_models::balancer::Seat;
use schism_models::load::Load;
use schism_models::observation::Outcome;
use schism_models::picker;

use super::names::Names;
use super::{About, Ask, Client, Keys, Listed, Many, Op, Reply, Script};
use crate::check::picker as check;
use crate::diagnostics::{Problem, Report, shorten};
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
    if let Some(balancer) = &balancer {
        let updates = ops.iter().filter_map(|op| match op {
            Op::Update(list) => Some(list),
            Op::Pick(_) | Op::Picks(_) | Op::Reply(_) | Op::Done(_) | Op::Advance(_) | Op::Probe(..) => None,
        });
        let lists = endpoints.iter().chain(updates);
        let size = |list: &Vec<Listed>| {
            let weight = list.iter().map(|listed| u64::from(listed.endpoint.weight)).sum();
            balancer.value.entries(list.len() as u64, weight)
        };
        let most = lists.map(size).max().unwrap_or(0);
        if most > limits::PICK_TABLE.most {
            report.add(too_many(balancer.place, limits::PICK_TABLE, most));
        }
    }
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

/// A name or a key that is not a page long.
pub(super) fn text(section: &Section<'_>, text: At<String>) -> Option<At<String>> {
    if text.value.len() > limits::PICK_NAME_BYTES {
        let message = format!("{} bytes are too many for a name", text.value.len());
        let help = format!("the limit is {}", limits::PICK_NAME_BYTES);
        section.report.add(Problem::error(text.place, message).help(help));
        return None;
    }
    Some(text)
}

pub(super) fn not_both(section: &Section<'_>, one: &str, other: &str) {
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
