//! Linearizable: every read of a registry's key, and every write, seems to have happened at one moment between its call and
//! its answer.
//!
//! In general that is hard to decide (Gibbons and Korach, "Testing shared memories", 1997), and checkers search: stateright's
//! `LinearizabilityTester`, porcupine. Here it is easy, because a registry numbers its writes, and the number is part of each
//! answer. What is checked is a register that numbers: a write is answered with a number larger than those of all writes
//! before, and a read with the last write's value and number. A history of it is linearizable if and only if
//!
//! 1. each number is of one write, and each write has one number;
//! 2. who wrote what was read had called for it by the time the read was answered;
//! 3. of any two operations of which one was answered before the other was called, the first is not of a larger number than
//!    the second, nor of the same if the second is a write.
//!
//! They are necessary: the register's own order is that of the numbers, and it may not contradict a clock. They are
//! sufficient: sort the operations by number, the write before its reads, and reads by when they were called. Each read
//! then follows its write and no other comes between, and no operation comes after one that was called when it had been
//! answered: by (3) that one's number is not smaller, if it is the same it is a read, and it was called later. A write
//! without an answer counts if it was read, and else it did not happen. So one look at each call and one at each answer is
//! enough, whatever the number of clients. Each key is looked at by itself, which is enough for all of them together (Herlihy
//! and Wing, "Linearizability", 1990, theorem 1).
//!
//! A write that was not answered, or answered with an error, may have happened and may happen yet, until the end of the run:
//! it comes after what had been answered before it was called, and before nothing. Its revision becomes known when it is
//! read.

use std::collections::BTreeMap;

use schism_core::{Fault, NodeId, Time};

use super::{Cast, Moment, Mood, Need, Oracle, Shown, Sighting, Told};
use crate::observation::{Act, Observation, Value};
use crate::options::Nothing;

/// The histories of all keys.
#[derive(Clone)]
pub struct Linearizable {
    keys: BTreeMap<u32, Key>,
    /// Calls that are not answered, and writes of which nothing will be known, by client and number.
    open: BTreeMap<(NodeId, u32), Open>,
}

/// What is known of one key.
#[derive(Clone, Default)]
struct Key {
    /// The latest revision that an answer was about.
    latest: Option<Answered>,
    /// What was written at each revision, as far as answers have said.
    values: BTreeMap<u64, Value>,
    /// Of which revision each write is, as far as answers have said.
    revisions: BTreeMap<Value, u64>,
}

/// Something that was answered.
#[derive(Clone, Copy)]
struct Answered {
    revision: u64,
    by: NodeId,
    act: Act,
    at: Time,
}

/// A call that may have happened.
#[derive(Clone, Copy)]
struct Open {
    key: u32,
    act: Act,
    /// Who was asked.
    to: NodeId,
    since: Time,
    /// The latest revision that had been answered by then.
    after: Option<Answered>,
}

impl Oracle for Linearizable {
    type Config = Nothing;

    const SHOWN: &'static [Shown] = &[Shown::Beliefs];
    const MOODS: &'static [Mood] = &[Mood::Always, Mood::Breaks];
    const NEEDS: &'static [Need] = &[Need::Keys];

    fn new(_: &Nothing, _: &Cast) -> Self {
        Linearizable { keys: BTreeMap::new(), open: BTreeMap::new() }
    }

    fn observe(&mut self, moment: &Moment<'_>, by: NodeId, seen: &Observation) -> Option<Sighting> {
        if let Observation::Called { call, key, act, to } = *seen {
            let after = self.keys.entry(key).or_default().latest;
            self.open.insert((by, call), Open { key, act, to, since: moment.scene.now(), after });
        }
        if let Observation::Unanswered { call } = *seen {
            let is_read = self.open.get(&(by, call)).is_some_and(|open| open.act == Act::Read);
            if is_read {
                self.open.remove(&(by, call));
            }
        }
        if let Observation::Written { call, revision } = *seen {
            return self.on_answered(moment, by, call, revision, Value::of(by, call));
        }
        let Observation::Fetched { call, revision, value } = *seen else { return None };
        let written = self.on_read_of(moment, by, call, revision, value);
        written.or_else(|| self.on_answered(moment, by, call, revision, value))
    }

    fn on_fault(&mut self, _: &Moment<'_>, fault: &Fault) -> Option<Sighting> {
        if let Fault::Crash(node, _) = fault {
            self.open.retain(|(by, _), open| by != node || open.act == Act::Write);
        }
        None
    }

