//! Faults and expectations: what goes wrong, and what must hold.

use schism_models::oracle::Mood;

use super::Least::Zero;
use super::Shape::{Duration, Text};
use super::{Key, Shape};
use crate::fault::{CATALOG, KINDS};

/// The keys that say when a fault begins.
pub(crate) const STARTS: &[&str] = &["at", "between"];

/// `[[fault]]`: when, how long, and under the key of its kind what.
pub(crate) const FAULT: &[Key] = &{
    let mut keys = [GENERAL[0]; GENERAL.len() + CATALOG.len() + LATER.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = if at < GENERAL.len() {
            GENERAL[at]
        } else if at < GENERAL.len() + CATALOG.len() {
            CATALOG[at - GENERAL.len()].key
        } else {
            Key::later(LATER[at - GENERAL.len() - CATALOG.len()], KINDS)
        };
        at += 1;
    }
    keys
};

const GENERAL: &[Key] = &[
    Key::new("id", Text, "Its name, for expectations and the report; by default its kind and number"),
    Key::new("at", Duration(Zero), "When it begins"),
    Key::new("between", Shape::TwoTimes, "It begins at a moment drawn between these two"),
    Key::new("for", Duration(Zero), "How long it lasts; without `for` and `until` it is never healed"),
    Key::new("until", Duration(Zero), "When it is healed"),
    Key::new("may-miss", Shape::Flag, "Whether a run in which it touched nothing still counts").or("false"),
    Key::later("when", STARTS),
    Key::later("after", STARTS),
];

/// The kinds of the contract that this version cannot do.
const LATER: &[&str] = &[
    "latency",
    "loss",
    "duplicate",
    "reorder",
    "corrupt",
    "bandwidth",
    "connection",
    "crash-loop",
    "stop",
    "zombie",
    "gc",
    "slow",
    "limp-link",
    "partial-capacity",
    "error-rate",
    "leak",
    "clock",
    "disk",
    "zone-outage",
    "dns",
    "deploy",
    "config-push",
    "scale",
    "ip-reuse",
    "load",
    "failpoint",
];

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
