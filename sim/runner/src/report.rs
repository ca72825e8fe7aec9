//! The report: plain public data, with the field names and the order of the contract. Only the command renders it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What one run of a scenario showed. Times are in seconds since the start of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// `schism.report/1`.
    pub schema: &'static str,
    /// The engine's version.
    pub version: &'static str,
    /// `des`: the discrete-event simulator; `madsim`: the live wing.
    pub engine: &'static str,
    /// How far the run can be repeated, where that is not everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repeatability: Option<&'static str>,
    /// Which scenario.
    pub scenario: About,
    /// The seed.
    pub seed: u64,
    /// Of the whole run: 32 hex digits.
    pub digest: String,
    /// Events handled.
    pub events: u64,
    /// Time simulated.
    pub simulated_s: f64,
    /// All requests offered after the warm-up.
    pub requests: Requests,
    /// Of the requests that succeeded.
    pub latency_ms: Latency,
    /// By client group.
    pub clients: BTreeMap<String, Client>,
    /// By service.
    pub services: BTreeMap<String, Service>,
    /// What the registry did.
    pub registry: Registry,
    /// What became of locks, where clients held some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locks: Option<Locks>,
    /// Each registration of each instance, by instance and time.
    pub leases: Vec<Lease>,
    /// Every belief that was ever wrong, by the time at which it became so, then by observer and subject; the first
    /// [`MOST_BELIEFS`](crate::ledger::MOST_BELIEFS) of them.
    pub beliefs: Vec<Belief>,
    /// How many more there were than are listed.
    pub beliefs_omitted: u64,
    /// All that were wrong, by group: members first, then client groups.
    pub wrong_beliefs: Vec<Wrong>,
    /// What went wrong.
    pub faults: Vec<Fault>,
    /// Parts of the run: before the first fault, during each, and after the last; `all` if there was no fault. Of
    /// faults, the first [`MOST_PHASES`](crate::ledger::MOST_PHASES) that began.
    pub phases: Vec<Phase>,
    /// How many faults have no phase.
    pub phases_omitted: u64,
    /// How requests fared, step by step.
    pub timeline: Timeline,
    /// How the system got over it.
    pub recovery: Recovery,
    /// What was expected.
    pub expect: Vec<Expectation>,
    /// Of all expectations together.
    pub verdict: Verdict,
}

/// Which scenario a report is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct About {
    /// Its title.
    pub title: String,
    /// Of the scenario as meant: 32 hex digits.
    pub digest: String,
}

/// Counts of requests. `succeeded + failed + unfinished = offered`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Requests {
    /// Requests that clients had to make.
    pub offered: u64,
    /// Requests that were answered.
    pub succeeded: u64,
    /// Requests that were not.
    pub failed: u64,
    /// Requests still in flight at the end.
    pub unfinished: u64,
    /// Attempts sent.
    pub attempts: u64,
    /// Attempts sent to an instance that had died or had left the registry's committed state.
    pub stale: u64,
    /// Attempts sent to an instance that could not answer: dead, paused or cut off from the sender.
    pub misrouted: u64,
    /// Attempts that left their zone.
    pub cross_zone: u64,
    /// Why requests failed.
    pub errors: Errors,
}

/// Why requests failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Errors {
    /// Not answered in time.
    pub timeout: u64,
    /// Refused or reset by the host.
    pub connect: u64,
    /// Refused for want of room, or by the registry.
    pub rejected: u64,
    /// Nobody to call.
    pub no_endpoint: u64,
    /// Past the request's own deadline.
    pub deadline: u64,
    /// Answered with an error by an instance that took it.
    pub failed: u64,
}

/// Latency in milliseconds; all zero if there was none to measure.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Arithmetic mean.
    pub mean: f64,
    /// Median.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// One client group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Client {
    /// Its requests.
    pub requests: Requests,
    /// Of those that succeeded.
    pub latency_ms: Latency,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Service {
    /// The busiest instance's attempts against the mean; 1 is perfectly even, 0 if there were none.
    pub peak_to_mean: f64,
    /// Its instances, in their own order.
    pub instances: serde_json::Map<String, serde_json::Value>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Instance {
    /// Attempts sent to it.
    pub attempts: u64,
    /// Slots in use, on average over the time after the warm-up; only attempts that were served to the end count.
    pub busy: f64,
    /// Attempts waiting, on average over the time after the warm-up; of the same attempts.
    pub queue_mean: f64,
}

/// What the registry did, over the whole run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Registry {
    /// Reads served.
    pub reads: u64,
    /// Writes committed.
    pub writes: u64,
    /// Its leases.
    pub leases: LeaseCounts,
    /// Leaders elected.
    pub leaders: u64,
}

/// Counts of what happened to leases.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeaseCounts {
    /// Granted.
    pub granted: u64,
    /// Extended by a keepalive.
    pub renewed: u64,
    /// Removed because their time was up.
    pub expired: u64,
}

/// What clients believed of the locks that they used, over the whole run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Locks {
    /// How often one was believed to be held from then on.
    pub acquired: u64,
    /// How often one was given back.
    pub released: u64,
    /// How often a holder learnt that it was not one any more, or no longer trusted that it was.
    pub lost: u64,
    /// For how long, in all, two or more believed that they held the same lock.
    pub two_holders_s: f64,
}

