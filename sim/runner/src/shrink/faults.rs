//! Fewer faults, and milder ones: halves go first, then one by one; what is left gets shorter, narrower and weaker.

use schism_models::node::Process;
use schism_scenario::Document;

use super::Stage;
use super::values::{less, milder};
use super::work::Work;

/// Of a group or a zone of at most so many nodes, each is tried alone.
const FEW: usize = 16;

/// The keys of a fault that say what it is called, when it begins, and what it is allowed.
const FIXED: &[&str] = &["id", "at", "between", "when", "after", "until", "may-miss", "may-overlap"];

impl<P: Process> Work<'_, P> {
    /// What does not touch the failure goes, and what the seed draws before the run is written out.
    pub(super) fn settle(&mut self) {
        self.enter(Stage::Settling);
        let others: Vec<String> =
            self.document.expectations().into_iter().filter(|id| *id != self.failure.expectation).collect();
        let alone =
            others.iter().fold(self.document.clone(), |document, id| document.without_expectation(id));
        if !self.attempt(Some(alone)) {
            for id in others {
                self.attempt(Some(self.document.without_expectation(&id)));
            }
        }
        let settled = Document::of(&self.scenario.settled(self.scenario.seed));
        self.attempt(Some(settled));
        self.pin();
    }

    /// Faults that wait for something begin when they did.
    fn pin(&mut self) {
        let waits = |document: &Document| -> Vec<String> {
            let ids = document.faults().into_iter();
            ids.filter(|id| document.get(&format!("fault.{id}.when")).is_some()).collect()
        };
        let pinned = |work: &Self, document: &Document, id: &str| {
            let at = work.began(id)?;
            let path = |key: &str| format!("fault.{id}.{key}");
            let free = document.without(&path("when"))?;
            let free = free.without(&path("after")).unwrap_or(free);
            free.with(&path("at"), &format!("\"{at}\""))
        };
        let ids = waits(&self.document);
        let all = ids
            .iter()
            .fold(self.document.clone(), |document, id| pinned(self, &document, id).unwrap_or(document));
        if !self.attempt(Some(all)) {
            for id in ids {
                self.attempt(pinned(self, &self.document, &id));
            }
        }
    }

    /// Faults go: first those that began too late to matter or not at all, then in halves, then one by one.
    pub(super) fn drop_faults(&mut self) {
        let late: Vec<String> = self.document.faults().into_iter().filter(|id| self.is_late(id)).collect();
        if !late.is_empty() {
            self.attempt(Some(without(&self.document, &late)));
        }
        let mut part = self.document.faults().len().div_ceil(2);
        while part > 0 && !self.is_spent() {
            let mut from = 0;
            let mut went = false;
            while from < self.document.faults().len() {
                let ids = self.document.faults();
                let to = ids.len().min(from + part);
                if self.attempt(Some(without(&self.document, &ids[from..to]))) {
                    went = true;
                } else {
                    from = to;
                }
            }
            // One by one until none goes: what one needed may be gone by now.
            part = if part > 1 { part / 2 } else { usize::from(went) };
        }
    }

    fn is_late(&self, id: &str) -> bool {
        match (self.began(id), self.failed_at()) {
            (None, _) => true,
            (Some(began), Some(failed)) => began > failed,
            (Some(_), None) => false,
        }
    }

    /// What is left of the faults gets shorter, narrower and weaker.
    pub(super) fn weaken_faults(&mut self) {
        self.enter(Stage::Weakening);
        for id in self.document.faults() {
            self.narrow(&id);
            for path in self.document.leaves(&format!("fault.{id}")) {
                let key = path.split('.').nth(2).unwrap_or_default();
                if !FIXED.contains(&key) {
                    self.reduce(&path);
                }
            }
        }
    }

    /// Lists of targets lose those that are not needed, and groups and zones give way to one of their nodes.
    fn narrow(&mut self, id: &str) {
        for (path, items) in self.document.lists(&format!("fault.{id}")) {
            for number in (0..items).rev() {
                self.attempt(self.document.without_item(&path, number));
            }
        }
        for path in self.document.leaves(&format!("fault.{id}")) {
            let key = path.split('.').nth(2).unwrap_or_default();
            if FIXED.contains(&key) {
                continue;
            }
            let names = self.document.text(&path).map(|text| self.nodes_of(&text)).unwrap_or_default();
            if (2..=FEW).contains(&names.len()) {
                names.iter().any(|name| self.attempt(self.document.with(&path, &format!("\"{name}\""))));
            }
        }
    }

    /// The nodes of a group or a zone, by name; none of what is no such target.
    fn nodes_of(&self, target: &str) -> Vec<String> {
        let scenario = &self.scenario;
        let groups = scenario.services.iter().map(|group| (group.name.as_str(), &group.nodes));
        let clients = scenario.clients.iter().map(|group| (group.name.as_str(), &group.nodes));
        let groups: Vec<_> =
            std::iter::once(("registry", &scenario.members)).chain(groups).chain(clients).collect();
        let zone = target.strip_prefix("zone:");
        let in_zone = |node: &&schism_scenario::Node| zone == Some(scenario.topology.name(node.zone));
        let whole = groups.iter().filter(|(name, _)| *name == target).flat_map(|(_, nodes)| nodes.iter());
        let of_zone = groups.iter().flat_map(|(_, nodes)| nodes.iter()).filter(in_zone);
        whole.chain(of_zone).map(|node| node.name.clone()).collect()
    }

    /// A value becomes smaller as long as that changes nothing: by much at first, then by half. What is a thousandth of
    /// what it was is another thing, so it keeps an eighth or so.
    pub(super) fn reduce(&mut self, path: &str) {
        while let Some(value) = self.document.get(path) {
            let room = MOST_HALVINGS - self.halved.get(path).copied().unwrap_or(0);
            let steps = [3, 1].into_iter().filter(|halvings| *halvings <= room);
            let smaller = steps.filter_map(|halvings| {
                let less = less(&value, 1 << halvings).or_else(|| milder(&value))?;
                Some((halvings, self.document.with(path, &less)?))
            });
            let smaller: Vec<(u32, Document)> = smaller.collect();
            let found = smaller.into_iter().find(|(_, document)| self.attempt(Some(document.clone())));
            let Some((halvings, _)) = found else { return };
            *self.halved.entry(path.to_owned()).or_default() += halvings;
        }
    }
}

/// How often one value is halved at most.
const MOST_HALVINGS: u32 = 4;

/// A document without some faults, and without those that wait for them.
pub(super) fn without(document: &Document, ids: &[String]) -> Document {
    let mut without = document.clone();
    let mut going = ids.to_vec();
    while let Some(id) = going.pop() {
        without = without.without_fault(&id);
        let waits = |other: &String| {
            let when = without.text(&format!("fault.{other}.when"));
            when.is_some_and(|when| when.rsplit_once('.').is_some_and(|(of, _)| of == id))
        };
        going.extend(without.faults().into_iter().filter(waits));
    }
    without
}
