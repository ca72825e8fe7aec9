//! Strategies that are chosen by name: arrivals, keys, balancers, caches, connections, distributions.

use schism_models::subset::Fallback;
use schism_models::{balancer, cache, locality};

use super::Least::{Positive, Zero};
use super::Shape::Duration;
use super::{Argument, Choice, Key, Shape};
use crate::{knobs, limits};

/// `arrivals`.
pub(crate) const ARRIVALS: Choice = Choice {
    what: "arrivals",
    names: || {
        vec![
            ("poisson", "independent arrivals at a mean rate"),
            ("constant", "evenly spaced arrivals, from a random phase"),
            ("ramp", "independent arrivals at one rate, then evenly to another, which stays"),
            ("burst", "independent arrivals at a low rate, and again and again at a high one"),
            ("diurnal", "independent arrivals at a rate that rises and falls like that of a day"),
            ("closed", "the next request a think time after the last has ended"),
        ]
    },
    argument: |name| match name {
        "ramp" => Argument::Table(RAMP),
        "burst" => Argument::Table(BURST),
        "diurnal" => Argument::Table(DIURNAL),
        "closed" => Argument::Table(CLOSED),
        _ => Argument::Value(Shape::Rate),
    },
    later: &[],
};

/// `arrivals.ramp`.
pub(crate) const RAMP: &[Key] = &[
    Key::new("from", Shape::Rate, "The rate before").required(),
    Key::new("to", Shape::Rate, "The rate from then on").required(),
    Key::new("over", Duration(Zero), "How long the rate moves").required(),
    Key::new("after", Duration(Zero), "When it begins to, since the start of the run").or("\"0s\""),
];

/// `arrivals.burst`.
pub(crate) const BURST: &[Key] = &[
    Key::new("base", Shape::Rate, "The rate between bursts").required(),
    Key::new("peak", Shape::Rate, "The rate within a burst").required(),
    Key::new("every", Duration(Positive), "The time from one burst's end to the next one's").required(),
    Key::new("lasts", Duration(Positive), "How long a burst lasts, at the end of that").required(),
];

/// `arrivals.diurnal`.
pub(crate) const DIURNAL: &[Key] = &[
    Key::new("low", Shape::Rate, "The rate at night, when the run starts").required(),
    Key::new("high", Shape::Rate, "The rate at noon").required(),
    Key::new("period", Duration(Positive), "How long a day is").or("\"24h\""),
];

/// `arrivals.closed`.
pub(crate) const CLOSED: &[Key] =
    &[Key::new("think", Shape::Distribution, "The time between an answer and the next request").required()];

/// `key`.
pub(crate) const KEYS: Choice = Choice {
    what: "key",
    names: || {
        vec![
            ("unique", "every request has a key of its own"),
            ("uniform", "each of so many keys is as likely as the others"),
            ("zipf", "the first of so many keys are the likeliest, by Zipf's law"),
        ]
    },
    argument: |name| match name {
        "uniform" => Argument::Table(UNIFORM_KEYS),
        "zipf" => Argument::Table(ZIPF_KEYS),
        _ => Argument::Options(&[]),
    },
    later: &[],
};

const HOW_MANY_KEYS: Key = Key::new("keys", Shape::Count(limits::KEYS), "How many keys").required();

/// `key.uniform`.
pub(crate) const UNIFORM_KEYS: &[Key] = &[HOW_MANY_KEYS];

/// `key.zipf`; the exponent is required, because published ones lie anywhere from 0.6 to 1.4.
pub(crate) const ZIPF_KEYS: &[Key] = &[
    HOW_MANY_KEYS,
    Key::new("s", Shape::Number, "The exponent: the chance of the k-th key is in proportion to 1 / k^s")
        .required(),
];

/// `balancer`.
pub(crate) const BALANCER: Choice = Choice {
    what: "balancer",
    names: || balancer::CATALOG.iter().map(|entry| (entry.name, entry.about)).collect(),
    argument: |name| Argument::Options(knobs::of_balancer(name)),
    later: &[
        "random",
        "round-robin",
        "pick-first",
        "p2c",
        "least-request",
        "least-conn",
        "jsq",
        "weighted-round-robin",
        "ring-hash",
        "maglev",
        "jump",
        "rendezvous",
        "peak-ewma",
        "go-zero-p2c",
        "prequal",
        "c3",
        "aperture",
        "context-weighted",
    ],
};

