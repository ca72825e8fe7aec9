//! The language on a page: every key of a scenario file, what it means, what may stand there, and its default.
//!
//! The reader takes its keys and defaults from these tables, the error messages their lists, and the JSON Schema all
//! of it, so that the three cannot disagree. Names of strategies come from the catalogs of the models.

use schism_models::{balancer, cache, registry};

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
    /// It is part of the contract, but this version cannot do it.
    Later,
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
    /// A time; `Positive` if none at all makes no sense there.
    Duration(Least),
    /// A time, or this word for none.
    DurationOr(&'static str),
    /// A whole number within a limit, or this word for no bound.
    CountOr(Limit, &'static str),
    /// A share in percent.
    Share,
    /// A rate.
    Rate,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of something defined elsewhere in the file.
    Name,
    /// A list of them.
    Names,
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
    /// A quantity in the unit of a metric.
    Bound,
    /// A table with these keys.
    Table(&'static [Key]),
    /// A target, a list of them, or a table with these keys.
    TargetsOr(&'static [Key]),
    /// A table of tables with these keys, each under a name of its own.
    Named(&'static [Key]),
    /// A list of tables with these keys.
    List(&'static [Key]),
    /// One of several strategies: a bare name, or a table with one key.
    Choice(&'static Choice),
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
    const fn new(name: &'static str, shape: Shape, about: &'static str) -> Key {
        Key { name, about, shape, presence: Presence::Optional }
    }

    const fn required(self) -> Key {
        Key { presence: Presence::Required, ..self }
    }

    const fn or(self, default: &'static str) -> Key {
        Key { presence: Presence::Default(default), ..self }
    }

    const fn later(name: &'static str, about: &'static str) -> Key {
        Key { name, about, shape: Text, presence: Presence::Later }
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
    Key::new("seed", Count(limits::SEED), "The seed used unless another is asked for").or("0"),
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
    Key::later("compare", "The strategies to compare"),
    Key::later("swarm", "The family of scenarios to hunt in"),
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
    argument: |name| Argument::Options(if name == "etcd" { ETCD } else { &[] }),
    later: &["consul", "eureka", "nacos", "zookeeper", "kubernetes", "dns"],
};

/// The spellings of `version`.
pub(crate) const ETCD_VERSIONS: &[&str] = &["3.4", "3.5", "3.6"];

/// `[registry.etcd]`; the defaults are those of the real system unless the text says otherwise.
pub(crate) const ETCD: &[Key] = &[
    Key::new("members", Count(limits::MEMBERS), "How many members, named `registry-0`, `registry-1`, ...").or("3"),
    Key::new("zones", Shape::Names, "The zones that the members take turns in; by default all"),
    Key::new("zone", Shape::Name, "The one zone of all members"),
    Key::new("version", Shape::Word(ETCD_VERSIONS), "The release line, where lines behave differently").or("\"3.6\""),
    Key::new("lease-ttl", Duration(Positive), "The time to live that instances ask for (ours); etcd grants whole seconds, and at least 1.5 election timeouts")
        .or("\"10s\""),
    Key::new("heartbeat-interval", Duration(Positive), "One Raft tick and one heartbeat").or("\"100ms\""),
    Key::new("election-timeout", Duration(Positive), "The election timeout: at least 5 heartbeats, at most 50s").or("\"1s\""),
    Key::new("fsync", Shape::Distribution, "How long one sync of the write-ahead log takes (ours, after etcd's hardware guide: p99 under 10ms)")
        .or("{ lognormal = { p50 = \"1ms\", p99 = \"8ms\" } }"),
    Key::new("request-timeout", Duration(Positive), "How long a registry client waits for one answer before it turns to another member")
        .or("\"5s\""),
];

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
    Key::new("discipline", Shape::Word(&["fifo"]), "Who is served next").or("\"fifo\""),
    Key::new("weight", Count(limits::WEIGHT), "The weight that instances register with").or("1"),
    Key::new(
        "re-register",
        Shape::Flag,
        "Whether an instance registers anew when it learns that its lease is gone",
    )
    .or("true"),
    Key::later("calls", "The service that it calls in turn"),
    Key::later("client", "How it calls it"),
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
    Key::new(
        "operation",
        Shape::Word(OPERATIONS),
        "What is asked of the registry, where `calls` is `registry`; by default `get`",
    ),
    Key::new("arrivals", Shape::Choice(&ARRIVALS), "When requests arrive, for each client").required(),
    Key::new("timeout", Duration(Positive), "How long one attempt may take").or("\"1s\""),
    Key::new(
        "deadline",
        Shape::DurationOr("none"),
        "How long one request may take, with finding an endpoint",
    )
    .or("\"none\""),
    Key::new("balancer", Shape::Choice(&BALANCER), "How an endpoint is picked").or("\"round-robin\""),
    Key::new("cache", Shape::Choice(&CACHE), "How endpoints are learnt and kept").or("\"watch\""),
    Key::later("key", "The keys of requests, for hashing balancers"),
    Key::later("retry", "Attempts after a failure"),
    Key::later("hedge", "Attempts before a failure"),
    Key::later("breaker", "When to stop calling"),
    Key::later("limiter", "How much to call"),
    Key::later("outlier", "Which endpoints to eject"),
    Key::later("locality", "Which zones to prefer"),
    Key::later("slow-start", "How new endpoints are eased in"),
    Key::later("subset", "Which endpoints a client knows"),
];

/// The spellings of `operation`.
pub(crate) const OPERATIONS: &[&str] = &["put", "get", "get-serializable"];

/// `arrivals`.
pub(crate) const ARRIVALS: Choice = Choice {
    what: "arrivals",
    names: || {
        vec![
            ("poisson", "independent arrivals at a mean rate"),
            ("constant", "evenly spaced arrivals, from a random phase"),
            ("closed", "the next request a think time after the last has ended"),
        ]
    },
    argument: |name| match name {
        "closed" => Argument::Table(CLOSED),
        _ => Argument::Value(Shape::Rate),
    },
    later: &["ramp", "burst", "diurnal"],
};

/// `arrivals.closed`.
pub(crate) const CLOSED: &[Key] =
    &[Key::new("think", Shape::Distribution, "The time between an answer and the next request").required()];

/// `balancer`.
pub(crate) const BALANCER: Choice = Choice {
    what: "balancer",
    names: || balancer::CATALOG.iter().map(|(name, about, _)| (*name, *about)).collect(),
    argument: |_| Argument::Options(&[]),
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

/// The spellings of `reads`.
pub(crate) const READS: &[&str] = &["linearizable", "serializable"];

const READS_KEY: Key =
    Key::new("reads", Shape::Word(READS), "How the registry is read").or("\"linearizable\"");

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
    Key::new("on-empty", Shape::Word(ON_EMPTY), "What an empty list does: nothing, or what it says")
        .or("\"accept\""),
    Key::new(
        "max-stale",
        Shape::DurationOr("forever"),
        "How long a view is used after the registry was last heard of",
    )
    .or("\"forever\""),
];

/// The spellings of `on-empty`.
pub(crate) const ON_EMPTY: &[&str] = &["keep", "accept"];

/// The keys that say what a fault is.
pub(crate) const FAULT_KINDS: &[&str] = &["partition", "crash", "pause"];

/// `[[fault]]`.
pub(crate) const FAULT: &[Key] = &[
    Key::new("id", Text, "Its name, for expectations and the report; by default its kind and number"),
    Key::new("at", Duration(Zero), "When it begins"),
    Key::new("between", Shape::TwoTimes, "It begins at a moment drawn between these two"),
    Key::new("for", Duration(Zero), "How long it lasts; without `for` and `until` it is never healed"),
    Key::new("until", Duration(Zero), "When it is healed"),
    Key::new("may-miss", Shape::Flag, "Whether a run in which it touched nothing still counts").or("false"),
    Key::new("partition", Shape::Table(PARTITION), "Some nodes cannot reach others"),
    Key::new(
        "crash",
        Shape::TargetsOr(CRASH),
        "Processes die: all that is not on disk is lost, and peers see a reset",
    ),
    Key::new("pause", Shape::TargetsOr(PAUSE), "Processes stand still and keep their state"),
    Key::later("when", "A trigger instead of a time"),
    Key::later("after", "How long after its trigger"),
    Key::later("latency", "Links are slower"),
    Key::later("loss", "Links lose messages"),
    Key::later("duplicate", "Links deliver twice"),
    Key::later("reorder", "Links deliver out of order"),
    Key::later("corrupt", "Links damage messages"),
    Key::later("bandwidth", "Links are narrow"),
    Key::later("connection", "Connections break"),
    Key::later("crash-loop", "Processes die again and again"),
    Key::later("stop", "Processes stop in good order"),
    Key::later("zombie", "Instances keep serving after they have left"),
    Key::later("gc", "Processes pause again and again"),
    Key::later("slow", "Processes are slow"),
    Key::later("limp-link", "A link limps"),
    Key::later("partial-capacity", "Some capacity is gone"),
    Key::later("error-rate", "Requests fail"),
    Key::later("leak", "A resource runs out"),
    Key::later("clock", "Clocks are wrong"),
    Key::later("disk", "Disks are slow or full"),
    Key::later("zone-outage", "A zone goes dark"),
    Key::later("registry", "The registry misbehaves"),
    Key::later("dns", "DNS misbehaves"),
    Key::later("deploy", "A new version is rolled out"),
    Key::later("config-push", "A setting changes"),
    Key::later("scale", "Instances come and go"),
    Key::later("ip-reuse", "Another service gets the address"),
    Key::later("load", "The load changes"),
    Key::later("failpoint", "A named point in the code fails"),
];

/// The keys that say who is parted from whom.
pub(crate) const SHAPES: &[&str] = &["split", "isolate", "one-way", "partial", "zone-cut"];

/// `fault.partition`.
pub(crate) const PARTITION: &[Key] = &[
    Key::new("split", Shape::Sides, "Sides that do not reach each other"),
    Key::new("isolate", Shape::Targets, "These reach nobody else, and nobody else reaches them"),
    Key::new("one-way", Shape::OneWay, "The first do not reach the second; the second still reach the first"),
    Key::new("partial", Shape::Pairs, "The two of each pair do not reach each other"),
    Key::new("zone-cut", Shape::TwoNames, "Two zones that do not reach each other"),
    Key::new(
        "direction",
        Shape::Word(DIRECTIONS),
        "Which ways are cut; forward is from an earlier side to a later",
    )
    .or("\"both\""),
    Key::new("mode", Shape::Word(MODES), "What a sender notices: nothing, or a refusal").or("\"blackhole\""),
    Key::new("existing", Shape::Word(&["cut"]), "What happens to connections that are open").or("\"cut\""),
    Key::later("halves", "Two halves"),
    Key::later("random", "Sides drawn at random"),
    Key::later("majority-minority", "A majority and a minority"),
    Key::later("bridge", "Two halves that one node reaches"),
    Key::later("majorities-ring", "Each node sees another majority"),
    Key::later("star", "All reach only the centre"),
    Key::later("mesh", "Each pair drawn"),
    Key::later("plane-cut", "The control plane or the data plane"),
];

/// The spellings of `direction`.
pub(crate) const DIRECTIONS: &[&str] = &["both", "forward", "backward"];

/// The spellings of `mode`.
pub(crate) const MODES: &[&str] = &["blackhole", "reject"];

/// `partition.one-way` as a table.
pub(crate) const ONE_WAY: &[Key] = &[
    Key::new("from", Shape::Targets, "Who does not reach").required(),
    Key::new("to", Shape::Targets, "Whom").required(),
];

/// `fault.crash` as a table.
pub(crate) const CRASH: &[Key] = &[
    Key::new("target", Shape::Targets, "Who dies").required(),
    Key::new("restart-after", Duration(Zero), "Another spelling of the fault's `for`"),
];

/// `fault.pause` as a table.
pub(crate) const PAUSE: &[Key] = &[Key::new("target", Shape::Targets, "Who stands still").required()];

/// The keys that say what an expectation asks.
pub(crate) const ASKS: &[&str] = &["always", "sometimes", "never", "eventually", "metric"];

/// `[[expect]]`.
pub(crate) const EXPECT: &[Key] = &[
    Key::new("id", Text, "Its name in the report; by default made from what it asks"),
    Key::new("always", Shape::Name, "An oracle that must hold at every event"),
    Key::new("sometimes", Shape::Name, "Something that must happen, or else the run says nothing"),
    Key::new("never", Shape::Name, "Something that must not happen"),
    Key::new("eventually", Shape::Name, "An oracle that must hold `within` some time of the last heal"),
    Key::new("within", Duration(Zero), "For `eventually`: by when after the last heal; by default 60s"),
    Key::new("metric", Shape::Name, "A metric to bound"),
    Key::new(
        "during",
        Shape::Window,
        "For `metric`: a fault's id, \"before\", \"after\", \"all\", or { from, to }; by default all",
    ),
    Key::new("at-least", Shape::Bound, "For `metric`: the least allowed, in its unit"),
    Key::new("at-most", Shape::Bound, "For `metric`: the most allowed, in its unit"),
];

/// The default of `within`.
pub(crate) const WITHIN: &str = "\"60s\"";

/// `expect.during` as a table.
pub(crate) const BETWEEN: &[Key] = &[
    Key::new("from", Duration(Zero), "Its beginning").required(),
    Key::new("to", Duration(Zero), "Its end").required(),
];

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
