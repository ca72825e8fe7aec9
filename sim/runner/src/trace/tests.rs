//! A trace keeps the newest and counts the rest, and finds what belongs together.

use schism_core::{Cause, Finds, NodeId, Time};
use schism_models::observation::Observation;

use super::{Act, Done, Event, Noted, Trace, What};

fn event(to: u32) -> Event {
    let what = What::Plight;
    let (cause, via) = (Cause::Start, Cause::Start);
    Event { at: Time::START, to: NodeId(to), cause, via, finds: Finds::Running, what }
}

/// So many events, with two notes during each, and a deed with one after every other.
fn trace(most: usize, events: u64) -> Trace<()> {
    let mut trace = Trace::new(most, ());
    for number in 1..=events {
        trace.now = Cause::Event(number);
        trace.events.push_back(event(0));
        trace.make_room();
        note(&mut trace);
        note(&mut trace);
        if number % 2 == 0 {
            let after = trace.happened();
            trace.now = Cause::Deed(number / 2);
            let doing = Done::Ails(NodeId(0), None);
            trace.acts.push_back(Act { at: Time::START, after, of: None, doing });
            trace.make_room();
            note(&mut trace);
        }
    }
    trace
}

fn note(trace: &mut Trace<()>) {
    trace.note(Time::START, Noted::Observed { by: NodeId(0), seen: Observation::Offered });
}

#[test]
fn the_newest_are_kept_and_the_dropped_are_counted() {
    // Three entries for each event, and two more for every other.
    let all = 100 * 3 + 50 * 2;
    for most in [0, 1, 2, 7, 100, 399, 400, 1_000] {
        let trace = trace(most, 100);
        assert_eq!((trace.len(), trace.dropped()), (most.min(all), all.saturating_sub(most) as u64));
        assert_eq!(trace.happened(), 100, "what is dropped has still happened");
        if most >= 7 {
            assert!(trace.event(100).is_some() && trace.act(50).is_some());
            assert_eq!(trace.during(Cause::Event(100)).count(), 2);
            assert_eq!(trace.during(Cause::Deed(50)).count(), 1);
        }
    }
}

#[test]
fn what_was_noted_is_found_by_what_it_was_noted_during() {
    let trace = trace(1_000, 100);
    for number in 1..=100 {
        assert_eq!(trace.during(Cause::Event(number)).count(), 2);
    }
    for number in 1..=50 {
        assert_eq!(trace.during(Cause::Deed(number)).count(), 1);
        assert_eq!(trace.act(number).map(|act| act.after), Some(2 * number));
    }
    assert_eq!(trace.during(Cause::Start).count() + trace.during(Cause::Event(101)).count(), 0);
    assert!(trace.event(0).is_none() && trace.event(101).is_none() && trace.act(51).is_none());
}

#[test]
fn an_entry_is_small() {
    // A million of them are what a trace holds.
    let (event, note) = (size_of::<Event>(), size_of::<super::Note>());
    assert!(event <= 104 && note <= 120, "an event has {event} bytes, a note {note}");
}
