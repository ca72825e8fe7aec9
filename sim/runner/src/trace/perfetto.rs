//! A trace for Perfetto and chrome://tracing: a row for each node, a slice for each event, an arrow for each cause, and
//! the faults on rows of their own. The format is Google's "Trace Event Format", its JSON object form.

use std::collections::BTreeMap;
use std::iter;

use schism_core::{Cause, NodeId, Time};
use schism_scenario::Scenario;
use serde_json::{Value, json};

use super::lines::{Entry, Writer, in_order};
use super::{Event, Noted, Trace, What};
use crate::report::Report;
use crate::words::Names;

/// The process that faults are shown as.
const FAULTS: u32 = 1;
/// The first of those that groups of nodes are shown as.
const GROUPS: u32 = 2;

/// The parts of one JSON document, in order.
pub fn perfetto<'t, W>(
    trace: &'t Trace<W>,
    scenario: &'t Scenario,
    report: &Report,
) -> impl Iterator<Item = String> + 't {
    let head = json!({
        "scenario": report.scenario.title,
        "seed": report.seed,
        "digest": report.digest,
        "entries": trace.len(),
        "dropped": trace.dropped(),
    });
    let writer = Writer { names: Names::new(scenario), scenario };
    let rows = Rows::new(&writer.names);
    let named = rows.named(scenario, &writer.names);
    let faults = faults(trace, scenario);
    let slices = in_order(trace).flat_map(move |entry| slices(trace, &writer, &rows, &entry));
    let all = named.into_iter().chain(faults).chain(slices).enumerate();
    let each = all.map(|(index, value)| format!("{}{value}", if index == 0 { "\n" } else { ",\n" }));
    iter::once(format!("{{\"otherData\":{head},\"displayTimeUnit\":\"ms\",\"traceEvents\":["))
        .chain(each)
        .chain(iter::once("\n]}\n".to_owned()))
}

/// Which process each group of nodes is shown as.
struct Rows {
    processes: BTreeMap<String, u32>,
    of: Vec<u32>,
}

impl Rows {
    fn new(names: &Names) -> Rows {
        let mut processes = BTreeMap::new();
        let of = (0..names.count()).map(|node| {
            let next = GROUPS + processes.len() as u32;
            *processes.entry(names.group(NodeId(node)).to_owned()).or_insert(next)
        });
        let of = of.collect();
        Rows { processes, of }
    }

    /// The names of all rows.
    fn named(&self, scenario: &Scenario, names: &Names) -> Vec<Value> {
        let process = |id: u32, name: &str| json!({ "ph": "M", "name": "process_name", "pid": id, "args": { "name": name } });
        let thread = |pid: u32, tid: u32, name: &str| json!({ "ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": { "name": name } });
        let groups = self.processes.iter().map(|(name, &id)| process(id, name));
        let nodes = (0..).zip(&self.of).map(|(node, &pid)| thread(pid, node, &names.one(NodeId(node))));
        let faults = (0..).zip(&scenario.faults).map(|(number, fault)| thread(FAULTS, number, &fault.id));
        iter::once(process(FAULTS, "faults")).chain(groups).chain(nodes).chain(faults).collect()
    }

    fn place(&self, node: NodeId) -> (u32, u32) {
        (self.of[node.index()], node.0)
    }
}

/// Microseconds, the format's unit, exact to the nanosecond.
fn micros(at: Time) -> f64 {
    at.as_nanos() as f64 / 1_000.0
}

/// How long an event is shown to take, in microseconds: it takes no time at all, but no arrow can end in a slice of none.
/// Events of one node that are no ties are this far apart at least, so that slices do not overlap.
const SEEN: f64 = 0.001;