/// `locality`.
pub(crate) const LOCALITY: Choice = Choice {
    what: "locality",
    names: || locality::CATALOG.iter().map(|entry| (entry.name, entry.about)).collect(),
    argument: |name| Argument::Options(knobs::of_locality(name)),
    later: &["none", "zone-first", "zone-aware", "locality-weighted", "priority"],
};

/// `subset`.
pub(crate) const SUBSET: Choice = Choice {
    what: "subset",
    names: || {
        vec![
            ("random", "so many, each client others, as gRPC's random subsetting"),
            ("labels", "those with the labels that the client asks for, as Envoy's subsets"),
        ]
    },
    argument: |name| match name {
        "random" => Argument::Table(SUBSET_RANDOM),
        _ => Argument::Options(SUBSET_LABELS),
    },
    later: &[],
};

/// `subset.random`.
pub(crate) const SUBSET_RANDOM: &[Key] =
    &[Key::new("size", Shape::Count(limits::INSTANCES), "How many endpoints each client uses").required()];

/// `subset.labels`.
pub(crate) const SUBSET_LABELS: &[Key] = &[
    Key::new(
        "selectors",
        Shape::Selectors(SELECTOR),
        "The names of labels that may be asked for together; by default those that the client asks for",
    ),
    Key::word("fallback", Fallback::WORDS, "Who is used if no endpoint fits").or("\"no-fallback\""),
    Key::new("default", Shape::Texts, "The labels of the default subset; by default it is everybody"),
];

/// One of `subset.labels.selectors`.
pub(crate) const SELECTOR: &[Key] = &[
    Key::new("keys", Shape::Names, "The names").required(),
    Key::word(
        "fallback",
        Fallback::WORDS,
        "Who is used if no endpoint has what was asked for with these names",
    ),
];

/// `slow-start`; the defaults are Envoy's, which has none for the window.
pub(crate) const SLOW_START: &[Key] = &[
    Key::new("window", Duration(Positive), "How long it takes").required(),
    Key::new("aggression", Shape::NumberWithin(0.01, 1_000.0), "1 is a straight line, more begins faster")
        .or("1.0"),
    Key::new("min-weight", Shape::Share, "The least share of its weight").or("\"10%\""),
];

/// `health-check`. Envoy requires the first four to be written, so their defaults are ours; the others are Envoy's.
pub(crate) const HEALTH_CHECK: &[Key] = &[
    Key::new("interval", Duration(Positive), "How long from one check to the next").or("\"10s\""),
    Key::new("timeout", Duration(Positive), "How long an answer may take").or("\"3s\""),
    Key::new(
        "unhealthy-threshold",
        Shape::Count(limits::CHECKS),
        "How many checks in a row must go unanswered; an answer that says so is believed at once",
    )
    .or("3"),
    Key::new(
        "healthy-threshold",
        Shape::Count(limits::CHECKS),
        "How many in a row must be answered well; the very first is believed at once",
    )
    .or("2"),
    Key::new(
        "no-traffic-interval",
        Duration(Positive),
        "The interval before the client's first request, unless its connections have long been open",
    )
    .or("\"60s\""),
    Key::new("initial-jitter", Duration(Zero), "By how much later the first check may come").or("\"0s\""),
    Key::new("interval-jitter", Duration(Zero), "By how much longer an interval may be").or("\"0s\""),
    Key::new(
        "ignore-new",
        Shape::Flag,
        "Whether instances that were never checked do not count at all, instead of as unhealthy",
    )
    .or("false"),
    Key::new(
        "update-merge-window",
        Duration(Zero),
        "Changes that come within so long of the last are heeded together",
    )
    .or("\"1s\""),
    Key::word(
        "path",
        PROBE_PATHS,
        "Whether a check waits in the instance's queue like a request, or is answered apart",
    )
    .or("\"apart\""),
];

/// The spellings of `path`.
pub(crate) const PROBE_PATHS: &[&str] = &["apart", "queue"];

/// The spellings of `reads`.
pub(crate) const READS: &[&str] = &["linearizable", "serializable"];

const READS_KEY: Key = Key::word("reads", READS, "How the registry is read").or("\"linearizable\"");

/// `cache`.
pub(crate) const CACHE: Choice = Choice {
    what: "cache",
    names: || cache::CATALOG.to_vec(),
    argument: |name| {
        Argument::Options(match name {
            "none" => CACHE_NONE,
            "ttl" => CACHE_TTL,
            "watch" => CACHE_WATCH,
            _ => &[],
        })
    },
    later: &[
        "none",
        "ttl",
        "poll",
        "watch",
        "stale-while-revalidate",
        "last-known-good",
        "dns",
        "eureka-client",
        "nacos-client",
        "two-layer",
    ],
};

