//! Replay: a case run again, and what has become of its failure.

use schism_core::{DigestValue, Time};
use schism_models::node::{Node, Process};
use schism_scenario::{Case, Mark, Scenario};
use serde::Serialize;

use crate::case::{digest, marked, moment};
use crate::report::{Expectation, Verdict};
use crate::{Failure, Report};

/// What has become of a case.
#[derive(Clone, Debug)]
pub struct Replay {
    /// What was recorded.
    pub case: Case,
    /// Whether the run is the recorded one.
    pub course: Course,
    /// What has become of the failure.
    pub outcome: Outcome,
    /// What else is not as it was when the case was kept.
    pub moved: Moved,
    /// What happened.
    pub report: Report,
}

/// Whether a run is the recorded one, event for event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It is.
    AsRecorded,
    /// It went another way, between these two moments.
    Differs {
        /// Until then it was the same.
        after: Time,
        /// By then it was not. The end of the run, if no mark differs.
        before: Time,
    },
}

/// What has become of the failure that a case was kept for.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It fails at the same moment for the same reason.
    AsRecorded,
    /// It fails at another moment, or with other numbers, or on other nodes.
    Moved(Failure),
    /// The expectation fails in another way.
    Otherwise(Failure),
    /// It holds, by this much if it has a margin.
    Holds(Option<String>),
    /// The run does not reach what the expectation is about, and why.
    Vacuous(String),
    /// The case expects nothing of that name any more.
    Unasked,
}

/// The three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The same run with the same failure.
    Identical,
    /// Another run, or another failure of the same expectation.
    StillFailing,
    /// It does not fail any more.
    Holding,
}

/// What is not as it was when a case was kept, beside the run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Another version wrote it.
    pub version: Option<String>,
    /// The scenario means something else than it did: the text was edited, or the language has changed.
    pub scenario: bool,
}

/// Runs a case again.
pub fn replay(scenario: &Scenario, case: &Case) -> Replay {
    replay_of::<Node>(scenario, case)
}

/// The same with other processes than the models alone.
pub fn replay_of<P: Process>(scenario: &Scenario, case: &Case) -> Replay {
    let moments: Vec<Time> = case.marks.iter().map(|mark| mark.at).collect();
    let (report, marks) = marked::<P>(scenario, &moments);
    let moved = Moved {
        version: (case.schism != report.version).then(|| case.schism.clone()),
        scenario: case.scenario_digest != scenario.digest,
    };
    let course = course(case, &marks, digest(&report), Time::START + scenario.length);
    Replay { outcome: outcome(case, &report), course, moved, report, case: case.clone() }
}

fn course(case: &Case, marks: &[Mark], digest: DigestValue, end: Time) -> Course {
    if digest == case.digest {
        return Course::AsRecorded;
    }
    let parted = case.marks.iter().zip(marks).position(|(recorded, now)| recorded != now);
    let parted = parted.unwrap_or(marks.len());
    let after = parted.checked_sub(1).map_or(Time::START, |last| marks[last].at);
    Course::Differs { after, before: marks.get(parted).map_or(end, |mark| mark.at) }
}

fn outcome(case: &Case, report: &Report) -> Outcome {
    let Some(expectation) = report.expect.iter().find(|found| found.id == case.expectation) else {
        return Outcome::Unasked;
    };
    match (expectation.verdict, Failure::of(expectation)) {
        (Verdict::Fails, Some(failure)) if failure.signature != case.signature => Outcome::Otherwise(failure),
        (Verdict::Fails, Some(failure)) if failure.why != case.why || failure.at_s.map(moment) != case.at => {
            Outcome::Moved(failure)
        }
        (Verdict::Fails, _) => Outcome::AsRecorded,
        (Verdict::Holds, _) => Outcome::Holds(expectation.margin.clone()),
        (Verdict::Vacuous, _) => Outcome::Vacuous(why(expectation)),
    }
}

fn why(expectation: &Expectation) -> String {
    expectation.why.clone().unwrap_or_default()
}

impl Replay {
    /// Which of the three answers it is.
    pub fn answer(&self) -> Answer {
        match (&self.outcome, self.course) {
            (Outcome::AsRecorded, Course::AsRecorded) => Answer::Identical,
            (Outcome::AsRecorded | Outcome::Moved(_) | Outcome::Otherwise(_), _) => Answer::StillFailing,
            (Outcome::Holds(_) | Outcome::Vacuous(_) | Outcome::Unasked, _) => Answer::Holding,
        }
    }

    /// Whether the run should have been the recorded one and was not: the version and the scenario are the same.
    pub fn is_unfaithful(&self) -> bool {
        self.moved == Moved::default() && self.course != Course::AsRecorded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(marks: &[Mark]) -> Case {
        let digest = "0123456789abcdef0123456789abcdef".parse().expect("a digest");
        Case {
            format: 1,
            schism: "0.1.0".to_owned(),
            engine: "des".to_owned(),
            digest,
            scenario_digest: digest,
            expectation: "e".to_owned(),
            at: None,
            why: String::new(),
            signature: String::new(),
            marks: marks.to_vec(),
        }
    }

    #[test]
    fn a_run_parts_between_the_last_mark_that_agrees_and_the_first_that_does_not() {
        let mark =
            |secs: u64, prefix| Mark { events: secs, at: Time::from_nanos(secs * 1_000_000_000), prefix };
        let recorded = [mark(1, 1), mark(2, 2), mark(3, 3)];
        let other = "fedcba9876543210fedcba9876543210".parse().expect("a digest");
        let end = Time::from_nanos(4_000_000_000);
        let parts = |now: &[Mark]| course(&case(&recorded), now, other, end);
        let at = |secs: u64| Time::from_nanos(secs * 1_000_000_000);
        let between = |after, before| Course::Differs { after: at(after), before: at(before) };
        assert_eq!(parts(&[mark(1, 1), mark(2, 9), mark(3, 9)]), between(1, 2));
        assert_eq!(parts(&[mark(1, 9), mark(2, 9), mark(3, 9)]), between(0, 1));
        assert_eq!(parts(&recorded), between(3, 4));
        assert_eq!(course(&case(&recorded), &recorded, case(&recorded).digest, end), Course::AsRecorded);
    }
}
