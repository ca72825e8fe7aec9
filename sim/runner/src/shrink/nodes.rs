//! Fewer nodes: client groups, services, clients, instances, members and zones.

use std::collections::{BTreeMap, BTreeSet};

use schism_models::node::Process;
use schism_scenario::Document;

use super::work::Work;
use super::{Proof, Stage};

/// A group of nodes in a document.
#[derive(Clone, Debug)]
struct Group {
    /// Its name, as targets have it.
    name: String,
    /// Where it is written.
    path: String,
    /// Where its size is.
    size: String,
}

/// A group is tried with as few as this, one by one, before it is halved.
const FEWEST: usize = 4;

impl<P: Process> Work<'_, P> {
    /// Nodes go: whole groups, then all but a few of each, then zones.
    pub(super) fn drop_nodes(&mut self) {
        self.enter(Stage::Nodes);
        for group in groups(&self.document) {
            self.attempt(without_group(&self.document, &group));
        }
        for group in groups(&self.document) {
            self.drop_members(&group);
        }
        for zone in self.document.texts("topology.zones").unwrap_or_default().into_iter().rev() {
            self.attempt(without_zone(&self.document, &zone));
        }
    }

    /// A group with fewer nodes: as few as will do.
    fn drop_members(&mut self, group: &Group) {
        let least = named(&self.document, &group.name).len().max(1);
        for size in least..least + FEWEST {
            if size >= self.size_of(group) || self.attempt(resized(&self.document, group, size)) {
                return;
            }
        }
        // More than a few are needed: the least number between what is too few and what is enough.
        let mut too_few = least + FEWEST - 1;
        while self.size_of(group) > too_few + 1 && !self.is_spent() {
            let size = too_few.midpoint(self.size_of(group));
            if !self.attempt(resized(&self.document, group, size)) {
                too_few = size;
            }
        }
    }

    fn size_of(&self, group: &Group) -> usize {
        size(&self.document, group)
    }

    /// Shows that no single part can go, or goes on until that is so.
    pub(super) fn prove(&mut self) -> Proof {
        self.enter(Stage::Proof);
        while !self.is_spent() {
            let parts = parts(&self.document);
            let goes =
                parts.iter().any(|part| part.iter().any(|candidate| self.attempt(Some(candidate.clone()))));
            if !goes && !self.is_spent() {
                return Proof::Minimal { parts: parts.len() };
            }
        }
        Proof::Unknown
    }
}

/// Each part that a scenario could lose, with the ways in which it could.
fn parts(document: &Document) -> Vec<Vec<Document>> {
    let faults = document.faults();
    let mut parts: Vec<Vec<Document>> =
        faults.iter().map(|id| vec![super::faults::without(document, std::slice::from_ref(id))]).collect();
    let groups = groups(document);
    if groups.len() > 1 {
        parts.extend(groups.iter().map(|group| without_group(document, group).into_iter().collect()));
    }
    for group in &groups {
        for ordinal in 0..size(document, group) as u32 {
            parts.push(without_node(document, group, ordinal).into_iter().collect());
        }
    }
    parts
}

/// Client groups first, then services, then the registry's members: the former call the latter.
fn groups(document: &Document) -> Vec<Group> {
    let group = |table: &str, key: &str| {
        let key = key.to_owned();
        let table = table.to_owned();
        move |name: String| Group {
            path: format!("{table}.{name}"),
            size: format!("{table}.{name}.{key}"),
            name,
        }
    };
    let clients = document.names("clients").into_iter().map(group("clients", "count"));
    let services = document.names("services").into_iter().map(group("services", "instances"));
    let members = document.names("registry").into_iter().map(group("registry", "members"));
    let members = members.map(|group| Group { name: "registry".to_owned(), ..group });
    clients.chain(services).chain(members).filter(|group| document.get(&group.size).is_some()).collect()
}

fn size(document: &Document, group: &Group) -> usize {
    document.get(&group.size).and_then(|size| size.parse().ok()).unwrap_or(0)
}

/// The numbers of the nodes of a group that faults name.
fn named(document: &Document, group: &str) -> BTreeSet<u32> {
    let texts = texts(document);
    texts.iter().filter_map(|(_, text)| ordinal(text, group)).collect()
}

