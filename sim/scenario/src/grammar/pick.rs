//! The keys of a script for `schism pick`: one balancer, its endpoints, and what is done with it.

use super::Least::Zero;
use super::Shape::{Bits, Count, Duration};
use super::{BALANCER_KEY, Key, LOCALITY_KEY, MATCH_KEY, SLOW_START_KEY, SUBSET_KEY, Shape};
use crate::limits;

/// The whole script.
pub(crate) const PICK: &[Key] = &[
    Key::new("$schema", Shape::Text, "The JSON Schema of this file, for editors"),
    BALANCER_KEY.required(),
    LOCALITY_KEY,
    SUBSET_KEY,
    MATCH_KEY,
    SLOW_START_KEY,
    Key::new("seed", Bits, "The seed of what is drawn when `randoms` have run out").or("0"),
    Key::new("randoms", Shape::ManyBits, "The first words of 64 bits that are drawn, in order"),
    Key::new(
        "zones",
        Shape::Names,
        "The zones in order; by default the client's own, then those of the endpoints as they come",
    ),
    Key::new("client", Shape::Table(PICK_CLIENT), "Who picks"),
    Key::new("endpoints", Shape::List(ENDPOINT), "Who can be picked, in the order of the list").required(),
    Key::new("ops", Shape::List(OP), "What is done, one thing after another"),
];

/// `client`.
pub(crate) const PICK_CLIENT: &[Key] = &[
    Key::new("zone", Shape::Name, "Its zone"),
    Key::new("index", Count(limits::PICK_INDEX), "Its number among the clients of its group, from 0").or("0"),
    Key::new(
        "peers",
        Count(limits::CLIENTS),
        "How many clients its group has; by default as many as it needs",
    ),
    Key::new("locals", Shape::Counts(limits::PICK_LOCALS), "How many clients of its group each zone has"),
];

/// One of `endpoints` or `update`.
pub(crate) const ENDPOINT: &[Key] = &[
    Key::new("name", Shape::Text, "Its name, or its address: what it is hashed by").required(),
    Key::new("weight", Count(limits::PICK_WEIGHT), "Its weight").or("1"),
    Key::new("zone", Shape::Name, "Its zone; by default the client's"),
    Key::new(
        "priority",
        Count(limits::PRIORITY),
        "Its priority level; 0 is the first to be used. By default that of its zone",
    ),
    Key::new("labels", Shape::Texts, "Its labels, which `subset` may look at"),
    Key::new("healthy", Shape::Flag, "Whether it is healthy; by default it is"),
    Key::word("health", HEALTH, "How it is, where `healthy` does not say enough"),
    Key::new(
        "active",
        Count(limits::PICK_ACTIVE),
        "How many of the client's requests are in flight to it; by default as many as there are",
    ),
];

/// The spellings of `health`.
pub(crate) const HEALTH: &[&str] = &["healthy", "degraded", "unhealthy", "excluded"];

/// One of `ops`.
pub(crate) const OP: &[Key] = &[
    Key::new("pick", Shape::Table(ASK), "One request is sent, and stays in flight"),
    Key::new("picks", Shape::CountWith(limits::PICKS, MANY), "So many requests are sent, and stay in flight"),
    Key::new("reply", Shape::Table(REPLY), "A request is over, and the balancer learns how it went"),
    Key::new(
        "done",
        Shape::Text,
        "A request to this endpoint is over, and the balancer learns nothing of it",
    ),
    Key::new("advance", Duration(Zero), "Time passes"),
    Key::new("update", Shape::List(ENDPOINT), "There is another list of endpoints"),
    Key::new("probe", Shape::Table(PROBE), "An endpoint answers a probe"),
];

/// The names of `ops`.
pub(crate) const OPS: &[&str] = &["pick", "picks", "reply", "done", "advance", "update", "probe"];

const ATTEMPT: Key =
    Key::new("attempt", Count(limits::PICK_ATTEMPT), "Which attempt of its request it is; 0 is the first")
        .or("0");

/// `pick`.
pub(crate) const ASK: &[Key] = &[
    Key::new("hash", Bits, "The request's hash"),
    Key::new("key", Shape::Text, "The request's key, which the balancer hashes by its own function"),
    ATTEMPT,
];

/// `picks`, of which the first may stand alone.
pub(crate) const MANY: &[Key] = &[
    Key::new("count", Count(limits::PICKS), "How many").required(),
    Key::new("keys", Shape::Text, "Their keys, in which `{}` is a number: 0, 1, 2, ..."),
    Key::new("from", Count(limits::SEED), "The first of these numbers").or("0"),
    ATTEMPT,
];

/// `reply`.
pub(crate) const REPLY: &[Key] = &[
    Key::new("endpoint", Shape::Text, "Who was asked").required(),
    Key::new(
        "latency",
        Duration(Zero),
        "The time since the pick; by default that since the oldest one without a reply",
    ),
    Key::new(
        "ok",
        Shape::Flag,
        "Whether it was answered as wished; by default it was unless there is an `error`",
    ),
    Key::word("error", ERRORS, "How it failed; by default the answer is an error"),
    Key::new("load", Shape::Table(LOAD), "What the endpoint reports of itself with the reply"),
];

/// The spellings of `error`.
pub(crate) const ERRORS: &[&str] = &["failed", "timeout", "connect", "rejected", "deadline"];

/// `load`.
pub(crate) const LOAD: &[Key] = &[RIF, QUEUED, SERVICE, LATENCY, QPS, EPS, UTILIZATION];

/// `probe`.
pub(crate) const PROBE: &[Key] = &[
    Key::new("endpoint", Shape::Text, "Who was asked").required(),
    RIF,
    QUEUED,
    SERVICE,
    LATENCY,
    QPS,
    EPS,
    UTILIZATION,
];

const RIF: Key =
    Key::new("rif", Count(limits::PICK_ACTIVE), "Requests in flight there, whoever sent them").or("0");
const QUEUED: Key = Key::new("queued", Count(limits::PICK_ACTIVE), "Those of them that wait").or("0");
const SERVICE: Key = Key::new("service", Duration(Zero), "How long it served this request").or("\"0s\"");
const LATENCY: Key = Key::new("latency", Duration(Zero), "How long a request would take now").or("\"0s\"");
const QPS: Key = Key::new("qps", Shape::Number, "Requests per second").or("0");
const EPS: Key = Key::new("eps", Shape::Number, "Errors per second").or("0");
const UTILIZATION: Key = Key::new("utilization", Shape::Number, "1 is all that it can do").or("0");
