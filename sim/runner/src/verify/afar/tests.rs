//! What is made of the logs of two processes.

use super::*;

fn mark(events: u64, state: &str) -> Mark {
    let [digest, luck] = ["same", "same"].map(str::to_owned);
    Mark { events, at_s: events as f64, digest, state: state.to_owned(), luck }
}

fn line(event: u64, deed: &str, digest: &str) -> Line {
    Line {
        event,
        at_s: event as f64,
        node: "web-1".to_owned(),
        what: "timer Arrival".to_owned(),
        deeds: vec![deed.to_owned()],
        drawn: Vec::new(),
        state: "same".to_owned(),
        text: None,
        digest: digest.to_owned(),
    }
}

fn gap() -> Gap {
    let at = |events: u64| (events, schism_core::Time::from_nanos(events));
    Gap { alike: at(300), apart: Some(at(400)) }
}

/// What no digest tells of is looked for where it came to be, and then told.
#[test]
fn a_state_that_differs_before_the_stretch_is_found_in_an_earlier_one() {
    let mut asked = Vec::new();
    let mut write = |side: usize, stretch: Stretch| {
        asked.push((side, stretch.from, stretch.to));
        let state = ["a", "b"][side];
        let all = [mark(0, "same"), mark(100, "same"), mark(200, state), mark(300, state)];
        let marks = all.into_iter().filter(|mark| mark.events <= stretch.from).collect();
        Some(Log { marks, lines: vec![line(150, state, "same")] })
    };
    let parted = look(&gap(), &mut write).expect("they part");
    assert_eq!(asked, [(0, 300, 400), (1, 300, 400), (0, 100, 200), (1, 100, 200)]);
    assert_eq!(parted.alike, (100, 100.0));
    let [deeds] = &parted.differences[..] else { panic!("{parted:?}") };
    assert_eq!((deeds.aspect, deeds.event), (Aspect::Deeds, 150));
    assert_eq!(deeds.sides, ["a", "b"].map(str::to_owned));
}

#[test]
fn nothing_is_told_after_another_event() {
    let log = |lines: Vec<Line>| Log { marks: vec![mark(0, "same")], lines };
    let one = log(vec![line(1, "a", "x"), line(2, "a", "x"), line(3, "a", "x")]);
    let other = log(vec![line(1, "a", "x"), line(4, "b", "y"), line(3, "b", "y")]);
    let found = differences(&[one.clone(), other]);
    assert_eq!(found.iter().map(|found| found.aspect).collect::<Vec<_>>(), [Aspect::Event]);
    assert_eq!(differences(&[one.clone(), one]), []);
}

#[test]
fn who_never_differs_again_is_not_asked_for_ever() {
    let mut rounds = 0;
    let mut write = |_: usize, _: Stretch| {
        rounds += 1;
        Some(Log { marks: vec![mark(0, "same")], lines: vec![line(1, "a", "x")] })
    };
    assert_eq!(look(&gap(), &mut write), None);
    assert_eq!(rounds, 2 * ROUNDS);
}

#[test]
fn a_log_is_read_as_it_was_written() {
    let log = Log { marks: vec![mark(0, "a")], lines: vec![line(1, "sends \"x\"", "d")] };
    assert_eq!(Log::from_line(&log.to_line()), Some(log));
    assert_eq!(Log::from_line("no log"), None);
}
