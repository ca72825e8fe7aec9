//! A trace as JSON lines: first what it is of and how much of that it has, then entry by entry in order of time.

use std::iter;

use schism_core::{Cause, Finds, NodeId, Over, Taker, Then, Time};
use schism_models::nemesis::Struck;
use schism_scenario::Scenario;
use serde_json::{Map, Value, json};

use super::entry::Doing;
use super::{Act, Event, Note, Noted, Trace, What};
use crate::report::Report;
use crate::words::{self, Names};

/// The lines, each without its end. The first has the schema, `schism.trace/1`.
pub fn lines<'t, W>(
    trace: &'t Trace<W>,
    scenario: &'t Scenario,
    report: &Report,
) -> impl Iterator<Item = String> + 't {
    let head = json!({
        "schema": "schism.trace/1",
        "scenario": { "title": report.scenario.title, "digest": report.scenario.digest },
        "seed": report.seed,
        "digest": report.digest,
        "events": report.events,
        "entries": trace.len(),
        "dropped": trace.dropped(),
    });
    let words = Writer { names: Names::new(scenario), scenario };
    iter::once(head.to_string()).chain(in_order(trace).map(move |entry| words.line(&entry).to_string()))
}

/// One entry of any kind.
pub(crate) enum Entry<'t> {
    Event(u64, &'t Event),
    Act(u64, &'t Act),
    Note(&'t Note),
}

/// All entries in the order in which they were told.
pub(crate) fn in_order<W>(trace: &Trace<W>) -> impl Iterator<Item = Entry<'_>> {
    let mut events = trace.events().peekable();
    let mut acts = trace.acts().peekable();
    let mut notes = trace.notes().peekable();
    // An event comes before what is noted during it, and so does a deed; of deeds after one event, each with its own.
    iter::from_fn(move || {
        let event = events.peek().map(|&(number, _)| (number, 0, 0));
        let act = acts.peek().map(|&(number, act)| (act.after, number, 0));
        let note = notes.peek().map(|note| {
            let deed = if let Cause::Deed(number) = note.during { number } else { 0 };
            (note.after, deed, 1)
        });
        let first = [event, act, note].into_iter().flatten().min()?;
        if event == Some(first) {
            events.next().map(|(number, event)| Entry::Event(number, event))
        } else if act == Some(first) {
            acts.next().map(|(number, act)| Entry::Act(number, act))
        } else {
            notes.next().map(Entry::Note)
        }
    })
}

/// Writes entries in the words of the scenario.
pub(super) struct Writer<'s> {
    pub(super) names: Names,
    pub(super) scenario: &'s Scenario,
}