/// `cache.none`.
pub(crate) const CACHE_NONE: &[Key] = &[READS_KEY];

/// `cache.ttl`.
pub(crate) const CACHE_TTL: &[Key] =
    &[Key::new("ttl", Duration(Positive), "How long a list is used").or("\"30s\""), READS_KEY];

/// `cache.watch`.
pub(crate) const CACHE_WATCH: &[Key] = &[
    Key::word("on-empty", ON_EMPTY, "What an empty list does: nothing, or what it says").or("\"accept\""),
    Key::new(
        "max-stale",
        Shape::DurationOr("forever"),
        "How long a view is used after the registry was last heard of",
    )
    .or("\"forever\""),
];

/// The spellings of `on-empty`.
pub(crate) const ON_EMPTY: &[&str] = &["keep", "accept"];

/// `connections`.
pub(crate) const CONNECTIONS: Choice = Choice {
    what: "connections",
    names: || {
        vec![
            ("warm", "each attempt on a connection of its own that has long been open"),
            ("pooled", "all attempts at an instance on one connection, opened at first use"),
        ]
    },
    argument: |name| Argument::Options(if name == "pooled" { POOLED } else { &[] }),
    later: &[],
};

/// `connections.pooled`; the keepalive's defaults are those of gRPC (gRFC A8).
pub(crate) const POOLED: &[Key] = &[
    Key::new("connect-timeout", Duration(Positive), "How long opening a connection may take (ours)")
        .or("\"1s\""),
    Key::word("on-timeout", ON_TIMEOUT, "What becomes of a connection on which an attempt has timed out")
        .or("\"keep\""),
    Key::new(
        "keepalive-time",
        Shape::DurationOr("none"),
        "After how long without a word from an instance that owes an answer it is pinged",
    )
    .or("\"none\""),
    Key::new("keepalive-timeout", Duration(Positive), "How long an answer to a ping may take").or("\"20s\""),
];

/// The spellings of `on-timeout`.
pub(crate) const ON_TIMEOUT: &[&str] = &["keep", "close"];

/// A distribution, unless it is a bare duration.
pub(crate) const DISTRIBUTION: Choice = Choice {
    what: "distribution",
    names: || {
        vec![
            ("constant", "always the same time"),
            ("uniform", "any time between two"),
            ("exponential", "memoryless, by its mean"),
            ("normal", "the bell, cut at zero"),
            ("lognormal", "long-tailed, by p50 and p99 or by mean and sd"),
            ("pareto", "heavy-tailed, by scale and shape"),
            ("empirical", "drawn from a list of observed times"),
        ]
    },
    argument: |name| match name {
        "constant" => Argument::Value(Duration(Zero)),
        "uniform" => Argument::Table(UNIFORM),
        "exponential" => Argument::ValueOr(Duration(Positive), EXPONENTIAL),
        "normal" => Argument::Table(NORMAL),
        "lognormal" => Argument::Table(LOGNORMAL),
        "pareto" => Argument::Table(PARETO),
        _ => Argument::Value(Shape::Times),
    },
    later: &[],
};

const UNIFORM: &[Key] = &[
    Key::new("from", Duration(Zero), "The shortest").required(),
    Key::new("to", Duration(Zero), "The longest").required(),
];
const EXPONENTIAL: &[Key] = &[Key::new("mean", Duration(Positive), "The mean").required()];
const NORMAL: &[Key] = &[
    Key::new("mean", Duration(Zero), "The mean").required(),
    Key::new("sd", Duration(Zero), "The standard deviation").required(),
];
const LOGNORMAL: &[Key] = &[
    Key::new("p50", Duration(Positive), "The median"),
    Key::new("p99", Duration(Positive), "The 99th percentile"),
    Key::new("mean", Duration(Positive), "The mean, instead of p50"),
    Key::new("sd", Duration(Zero), "The standard deviation, instead of p99"),
];
const PARETO: &[Key] = &[
    Key::new("scale", Duration(Positive), "The shortest").required(),
    Key::new("shape", Shape::Number, "The exponent of the tail: less is heavier").required(),
    Key::new("cap", Duration(Positive), "The longest"),
];
