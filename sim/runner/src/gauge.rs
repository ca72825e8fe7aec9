//! Gauges: what metrics come to while a run goes on, for faults that wait for one to cross a line.
//!
//! They are part of the simulation, not of whoever watches it: a run does the same whoever watches. They are read on a
//! fixed grid, between events, so that reading them is no event and leaves no trace in the digest.

use std::collections::VecDeque;

use schism_core::{
    Actor, Deed, Duration, Effect, Fault, FaultId, NodeId, Scene, Swallowed, Time, Traced, Witness,
};
use schism_models::nemesis::{Audience, Struck};
use schism_models::observation::{Observation, Outcome};
use schism_models::oracle::{Record, Role, Shown};
use schism_scenario::{Ask, Expectation, Line, Metric, Scenario};

use crate::judge::of_requests;
use crate::ledger::{Cell, Sent, cast};

/// A witness, and the gauges that faults wait for.
#[derive(Clone)]
pub struct Gauged<W> {
    /// Whoever else watches.
    pub audience: W,
    gauges: Option<Box<Gauges>>,
    /// When it is to be looked next how much the processes hold, if anybody wants to know.
    census: Option<Time>,
}

/// How often it is looked how much the processes hold.
const BETWEEN_CENSUSES: Duration = Duration::from_secs(1);

/// One gauge for each line that has not been crossed.
#[derive(Clone)]
struct Gauges {
    /// What has been observed of the registry, if a line asks who has left it.
    record: Record,
    keeps_record: bool,
    warmup: Time,
    gauges: Vec<Gauge>,
}

/// How many parts the time that a line is measured over has: the oldest goes when a new one begins.
const PARTS: usize = 10;

/// A metric over the time just past.
#[derive(Clone)]
struct Gauge {
    /// The number of its line.
    number: usize,
    line: Line,
    parts: VecDeque<Cell>,
    /// When it is read next.
    next: Time,
}

impl<W> Gauged<W> {
    /// The gauges of a scenario's lines, before the first event.
    pub fn new(scenario: &Scenario, audience: W) -> Gauged<W> {
        let warmup = Time::START + scenario.warmup;
        let gauge = |(number, line): (usize, &Line)| Gauge {
            number,
            line: line.clone(),
            parts: VecDeque::from([Cell::default()]),
            next: warmup + line.over / PARTS as u64,
        };
        let gauges = || Gauges {
            record: Record::new(cast(scenario), warmup),
            keeps_record: scenario.lines.iter().any(|line| line.metric == Metric::StaleRequests),
            warmup,
            gauges: scenario.lines.iter().enumerate().map(gauge).collect(),
        };
        let wants_census = |expected: &Expectation| match &expected.ask {
            Ask::Oracle { oracle, .. } => oracle.shown().contains(&Shown::Holdings),
            Ask::Metric { .. } | Ask::Slo { .. } => false,
        };
        Gauged {
            audience,
            gauges: (!scenario.lines.is_empty()).then(|| Box::new(gauges())),
            census: scenario.expectations.iter().any(wants_census).then_some(warmup),
        }
    }

    /// When one is to be read next.
    pub fn next_at(&self) -> Option<Time> {
        let gauges = self.gauges.iter().flat_map(|gauges| &gauges.gauges);
        gauges.map(|gauge| gauge.next).chain(self.census).min()
    }

    /// Whether it is to be looked now how much the processes hold, and told with [`Observation::Holds`].
    pub fn takes_census(&mut self, now: Time) -> bool {
        let Some(at) = self.census.filter(|at| *at <= now) else { return false };
        self.census = Some(at + BETWEEN_CENSUSES);
        true
    }

    /// Reads those that are to be read now: the lines that have just been crossed. They are not measured any more.
    pub fn read(&mut self, now: Time) -> Vec<usize> {
        let Some(gauges) = &mut self.gauges else { return Vec::new() };
        let mut crossed = Vec::new();
        gauges.gauges.retain_mut(|gauge| {
            let crosses = gauge.next <= now && gauge.read(now);
            crossed.extend(crosses.then_some(gauge.number));
            !crosses
        });
        if gauges.gauges.is_empty() {
            self.gauges = None;
        }
        crossed
    }
}

impl Gauge {
    /// Whether the metric is across its line now. Until there has been as much time as it is measured over, it is not.
    fn read(&mut self, now: Time) -> bool {
        let crosses = self.parts.len() == PARTS && self.is_across(now);
        self.next = now + self.line.over / PARTS as u64;
        if self.parts.len() == PARTS {
            self.parts.pop_front();
        }
        self.parts.push_back(Cell::default());
        crosses
    }

    fn is_across(&self, now: Time) -> bool {
        let mut sum = Cell::default();
        self.parts.iter().for_each(|part| sum.add(part));
        let Line { metric, at_least, at_most, over } = self.line;
        let value = of_requests(&sum, (now - over, now), metric);
        value.is_some_and(|value| {
            at_least.is_some_and(|least| value < least) || at_most.is_some_and(|most| value > most)
        })
    }

    /// The part that is being filled.
    fn part(&mut self) -> &mut Cell {
        self.parts.back_mut().expect("there is always a part")
    }

    fn on_done(&mut self, took: Duration, outcome: Outcome) {
        let times = matches!(self.line.metric, Metric::LatencyQuantile(_) | Metric::LatencyMean);
        let tally = &mut self.part().tally;
        if times {
            tally.on_done(took, outcome);
        } else {
            tally.count(outcome);
        }
    }
}

