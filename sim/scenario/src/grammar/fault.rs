//! Faults and expectations: what goes wrong, and what must hold.

use schism_models::oracle::Mood;

use super::Least::Zero;
use super::Shape::{Duration, Text};
use super::{Key, Shape};

/// The keys that say what a fault is.
pub(crate) const FAULT_KINDS: &[&str] = &["partition", "crash", "pause"];

/// The keys that say when a fault begins.
pub(crate) const STARTS: &[&str] = &["at", "between"];

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
    Key::later("when", STARTS),
    Key::later("after", STARTS),
    Key::later("latency", FAULT_KINDS),
    Key::later("loss", FAULT_KINDS),
    Key::later("duplicate", FAULT_KINDS),
    Key::later("reorder", FAULT_KINDS),
    Key::later("corrupt", FAULT_KINDS),
    Key::later("bandwidth", FAULT_KINDS),
    Key::later("connection", FAULT_KINDS),
    Key::later("crash-loop", FAULT_KINDS),
    Key::later("stop", FAULT_KINDS),
    Key::later("zombie", FAULT_KINDS),
    Key::later("gc", FAULT_KINDS),
    Key::later("slow", FAULT_KINDS),
    Key::later("limp-link", FAULT_KINDS),
    Key::later("partial-capacity", FAULT_KINDS),
    Key::later("error-rate", FAULT_KINDS),
    Key::later("leak", FAULT_KINDS),
    Key::later("clock", FAULT_KINDS),
    Key::later("disk", FAULT_KINDS),
    Key::later("zone-outage", FAULT_KINDS),
    Key::later("registry", FAULT_KINDS),
    Key::later("dns", FAULT_KINDS),
    Key::later("deploy", FAULT_KINDS),
    Key::later("config-push", FAULT_KINDS),
    Key::later("scale", FAULT_KINDS),
    Key::later("ip-reuse", FAULT_KINDS),
    Key::later("load", FAULT_KINDS),
    Key::later("failpoint", FAULT_KINDS),
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
    Key::word("direction", DIRECTIONS, "Which ways are cut; forward is from an earlier side to a later")
        .or("\"both\""),
    Key::word("mode", MODES, "What a sender notices: nothing, or a refusal").or("\"blackhole\""),
    Key::word("existing", &["cut"], "What happens to connections that are open").or("\"cut\""),
    Key::later("halves", SHAPES),
    Key::later("random", SHAPES),
    Key::later("majority-minority", SHAPES),
    Key::later("bridge", SHAPES),
    Key::later("majorities-ring", SHAPES),
    Key::later("star", SHAPES),
    Key::later("mesh", SHAPES),
    Key::later("plane-cut", SHAPES),
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
    Key::new("always", Shape::Oracle(Mood::Always), "An oracle that must hold at every event"),
    Key::new(
        "sometimes",
        Shape::Oracle(Mood::Sometimes),
        "Something that must happen, or else the run says nothing",
    ),
    Key::new("never", Shape::Oracle(Mood::Never), "Something that must not happen"),
    Key::new(
        "eventually",
        Shape::Oracle(Mood::Eventually),
        "An oracle that must hold `within` some time of the last heal",
    ),
    Key::new("within", Duration(Zero), "For `eventually`: by when after the last heal; by default 60s"),
    Key::new("metric", Shape::Metric, "A metric to bound"),
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
