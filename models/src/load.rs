//! Load: what an instance reports of itself, and what a client learns from the end of an attempt.

use std::hash::{Hash, Hasher};

use schism_core::Duration;

use crate::observation::Outcome;

/// How loaded an instance is, as it says with a reply or to a probe.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Load {
    /// Requests that it has taken and not answered (RIF), this one not among them.
    pub in_flight: u32,
    /// Those of them that wait.
    pub queued: u32,
    /// How long it served this request, without its wait.
    pub service: Duration,
    /// How long a request would take now, as far as its recent ones tell.
    pub latency: Duration,
    /// Requests per second.
    pub qps: f64,
    /// Errors per second.
    pub eps: f64,
    /// Its utilization: 1 is all that it can do.
    pub utilization: f64,
}

impl Hash for Load {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Load { in_flight, queued, service, latency, qps, eps, utilization } = self;
        (in_flight, queued, service, latency).hash(state);
        [qps, eps, utilization].map(|rate| rate.to_bits()).hash(state);
    }
}

/// How an attempt ended, for the balancer that picked its endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Feedback<'a> {
    /// From the pick to the end, by the client's clock.
    pub latency: Duration,
    /// The end.
    pub outcome: Outcome,
    /// What the instance reported, if it did.
    pub load: Option<&'a Load>,
}

impl Feedback<'_> {
    /// Whether the instance answered, be it with an error, or was given up.
    pub fn is_answer(&self) -> bool {
        match self.outcome {
            Outcome::Success | Outcome::Rejected | Outcome::Failed => true,
            Outcome::Timeout | Outcome::Connect | Outcome::NoEndpoint | Outcome::Deadline => false,
        }
    }
}