/// Each fault from its beginning to its end.
fn faults<W>(trace: &Trace<W>, scenario: &Scenario) -> Vec<Value> {
    let mut open = BTreeMap::new();
    let mut shown = Vec::new();
    let mut last = Time::START;
    let slice = |fault: usize, from: Time, to: Time| {
        json!({
            "ph": "X", "cat": "fault", "name": scenario.faults[fault].id, "pid": FAULTS, "tid": fault,
            "ts": micros(from), "dur": micros(to) - micros(from),
        })
    };
    for note in trace.notes() {
        last = note.at;
        match note.noted {
            Noted::Began { fault, .. } => {
                open.insert(fault, note.at);
            }
            Noted::Healed { fault } => {
                // Of one whose beginning was dropped, what is left of it is shown.
                let from = open.remove(&fault).unwrap_or(Time::START);
                shown.push(slice(fault, from, note.at));
            }
            Noted::Observed { .. } | Noted::Swallowed { .. } | Noted::Struck(_) | Noted::Exited { .. } => {}
        }
    }
    shown.extend(open.into_iter().map(|(fault, from)| slice(fault, from, last)));
    shown
}

fn slices<W>(trace: &Trace<W>, writer: &Writer<'_>, rows: &Rows, entry: &Entry<'_>) -> Vec<Value> {
    match *entry {
        Entry::Event(number, event) => {
            let mut all = vec![slice(writer, rows, number, event)];
            all.extend(arrow(trace, rows, number, event));
            all
        }
        Entry::Act(_, act) => {
            let text = writer.doing(&act.doing);
            let tid = act.of.unwrap_or(0);
            let ts = micros(act.at);
            vec![
                json!({ "ph": "i", "s": "t", "cat": "deed", "name": text, "pid": FAULTS, "tid": tid, "ts": ts }),
            ]
        }
        Entry::Note(note) => {
            if let Noted::Observed { by, seen } = &note.noted {
                let (pid, tid) = rows.place(*by);
                let (text, ts) = (writer.named(&format!("{seen:?}")), micros(note.at));
                let name = short(&text);
                let args = json!({ "text": text });
                vec![json!({
                    "ph": "i", "s": "t", "cat": "observed", "name": name, "pid": pid, "tid": tid, "ts": ts,
                    "args": args,
                })]
            } else {
                Vec::new()
            }
        }
    }
}

fn slice(writer: &Writer<'_>, rows: &Rows, number: u64, event: &Event) -> Value {
    let (pid, tid) = rows.place(event.to);
    let text = event.what.text().map(|text| writer.named(&text));
    let name = match (&event.what, &text) {
        (What::Message { .. } | What::Timer(_), Some(text)) => short(text),
        (what, _) => what.word().to_owned(),
    };
    json!({
        "ph": "X", "cat": event.what.word(), "name": name, "pid": pid, "tid": tid, "ts": micros(event.at),
        "dur": SEEN,
        "args": {
            "event": number,
            "from": event.what.peer().map(|peer| writer.names.one(peer)),
            "text": text,
        },
    })
}

/// What something is called, without what is in it: `Registry(Etcd(Ask { call: 52, .. }))` is `Etcd Ask`.
fn short(text: &str) -> String {
    let is_name = |part: &&str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic()) && part.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let shell = text.split(" {").next().unwrap_or_default();
    let names = shell.split(['(', ')', ',', ' ']).take_while(is_name).filter(|&name| name != "Registry");
    names.collect::<Vec<_>>().join(" ")
}

/// From the event that sent a message to its arrival, if both are kept.
fn arrow<W>(trace: &Trace<W>, rows: &Rows, number: u64, event: &Event) -> Vec<Value> {
    let What::Message { .. } = event.what else { return Vec::new() };
    let Cause::Event(cause) = event.cause else { return Vec::new() };
    let Some(sent) = trace.event(cause) else { return Vec::new() };
    let ((from, by), (to, at)) = (rows.place(sent.to), rows.place(event.to));
    vec![
        json!({ "ph": "s", "cat": "cause", "name": "message", "id": number, "pid": from, "tid": by, "ts": micros(sent.at) }),
        json!({ "ph": "f", "bp": "e", "cat": "cause", "name": "message", "id": number, "pid": to, "tid": at, "ts": micros(event.at) }),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_called_after_what_it_is() {
        assert_eq!(short("Registry(Etcd(Ask { call: 52, ask: Put }))"), "Etcd Ask");
        assert_eq!(short("Registry(Etcd(Member(TimedOut(101))))"), "Etcd Member TimedOut");
        assert_eq!(short("Request { attempt: Attempt { slot: 0 } }"), "Request");
        assert_eq!(short("Arrival"), "Arrival");
    }
}