    fn untested(&self, _: &Told<'_>) -> Option<String> {
        self.keys.is_empty().then(|| "no client called for a key that others call for, too".to_owned())
    }

    fn instead(&self, _: &Told<'_>) -> String {
        format!("the histories of {} keys are linearizable", self.keys.len())
    }
}

impl Linearizable {
    /// An operation was answered: it comes after all that had been answered before it was called.
    fn on_answered(
        &mut self,
        moment: &Moment<'_>,
        by: NodeId,
        call: u32,
        revision: u64,
        value: Value,
    ) -> Option<Sighting> {
        let open = self.open.remove(&(by, call))?;
        let key = self.keys.entry(open.key).or_default();
        let written = *key.values.entry(revision).or_insert(value);
        if written != value {
            let why = format!("two writes of key {} are of revision {revision}", open.key);
            return Some(Sighting::of(why, [by, open.to, written.author(), value.author()]));
        }
        // Before the first write there is nothing that could have happened twice.
        let first = if revision == 0 { 0 } else { *key.revisions.entry(value).or_insert(revision) };
        if first != revision {
            return Some(twice_sighting(moment, by, &open, value, (first, revision)));
        }
        let late = open.after.filter(|before| match open.act {
            Act::Read => revision < before.revision,
            Act::Write => revision <= before.revision,
        });
        if let Some(before) = late {
            let author = key.values.get(&before.revision).map(|value| value.author());
            return Some(late_sighting(moment, by, &open, revision, &before, author));
        }
        if key.latest.is_none_or(|latest| latest.revision < revision) {
            key.latest = Some(Answered { revision, by, act: open.act, at: moment.scene.now() });
        }
        None
    }

    /// A value was read: if it is that of a write that has no answer, that is now known to have happened. Somebody must have
    /// called for it.
    fn on_read_of(
        &mut self,
        moment: &Moment<'_>,
        by: NodeId,
        call: u32,
        revision: u64,
        value: Value,
    ) -> Option<Sighting> {
        let read = self.open.get(&(by, call))?;
        let key = &self.keys[&read.key];
        // A write that is read at another number than before has been called for: it has happened twice.
        let is_known =
            revision == 0 || key.values.contains_key(&revision) || key.revisions.contains_key(&value);
        let write = self.open.get(&(value.author(), value.call())).filter(|open| open.act == Act::Write);
        if write.is_none() && !is_known {
            let (name, key) = (|node| moment.scene.name(node), read.key);
            let why = format!("{} read write {revision} of key {key}, which nobody had called for", name(by));
            return Some(Sighting::of(why, [by, read.to]));
        }
        let write = write?;
        let before = write.after.filter(|before| revision <= before.revision)?;
        Some(late_sighting(moment, value.author(), write, revision, &before, None))
    }
}

/// A write is of two revisions: it has happened twice.
fn twice_sighting(
    moment: &Moment<'_>,
    by: NodeId,
    open: &Open,
    value: Value,
    (first, second): (u64, u64),
) -> Sighting {
    let name = |node| moment.scene.name(node);
    let learnt = match open.act {
        Act::Read => format!("{} read it from {}", name(by), name(open.to)),
        Act::Write => format!("{} answered it", name(open.to)),
    };
    let why = format!(
        "{}'s write of key {} is of two revisions: it was write {first}, and {learnt} as write {second}",
        name(value.author()),
        open.key,
    );
    Sighting::of(why, [by, open.to, value.author()])
}

/// An operation is of a revision before one that had been answered when it was called.
fn late_sighting(
    moment: &Moment<'_>,
    by: NodeId,
    open: &Open,
    revision: u64,
    before: &Answered,
    author: Option<NodeId>,
) -> Sighting {
    let name = |node| moment.scene.name(node);
    let earlier = open.since.since(before.at);
    let author = author.filter(|_| before.revision > 0).unwrap_or(before.by);
    let known = match before.act {
        Act::Write => format!("{}'s write {} had been acknowledged", name(author), before.revision),
        Act::Read => {
            format!("{}'s write {} had been read by {}", name(author), before.revision, name(before.by))
        }
    };
    let did = match open.act {
        Act::Read => format!("{} read write {revision} of key {} from {}", name(by), open.key, name(open.to)),
        Act::Write => {
            format!(
                "{}'s write of key {} through {} became write {revision}",
                name(by),
                open.key,
                name(open.to)
            )
        }
    };
    let why = format!("{did}, though {known} {earlier} before it was called");
    let mut on = vec![by, open.to, author];
    if before.by != author {
        on.push(before.by);
    }
    Sighting::of(why, on)
}
