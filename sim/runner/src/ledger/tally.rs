//! A tally: counts of requests and the latency of those that succeeded.

use schism_core::Duration;
use schism_models::observation::Outcome;

use super::latency::Latencies;
use crate::figures::share;
use crate::report;

/// Counts of requests, of a client group or of a part of the run.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    pub(crate) offered: u64,
    pub(crate) succeeded: u64,
    pub(crate) attempts: u64,
    pub(crate) stale: u64,
    pub(crate) misrouted: u64,
    pub(crate) cross_zone: u64,
    errors: report::Errors,
    pub(crate) latencies: Latencies,
}

/// What was wrong with one attempt at the moment it was sent.
#[derive(Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) stale: bool,
    pub(crate) misrouted: bool,
    pub(crate) cross_zone: bool,
}

impl Tally {
    #[inline]
    pub(crate) fn on_attempt(&mut self, sent: Sent) {
        self.attempts += 1;
        self.stale += u64::from(sent.stale);
        self.misrouted += u64::from(sent.misrouted);
        self.cross_zone += u64::from(sent.cross_zone);
    }

    #[inline]
    pub(crate) fn on_done(&mut self, took: Duration, outcome: Outcome) {
        self.count(outcome);
        if outcome == Outcome::Success {
            self.latencies.record(took);
        }
    }

    /// One is over; how long it took is not kept.
    #[inline]
    pub(crate) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success => self.succeeded += 1,
            Outcome::Timeout => self.errors.timeout += 1,
            Outcome::Connect => self.errors.connect += 1,
            Outcome::Rejected => self.errors.rejected += 1,
            Outcome::NoEndpoint => self.errors.no_endpoint += 1,
            Outcome::Deadline => self.errors.deadline += 1,
            Outcome::Failed => self.errors.failed += 1,
        }
    }

    pub(crate) fn failed(&self) -> u64 {
        let report::Errors { timeout, connect, rejected, no_endpoint, deadline, failed } = self.errors;
        timeout + connect + rejected + no_endpoint + deadline + failed
    }

    pub(crate) fn finished(&self) -> u64 {
        self.succeeded + self.failed()
    }

    /// Requests that succeeded, of those that are over.
    pub(crate) fn success_rate(&self) -> Option<f64> {
        share(self.succeeded, self.finished())
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.offered += other.offered;
        self.succeeded += other.succeeded;
        self.attempts += other.attempts;
        self.stale += other.stale;
        self.misrouted += other.misrouted;
        self.cross_zone += other.cross_zone;
        self.errors.timeout += other.errors.timeout;
        self.errors.connect += other.errors.connect;
        self.errors.rejected += other.errors.rejected;
        self.errors.no_endpoint += other.errors.no_endpoint;
        self.errors.deadline += other.errors.deadline;
        self.errors.failed += other.errors.failed;
        self.latencies.add(&other.latencies);
    }

    pub(crate) fn report(&self) -> report::Requests {
        let finished = self.finished();
        assert!(finished <= self.offered, "what is over was offered: {finished} of {}", self.offered);
        report::Requests {
            offered: self.offered,
            succeeded: self.succeeded,
            failed: self.failed(),
            unfinished: self.offered - finished,
            attempts: self.attempts,
            stale: self.stale,
            misrouted: self.misrouted,
            cross_zone: self.cross_zone,
            errors: self.errors.clone(),
        }
    }
}
