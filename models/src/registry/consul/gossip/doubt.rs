//! A suspicion: how long it still has to run, given who confirms it (memberlist's suspicion.go).

use schism_core::{Duration, Time};

use super::formula::{suspicion_length, suspicion_timeout};
use super::{Config, Peer};

/// One peer under suspicion.
#[derive(Clone, Debug)]
pub struct Doubt {
    /// How many confirmations bring it down to the least time; none are wanted if so few are there.
    k: u32,
    min: Duration,
    max: Duration,
    started: Time,
    /// Who says so, first of all who said so first.
    by: Vec<Peer>,
    /// Which of its reminders counts: the last that was set.
    pub serial: u32,
}

impl Doubt {
    /// A suspicion in a cluster of `n`, first heard from `by` (`suspectNode`, state.go).
    pub fn new(config: &Config, n: u32, by: Peer, now: Time, serial: u32) -> Doubt {
        let wanted = config.suspicion_mult.saturating_sub(2);
        let k = if n < wanted + 2 { 0 } else { wanted };
        let min = suspicion_timeout(config.suspicion_mult, n, config.probe_interval);
        let max = min * u64::from(config.suspicion_max_mult);
        Doubt { k, min, max, started: now, by: vec![by], serial }
    }

    /// How long it lasts in all, as things are.
    pub fn length(&self) -> Duration {
        match (self.k, self.confirmed()) {
            (0, _) => self.min,
            (_, 0) => self.max,
            (k, confirmed) => suspicion_length(confirmed, k, self.min, self.max),
        }
    }

    /// Another peer says so, too. Whether that is new and still of use.
    pub fn confirm(&mut self, by: Peer) -> bool {
        let counts = self.confirmed() < self.k && !self.by.contains(&by);
        if counts {
            self.by.push(by);
        }
        counts
    }

    /// How long from now; nothing if it is over.
    pub fn remaining(&self, now: Time) -> Duration {
        self.length().saturating_sub(now.since(self.started))
    }

    fn confirmed(&self) -> u32 {
        self.by.len() as u32 - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(n: u32) -> Doubt {
        Doubt::new(&Config::lan(), n, 7, Time::START, 0)
    }

    #[test]
    fn three_nodes_are_too_few_to_wait_for_confirmations_and_four_are_not() {
        assert_eq!(doubt(3).length(), Duration::from_secs(4));
        assert_eq!(doubt(4).length(), Duration::from_secs(24));
    }

    #[test]
    fn a_confirmation_counts_once_and_only_while_wanted() {
        let mut doubt = doubt(8);
        assert!(!doubt.confirm(7), "who said so first confirms nothing");
        assert!(doubt.confirm(1));
        assert_eq!(doubt.length(), Duration::from_millis(11_381));
        assert!(!doubt.confirm(1), "nor does the same again");
        assert!(doubt.confirm(2));
        assert_eq!(doubt.length(), Duration::from_secs(4));
        assert!(!doubt.confirm(3), "two were wanted");
    }

    #[test]
    fn what_has_passed_is_taken_off() {
        let mut doubt = doubt(8);
        doubt.confirm(1);
        let now = Time::START + Duration::from_secs(10);
        assert_eq!(doubt.remaining(now), Duration::from_millis(1_381));
        doubt.confirm(2);
        assert_eq!(doubt.remaining(now), Duration::ZERO);
    }
}