impl Gauges {
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        if self.keeps_record {
            self.record.observe(scene.now(), by, seen);
        }
        let now = scene.now();
        if now < self.warmup {
            return;
        }
        match *seen {
            Observation::Read => self.gauges.iter_mut().for_each(|gauge| gauge.part().reads += 1),
            Observation::Offered if self.is_client(by) => {
                self.gauges.iter_mut().for_each(|gauge| gauge.part().tally.offered += 1);
            }
            Observation::Attempt { to, .. } if self.is_client(by) => {
                let sent = Sent {
                    stale: self.keeps_record && self.record.is_stale(scene, to),
                    misrouted: !scene.can_answer(by, to),
                    cross_zone: scene.zone(by) != scene.zone(to),
                };
                self.gauges.iter_mut().for_each(|gauge| gauge.part().tally.on_attempt(sent));
            }
            Observation::Done { offered, outcome } if self.is_client(by) => {
                self.gauges.iter_mut().for_each(|gauge| gauge.on_done(now.since(offered), outcome));
            }
            Observation::Offered
            | Observation::Attempt { .. }
            | Observation::Done { .. }
            | Observation::Served { .. }
            | Observation::View(_)
            | Observation::Believes { .. }
            | Observation::Blind(_)
            | Observation::Registered
            | Observation::Renewed
            | Observation::LeaseLost
            | Observation::Leads { .. }
            | Observation::Deposed { .. }
            | Observation::Committed { .. }
            | Observation::Wrote(_)
            | Observation::Extended
            | Observation::Deems { .. }
            | Observation::Acquired { .. }
            | Observation::Released { .. }
            | Observation::LockLost { .. }
            | Observation::GuardedWrite { .. }
            | Observation::Called { .. }
            | Observation::Written { .. }
            | Observation::Fetched { .. }
            | Observation::Unanswered { .. }
            | Observation::Saw { .. }
            | Observation::Holds { .. } => {}
        }
    }

    fn is_client(&self, node: NodeId) -> bool {
        match self.record.cast.role(node) {
            Role::Client(_) => true,
            Role::Member | Role::Instance(..) | Role::Aide => false,
        }
    }
}

impl<A: Actor<Observation = Observation>, W: Witness<A>> Witness<A> for Gauged<W> {
    const TRACES: bool = W::TRACES;

    #[inline]
    fn observe(&mut self, scene: &Scene<'_>, by: NodeId, seen: &Observation) {
        if let Some(gauges) = &mut self.gauges {
            gauges.observe(scene, by, seen);
        }
        self.audience.observe(scene, by, seen);
    }

    fn on_fault(&mut self, scene: &Scene<'_>, fault: &Fault) {
        if let Some(gauges) = &mut self.gauges {
            gauges.record.on_fault(scene.now(), fault);
        }
        self.audience.on_fault(scene, fault);
    }

    fn on_exit(&mut self, scene: &Scene<'_>, node: NodeId, by: FaultId) {
        self.audience.on_exit(scene, node, by);
    }

    fn on_event(&mut self, scene: &Scene<'_>, event: &Traced<'_, A>) {
        self.audience.on_event(scene, event);
    }

    fn on_deed(&mut self, scene: &Scene<'_>, deed: &Deed<'_, A>) {
        self.audience.on_deed(scene, deed);
    }

    fn on_swallowed(&mut self, scene: &Scene<'_>, swallowed: &Swallowed<'_, A>) {
        self.audience.on_swallowed(scene, swallowed);
    }

    #[inline]
    fn on_effects(&mut self, scene: &Scene<'_>, by: NodeId, effects: &[Effect<A>]) {
        self.audience.on_effects(scene, by, effects);
    }

    #[inline]
    fn wants_attention(&self) -> bool {
        self.audience.wants_attention()
    }
}

impl<W: Audience> Audience for Gauged<W> {
    fn fault_acts(&mut self, fault: usize) {
        self.audience.fault_acts(fault);
    }

    fn fault_began(&mut self, scene: &Scene<'_>, fault: usize, struck: &Struck) {
        self.audience.fault_began(scene, fault, struck);
    }

    fn fault_healed(&mut self, scene: &Scene<'_>, fault: usize, touched: u64) {
        self.audience.fault_healed(scene, fault, touched);
    }

    fn fault_lasts(&mut self, fault: usize, touched: u64) {
        self.audience.fault_lasts(fault, touched);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    fn gauge(at_least: f64) -> Gauge {
        let over = Duration::from_millis(1_000);
        Gauge {
            number: 0,
            line: Line { metric: Metric::SuccessRate, at_least: Some(at_least), at_most: None, over },
            parts: VecDeque::from([Cell::default()]),
            next: at(100),
        }
    }

    /// Reads at every tenth of a second, with one request over in each: when the line was crossed.
    fn crossed(mut gauge: Gauge, fails: impl Fn(u64) -> bool) -> Option<u64> {
        (1..60).map(|tenth| tenth * 100).find(|&millis| {
            let outcome = if fails(millis) { Outcome::Timeout } else { Outcome::Success };
            gauge.on_done(Duration::ZERO, outcome);
            gauge.read(at(millis))
        })
    }

    #[test]
    fn a_line_is_crossed_when_the_share_over_the_last_second_is_below_it() {
        // Of the ten requests of the last second six have failed at 2.6 s, and not before.
        assert_eq!(crossed(gauge(0.45), |millis| millis > 2_000), Some(2_600));
        assert_eq!(crossed(gauge(0.45), |millis| (2_000..2_500).contains(&millis)), None);
    }

    #[test]
    fn nothing_is_crossed_before_there_was_a_whole_second() {
        assert_eq!(crossed(gauge(0.45), |_| true), Some(1_000));
    }

    #[test]
    fn where_nothing_is_measured_nothing_is_crossed() {
        let mut idle = gauge(0.45);
        assert!((1..60).all(|tenth| !idle.read(at(tenth * 100))));
    }
}
