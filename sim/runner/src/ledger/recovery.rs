//! Recovery: how long it took from the first fault to each step of getting over it.

use schism_core::{Duration, Time};
use schism_models::observation::Outcome;
use schism_models::oracle::{Change, Opinion};

use crate::figures::share;

/// What happened from the first fault on. Before it, nothing is kept.
#[derive(Clone, Default)]
pub(crate) struct Recovery {
    first_fault: Option<Time>,
    led: Option<Time>,
    detected: Option<Time>,
    misrouted: Option<Time>,
    /// As it stood at the latest heal.
    misrouted_by_heal: Option<Time>,
    /// By whole seconds since the first fault, of requests offered then: how many are over, and how many succeeded.
    seconds: Vec<(u32, u32)>,
}

const SECOND: u64 = 1_000_000_000;

/// A second with fewer requests says little about their share of success, and is left out unless all have fewer.
const FEW: u32 = 10;

/// A share counts as lower than before if it is by more than this: one percent.
const MARGIN: f64 = 0.01;

impl Recovery {
    pub(crate) fn on_begin(&mut self, now: Time) {
        self.first_fault.get_or_insert(now);
    }

    pub(crate) fn on_heal(&mut self) {
        self.misrouted_by_heal = self.misrouted;
    }

    pub(crate) fn on_leader(&mut self, now: Time) {
        if self.first_fault.is_some() {
            self.led.get_or_insert(now);
        }
    }

    pub(crate) fn on_change(&mut self, now: Time, change: &Change) {
        if let Change::Turns { from: Opinion::Up, to: Opinion::Down, .. } = change
            && self.first_fault.is_some()
        {
            self.detected.get_or_insert(now);
        }
    }

    pub(crate) fn on_misrouted(&mut self, now: Time) {
        self.misrouted = self.first_fault.map(|_| now);
    }

    #[inline]
    pub(crate) fn on_done(&mut self, offered: Time, outcome: Outcome) {
        let Some(first) = self.first_fault.filter(|&first| offered >= first) else { return };
        let second = (offered.since(first).as_nanos() / SECOND) as usize;
        if second >= self.seconds.len() {
            self.seconds.resize(second + 1, (0, 0));
        }
        let (over, succeeded) = &mut self.seconds[second];
        *over += 1;
        *succeeded += u32::from(outcome == Outcome::Success);
    }

    /// From the first fault to the first belief that something is gone.
    pub(crate) fn detect(&self) -> Option<Duration> {
        self.since_fault(self.detected)
    }

    /// From the first fault to the first leader after it.
    pub(crate) fn failover(&self) -> Option<Duration> {
        self.since_fault(self.led)
    }

    /// From the first fault to the last attempt to an instance that could not answer: until the last heal, or the end
    /// if not everything healed.
    pub(crate) fn reroute(&self, all_healed: bool) -> Option<Duration> {
        self.since_fault(if all_healed { self.misrouted_by_heal } else { self.misrouted })
    }

    /// The lowest share of success of any second, and how many seconds' share was lower than `before`.
    pub(crate) fn dip(&self, end: Time, before: Option<f64>) -> (Option<f64>, Option<u64>) {
        let Some(first) = self.first_fault else { return (None, None) };
        let whole = (end.since(first).as_nanos() / SECOND) as usize;
        let seconds = &self.seconds[..whole.max(1).min(self.seconds.len())];
        let enough = if seconds.iter().any(|&(over, _)| over >= FEW) { FEW } else { 1 };
        let shares = seconds
            .iter()
            .filter(|&&(over, _)| over >= enough)
            .filter_map(|&(over, succeeded)| share(u64::from(succeeded), u64::from(over)));
        let lowest = shares.clone().reduce(f64::min);
        let lower = before.map(|before| shares.filter(|share| *share < before - MARGIN).count() as u64);
        (lowest, lower)
    }

    fn since_fault(&self, moment: Option<Time>) -> Option<Duration> {
        Some(moment?.since(self.first_fault?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Time {
        Time::START + Duration::from_millis(millis)
    }

    /// So many requests a second from the fault at half past two on, of which so many succeed.
    fn recovery(seconds: &[(u32, u32)]) -> Recovery {
        let mut recovery = Recovery::default();
        recovery.on_begin(at(2500));
        for (&(over, succeeded), second) in seconds.iter().zip(0..) {
            for number in 0..over {
                let outcome = if number < succeeded { Outcome::Success } else { Outcome::Timeout };
                recovery.on_done(at(2500 + second * 1000 + u64::from(number)), outcome);
            }
        }
        recovery
    }

    #[test]
    fn the_dip_is_the_worst_second_and_lasts_as_many_as_are_worse_than_before() {
        let recovery = recovery(&[(100, 100), (100, 90), (100, 80), (100, 98)]);
        assert_eq!(recovery.dip(at(6500), Some(0.99)), (Some(0.8), Some(2)));
    }

    #[test]
    fn a_second_with_few_requests_is_left_out_unless_all_have_few() {
        assert_eq!(recovery(&[(100, 99), (9, 0)]).dip(at(4500), None), (Some(0.99), None));
        assert_eq!(recovery(&[(9, 9), (9, 0)]).dip(at(4500), None), (Some(0.0), None));
    }

    #[test]
    fn a_second_that_the_end_cuts_short_does_not_count() {
        let recovery = recovery(&[(100, 100), (50, 0)]);
        assert_eq!(recovery.dip(at(4499), None), (Some(1.0), None));
        assert_eq!(recovery.dip(at(4500), None), (Some(0.0), None));
    }

    #[test]
    fn without_a_fault_there_is_nothing_to_get_over() {
        let mut recovery = Recovery::default();
        recovery.on_done(at(1), Outcome::Timeout);
        recovery.on_misrouted(at(1));
        recovery.on_leader(at(1));
        assert_eq!(recovery.dip(at(2), Some(1.0)), (None, None));
        assert_eq!((recovery.failover(), recovery.reroute(true)), (None, None));
    }

    #[test]
    fn what_is_misrouted_after_the_last_heal_does_not_count() {
        let mut recovery = recovery(&[]);
        recovery.on_misrouted(at(3500));
        recovery.on_heal();
        recovery.on_misrouted(at(9000));
        assert_eq!(recovery.reroute(true), Some(Duration::from_secs(1)));
        assert_eq!(recovery.reroute(false), Some(Duration::from_millis(6500)));
    }
}
