//! The language on a page: every key of a scenario file, what it means, what may stand there, and its default.
//!
//! The reader takes its keys and defaults from these tables, the error messages their lists, and the JSON Schema all
//! of it, so that the three cannot disagree. Names of strategies come from the catalogs of the models.

mod family;
mod fault;
mod pick;
mod strategy;

use schism_models::oracle::Mood;
use schism_models::registry;

pub(crate) use family::*;
pub(crate) use fault::*;
pub(crate) use pick::*;
pub(crate) use strategy::*;

use crate::limits::{self, Limit};

/// One key of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
}

/// Whether a key has to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    /// It must be written.
    Required,
    /// Leaving it out means something that cannot be written.
    Optional,
    /// Leaving it out means this, in TOML.
    Default(&'static str),
    /// It is part of the contract, but this version cannot do it; it has these instead.
    Later(&'static [&'static str]),
}

/// What may stand at a key.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number within a limit.
    Count(Limit),
    /// A number that need not be whole.
    Number,
    /// The same between two.
    NumberWithin(f64, f64),
    /// The same, or this word for none.
    NumberOr(f64, f64, &'static str),
    /// A whole percentage within a limit, or this word for none.
    Percent(Limit, Option<&'static str>),
    /// A list of some of these words.
    SomeWords(&'static [&'static str]),
    /// A table with a whole number for each of some names.
    Counts(Limit),
    /// A time; `Positive` if none at all makes no sense there.
    Duration(Least),
    /// A time, or this word for none.
    DurationOr(&'static str),
    /// A whole number within a limit, or this word for no bound.
    CountOr(Limit, &'static str),
    /// A share in percent.
    Share,
    /// A time that may be negative.
    Offset,
    /// A whole number of parts per million that may be negative.
    PartsPerMillion,
    /// How many times as long something takes: a number of at least one.
    Factor,
    /// A whole number within a limit, or a share of all.
    Batch(Limit),
    /// A rate.
    Rate,
    /// One of these words.
    Word(Words),
    /// The name of something defined elsewhere in the file.
    Name,
    /// An oracle that can be asked for in this mood: a bare name, or a table with one key.
    Oracle(Mood),
    /// The name of a metric.
    Metric,
    /// The name of a metric that can be read while the run goes on.
    LiveMetric,
    /// A list of them.
    Names,
    /// A list of lists of names.
    Lists,
    /// A table with a text for each of some names.
    Texts,
    /// A table of tables, each with a whole number for each of some names.
    Labels,
    /// A list of lists of names, or of tables with these keys.
    Selectors(&'static [Key]),
    /// A distribution of times.
    Distribution,
    /// Two times, the earlier first.
    TwoTimes,
    /// A list of times.
    Times,
    /// One target or a list of them.
    Targets,
    /// A list of lists of targets.
    Sides,
    /// A list of pairs of targets.
    Pairs,
    /// Two names.
    TwoNames,
    /// `"from->to"`, or a table of the two.
    OneWay,
    /// A part of the run.
    Window,
    /// What a fault waits for: a word, or a table with a metric and its line.
    When,
    /// A time, or two between which one is drawn.
    Wait,
    /// A list of tables, each with one kind of fault.
    Alternatives,
    /// A quantity in the unit of a metric.
    Bound,
    /// Two targets or lists of them.
    Between,
    /// A direction: a word, or `"from->to"` of two sides.
    Direction,
    /// A list of these words, or this word for all.
    WordsOr(&'static [&'static str], &'static str),
    /// The capacity of a link.
    BitRate,
    /// A number of bytes.
    Size,
    /// One of these words, which stands at the first key of a table with these keys, or that table.
    WordOr(&'static [&'static str], &'static [Key]),
    /// Targets, which stand at the first key of a table with these keys, or that table; `true` is an empty one.
    Short(&'static [Key]),
    /// A table with these keys.
    Table(&'static [Key]),
    /// A target, a list of them, or a table with these keys.
    TargetsOr(&'static [Key]),
    /// A table of tables with these keys, each under a name of its own.
    Named(&'static [Key]),
    /// A list of tables with these keys.
    List(&'static [Key]),
    /// A word of 64 bits: a whole number, or the same in quotes.
    Bits,
    /// A list of them.
    ManyBits,
    /// A whole number within a limit, which stands at the first key of a table with these keys, or that table.
    CountWith(Limit, &'static [Key]),
    /// A table of paths, each with what is drawn for it.
    Varied,
    /// A list of values of any kind.
    Values,
    /// A list of kinds of faults that `[chaos]` draws.
    Families,
    /// Two whole numbers within a limit, the smaller first.
    TwoCounts(Limit),
    /// A table with a whole number within a limit, or a share of all, for each of some names.
    Batches(Limit),
    /// One of several strategies: a bare name, or a table with one key.
    Choice(&'static Choice),
}

/// The words that may stand somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) there: &'static [&'static str],
    /// Those of the contract that this version cannot do.
    pub(crate) later: &'static [&'static str],
}

/// The least time that makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Least {
    Zero,
    Positive,
}

/// A choice among strategies.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice {
    /// What is chosen.
    pub(crate) what: &'static str,
    /// The names, with what they mean.
    pub(crate) names: fn() -> Vec<(&'static str, &'static str)>,
    /// What may stand under a name.
    pub(crate) argument: fn(&str) -> Argument,
    /// The names of the contract that this version cannot do.
    pub(crate) later: &'static [&'static str],
}

/// What may stand under the name of a strategy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Argument {
    /// A table with these options, or nothing for all defaults.
    Options(&'static [Key]),
    /// A table with these keys, some of them required.
    Table(&'static [Key]),
    /// One value.
    Value(Shape),
    /// One value, or a table with these keys.
    ValueOr(Shape, &'static [Key]),
}

impl Key {
    pub(crate) const fn new(name: &'static str, shape: Shape, about: &'static str) -> Key {
        Key { name, about, shape, presence: Presence::Optional }
    }

    /// One of these words.
    pub(crate) const fn word(name: &'static str, there: &'static [&'static str], about: &'static str) -> Key {
        Key::new(name, Shape::Word(Words { there, later: &[] }), about)
    }

    pub(crate) const fn required(self) -> Key {
        Key { presence: Presence::Required, ..self }
    }

    pub(crate) const fn or(self, default: &'static str) -> Key {
        Key { presence: Presence::Default(default), ..self }
    }

    pub(crate) const fn later(name: &'static str, instead: &'static [&'static str]) -> Key {
        Key { name, about: "", shape: Text, presence: Presence::Later(instead) }
    }

    /// Whether this version cannot do it.
    pub(crate) const fn is_later(&self) -> bool {
        matches!(self.presence, Presence::Later(_))
    }
}

use Least::{Positive, Zero};
use Shape::{Count, Duration, Text};

/// A scenario file.
pub(crate) const SCENARIO: &[Key] = &[
    Key::new("title", Text, "One line that names the scenario").required(),
    Key::new("why", Text, "The question it answers"),
    Key::new("source", Text, "Where it comes from: a link, a paper, an incident"),
    Key::new("length", Duration(Positive), "How much time is simulated").required(),
    Key::new("warmup", Duration(Zero), "How much of it, from the start, the metrics leave out").or("\"0s\""),
    Key::new("seed", Shape::Bits, "The seed used unless another is asked for").or("0"),
    Key::new("topology", Shape::Table(TOPOLOGY), "Zones and the links between them"),
    Key::new("network", Shape::Table(NETWORK), "What messages meet on their way"),
    Key::new("registry", Shape::Choice(&REGISTRY), "Who keeps the list of who is there").required(),
    Key::new(
        "services",
        Shape::Named(SERVICE),
        "Services, each under its name; instances are named `name-0`, `name-1`, ...",
    ),
    Key::new(
        "clients",
        Shape::Named(CLIENT),
        "Client groups, each under its name; clients are named `name-0`, `name-1`, ...",
    ),
    Key::new("fault", Shape::List(FAULT), "What goes wrong, as `[[fault]]`"),
    Key::new("expect", Shape::List(EXPECT), "What must hold, as `[[expect]]`"),
    Key::new("case", Shape::Table(CASE), "What is recorded of the failure for which the file was kept"),
    Key::later("compare", &[]),
    Key::new(
        "swarm",
        Shape::Table(SWARM),
        "What a seed changes: faults that it leaves out, and values that it draws",
    ),
    Key::new(
        "chaos",
        Shape::Table(CHAOS),
        "Faults that each seed draws; an empty table has them all by default",
    ),
];

/// `[case]`.
pub(crate) const CASE: &[Key] = &[
    Key::new("format", Count(limits::CASE_FORMATS), "In which format the case was written").required(),
    Key::new("schism", Text, "The version of schism that wrote it").required(),
    Key::new("engine", Text, "The engine that ran it").or("\"des\""),
    Key::new("digest", Text, "Of the whole run: 32 hexadecimal digits").required(),
    Key::new("scenario-digest", Text, "Of the scenario as it was meant then").required(),
    Key::new("expectation", Text, "The id of the expectation that failed").required(),
    Key::new("at", Duration(Zero), "When it failed, if at a moment"),
    Key::new("why", Text, "Why it failed, in a sentence").required(),
    Key::new("signature", Text, "The same with numbers masked").required(),
    Key::new(
        "marks",
        Text,
        "What the digest was on the way: lines of a number of events, a time and eight digits",
    )
    .or("\"\""),
];

/// `[topology]`.
pub(crate) const TOPOLOGY: &[Key] = &[
    Key::new("zones", Shape::Names, "The names of the zones").or("[\"a\"]"),
    Key::new(
        "links",
        Shape::List(LINK),
        "Which zones are linked; by default every pair is, by `network.cross-zone`",
    ),
];

/// One of `topology.links`.
pub(crate) const LINK: &[Key] = &[
    Key::new("between", Shape::TwoNames, "The two zones that it links, both ways").required(),
    Key::new("latency", Shape::Distribution, "Its one-way latency; by default `network.cross-zone`"),
    Key::new("loss", Shape::Share, "The share of messages it loses; by default `network.loss`"),
];

/// `[network]`. The latencies are ours: a data-centre network as published round-trip times show it, one way.
pub(crate) const NETWORK: &[Key] = &[
    Key::new("same-zone", Shape::Distribution, "One-way latency within a zone")
        .or("{ lognormal = { p50 = \"250us\", p99 = \"1ms\" } }"),
    Key::new("cross-zone", Shape::Distribution, "One-way latency of a link between zones")
        .or("{ lognormal = { p50 = \"1ms\", p99 = \"5ms\" } }"),
    Key::new("loss", Shape::Share, "The share of messages that every link loses").or("\"0%\""),
];

/// `[registry.NAME]`.
pub(crate) const REGISTRY: Choice = Choice {
    what: "registry",
    names: || registry::CATALOG.to_vec(),
    argument: |name| Argument::Options(crate::registry::keys(name)),
    later: &["consul", "eureka", "nacos", "zookeeper", "kubernetes"],
};

/// `[services.NAME]`.
pub(crate) const SERVICE: &[Key] = &[
    Key::new("instances", Count(limits::INSTANCES), "How many instances").required(),
    Key::new("zones", Shape::Names, "The zones that the instances take turns in; by default all"),
    Key::new("zone", Shape::Name, "The one zone of all instances"),
    Key::new("service", Shape::Distribution, "How long one request is served").required(),
    Key::new("slots", Count(limits::SLOTS), "Requests served at once; 0 is unlimited").or("0"),
    Key::new(
        "queue",
        Shape::CountOr(limits::QUEUE, "unlimited"),
        "Requests waiting at most, beyond those being served",
    )
    .or("\"unlimited\""),
    Key::new(
        "discipline",
        Shape::Word(Words { there: &["fifo"], later: &["processor-sharing"] }),
        "Who is served next",
    )
    .or("\"fifo\""),
    Key::new("weight", Count(limits::WEIGHT), "The weight that instances register with").or("1"),
    Key::new(
        "labels",
        Shape::Labels,
        "What instances are labelled with: of each label, its values and how many instances each has, in their order",
    ),
    Key::new(
        "re-register",
        Shape::Flag,
        "Whether an instance registers anew when it learns that its lease is gone",
    )
    .or("true"),
    Key::later("calls", &[]),
    Key::later("client", &[]),
];

/// `[clients.NAME]`.
pub(crate) const CLIENT: &[Key] = &[
    Key::new("count", Count(limits::CLIENTS), "How many clients").required(),
    Key::new("zones", Shape::Names, "The zones that the clients take turns in; by default all"),
    Key::new("zone", Shape::Name, "The one zone of all clients"),
    Key::new(
        "calls",
        Shape::Name,
        "The service that they call, or `registry` for the registry as a key-value store",
    )
    .required(),
    Key::word(
        "operation",
        OPERATIONS,
        "What is asked of the registry, where `calls` is `registry`; by default `get`",
    ),
    Key::new(
        "lock",
        Shape::Table(LOCK),
        "How locks are used, where `operation` is `lock`: each request wants one, and is over when it is given back",
    ),
    Key::new("arrivals", Shape::Choice(&ARRIVALS), "When requests arrive, for each client").required(),
    Key::new("timeout", Duration(Positive), "How long one attempt may take").or("\"1s\""),
    Key::new(
        "deadline",
        Shape::DurationOr("none"),
        "How long one request may take, with finding an endpoint",
    )
    .or("\"none\""),
    Key::new("key", Shape::Choice(&KEYS), "What each request is about, for balancers that look at it")
        .or("\"unique\""),
    BALANCER_KEY.or("\"round-robin\""),
    LOCALITY_KEY,
    SUBSET_KEY,
    MATCH_KEY,
    SLOW_START_KEY,
    Key::new(
        "health-check",
        Shape::Table(HEALTH_CHECK),
        "How each client checks the health of instances; by default it does not",
    ),
    Key::new("cache", Shape::Choice(&CACHE), "How endpoints are learnt and kept").or("\"watch\""),
    Key::new("connections", Shape::Choice(&CONNECTIONS), "How endpoints are reached").or("\"warm\""),
    Key::later("retry", &[]),
    Key::later("hedge", &[]),
    Key::later("breaker", &[]),
    Key::later("limiter", &[]),
    Key::later("outlier", &[]),
];

/// `balancer`, which has a default in a scenario.
pub(crate) const BALANCER_KEY: Key =
    Key::new("balancer", Shape::Choice(&BALANCER), "How an endpoint is picked");

/// `locality`.
pub(crate) const LOCALITY_KEY: Key =
    Key::new("locality", Shape::Choice(&LOCALITY), "Where to look for an endpoint").or("\"none\"");

/// `subset`.
pub(crate) const SUBSET_KEY: Key =
    Key::new("subset", Shape::Choice(&SUBSET), "Which of the listed endpoints are used; by default all");

/// `match`.
pub(crate) const MATCH_KEY: Key =
    Key::new("match", Shape::Texts, "The labels that endpoints should have, where `subset` is by labels");

/// `slow-start`.
pub(crate) const SLOW_START_KEY: Key = Key::new(
    "slow-start",
    Shape::Table(SLOW_START),
    "How endpoints warm up that are new, or have become healthy; by default they have their weight at once",
);

/// The spellings of `operation`.
pub(crate) const OPERATIONS: &[&str] = &["put", "get", "get-serializable", "lock"];

/// `lock`. That one works for a second, and writes as often, is ours.
pub(crate) const LOCK: &[Key] = &[
    Key::new(
        "ttl",
        Duration(Positive),
        "The time to live of the lease or session that a hold depends on; by default that of the client library's recipe",
    ),
    Key::new("hold", Shape::Distribution, "For how long a client works that has the lock").or("\"1s\""),
    Key::new("writes", Shape::Name, "The service that the locks guard, to which whoever holds one writes"),
    Key::new("every", Duration(Positive), "How often it writes, and once more at the end").or("\"1s\""),
    Key::new(
        "fencing",
        Shape::Flag,
        "Whether that service turns away writes with a token older than the newest",
    )
    .or("false"),
];

/// The keys of a strategy's table.
pub(crate) fn keys_of(argument: Argument) -> &'static [Key] {
    match argument {
        Argument::Options(keys) | Argument::Table(keys) | Argument::ValueOr(_, keys) => keys,
        Argument::Value(_) => &[],
    }
}

/// The names that this version knows.
pub(crate) fn names_of(choice: &Choice) -> Vec<&'static str> {
    (choice.names)().into_iter().map(|(name, _)| name).collect()
}