impl Writer<'_> {
    fn line(&self, entry: &Entry<'_>) -> Value {
        Value::Object(match *entry {
            Entry::Event(number, event) => self.event(number, event),
            Entry::Act(number, act) => self.act(number, act),
            Entry::Note(note) => self.note(note),
        })
    }

    fn event(&self, number: u64, event: &Event) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("event".to_owned(), number.into());
        at(&mut line, event.at);
        line.insert("node".to_owned(), self.name(event.to));
        line.insert("cause".to_owned(), of(event.cause));
        if event.via != event.cause {
            line.insert("via".to_owned(), of(event.via));
        }
        match event.finds {
            Finds::Running => {}
            Finds::Still => put(&mut line, "finds", "standing still"),
            Finds::Gone => put(&mut line, "finds", "gone"),
        }
        put(&mut line, "what", event.what.word());
        if let Some(peer) = event.what.peer() {
            line.insert("from".to_owned(), self.name(peer));
        }
        if let What::Message { over: Over::Connection, .. } = event.what {
            put(&mut line, "over", "connection");
        }
        if let Some(text) = event.what.text() {
            put(&mut line, "text", &self.named(&text));
        }
        line
    }

    fn act(&self, number: u64, act: &Act) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("deed".to_owned(), number.into());
        at(&mut line, act.at);
        if let Some(fault) = act.of {
            put(&mut line, "fault", self.fault(fault));
        }
        put(&mut line, "text", &self.doing(&act.doing));
        line
    }

    /// A deed in words.
    pub(super) fn doing(&self, doing: &Doing) -> String {
        match doing {
            Doing::Inflicts(fault) => self.named(&format!("{fault:?}")),
            Doing::Ails(node, None) => format!("nothing ails {}", self.names.one(*node)),
            Doing::Ails(node, Some(plight)) => {
                self.named(&format!("{} suffers {:?}", self.names.one(*node), plight.ailments))
            }
        }
    }

    fn note(&self, note: &Note) -> Map<String, Value> {
        let mut line = Map::new();
        line.insert("during".to_owned(), of(note.during));
        at(&mut line, note.at);
        put(&mut line, "what", note.noted.word());
        match &note.noted {
            Noted::Observed { by, seen } => {
                line.insert("node".to_owned(), self.name(*by));
                put(&mut line, "text", &self.named(&format!("{seen:?}")));
            }
            Noted::Swallowed { cause, from, to, msg, by, then } => {
                line.insert("cause".to_owned(), of(*cause));
                line.insert("from".to_owned(), self.name(*from));
                line.insert("to".to_owned(), self.name(*to));
                put(&mut line, "by", &self.taker(*by));
                put(&mut line, "then", &self.then(*then));
                if let Some(msg) = msg {
                    put(&mut line, "text", &self.named(&format!("{msg:?}")));
                }
            }
            Noted::Struck(fault) => put(&mut line, "text", &self.named(&format!("{fault:?}"))),
            Noted::Exited { node, by } => {
                line.insert("node".to_owned(), self.name(*node));
                put(&mut line, "fault", self.fault(by.0 as usize));
            }
            Noted::Began { fault, struck } => {
                put(&mut line, "fault", self.fault(*fault));
                line.insert("on".to_owned(), self.struck(struck).into());
            }
            Noted::Healed { fault } => put(&mut line, "fault", self.fault(*fault)),
        }
        line
    }

    fn name(&self, node: NodeId) -> Value {
        self.names.one(node).into()
    }

    /// A fault's name in the plan.
    pub(super) fn fault(&self, fault: usize) -> &str {
        &self.scenario.faults[fault].id
    }

    /// Text with the names of nodes in place of their numbers.
    pub(super) fn named(&self, text: &str) -> String {
        words::named(&self.names, text)
    }

    fn struck(&self, struck: &Struck) -> Vec<String> {
        match struck {
            Struck::Nodes(nodes) => self.names.each(nodes),
            Struck::Ways { sides } | Struck::Parted { sides, .. } => {
                sides.iter().map(|side| self.names.of(side)).collect()
            }
        }
    }

    fn taker(&self, by: Taker) -> String {
        match by {
            Taker::Fault(fault) => format!("fault {}", self.fault(fault.0 as usize)),
            Taker::Link => "the link's own losses".to_owned(),
            Taker::Darkness => "a dead host".to_owned(),
            Taker::Refusal => "a host without the process".to_owned(),
            Taker::Closing => "the end of the connection".to_owned(),
        }
    }

    fn then(&self, then: Then) -> String {
        match then {
            Then::Lost => "lost".to_owned(),
            Then::SentAgain => "sent again".to_owned(),
            Then::Kept(fault) => format!("kept until {} heals", self.fault(fault.0 as usize)),
        }
    }
}

fn put(line: &mut Map<String, Value>, key: &str, value: &str) {
    line.insert(key.to_owned(), value.into());
}

fn at(line: &mut Map<String, Value>, at: Time) {
    line.insert("at_ns".to_owned(), at.as_nanos().into());
}

/// An event by its number, a deed as `deed 3`.
fn of(cause: Cause) -> Value {
    match cause {
        Cause::Start => "start".into(),
        Cause::Event(number) => number.into(),
        Cause::Deed(number) => format!("deed {number}").into(),
    }
}