/// The number of a node of a group, by its name.
fn ordinal(text: &str, group: &str) -> Option<u32> {
    text.strip_prefix(group)?.strip_prefix('-')?.parse().ok()
}

/// All texts in faults that may be targets, with their paths.
fn texts(document: &Document) -> Vec<(String, String)> {
    let leaves = document.faults().into_iter().flat_map(|id| {
        let skipped = [format!("fault.{id}.id"), format!("fault.{id}.when")];
        document.leaves(&format!("fault.{id}")).into_iter().filter(move |path| !skipped.contains(path))
    });
    leaves.filter_map(|path| Some((path.clone(), document.text(&path)?))).collect()
}

/// A group with so many nodes. Those that faults name keep their order and come first.
fn resized(document: &Document, group: &Group, size: usize) -> Option<Document> {
    let named = named(document, &group.name);
    if named.len() > size {
        return None;
    }
    let stays = named.iter().all(|&ordinal| (ordinal as usize) < size);
    let moved: BTreeMap<u32, u32> =
        named.into_iter().zip(0..).map(|(from, to)| if stays { (from, from) } else { (from, to) }).collect();
    renumbered(document, group, &moved)?.with(&group.size, &size.to_string())
}

/// A group without one of its nodes: those after it move up, and faults do not name it any more.
fn without_node(document: &Document, group: &Group, gone: u32) -> Option<Document> {
    let left = size(document, group).checked_sub(1).filter(|&left| left > 0)?;
    let mut without = document.clone();
    let name = format!("{}-{gone}", group.name);
    without = forgotten(&without, &|text| text == name)?;
    let after = named(&without, &group.name);
    let moved = after.into_iter().map(|at| if at > gone { (at, at - 1) } else { (at, at) }).collect();
    renumbered(&without, group, &moved)?.with(&group.size, &left.to_string())
}

fn renumbered(document: &Document, group: &Group, moved: &BTreeMap<u32, u32>) -> Option<Document> {
    texts(document).into_iter().try_fold(document.clone(), |document, (path, text)| {
        match ordinal(&text, &group.name).and_then(|from| moved.get(&from)) {
            Some(to) => document.with(&path, &format!("\"{}-{to}\"", group.name)),
            None => Some(document),
        }
    })
}

/// A document in whose faults some targets are named no more; `None` where one stands alone.
fn forgotten(document: &Document, goes: &dyn Fn(&str) -> bool) -> Option<Document> {
    // From the last on, so that the numbers of the others stay what they are.
    let going = texts(document).into_iter().rev().filter(|(_, text)| goes(text));
    going.into_iter().try_fold(document.clone(), |document, (path, _)| {
        let (list, number) = path.rsplit_once('.')?;
        document.without_item(list, number.parse().ok()?)
    })
}

fn without_group(document: &Document, group: &Group) -> Option<Document> {
    let is_of = |text: &str| {
        let rest = text.strip_prefix(&group.name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '-']))
    };
    forgotten(document, &is_of)?.without(&group.path)
}

/// The nodes of a zone are in the others.
fn without_zone(document: &Document, zone: &str) -> Option<Document> {
    let zones = document.texts("topology.zones")?;
    let rest: Vec<&String> = zones.iter().filter(|name| *name != zone).collect();
    let heir = rest.first()?;
    let list = |names: &[&String]| {
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        format!("[{}]", names.join(", "))
    };
    let mut without = document.with("topology.zones", &list(&rest))?;
    for group in groups(document) {
        let path = format!("{}.zones", group.path);
        let Some(of_group) = document.texts(&path) else { continue };
        let left: Vec<&String> = of_group.iter().filter(|name| *name != zone).collect();
        without =
            without.with(&path, &list(if left.is_empty() { std::slice::from_ref(heir) } else { &left }))?;
    }
    let links = document.lists("topology.links").first().map_or(0, |(_, links)| *links);
    for number in (0..links).rev() {
        let ends = document.texts(&format!("topology.links.{number}.between"))?;
        if ends.iter().any(|end| end == zone) {
            without = without.without_item("topology.links", number)?;
        }
    }
    Some(without)
}
