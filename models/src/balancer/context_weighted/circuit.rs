//! One endpoint's circuit: open when too many of the last requests failed, and tried again by one request at a time.

use schism_core::{Duration, Ratio, Time};

use crate::sliding::Sliding;

/// Slots of the window: Hystrix's ten (`metrics.rollingStats.numBuckets`).
const SLOTS: usize = 10;

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rules {
    /// It opens when a greater part of the requests than this failed.
    pub(super) threshold: Ratio,
    /// Within so much time.
    pub(super) window: Duration,
    /// If there were so many at least.
    pub(super) least: u32,
    /// After so much time one request tries whether the endpoint is well again.
    pub(super) open_for: Duration,
}

/// What is known of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Circuit {
    window: Sliding<Tally, SLOTS>,
    state: State,
}

/// Whether an endpoint is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is, by its weight.
    Closed,
    /// It is not until this moment.
    Open(Time),
    /// One request may try it.
    HalfOpen,
    /// One request has gone to try it, at this moment, and no other may.
    Tried(Time),
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Tally {
    well: u32,
    failed: u32,
}

/// What an answer has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Stays,
    /// The endpoint is no longer picked.
    Opens,
    /// The endpoint is picked again.
    Closes,
}

impl Circuit {
    pub(super) fn new(rules: &Rules) -> Circuit {
        Circuit { window: Sliding::new(rules.window), state: State::Closed }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// The part of the requests in the window that failed, in percent; nothing where there were none.
    pub(super) fn failed(&mut self, now: Time) -> f64 {
        let (well, failed) = self.counted(now);
        if well + failed == 0 { 0.0 } else { f64::from(failed) * 100.0 / f64::from(well + failed) }
    }

    /// A request has ended. While the circuit is open, the answers to those sent before say nothing new.
    pub(super) fn on_answer(&mut self, now: Time, sent: Time, ok: bool, rules: &Rules) -> Turn {
        match self.state {
            State::Closed => {
                let tally = self.window.now(now);
                let count = if ok { &mut tally.well } else { &mut tally.failed };
                *count = count.saturating_add(1);
                let (well, failed) = self.counted(now);
                let (part, of) =
                    (u128::from(rules.threshold.numerator()), u128::from(rules.threshold.denominator()));
                let is_above = u128::from(failed) * of > u128::from(well + failed) * part;
                if ok || well + failed < rules.least || !is_above {
                    return Turn::Stays;
                }
                self.state = State::Open(now + rules.open_for);
                Turn::Opens
            }
            State::Tried(since) if sent >= since => {
                if ok {
                    // It begins anew: what went wrong before is no longer held against it.
                    *self = Circuit::new(rules);
                    return Turn::Closes;
                }
                self.state = State::Open(now + rules.open_for);
                Turn::Opens
            }
            State::Open(_) | State::HalfOpen | State::Tried(_) => Turn::Stays,
        }
    }

    /// Time has passed: an open circuit may be tried, and one whose trial was never answered may be tried again.
    pub(super) fn on_time(&mut self, now: Time, rules: &Rules) -> bool {
        let due = match self.state {
            State::Open(until) => until <= now,
            State::Tried(since) => since + rules.open_for <= now,
            State::Closed | State::HalfOpen => false,
        };
        if due {
            self.state = State::HalfOpen;
        }
        due
    }

    /// When time has something to change.
    pub(super) fn due(&self, rules: &Rules) -> Option<Time> {
        match self.state {
            State::Open(until) => Some(until),
            State::Tried(since) => Some(since + rules.open_for),
            State::Closed | State::HalfOpen => None,
        }
    }

    /// It is picked: where one request may try it, this is the one.
    pub(super) fn on_pick(&mut self, now: Time) -> Turn {
        if self.state == State::HalfOpen {
            self.state = State::Tried(now);
            return Turn::Opens;
        }
        Turn::Stays
    }

    fn counted(&mut self, now: Time) -> (u32, u32) {
        self.window
            .recent(now)
            .fold((0, 0), |(well, failed), tally| (well + tally.well, failed + tally.failed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: Rules = Rules {
        threshold: Ratio::new(1, 2),
        window: Duration::from_secs(10),
        least: 4,
        open_for: Duration::from_secs(5),
    };

    fn ms(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn after(answers: &[bool]) -> (Circuit, Turn) {
        let mut circuit = Circuit::new(&RULES);
        let turns = answers.iter().map(|&ok| circuit.on_answer(ms(1_000), ms(900), ok, &RULES));
        let last = turns.last().expect("there are answers");
        (circuit, last)
    }

    #[test]
    fn it_opens_above_the_threshold_and_not_at_it() {
        assert_eq!(after(&[true, true, false, false]).1, Turn::Stays);
        assert_eq!(after(&[true, true, false, false, false]).1, Turn::Opens);
        assert_eq!(after(&[false, false, false]).1, Turn::Stays);
        assert_eq!(after(&[false, false, false, false]).1, Turn::Opens);
    }

    #[test]
    fn failures_a_window_ago_are_forgotten() {
        let mut circuit = Circuit::new(&RULES);
        (0..3).for_each(|_| assert_eq!(circuit.on_answer(ms(0), ms(0), false, &RULES), Turn::Stays));
        assert!((circuit.failed(ms(9_999)) - 100.0).abs() < 1e-12);
        assert_eq!(circuit.on_answer(ms(10_000), ms(0), false, &RULES), Turn::Stays);
        assert_eq!(circuit.state(), State::Closed);
    }

    #[test]
    fn one_request_tries_an_open_circuit_and_its_answer_decides() {
        for (ok, state) in [(true, State::Closed), (false, State::Open(ms(11_050)))] {
            let (mut circuit, _) = after(&[false; 4]);
            assert_eq!(circuit.state(), State::Open(ms(6_000)));
            assert!(!circuit.on_time(ms(5_999), &RULES));
            assert!(circuit.on_time(ms(6_000), &RULES));
            assert_eq!(circuit.on_pick(ms(6_000)), Turn::Opens);
            assert_eq!(circuit.on_pick(ms(6_000)), Turn::Stays);
            // An answer to what was sent before the trial is none to it.
            assert_eq!(circuit.on_answer(ms(6_010), ms(5_000), true, &RULES), Turn::Stays);
            circuit.on_answer(ms(6_050), ms(6_000), ok, &RULES);
            assert_eq!(circuit.state(), state);
        }
    }

    #[test]
    fn a_trial_that_is_never_answered_is_followed_by_another() {
        let (mut circuit, _) = after(&[false; 4]);
        assert!(circuit.on_time(ms(6_000), &RULES));
        circuit.on_pick(ms(6_000));
        assert!(!circuit.on_time(ms(10_999), &RULES));
        assert!(circuit.on_time(ms(11_000), &RULES));
    }
}