/// One registration of one instance.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lease {
    /// The instance.
    pub instance: String,
    /// When its key entered the registry's committed state.
    pub registered_s: f64,
    /// When the holder received the last successful answer: to its registration, or to a renewal.
    pub last_renewal_s: Option<f64>,
    /// Since when it has not counted as healthy, if it does not: registered, but not offered to who asks for healthy ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unhealthy_s: Option<f64>,
    /// When the key left the committed state; null if it has not.
    pub removed_s: Option<f64>,
    /// Why it left: `expired`, `revoked`, or `replaced` by the instance's own next registration.
    pub cause: Option<&'static str>,
}

/// A belief that was wrong for a while.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Belief {
    /// Who believed.
    pub observer: String,
    /// Of whom.
    pub subject: String,
    /// `up` or `down`.
    pub believes: &'static str,
    /// From when the belief and the truth differed.
    pub from_s: f64,
    /// Until when; null if they still did at the end.
    pub to_s: Option<f64>,
    /// Whether the belief was true over that time.
    #[serde(rename = "true")]
    pub is_true: bool,
}

/// How often the observers of a group were wrong about the instances of a service.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Wrong {
    /// The client group, or `registry`.
    pub observers: String,
    /// The service.
    pub subjects: String,
    /// `up` or `down`.
    pub believes: &'static str,
    /// How many such beliefs there were.
    pub beliefs: u64,
    /// How long the longest lasted, until the end of the run if it outlasted that.
    pub longest_s: f64,
}

/// One fault as it happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fault {
    /// Its name.
    pub id: String,
    /// What it is, in words.
    pub what: String,
    /// When it began.
    pub from_s: f64,
    /// When it was healed; null if never.
    pub to_s: Option<f64>,
    /// Messages it stopped, or processes it struck.
    pub touched: u64,
    /// The processes it struck, or the sides that it parted, in words.
    pub on: Vec<String>,
    /// Of a partition, the islands that were left: nodes of one reach each other, if need be through others of it.
    pub islands: Vec<String>,
}

/// One part of the run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Phase {
    /// `before`, a fault's id, or `after`.
    pub name: String,
    /// When it began.
    pub from_s: f64,
    /// When it ended.
    pub to_s: f64,
    /// Requests offered in it, after the warm-up.
    pub offered: u64,
    /// Of those that are over, the share that succeeded; null if there were none.
    pub success_rate: Option<f64>,
    /// The 99th percentile of their latency; null if none succeeded.
    pub p99_ms: Option<f64>,
}

/// How requests fared over the whole run, warm-up included: one number per step of time, from the start on. A request
/// counts in the step in which it was offered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Timeline {
    /// The length of a step: one second, or as many whole seconds as it takes to need no more than 1,000 steps.
    pub step_s: f64,
    /// Requests offered in each step.
    pub offered: Vec<u64>,
    /// Of those, how many succeeded.
    pub succeeded: Vec<u64>,
}

/// How the system got over the faults. Null where the question has no answer: no fault, or not within the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Recovery {
    /// From the first fault to the first time that an observer which held an instance to be up changed its mind.
    pub detect_s: Option<f64>,
    /// From the first fault to the last attempt, before the last heal, to an instance that could not answer.
    pub reroute_s: Option<f64>,
    /// From the first fault to the next leader of the registry.
    pub failover_s: Option<f64>,
    /// For how long, in all, more than one registry member held itself to be the leader, each of a term of its own.
    pub two_leaders_s: Option<f64>,
    /// The lowest success share of any whole second, counted from the first fault on, by when requests were offered.
    /// Seconds of fewer than ten are left out, unless all are.
    pub dip: Option<f64>,
    /// For how many seconds, in all, the share was lower by more than one percent than it had been before; null if
    /// nothing was measured before.
    pub dip_for_s: Option<f64>,
    /// From the last heal to the moment from which all observers' views agree, to the end of the run; 0 if they did
    /// already. Null if they did not at the end, or nothing healed.
    pub converge_s: Option<f64>,
    /// Instances that the registry dropped though they were alive, and had been since it last heard of them.
    pub false_evictions: u64,
    /// The longest time for which a client believed a dead instance up; null if none died.
    pub ghost_window_s: Option<f64>,
}

/// One expectation and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expectation {
    /// Its name.
    pub id: String,
    /// What became of it.
    pub verdict: Verdict,
    /// When it was decided, if at a moment.
    pub at_s: Option<f64>,
    /// Why, in a sentence.
    pub why: Option<String>,
    /// Of one that holds and is about a figure, how far that is from its bound, with its unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<String>,
    /// The nodes that a failure is about and rests on, the most important first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<String>,
    /// Of a failure, the sentence without its numbers: failures with the same one are of one kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// What became of an expectation, or of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It held.
    Holds,
    /// The run did not reach what it was about.
    Vacuous,
    /// It did not hold.
    Fails,
}

impl Report {
    /// The expectations that did not hold.
    pub fn failures(&self) -> impl Iterator<Item = Failure> {
        self.expect.iter().filter_map(Failure::of)
    }

    /// The report as one JSON object, indented, without a newline at the end. The same report is the same bytes.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("plain data with text keys")
    }
}
