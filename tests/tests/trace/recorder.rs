//! The flight recorder around a whole run: the report is the same, the causes are there, and the files can be read.

use std::collections::BTreeSet;

use schism_core::{Cause, Seed};
use schism_runner::trace::{self, Noted, Trace, What};
use schism_runner::{Ledger, Report, Simulation};
use schism_scenario::Scenario;
use schism_tests::plain::staged;
use schism_tests::runs;
use schism_tests::scenarios::{Case, all};
use serde_json::Value;

/// A run with a trace of so many entries.
fn traced(scenario: &Scenario, most: usize) -> (Report, Trace<()>) {
    let witness = Trace::new(most, Ledger::new(scenario));
    let mut simulation: Simulation<Trace<Ledger>> = Simulation::new(scenario, scenario.seed, witness);
    simulation.run_to_end();
    simulation.into_report_and_trace(scenario, scenario.seed)
}

/// Two members part from the third, a client is cut off, an instance pauses and one dies.
fn troubled() -> Scenario {
    staged(
        r#"
[[fault]]
id        = "split"
at        = "15s"
until     = "20s"
partition = { split = [["registry-0", "web-1"], ["rest"]] }

[[fault]]
id    = "freeze"
at    = "25s"
until = "28s"
pause = { target = "orders-1" }

[[fault]]
id    = "kill"
at    = "30s"
until = "35s"
crash = { target = "orders-2" }
"#,
    )
}

#[test]
fn a_report_is_the_same_with_a_trace() {
    for Case { path, scenario } in all().iter().step_by(17) {
        let plain = runs::report(scenario, scenario.seed.0);
        let (report, trace) = traced(scenario, 10_000);
        assert_eq!(report, plain, "{path}");
        let kept = trace.len() as u64;
        assert!(kept <= 10_000 && (trace.dropped() == 0 || kept == 10_000), "{path}");
    }
}

#[test]
fn every_entry_came_of_an_earlier_one_and_every_deed_of_a_fault() {
    let scenario = troubled();
    let (report, trace) = traced(&scenario, 1_000_000);
    assert_eq!((trace.dropped(), trace.events().count() as u64), (0, report.events));
    for (number, event) in trace.events() {
        for cause in [event.cause, event.via] {
            let at = trace.at(cause).expect("what it came of is kept");
            assert!(at <= event.at && cause != Cause::Event(number));
        }
        // A message was sent by who is told to have sent it.
        if let (What::Message { from, .. }, Cause::Event(sent)) = (&event.what, event.cause) {
            assert_eq!(trace.event(sent).expect("it is kept").to, *from, "event {number}");
        }
    }
    let deeds: BTreeSet<usize> = trace.acts().filter_map(|(_, act)| act.of).collect();
    assert_eq!(deeds.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(trace.acts().all(|(_, act)| act.of.is_some()));
    let of = |wanted: fn(&Noted) -> bool| trace.notes().filter(|note| wanted(&note.noted)).count();
    assert_eq!(of(|noted| matches!(noted, Noted::Began { .. })), 3);
    assert_eq!(of(|noted| matches!(noted, Noted::Healed { .. })), 3);
    assert!(of(|noted| matches!(noted, Noted::Swallowed { .. })) > 0);
    let during: usize = trace.events().map(|(number, _)| trace.during(Cause::Event(number)).count()).sum();
    let driven: usize = trace.acts().map(|(number, _)| trace.during(Cause::Deed(number)).count()).sum();
    let start = trace.during(Cause::Start).count();
    assert_eq!(during + driven + start, trace.notes().count(), "each note is found during something");
}

#[test]
fn the_lines_are_json_in_order_and_say_how_much_they_have() {
    let scenario = troubled();
    let (report, trace) = traced(&scenario, 5_000);
    let lines: Vec<Value> = trace::lines(&trace, &scenario, &report)
        .map(|line| serde_json::from_str(&line).expect("each line is JSON"))
        .collect();
    assert_eq!(lines[0]["schema"], "schism.trace/1");
    assert_eq!(lines[0]["entries"], 5_000);
    assert_eq!(lines[0]["dropped"], trace.dropped());
    assert_eq!(lines.len(), 5_001);
    let times: Vec<u64> = lines[1..].iter().map(|line| line["at_ns"].as_u64().expect("a time")).collect();
    assert!(times.is_sorted());
    let numbers = |key: &str| lines.iter().filter_map(|line| line[key].as_u64()).collect::<Vec<_>>();
    assert!(numbers("event").is_sorted() && numbers("deed").is_sorted());
    // The same trace is the same text, in another process too: nothing in it knows where it is in memory.
    let again = traced(&scenario, 5_000);
    assert!(trace::lines(&again.1, &scenario, &again.0).eq(trace::lines(&trace, &scenario, &report)));
    assert!(lines.iter().all(|line| !line.to_string().contains("0x")), "no address is told");
}

#[test]
fn perfetto_is_one_document_with_a_row_for_each_node() {
    let scenario = troubled();
    let (report, trace) = traced(&scenario, 1_000_000);
    let text: String = trace::perfetto(&trace, &scenario, &report).collect();
    let document: Value = serde_json::from_str(&text).expect("it is JSON");
    let events = document["traceEvents"].as_array().expect("a list of events");
    let phase = |wanted: &str| events.iter().filter(|event| event["ph"] == wanted).count();
    let named = |name: &str| events.iter().any(|event| event["args"]["name"] == name);
    assert!(["registry-0", "orders-3", "web-2", "split", "faults"].into_iter().all(named));
    assert_eq!(phase("s"), phase("f"), "an arrow that begins ends");
    let faults = events.iter().filter(|event| event["ph"] == "X" && event["cat"] == "fault").count();
    assert_eq!(faults, report.faults.len(), "faults are slices, too");
}

#[test]
fn a_seed_gives_one_trace() {
    let scenario = troubled();
    let other = Scenario { seed: Seed(6), ..troubled() };
    let lines = |scenario: &Scenario| {
        let (report, trace) = traced(scenario, 1_000);
        trace::lines(&trace, scenario, &report).collect::<Vec<_>>()
    };
    assert_eq!(lines(&scenario), lines(&scenario));
    assert_ne!(lines(&scenario), lines(&other));
}
